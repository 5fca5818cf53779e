/* Deadlines that are too short may fail the call, but never weaken the sandbox. */
#include "stress.h"

#include <signal.h>

#include <sys/wait.h>

/* Copying a ruleset into all these threads takes many times longer than parking them. */
#define COPIES 200
#define LAYER_MS (10 * SLOWNESS)
#define PAUSED_MS (3000 * SLOWNESS)

void case_slow_ruleset(void)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(COPIES, 0, 0);
	int ruleset = ruleset_denying(FILE_BIT(0), WITH_PROC);
	int64_t result;
	int64_t since = now_ms();

	ruleset_fill(ruleset);
	/* Parking may take too long here, but a thread that has parked is never lost. */
	do {
		result = library.restrict_all(ruleset, 0, LAYER_MS, &report);
		CHECK(result == 0 || result == ALLTHREADS_UNREACHABLE,
		      "a slow enforcement returned %lld after %d threads", (long long)result,
		      report.threads);
		CHECK(now_ms() - since < FOREVER_MS, "%d ms never sufficed to park", LAYER_MS);
	} while (result != 0);
	expect_success(result, &report, COPIES + 1);
	crowd_check(crowd, FILE_BIT(0), 1);
	check_this_thread(FILE_BIT(0), 1);
	crowd_end(crowd);
}

void case_short_deadline(void)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(100, 0, 0);
	int ruleset = ruleset_denying(FILE_BIT(0), WITH_PROC);
	int layers = 0;

	for (uint32_t try = 0; try < 100 && layers < 10; try++) {
		int64_t result = library.restrict_all(ruleset, 0, try % 7, &report);

		if (result == 0) {
			expect_success(result, &report, 101);
			layers++;
		} else {
			expect_unchanged(result, &report, ALLTHREADS_UNREACHABLE);
		}
		if (try % 10 == 0) {
			crowd_check(crowd, layers ? FILE_BIT(0) : 0, layers > 0);
			check_this_thread(layers ? FILE_BIT(0) : 0, layers > 0);
		}
	}
	/* A call with enough time reaches every thread, whatever was given up before. */
	expect_success(library.restrict_all(ruleset, 0, PATIENT_MS, &report), &report, 101);
	crowd_check(crowd, FILE_BIT(0), 1);
	check_this_thread(FILE_BIT(0), 1);
	crowd_end(crowd);
}

/* ---- The whole process is stopped while its threads restrict themselves ---- */

static int no_new_privs_of(pid_t pid)
{
	char path[64], text[8192];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);

	FILE *status = fopen(path, "re");

	CHECK(status, "%s: %s", path, strerror(errno));
	text[fread(text, 1, sizeof(text) - 1, status)] = 0;
	fclose(status);

	const char *field = strstr(text, "NoNewPrivs:\t");

	CHECK(field, "%s has no NoNewPrivs", path);
	return atoi(field + 12);
}

static void paused_process(void)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(COPIES, 0, 0);
	int ruleset = ruleset_denying(FILE_BIT(0), WITH_PROC);

	ruleset_fill(ruleset);
	/* Long enough to park on a busy machine, shorter than the pause. */
	expect_success(library.restrict_all(ruleset, 0, PAUSED_MS / 2, &report), &report, COPIES + 1);
	crowd_check(crowd, FILE_BIT(0), 1);
	check_this_thread(FILE_BIT(0), 1);
	crowd_end(crowd);
}

void case_paused(void)
{
	int status;
	pid_t child = fork_child();

	if (child == 0) {
		paused_process();
		_exit(0);
	}
	/* The caller restricts itself first; the others are halfway through now. */
	while (!no_new_privs_of(child))
		CHECK(waitpid(child, &status, WNOHANG) == 0, "it ended too early");
	kill(child, SIGSTOP);
	nap_ms(PAUSED_MS);
	kill(child, SIGCONT);
	CHECK(waitpid(child, &status, 0) == child, "waitpid: %s", strerror(errno));
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the paused process ended with %d", status);
}
