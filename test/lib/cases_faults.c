/*
 * Runs the broadcast with one failing system call, in the library build of test/faults. Reads lines
 * of `NUMBER RESULT WHEN LAST LAYERS` from standard input. Writes one line for each: the outcome of
 * the call, after LAYERS earlier layers.
 */
#include "stress.h"

#include <dlfcn.h>
#include <signal.h>

#include <sys/wait.h>

#define MEMBERS 6
#define REPEATS 3
/* Each case that cannot succeed waits for all of it. */
#define SHORT_MS (100 * SLOWNESS)
/* Longer than any call takes with all its repeats. */
#define HUNG_MS FOREVER_MS

static struct {
	void (*arm)(int32_t nr, int32_t result, uint32_t when, uint32_t last);
	uint32_t (*seen)(int32_t nr);
} faults;

static struct {
	int nr, result;
	unsigned when, last, layers;
} fault;

/* If restoring the caller's mask is what fails, the mask stays; no real kernel fails there. */
static void look(struct state *state, const struct state *like)
{
	if (state_settle(state, like, fault.nr == SYS_rt_sigprocmask))
		printf("mask stays, ");
}

/* ---- One case, in a process of its own ---- */

static const char *name_of(int64_t result)
{
	static char text[32];

	if (result == ALLTHREADS_UNREACHABLE)
		return "unreachable";
	if (result == ALLTHREADS_DIVERGED)
		return "diverged";
	snprintf(text, sizeof(text), "errno %d", (int)-result);
	return text;
}

/* Stores in `seen` how often the faulty call was made. */
static int64_t attempt(int ruleset, struct allthreads_report *report, uint32_t *seen)
{
	faults.arm(fault.nr, fault.result, fault.when, fault.last);

	int64_t result = library.restrict_all(ruleset, 0, SHORT_MS, report);

	*seen = faults.seen(fault.nr);
	faults.arm(0, 0, 0, 0);
	return result;
}

/* Repeating the failure must not leak anything more. */
static void repeat(int ruleset, struct crowd *crowd, uint32_t denied, const struct state *like)
{
	struct allthreads_report report;
	struct state first, last;
	uint32_t seen;

	for (int i = 0; i < REPEATS; i++) {
		if (attempt(ruleset, &report, &seen) == 0) {
			printf(", restricted at the next try");
			return;
		}
		if (report.changed) {
			printf(", changed at the next try");
			return;
		}
		look(i == 0 ? &first : &last, like);
	}
	CHECK(last.files == first.files, "%d files leaked", last.files - first.files);
	CHECK(last.pages == first.pages, "%d pages leaked", last.pages - first.pages);
	crowd_check(crowd, denied, denied != 0);
	CHECK(library.restrict_all(ruleset, 0, PATIENT_MS, &report) == 0,
	      "without the fault it failed too: thread %d (%s), error %d", report.tid, report.name,
	      report.error);
}

static void one_case(void)
{
	struct allthreads_report report;
	struct state before, after;
	struct crowd *crowd = crowd_start(MEMBERS, 0, 0);
	int ruleset = ruleset_denying(FILE_BIT(0), WITH_PROC);
	uint32_t denied = 0;

	for (unsigned layer = 1; layer <= fault.layers; layer++) {
		int other = ruleset_denying(FILE_BIT(layer), WITH_PROC);

		expect_success(library.restrict_all(other, 0, PATIENT_MS, &report), &report,
			       MEMBERS + 1);
		close(other);
		denied |= FILE_BIT(layer);
	}
	/* A thread that has answered has left the handler of the earlier layers. */
	crowd_check(crowd, denied, fault.layers > 0);
	crowd_settle(crowd);
	state_take(&before);

	uint32_t seen;
	int64_t result = attempt(ruleset, &report, &seen);

	if (fault.when == 0)
		printf("%u calls ", seen);
	else if (seen < fault.when)
		printf("not reached, ");
	look(&after, &before);

	/* The list of threads stays open. */
	CHECK(after.files <= before.files + 1, "%d files leaked", after.files - before.files);

	int stays = state_compare(&before, &after);

	if (result != 0 && report.changed) {
		/* Some threads may be restricted and some not: the error must say so. */
		printf("%s, changed", name_of(result));
		return;
	}
	if (result != 0) {
		crowd_check(crowd, denied, fault.layers > 0);
		check_this_thread(denied, fault.layers > 0);
		check_no_new_privs_everywhere(fault.layers > 0);
		printf("%s, unchanged", name_of(result));
		repeat(ruleset, crowd, denied, &before);
	}
	if (result == 0)
		CHECK(report.threads == MEMBERS + 1, "%d threads are restricted", report.threads);
	if (result == 0)
		printf("restricted");
	if (stays)
		printf(", handler stays");
	crowd_check(crowd, denied | FILE_BIT(0), 1);
	check_this_thread(denied | FILE_BIT(0), 1);
	check_no_new_privs_everywhere(1);
	crowd_end(crowd);
}

/* Its exit code, or -1 if it had to be killed. */
static int in_time(pid_t child)
{
	int status;

	for (int64_t since = now_ms(); waitpid(child, &status, WNOHANG) == 0; nap_ms(1)) {
		if (now_ms() - since < HUNG_MS)
			continue;
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void case_faults(void)
{
	void *handle = dlopen(library.path, RTLD_NOW | RTLD_LOCAL);
	char line[128];

	faults.arm = (__typeof__(faults.arm))dlsym(handle, "faults_arm");
	faults.seen = (__typeof__(faults.seen))dlsym(handle, "faults_seen");
	CHECK(faults.arm && faults.seen, "%s is the library as it is shipped", library.path);
	while (fgets(line, sizeof(line), stdin)) {
		CHECK(sscanf(line, "%d %d %u %u %u", &fault.nr, &fault.result, &fault.when, &fault.last,
			     &fault.layers) == 5,
		      "no case: %s", line);
		fflush(stdout);

		pid_t child = fork_child();

		if (child == 0) {
			one_case();
			fflush(stdout);
			_exit(0);
		}

		int code = in_time(child);

		if (code != 0)
			printf("BROKEN, %d", code);
		printf("\n");
	}
	fflush(stdout);
}
