/* Threads that a garbage collector has suspended, as JavaScriptCore does, must stay suspended. */
#include "stress.h"

#include <sched.h>
#include <signal.h>

#define LAYERS 8
#define REFUSED_CALLS 2000
#define SUSPENSIONS_LEAST 20

/* As in WTF's threads: one signal both suspends a thread and resumes it. */
static uint32_t suspending, suspended, resumed;
static uint32_t steps; /* the thread counts these while it runs */
static uint32_t end, denied;
static int32_t target_tid;

static void suspend_handler(int signal)
{
	sigset_t others;

	if (__atomic_load_n(&suspending, __ATOMIC_SEQ_CST))
		return; /* the signal that resumes the thread */
	__atomic_store_n(&suspending, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&suspended, 1, __ATOMIC_SEQ_CST);
	sigfillset(&others);
	sigdelset(&others, signal);
	sigsuspend(&others);
	__atomic_store_n(&suspending, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&resumed, 1, __ATOMIC_SEQ_CST);
}

static void *target_main(void *unused)
{
	target_tid = thread_id();
	while (!__atomic_load_n(&end, __ATOMIC_SEQ_CST))
		__atomic_add_fetch(&steps, 1, __ATOMIC_SEQ_CST);
	check_this_thread(denied, 1);
	return unused;
}

static void install_suspend_handler(void)
{
	struct sigaction action = { .sa_handler = suspend_handler, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGPWR);
	sigaction(SIGPWR, &action, NULL);
}

static pthread_t start_target(void)
{
	install_suspend_handler();

	pthread_t target = start_thread(target_main, NULL);

	WAIT_FOR(__atomic_load_n(&steps, __ATOMIC_SEQ_CST) > 0);
	return target;
}

static void signal_target(void)
{
	CHECK(syscall(SYS_tgkill, getpid(), target_tid, SIGPWR) == 0, "tgkill: %s", strerror(errno));
}

static void suspend_target(void)
{
	__atomic_store_n(&suspended, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&resumed, 0, __ATOMIC_SEQ_CST);
	signal_target();
	while (!__atomic_load_n(&suspended, __ATOMIC_SEQ_CST))
		sched_yield();
}

static void resume_target(void)
{
	CHECK(!__atomic_load_n(&resumed, __ATOMIC_SEQ_CST), "it went on while it was suspended");
	signal_target();
	while (!__atomic_load_n(&resumed, __ATOMIC_SEQ_CST))
		sched_yield();
}

static void restrict_layer(int layer, int threads)
{
	struct allthreads_report report;
	int ruleset = ruleset_denying(FILE_BIT(layer), WITH_PROC);
	int64_t result = library.restrict_all(ruleset, 0, PATIENT_MS, &report);

	denied |= FILE_BIT(layer);
	expect_success(result, &report, threads);
	close(ruleset);
}

/* Suspended before the first broadcast, and until after several. */
void case_suspended(void)
{
	pthread_t target = start_target();

	suspend_target();
	WAIT_FOR(thread_state(target_tid) == 'S');

	uint32_t before = __atomic_load_n(&steps, __ATOMIC_SEQ_CST);

	for (int layer = 0; layer < LAYERS; layer++)
		restrict_layer(layer, 2);
	/* Its handler has returned by now, so a wrongly resumed thread would have run. */
	nap_ms(20);
	CHECK(steps == before, "it ran while it was suspended");
	CHECK(thread_state(target_tid) == 'S', "it is not suspended any more");
	resume_target();
	WAIT_FOR(__atomic_load_n(&steps, __ATOMIC_SEQ_CST) > before);
	__atomic_store_n(&end, 1, __ATOMIC_SEQ_CST);
	pthread_join(target, NULL);
	check_this_thread(denied, 1);
}

/* ---- A collector that suspends a thread again and again ---- */

static uint32_t suspensions, stop;

/* Lets the thread run between two suspensions, for this many steps of the caller. */
static void *collector_main(void *pause)
{
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		suspend_target();

		uint32_t before = __atomic_load_n(&steps, __ATOMIC_SEQ_CST);

		for (int i = 0; i < 400; i++)
			sched_yield();
		CHECK(__atomic_load_n(&steps, __ATOMIC_SEQ_CST) == before,
		      "it ran while it was suspended");
		resume_target();
		__atomic_add_fetch(&suspensions, 1, __ATOMIC_SEQ_CST);
		for (volatile intptr_t i = 0; i < (intptr_t)pause; i++)
			;
	}
	return NULL;
}

void case_collector(void)
{
	pthread_t target = start_target();
	pthread_t collector = start_thread(collector_main, NULL);

	for (int layer = 0; layer < LAYERS; layer++) {
		uint32_t by_now = __atomic_load_n(&suspensions, __ATOMIC_SEQ_CST);

		WAIT_FOR(__atomic_load_n(&suspensions, __ATOMIC_SEQ_CST) >
			 by_now + SUSPENSIONS_LEAST);
		restrict_layer(layer, 3);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	pthread_join(collector, NULL);
	__atomic_store_n(&end, 1, __ATOMIC_SEQ_CST);
	pthread_join(target, NULL);
	check_this_thread(denied, 1);
}

/* It suspends the caller, and parks before it can resume the caller. */
void case_caller_suspended(void)
{
	install_suspend_handler();
	target_tid = thread_id();

	pthread_t collector = start_thread(collector_main, (void *)20000);

	restrict_layer(0, 2);
	/* Nothing changes, so this can happen often. */
	for (int i = 0; i < REFUSED_CALLS; i++) {
		struct allthreads_report report;

		expect_unchanged(library.restrict_all(-1, 0, PATIENT_MS, &report), &report, -EBADF);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	pthread_join(collector, NULL);
	check_this_thread(denied, 1);
}
