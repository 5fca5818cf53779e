/* Other processes: forked ones, and programs that replace this one. */
#include "stress.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>

#include <sys/resource.h>
#include <sys/wait.h>

/* ---- fork ---- */

static uint32_t broadcasts, end;

/* The call fails only after all have parked, so it can repeat: no_new_privs is already set. */
static void *refused_main(void *unused)
{
	struct allthreads_report report;

	while (!__atomic_load_n(&end, __ATOMIC_SEQ_CST)) {
		expect_unchanged(library.restrict_all(-1, 0, PATIENT_MS, &report), &report, -EBADF);
		__atomic_add_fetch(&broadcasts, 1, __ATOMIC_SEQ_CST);
	}
	return unused;
}

static void forked_process(void)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(4, FILE_BIT(0), 1);
	int64_t result =
		library.restrict_all(ruleset_denying(FILE_BIT(1), WITH_PROC), 0, PATIENT_MS, &report);

	expect_success(result, &report, 5);
	crowd_check(crowd, FILE_BIT(0) | FILE_BIT(1), 1);
	check_this_thread(FILE_BIT(0) | FILE_BIT(1), 1);
	crowd_end(crowd);
}

void case_fork(void)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(5, 0, 0);

	expect_success(library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, PATIENT_MS,
					    &report),
		       &report, 6);

	pthread_t thread = start_thread(refused_main, NULL);

	for (int run = 0; run < 50; run++) {
		uint32_t by_now = __atomic_load_n(&broadcasts, __ATOMIC_SEQ_CST);

		in_child(forked_process);
		WAIT_FOR(__atomic_load_n(&broadcasts, __ATOMIC_SEQ_CST) > by_now);
	}
	__atomic_store_n(&end, 1, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	/* The children's layers affect only the children. */
	crowd_check(crowd, FILE_BIT(0), 1);
	crowd_end(crowd);
}

/* ---- A child with the parent's process id, forked while the parent is in a call ---- */

/* After a quarter of it, the call signals the thread that seems to block all, and waits for it. */
#define WHILE_FORKED_MS (4000 * SLOWNESS)

static void process_of_same_pid(void)
{
	raw_mask(0);
	CHECK(getpid() == 1, "this process is number %d", getpid());
	enter_namespaces(CLONE_NEWNS);
	mount_proc();

	struct allthreads_report report;
	struct crowd *crowd = crowd_start(4, 0, 0);

	expect_success(library.restrict_all(ruleset_denying(FILE_BIT(1), WITH_PROC), 0, PATIENT_MS,
					    &report),
		       &report, 5);
	crowd_check(crowd, FILE_BIT(1), 1);
	crowd_end(crowd);
}

static void *forker_main(void *ready)
{
	int status = -1;

	raw_mask(ALL_SIGNALS);
	__atomic_store_n((uint32_t *)ready, 1, __ATOMIC_SEQ_CST);
	WAIT_FOR(pending_signals(getpid(), thread_id()) != 0);
	CHECK(unshare(CLONE_NEWPID) == 0, "unshare: %s", strerror(errno));

	pid_t child = fork_child();

	if (child == 0) {
		process_of_same_pid();
		_exit(0);
	}
	WAIT_FOR(waitpid(child, &status, WNOHANG) == child);
	CHECK(WIFEXITED(status), "the child died of signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		_exit(WEXITSTATUS(status));
	raw_mask(0);
	return NULL;
}

static void process_that_forks(void)
{
	struct allthreads_report report;
	uint32_t ready = 0;
	int64_t result;

	CHECK(getpid() == 1, "this process is number %d", getpid());
	mount_proc();

	int ruleset = ruleset_denying(FILE_BIT(0), WITH_PROC);
	pthread_t forker = start_thread(forker_main, &ready);

	WAIT_FOR(__atomic_load_n(&ready, __ATOMIC_SEQ_CST));
	while ((result = library.restrict_all(ruleset, 0, WHILE_FORKED_MS, &report)) != 0)
		expect_unchanged(result, &report, ALLTHREADS_UNREACHABLE);
	expect_success(result, &report, 2);
	pthread_join(forker, NULL);
	check_this_thread(FILE_BIT(0), 1);
}

void case_fork_same_pid(void)
{
	enter_namespaces(CLONE_NEWPID | CLONE_NEWNS);
	in_child(process_that_forks);
}

/* ---- landlock_execve ---- */

#define SOFT_LIMIT 123

void target_execve(char **arguments)
{
	struct rlimit limit;
	const int signals[] = { SIGPIPE, SIGXFSZ };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		CHECK(raw_sigaction_get(signals[i]).handler == (unsigned long)SIG_DFL,
		      "signal %d is not at its default", signals[i]);
	/* Nothing else may have changed. */
	CHECK(raw_sigaction_get(SIGHUP).handler == (unsigned long)SIG_IGN, "SIGHUP is not ignored");
	getrlimit(RLIMIT_NOFILE, &limit);
	CHECK(limit.rlim_cur == strtoul(arguments[2], NULL, 10), "the limit is %llu",
	      (unsigned long long)limit.rlim_cur);
	CHECK(strcmp(arguments[3], "an argument") == 0, "the argument is %s", arguments[3]);
	CHECK(getenv("MARK") && strcmp(getenv("MARK"), "a variable") == 0, "the variable is lost");
	_exit(0);
}

static const char *execve_limit;

static void execve_process(void)
{
	char *arguments[] = { (char *)program_path, "target-execve", (char *)execve_limit,
			      "an argument", NULL };
	char *environment[] = { "MARK=a variable", NULL };

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGHUP, SIG_IGN);

	int64_t result = library.execve("/no/such/program", arguments, environment, 0);

	CHECK(result == -ENOENT, "landlock_execve of nothing returned %lld", (long long)result);
	result = library.execve("/", arguments, environment, 0);
	CHECK(result == -EACCES, "landlock_execve of / returned %lld", (long long)result);
	result = library.execve(program_path, arguments, environment,
				atoi(execve_limit) == SOFT_LIMIT ? SOFT_LIMIT : 0);
	failed("landlock_execve returned %lld", (long long)result);
}

void case_execve(void)
{
	static char same[32];
	struct rlimit limit;

	execve_limit = "123";
	in_child(execve_process);
	getrlimit(RLIMIT_NOFILE, &limit);
	snprintf(same, sizeof(same), "%llu", (unsigned long long)limit.rlim_cur);
	execve_limit = same;
	in_child(execve_process);
}
