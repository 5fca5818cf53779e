/* Other code uses the same signal at the same time. */
#include "stress.h"

#include <sched.h>
#include <signal.h>

#define SIGNAL 33
#define BOMBARDERS 3
#define TARGETS 20
/* At most this many signals in flight: a thread that handles one blocks it, so another gets it. */
#define UNDERWAY_MOST 20

static uint32_t sent, handled, ours, end;
static uint32_t ready;
static int32_t targets[TARGETS];

static void application_handler(int signal, void *info, void *context)
{
	(void)context;
	if (signal == SIGNAL && ((siginfo_t *)info)->si_code == SI_TKILL)
		__atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
	else
		__atomic_add_fetch(&ours, 1, __ATOMIC_SEQ_CST);
}

static void *target_main(void *which)
{
	targets[(intptr_t)which] = thread_id();
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&end, __ATOMIC_SEQ_CST))
		futex_wait(&end, 0);
	return NULL;
}

static void *bombarder_main(void *unused)
{
	for (uint32_t i = 0; !__atomic_load_n(&end, __ATOMIC_SEQ_CST); i++) {
		uint32_t underway = __atomic_load_n(&sent, __ATOMIC_SEQ_CST) -
				    __atomic_load_n(&handled, __ATOMIC_SEQ_CST);

		/* It may briefly be negative, between a delivery and its count. */
		if ((int32_t)underway > UNDERWAY_MOST) {
			sched_yield();
			continue;
		}
		if (syscall(SYS_tgkill, getpid(), targets[i % TARGETS], SIGNAL) == 0)
			__atomic_add_fetch(&sent, 1, __ATOMIC_SEQ_CST);
	}
	return unused;
}

void case_foreign_signal(void)
{
	pthread_t threads[BOMBARDERS + TARGETS];
	struct raw_sigaction before[SIGNALS + 1];
	struct allthreads_report report;
	int used = 0;

	for (intptr_t i = 0; i < TARGETS; i++)
		threads[BOMBARDERS + i] = start_thread(target_main, (void *)i);
	WAIT_FOR(__atomic_load_n(&ready, __ATOMIC_SEQ_CST) == TARGETS);
	/* glibc installs its own handler with the first thread. */
	raw_handle(SIGNAL, application_handler);
	dispositions_save(before);
	for (int i = 0; i < BOMBARDERS; i++)
		threads[i] = start_thread(bombarder_main, NULL);
	WAIT_FOR(__atomic_load_n(&handled, __ATOMIC_SEQ_CST) > 1000);

	for (int layer = 0; layer < 12; layer++) {
		uint32_t by_now = __atomic_load_n(&handled, __ATOMIC_SEQ_CST);
		int64_t result = library.restrict_all(ruleset_denying(FILE_BIT(layer), WITH_PROC), 0,
						      PATIENT_MS, &report);

		expect_success(result, &report, 1 + BOMBARDERS + TARGETS);
		used += report.signal == SIGNAL;
		WAIT_FOR(__atomic_load_n(&handled, __ATOMIC_SEQ_CST) > by_now + 200);
	}
	__atomic_store_n(&end, 1, __ATOMIC_SEQ_CST);
	futex_wake(&end);
	for (int i = 0; i < BOMBARDERS + TARGETS; i++)
		pthread_join(threads[i], NULL);
	/* A thread takes its queued signals before it ends in user mode. */
	CHECK(sent == handled, "%u were sent, %u arrived", sent, handled);
	CHECK(used > 0, "%d was never used", SIGNAL);
	CHECK(ours == 0, "%u of the library's arrived", ours);
	dispositions_compare(before);
}

/* ---- libc's own broadcast ---- */

static uint32_t changes;

/* musl's broadcast blocks every signal and takes longer: give the library a chance. */
#ifdef __GLIBC__
#define CHANGE_EVERY_MS 1
#else
#define CHANGE_EVERY_MS 25
#endif

static void *changer_main(void *unused)
{
	uid_t uid = getuid();

	while (!__atomic_load_n(&end, __ATOMIC_SEQ_CST)) {
		CHECK(setresuid(uid, uid, uid) == 0, "setresuid: %s", strerror(errno));
		__atomic_add_fetch(&changes, 1, __ATOMIC_SEQ_CST);
		nap_ms(CHANGE_EVERY_MS);
	}
	return unused;
}

/*
 * musl's broadcast blocks all signals of its caller while it waits for the other threads, which are
 * already parked. Both broadcasts wait for each other. The library gives up with nothing changed,
 * and the next try may succeed.
 */
static int64_t restrict_beside_setuid(int ruleset, struct allthreads_report *report)
{
#ifdef __GLIBC__
	return library.restrict_all(ruleset, 0, PATIENT_MS, report);
#else
	int64_t start = now_ms(), result;

	while ((result = library.restrict_all(ruleset, 0, HASTY_MS, report)) == ALLTHREADS_UNREACHABLE) {
		expect_unchanged(result, report, ALLTHREADS_UNREACHABLE);
		CHECK(now_ms() - start < 60000, "both broadcasts blocked each other each time");
		/* Now the other broadcast can end. */
		nap_ms(1);
	}
	return result;
#endif
}

void case_setuid_broadcast(void)
{
	pthread_t threads[2];
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(20, 0, 0);
	uint32_t denied = 0;

	for (int i = 0; i < 2; i++)
		threads[i] = start_thread(changer_main, NULL);
	WAIT_FOR(__atomic_load_n(&changes, __ATOMIC_SEQ_CST) > 20);
	for (int layer = 0; layer < 15; layer++) {
		uint32_t by_now = __atomic_load_n(&changes, __ATOMIC_SEQ_CST);
		int64_t result =
			restrict_beside_setuid(ruleset_denying(FILE_BIT(layer), WITH_PROC), &report);

		denied |= FILE_BIT(layer);
		expect_success(result, &report, 23);
		WAIT_FOR(__atomic_load_n(&changes, __ATOMIC_SEQ_CST) > by_now + 5);
	}
	__atomic_store_n(&end, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	crowd_check(crowd, denied, 1);
	check_this_thread(denied, 1);
	crowd_end(crowd);
}
