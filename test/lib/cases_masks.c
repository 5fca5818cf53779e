/* Threads that block signals. */
#include "stress.h"

#define ONLY(signal) (1ULL << ((signal) - 1))

void case_blocked(void)
{
	struct allthreads_report report;
	struct blocker blocker;
	struct crowd *crowd = crowd_start(10, 0, 0);
	int ruleset = ruleset_denying(FILE_BIT(0), WITH_PROC);

	blocker_start(&blocker, ALL_SIGNALS, "deaf thread");

	int64_t since = now_ms();
	int64_t result = library.restrict_all(ruleset, 0, HASTY_MS, &report);
	int64_t took = now_ms() - since;

	expect_unchanged(result, &report, ALLTHREADS_UNREACHABLE);
	CHECK(report.tid == blocker.tid, "thread %d was blamed", report.tid);
	CHECK(strcmp(report.name, "deaf thread") == 0, "its name was \"%s\"", report.name);
	CHECK(took >= HASTY_MS && took < HASTY_MS + 5000 * SLOWNESS, "it took %lld ms", (long long)took);
	check_no_new_privs_everywhere(0);
	crowd_check(crowd, 0, 0);
	/*
	 * The library's signal is still queued on that thread, so the handler stays and must do
	 * nothing.
	 */
	blocker_stop(&blocker, 0, 0);
	crowd_check(crowd, 0, 0);

	result = library.restrict_all(ruleset, 0, PATIENT_MS, &report);
	expect_success(result, &report, 11);
	crowd_check(crowd, FILE_BIT(0), 1);
	check_this_thread(FILE_BIT(0), 1);
	check_no_new_privs_everywhere(1);
	crowd_end(crowd);
}

void case_blocks_33(void)
{
	struct raw_sigaction before[SIGNALS + 1];
	struct allthreads_report report;
	struct blocker first, second;
	struct crowd *crowd = crowd_start(10, 0, 0);

	dispositions_save(before);
	blocker_start(&first, ONLY(33), "first");

	int64_t result =
		library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, PATIENT_MS, &report);

	expect_success(result, &report, 12);
	CHECK(report.signal != 33, "33 was used");

	/* All signals that the libcs reserve, and some more. */
	blocker_start(&second, ONLY(32) | ONLY(34) | ONLY(64), "second");
	result = library.restrict_all(ruleset_denying(FILE_BIT(1), WITH_PROC), 0, PATIENT_MS, &report);
	expect_success(result, &report, 13);
	CHECK(report.signal > 34 && report.signal < 64, "%d was used", report.signal);

	/* From the second one on, no mask can be read, so the library uses a signal that worked. */
	for (int file = 2; file < 4; file++) {
		int ruleset = ruleset_denying(FILE_BIT(file), WITHOUT_PROC);

		result = library.restrict_all(ruleset, 0, PATIENT_MS, &report);
		expect_success(result, &report, 13);
	}

	uint32_t denied = FILE_BIT(0) | FILE_BIT(1) | FILE_BIT(2) | FILE_BIT(3);

	dispositions_compare(before);
	crowd_check(crowd, denied, 1);
	check_this_thread(denied, 1);
	blocker_stop(&first, denied, 1);
	blocker_stop(&second, denied, 1);
	crowd_end(crowd);
}

#define FLICKERING 3

static uint32_t flicker_ready, flicker_end;

static void *flicker_main(void *unused)
{
	check_this_thread(0, 0);
	__atomic_add_fetch(&flicker_ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&flicker_end, __ATOMIC_SEQ_CST)) {
		raw_mask(ALL_SIGNALS);
		nap_ms(4);
		raw_mask(0);
		nap_ms(4);
	}
	check_this_thread(FILE_BIT(0), 1);
	return unused;
}

void case_transient(void)
{
	pthread_t threads[FLICKERING];
	struct raw_sigaction before[SIGNALS + 1];
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(10, 0, 0);

	dispositions_save(before);
	for (int i = 0; i < FLICKERING; i++)
		threads[i] = start_thread(flicker_main, NULL);
	WAIT_FOR(__atomic_load_n(&flicker_ready, __ATOMIC_SEQ_CST) == FLICKERING);

	int64_t result =
		library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, PATIENT_MS, &report);

	expect_success(result, &report, 11 + FLICKERING);
	dispositions_compare(before);
	crowd_check(crowd, FILE_BIT(0), 1);
	check_this_thread(FILE_BIT(0), 1);
	__atomic_store_n(&flicker_end, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < FLICKERING; i++)
		pthread_join(threads[i], NULL);
	crowd_end(crowd);
}
