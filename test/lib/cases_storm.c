/* The application's signals interrupt threads all the time, whatever they wait in. */
#include "stress.h"

#include <signal.h>
#include <time.h>

#include <sys/time.h>

#define MEMBERS 8
#define LAYERS 5
#define TIMER_US 100

static struct {
	int32_t tids[MEMBERS];
	uint32_t interrupted[MEMBERS];
	uint32_t end;
	uint32_t denied; /* what every thread must find denied at the end */
} storm;

static uint32_t get(uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void nothing(int signal)
{
	(void)signal;
}

static void *member_main(void *argument)
{
	int which = (int)(intptr_t)argument;
	uint32_t nobody_wakes = 0;
	struct timespec second = { 1, 0 };

	check_this_thread(0, 0);
	__atomic_store_n(&storm.tids[which], thread_id(), __ATOMIC_SEQ_CST);
	while (!get(&storm.end)) {
		int interrupted = which % 2 ? futex_wait(&nobody_wakes, 0) < 0 && errno == EINTR
					    : nanosleep(&second, NULL) < 0;

		if (interrupted)
			__atomic_add_fetch(&storm.interrupted[which], 1, __ATOMIC_SEQ_CST);
	}
	check_this_thread(get(&storm.denied), 1);
	return NULL;
}

static void *sender_main(void *unused)
{
	while (!get(&storm.end))
		for (int i = 0; i < MEMBERS; i++)
			if (storm.tids[i])
				syscall(SYS_tgkill, getpid(), storm.tids[i], SIGUSR2);
	/* They may be asleep again. */
	for (int i = 0; i < MEMBERS; i++)
		syscall(SYS_tgkill, getpid(), storm.tids[i], SIGUSR2);
	check_this_thread(get(&storm.denied), 1);
	return unused;
}

static int all_interrupted(uint32_t times)
{
	for (int i = 0; i < MEMBERS; i++)
		if (get(&storm.interrupted[i]) < times)
			return 0;
	return 1;
}

void case_storm(void)
{
	/* No SA_RESTART, so that every call that can end with EINTR does. */
	struct sigaction action = { .sa_handler = nothing };
	struct itimerval timer = { { 0, TIMER_US }, { 0, TIMER_US } };
	struct raw_sigaction before[SIGNALS + 1];
	struct allthreads_report report;
	pthread_t members[MEMBERS], sender;

	sigaction(SIGUSR2, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	for (intptr_t i = 0; i < MEMBERS; i++)
		members[i] = start_thread(member_main, (void *)i);
	for (int i = 0; i < MEMBERS; i++)
		WAIT_FOR(__atomic_load_n(&storm.tids[i], __ATOMIC_SEQ_CST));
	check_this_thread(0, 0);
	sender = start_thread(sender_main, NULL);
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0, "setitimer: %s", strerror(errno));
	WAIT_FOR(all_interrupted(10));
	dispositions_save(before);
	for (int layer = 0; layer < LAYERS; layer++) {
		int ruleset = ruleset_denying(FILE_BIT(layer), WITH_PROC);

		expect_success(library.restrict_all(ruleset, 0, PATIENT_MS, &report), &report,
			       MEMBERS + 2);
		storm.denied |= FILE_BIT(layer);
		close(ruleset);
	}
	dispositions_compare(before);
	check_no_new_privs_everywhere(1);
	/* The storm continues during the call. */
	for (int i = 0; i < MEMBERS; i++)
		__atomic_store_n(&storm.interrupted[i], 0, __ATOMIC_SEQ_CST);
	WAIT_FOR(all_interrupted(10));
	__atomic_store_n(&storm.end, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < MEMBERS; i++) {
		WAIT_FOR(syscall(SYS_tgkill, getpid(), storm.tids[i], SIGUSR2) < 0);
		pthread_join(members[i], NULL);
	}
	pthread_join(sender, NULL);
	check_this_thread(storm.denied, 1);
}
