#include "stress.h"

#include <fcntl.h>
#include <poll.h>
#include <time.h>

/* More would leave no CPU for the others. */
#define BUSY_MOST 2

struct member {
	struct crowd *crowd;
	pthread_t thread;
	enum idle idle;
	int32_t tid;
	int pipe[2];
};

struct crowd {
	int count;
	uint32_t question; /* incremented for each check */
	uint32_t answers;
	uint32_t denied;
	int no_new_privs;
	int end;
	struct member members[];
};

pthread_t start_thread(void *(*body)(void *), void *argument)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, SMALL_STACK);

	int error = pthread_create(&thread, &attributes, body, argument);

	CHECK(error == 0, "pthread_create: %s", strerror(error));
	pthread_attr_destroy(&attributes);
	return thread;
}

static void take_byte(struct member *m)
{
	char byte;
	ssize_t got = read(m->pipe[0], &byte, 1);

	/* The signal's handler has SA_RESTART. */
	CHECK(got == 1, "read was interrupted: %s", strerror(errno));
}

static void idle_once(struct member *m, uint32_t seen)
{
	struct timespec a_while = { 0, 10000000 };
	struct pollfd pollfd = { m->pipe[0], POLLIN, 0 };

	switch (m->idle) {
	case IDLE_FUTEX:
		if (futex_wait(&m->crowd->question, seen) < 0)
			CHECK(errno == EAGAIN, "futex was interrupted: %s", strerror(errno));
		break;
	case IDLE_READ:
		take_byte(m);
		break;
	case IDLE_POLL:
		/* Returns EINTR after any handler (signal(7)). */
		if (poll(&pollfd, 1, -1) == 1)
			take_byte(m);
		else
			CHECK(errno == EINTR, "poll: %s", strerror(errno));
		break;
	case IDLE_SLEEP:
		/* EINTR after any handler, like poll. */
		nanosleep(&a_while, NULL);
		break;
	default:
		break;
	}
}

static void *member_main(void *argument)
{
	struct member *m = argument;
	struct crowd *crowd = m->crowd;
	uint32_t seen = 0;

	__atomic_store_n(&m->tid, thread_id(), __ATOMIC_SEQ_CST);
	do {
		while (__atomic_load_n(&crowd->question, __ATOMIC_SEQ_CST) == seen)
			idle_once(m, seen);
		seen++;
		if (!crowd->end)
			check_this_thread(crowd->denied, crowd->no_new_privs);
		__atomic_add_fetch(&crowd->answers, 1, __ATOMIC_SEQ_CST);
	} while (!crowd->end);
	return NULL;
}

static void ask(struct crowd *crowd)
{
	__atomic_store_n(&crowd->answers, 0, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&crowd->question, 1, __ATOMIC_SEQ_CST);
	futex_wake(&crowd->question);
	for (int i = 0; i < crowd->count; i++) {
		struct member *m = &crowd->members[i];

		if (m->idle == IDLE_READ || m->idle == IDLE_POLL)
			CHECK(write(m->pipe[1], "", 1) == 1, "write: %s", strerror(errno));
	}
	WAIT_FOR(__atomic_load_n(&crowd->answers, __ATOMIC_SEQ_CST) == (uint32_t)crowd->count);
}

struct crowd *crowd_start(int count, uint32_t denied, int no_new_privs)
{
	struct crowd *crowd = calloc(1, sizeof(*crowd) + (size_t)count * sizeof(struct member));
	int busy = 0;

	CHECK(crowd, "out of memory");
	crowd->count = count;
	for (int i = 0; i < count; i++) {
		struct member *m = &crowd->members[i];

		m->crowd = crowd;
		m->idle = (enum idle)(i % IDLE_KINDS);
		if (m->idle == IDLE_BUSY && ++busy > BUSY_MOST)
			m->idle = IDLE_FUTEX;
		if (m->idle == IDLE_READ || m->idle == IDLE_POLL)
			CHECK(pipe2(m->pipe, O_CLOEXEC) == 0, "pipe2: %s", strerror(errno));
		m->thread = start_thread(member_main, m);
	}
	crowd_check(crowd, denied, no_new_privs);
	return crowd;
}

void crowd_settle(struct crowd *crowd)
{
	for (int i = 0; i < crowd->count; i++)
		if (crowd->members[i].idle != IDLE_BUSY)
			WAIT_FOR(thread_state(crowd->members[i].tid) == 'S');
}

void crowd_check(struct crowd *crowd, uint32_t denied, int no_new_privs)
{
	crowd->denied = denied;
	crowd->no_new_privs = no_new_privs;
	ask(crowd);
}

void crowd_end(struct crowd *crowd)
{
	crowd->end = 1;
	ask(crowd);
	for (int i = 0; i < crowd->count; i++) {
		struct member *m = &crowd->members[i];

		pthread_join(m->thread, NULL);
		if (m->pipe[1]) {
			close(m->pipe[0]);
			close(m->pipe[1]);
		}
	}
	free(crowd);
}
