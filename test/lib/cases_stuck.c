/* Threads that run no user code for a while: in vfork(2), or stopped by a tracer. */
#include "stress.h"

#include <signal.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

struct parent {
	pthread_t thread;
	int64_t child_sleeps_ms;
	uint32_t started; /* set by the child once the parent is inside vfork(2) */
	uint32_t release;
	int32_t tid;
	uint32_t denied;
	int no_new_privs;
};

static void *parent_main(void *argument)
{
	struct parent *volatile p = argument;

	p->tid = thread_id();
	prctl(PR_SET_NAME, "in vfork", 0, 0, 0);

	pid_t child = vfork();

	if (child == 0) {
		/* The child shares the parent's memory. */
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		__atomic_store_n(&p->started, 1, __ATOMIC_SEQ_CST);
		for (int64_t since = now_ms(); now_ms() - since < p->child_sleeps_ms; nap_ms(1))
			if (__atomic_load_n(&p->release, __ATOMIC_SEQ_CST))
				break;
		_exit(0);
	}
	CHECK(child > 0, "vfork: %s", strerror(errno));
	while (waitpid(child, NULL, 0) < 0)
		CHECK(errno == EINTR, "waitpid: %s", strerror(errno));
	check_this_thread(p->denied, p->no_new_privs);
	return NULL;
}

static void parent_start(struct parent *p)
{
	p->thread = start_thread(parent_main, p);
	WAIT_FOR(__atomic_load_n(&p->started, __ATOMIC_SEQ_CST));
	/* D: uninterruptible in vfork(2), which delivers no signal. */
	WAIT_FOR(thread_state(p->tid) == 'D');
}

static void parent_end(struct parent *p)
{
	__atomic_store_n(&p->release, 1, __ATOMIC_SEQ_CST);
	pthread_join(p->thread, NULL);
}

void case_vfork_child(void)
{
	struct parent brief = { .child_sleeps_ms = 200, .denied = FILE_BIT(0), .no_new_privs = 1 };
	struct parent lengthy = { .child_sleeps_ms = FOREVER_MS };
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(10, 0, 0);

	parent_start(&lengthy);

	int64_t result =
		library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, HASTY_MS, &report);

	expect_unchanged(result, &report, ALLTHREADS_UNREACHABLE);
	CHECK(report.tid == lengthy.tid && strcmp(report.name, "in vfork") == 0,
	      "thread %d (%s) was blamed", report.tid, report.name);
	check_no_new_privs_everywhere(0);
	crowd_check(crowd, 0, 0);
	/* It gets its signal now, and the handler must do nothing. */
	parent_end(&lengthy);
	crowd_check(crowd, 0, 0);

	parent_start(&brief);
	result = library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, PATIENT_MS, &report);
	expect_success(result, &report, 12);
	parent_end(&brief);
	crowd_check(crowd, FILE_BIT(0), 1);
	check_this_thread(FILE_BIT(0), 1);
	crowd_end(crowd);
}

#define BIT_OF(signal) (1ULL << ((signal) - 1))

/*
 * The thread that the first call gave up on has signal 33 queued. By the next call another thread
 * blocks 33, so that call chooses 34. The kernel delivers the lower one first.
 */
void case_late_signal(void)
{
	struct allthreads_report report;
	struct blocker blocker;
	struct parent *late = mmap(NULL, sizeof(*late), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(late != MAP_FAILED, "mmap: %s", strerror(errno));
	late->child_sleeps_ms = FOREVER_MS;
	late->denied = FILE_BIT(1);
	late->no_new_privs = 1;
	parent_start(late);

	int64_t result =
		library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, HASTY_MS, &report);

	expect_unchanged(result, &report, ALLTHREADS_UNREACHABLE);
	CHECK(report.signal == 33, "%d was used", report.signal);
	blocker_start(&blocker, BIT_OF(32) | BIT_OF(33), "needs another");

	/* This process's threads are parked when the late one must be released. */
	pid_t self = getpid(), helper = fork_child();

	if (helper == 0) {
		WAIT_FOR(pending_signals(self, late->tid) == (BIT_OF(33) | BIT_OF(34)));
		__atomic_store_n(&late->release, 1, __ATOMIC_SEQ_CST);
		_exit(0);
	}
	result = library.restrict_all(ruleset_denying(FILE_BIT(1), WITH_PROC), 0, PATIENT_MS, &report);
	expect_success(result, &report, 3);
	CHECK(report.signal == 34, "%d was used", report.signal);
	CHECK(waitpid(helper, NULL, 0) == helper, "waitpid: %s", strerror(errno));
	parent_end(late);
	blocker_stop(&blocker, FILE_BIT(1), 1);
	check_this_thread(FILE_BIT(1), 1);
}

/* ---- A tracer ---- */

static int say_pipe[2], hear_pipe[2];

static void traced_process(void)
{
	struct allthreads_report report;
	struct blocker held;
	struct crowd *crowd = crowd_start(5, 0, 0);

	/* Otherwise this process gets SIGHUP when its tracer ends. */
	close(say_pipe[0]);
	close(hear_pipe[1]);
	blocker_start(&held, 0, "held");
	say_word(say_pipe[1], held.tid);
	hear_word(hear_pipe[0]);

	int64_t result =
		library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, HASTY_MS, &report);

	expect_unchanged(result, &report, ALLTHREADS_UNREACHABLE);
	CHECK(report.tid == held.tid && strcmp(report.name, "held") == 0, "thread %d (%s) was blamed",
	      report.tid, report.name);
	check_no_new_privs_everywhere(0);
	crowd_check(crowd, 0, 0);
	say_word(say_pipe[1], 0);
	hear_word(hear_pipe[0]);
	result = library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, PATIENT_MS, &report);
	expect_success(result, &report, 7);
	crowd_check(crowd, FILE_BIT(0), 1);
	blocker_stop(&held, FILE_BIT(0), 1);
	check_this_thread(FILE_BIT(0), 1);
}

void case_stopped(void)
{
	int status;

	CHECK(pipe(say_pipe) == 0 && pipe(hear_pipe) == 0, "pipe: %s", strerror(errno));

	pid_t child = fork_child();

	if (child == 0) {
		traced_process();
		_exit(0);
	}
	close(say_pipe[1]);
	close(hear_pipe[0]);

	int32_t tid = hear_word(say_pipe[0]);

	if (ptrace(PTRACE_SEIZE, tid, 0, 0) < 0) {
		kill(child, SIGKILL);
		skipped("ptrace: %s", strerror(errno));
	}
	ptrace(PTRACE_INTERRUPT, tid, 0, 0);
	CHECK(waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status), "the thread did not stop");
	say_word(hear_pipe[1], 0);
	hear_word(say_pipe[0]);
	CHECK(ptrace(PTRACE_DETACH, tid, 0, 0) == 0, "ptrace: %s", strerror(errno));
	say_word(hear_pipe[1], 0);
	CHECK(waitpid(child, &status, 0) == child, "waitpid: %s", strerror(errno));
	CHECK(!WIFSIGNALED(status), "the traced process died of signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		_exit(WEXITSTATUS(status));
}
