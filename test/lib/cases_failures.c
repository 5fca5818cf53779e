/* Calls that fail either change nothing or report the change. */
#include "stress.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include <sys/prctl.h>
#include <sys/resource.h>

void case_nnp_unchanged(void)
{
	struct raw_sigaction before[SIGNALS + 1];
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(10, 0, 0);
	int no_ruleset = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int ruleset = ruleset_denying(FILE_BIT(0), WITH_PROC);
	/* EBADFD: the descriptor is no ruleset (landlock_restrict_self(2)). */
	const struct {
		int fd;
		uint32_t flags;
		int error;
	} wrong[] = { { -1, 0, EBADF }, { 19999, 0, EBADF }, { no_ruleset, 0, EBADFD },
		      { ruleset, 1U << 31, EINVAL } };

	dispositions_save(before);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int64_t result =
			library.restrict_all(wrong[i].fd, wrong[i].flags, PATIENT_MS, &report);

		expect_unchanged(result, &report, -wrong[i].error);
		check_no_new_privs_everywhere(0);
		dispositions_compare(before);
		crowd_check(crowd, 0, 0);
		check_this_thread(0, 0);
	}

	int64_t result = library.restrict_all(ruleset, 0, PATIENT_MS, &report);

	expect_success(result, &report, 11);
	crowd_check(crowd, FILE_BIT(0), 1);
	check_this_thread(FILE_BIT(0), 1);

	/*
	 * From here on the kernel rejects the caller's own restriction, after the others have
	 * parked.
	 */
	result = library.restrict_all(no_ruleset, 0, PATIENT_MS, &report);
	expect_unchanged(result, &report, -EBADFD);
	dispositions_compare(before);
	crowd_check(crowd, FILE_BIT(0), 1);
	crowd_end(crowd);
}

/* ---- A full queue of signals ---- */

/* A uid of its own, so that no other process's signals count against the limit. */
#define LONELY_UID 54321
#define QUEUE 2

void case_sigpending(void)
{
	struct raw_sigaction before[SIGNALS + 1];
	struct rlimit limit = { QUEUE, QUEUE };
	struct allthreads_report report;

	if (geteuid() == 0)
		CHECK(setresuid(LONELY_UID, LONELY_UID, LONELY_UID) == 0, "setresuid: %s",
		      strerror(errno));

	struct crowd *crowd = crowd_start(200, 0, 0);

	CHECK(setrlimit(RLIMIT_SIGPENDING, &limit) == 0, "setrlimit: %s", strerror(errno));
	dispositions_save(before);

	/* Signals that no thread takes use up the limit for good. */
	uint64_t mask = raw_mask(1ULL << (SIGRTMAX - 1));
	int queued = 0;

	siginfo_t info = { .si_signo = SIGRTMAX, .si_code = SI_QUEUE };

	/* Sent to this thread, since another thread would take them. */
	while (syscall(SYS_rt_tgsigqueueinfo, getpid(), thread_id(), SIGRTMAX, &info) == 0)
		CHECK(++queued < 1000, "RLIMIT_SIGPENDING does not hold");
	CHECK(errno == EAGAIN, "rt_tgsigqueueinfo: %s", strerror(errno));

	int64_t result = library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, HASTY_MS,
					      &report);

	expect_unchanged(result, &report, ALLTHREADS_UNREACHABLE);
	CHECK(report.error == -EAGAIN && report.tid != 0, "thread %d was blamed for %d", report.tid,
	      report.error);
	check_no_new_privs_everywhere(0);
	crowd_check(crowd, 0, 0);
	dispositions_compare(before);

	struct timespec at_once = { 0, 0 };
	uint64_t wanted = 1ULL << (SIGRTMAX - 1);

	while (syscall(SYS_rt_sigtimedwait, &wanted, NULL, &at_once, sizeof(wanted)) > 0)
		queued--;
	CHECK(queued == 0, "%d signals are still queued", queued);
	raw_mask(mask);

	/* Leaves room for two at a time. */
	result = library.restrict_all(ruleset_denying(FILE_BIT(1), WITH_PROC), 0, 3 * PATIENT_MS,
				      &report);
	expect_success(result, &report, 201);
	crowd_check(crowd, FILE_BIT(1), 1);
	check_this_thread(FILE_BIT(1), 1);
	crowd_end(crowd);
}

/* ---- One thread that cannot do what the others can ---- */

static uint32_t sixteen_ready, sixteen_go;
static int32_t sixteen_tid;

static void *sixteen_main(void *unused)
{
	int harmless = ruleset_denying(0, WITH_PROC);

	prctl(PR_SET_NAME, "sixteen", 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	for (int layer = 0; layer < 16; layer++)
		CHECK(syscall(446, harmless, 0) == 0, "landlock_restrict_self: %s", strerror(errno));
	sixteen_tid = thread_id();
	__atomic_store_n(&sixteen_ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&sixteen_go, __ATOMIC_SEQ_CST))
		futex_wait(&sixteen_go, 0);
	check_this_thread(0, 1);
	return unused;
}

void case_diverged(void)
{
	struct raw_sigaction before[SIGNALS + 1];
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(10, 0, 0);
	pthread_t thread = start_thread(sixteen_main, NULL);

	WAIT_FOR(__atomic_load_n(&sixteen_ready, __ATOMIC_SEQ_CST));
	dispositions_save(before);

	int64_t result =
		library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, PATIENT_MS, &report);

	CHECK(result == ALLTHREADS_DIVERGED, "returned %lld", (long long)result);
	CHECK(report.changed == 1 && report.threads == 11, "changed %d, %d threads", report.changed,
	      report.threads);
	CHECK(report.tid == sixteen_tid && report.error == -E2BIG && !strcmp(report.name, "sixteen"),
	      "thread %d (%s) was blamed for %d", report.tid, report.name, report.error);
	dispositions_compare(before);
	crowd_check(crowd, FILE_BIT(0), 1);
	check_this_thread(FILE_BIT(0), 1);
	__atomic_store_n(&sixteen_go, 1, __ATOMIC_SEQ_CST);
	futex_wake(&sixteen_go);
	pthread_join(thread, NULL);
	crowd_end(crowd);
}
