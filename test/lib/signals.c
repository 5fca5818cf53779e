#include "stress.h"

#include <signal.h>

#include <sys/prctl.h>

/* libc's wrappers do not accept 32 to 34. */
uint64_t raw_mask(uint64_t blocked)
{
	uint64_t before;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, &before, sizeof(blocked));
	return before;
}

struct raw_sigaction raw_sigaction_get(int signal)
{
	struct raw_sigaction action;

	CHECK(syscall(SYS_rt_sigaction, signal, NULL, &action, sizeof(uint64_t)) == 0,
	      "rt_sigaction %d: %s", signal, strerror(errno));
	return action;
}

void raw_sigaction_set(int signal, const struct raw_sigaction *action)
{
	CHECK(syscall(SYS_rt_sigaction, signal, action, NULL, sizeof(uint64_t)) == 0,
	      "rt_sigaction %d: %s", signal, strerror(errno));
}

void raw_handle(int signal, void (*handler)(int, void *, void *))
{
	struct sigaction through_libc = {
		.sa_sigaction = (void (*)(int, siginfo_t *, void *))handler,
		.sa_flags = SA_SIGINFO | SA_RESTART,
	};

	/* libc sets the flags and the restorer that this CPU needs. */
	sigaction(SIGUSR2, &through_libc, NULL);

	struct raw_sigaction action = raw_sigaction_get(SIGUSR2);

	raw_sigaction_set(signal, &action);
}

void dispositions_save(struct raw_sigaction saved[SIGNALS + 1])
{
	for (int signal = 1; signal <= SIGNALS; signal++)
		saved[signal] = raw_sigaction_get(signal);
}

void dispositions_compare(const struct raw_sigaction saved[SIGNALS + 1])
{
	for (int signal = 1; signal <= SIGNALS; signal++) {
		struct raw_sigaction now = raw_sigaction_get(signal);

		CHECK(memcmp(&now, &saved[signal], sizeof(now)) == 0,
		      "signal %d: the disposition was not restored", signal);
	}
}

static void *blocker_main(void *argument)
{
	struct blocker *b = argument;

	prctl(PR_SET_NAME, b->name, 0, 0, 0);
	raw_mask(b->blocked);
	__atomic_store_n(&b->tid, thread_id(), __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&b->stop, __ATOMIC_SEQ_CST))
		futex_wait(&b->stop, 0);
	raw_mask(0);
	check_this_thread(b->denied, b->no_new_privs);
	return NULL;
}

void blocker_start(struct blocker *blocker, uint64_t blocked, const char *name)
{
	*blocker = (struct blocker){ .blocked = blocked, .name = name };
	blocker->thread = start_thread(blocker_main, blocker);
	WAIT_FOR(__atomic_load_n(&blocker->tid, __ATOMIC_SEQ_CST));
}

void blocker_stop(struct blocker *blocker, uint32_t denied, int no_new_privs)
{
	blocker->denied = denied;
	blocker->no_new_privs = no_new_privs;
	__atomic_store_n(&blocker->stop, 1, __ATOMIC_SEQ_CST);
	futex_wake(&blocker->stop);
	pthread_join(blocker->thread, NULL);
}
