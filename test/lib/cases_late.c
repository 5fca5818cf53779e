/*
 * A thread loses its CPU in the handler for longer than a whole call. A tracer holds it after each
 * instruction in turn. It must answer the call that signalled it, or no call.
 */
#include "stress.h"

#include <signal.h>

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define REGISTER_SET_GENERAL 1 /* NT_PRSTATUS */
#if defined(__x86_64__)
enum { PC_AT = 16, INSTRUCTION_MOST = 2 };
#else
enum { PC_AT = 32, INSTRUCTION_MOST = 4 };
#endif

#define FIRST_MS (20 * SLOWNESS)
/* The call sends the signal after a quarter of this, if a thread seems to block all signals. */
#define NEXT_MS (80 * SLOWNESS)
/* On an emulated CPU, stop only after some instructions. */
#define STRIDE SLOWNESS
#define CROWD 2

static int to_tracer[2], to_child[2];

static void called_process(void)
{
	struct allthreads_report report;
	struct blocker held;

	/* If this call fails after all have parked, it changes nothing. */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

	struct crowd *crowd = crowd_start(CROWD, 0, 1);
	int ruleset = ruleset_denying(FILE_BIT(0), WITH_PROC);
	int64_t since = now_ms();

	/* Otherwise this process gets SIGHUP when its tracer ends. */
	close(to_tracer[0]);
	close(to_child[1]);
	blocker_start(&held, 0, "held");
	say_word(to_tracer[1], held.tid);
	hear_word(to_child[0]);

	int64_t result = library.restrict_all(-1, 0, FIRST_MS, &report);

	expect_unchanged(result, &report, result == -EBADF ? -EBADF : ALLTHREADS_UNREACHABLE);
	say_word(to_tracer[1], 0);
	while ((result = library.restrict_all(ruleset, 0, NEXT_MS, &report)) != 0) {
		expect_unchanged(result, &report, ALLTHREADS_UNREACHABLE);
		CHECK(now_ms() - since < FOREVER_MS, "it was never restricted");
	}
	expect_success(result, &report, CROWD + 2);
	crowd_check(crowd, FILE_BIT(0), 1);
	blocker_stop(&held, FILE_BIT(0), 1);
	check_this_thread(FILE_BIT(0), 1);
	crowd_end(crowd);
}

static uint64_t program_counter(int32_t tid)
{
	uint64_t registers[64];
	struct iovec all = { registers, sizeof(registers) };

	CHECK(ptrace(PTRACE_GETREGSET, tid, (void *)REGISTER_SET_GENERAL, &all) == 0, "ptrace: %s",
	      strerror(errno));
	return registers[PC_AT];
}

static int stopped_by(int32_t tid)
{
	int status;

	CHECK(waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status),
	      "the traced thread has ended");
	return WSTOPSIG(status);
}

static void step(int32_t tid, int signal)
{
	CHECK(ptrace(PTRACE_SINGLESTEP, tid, NULL, (void *)(intptr_t)signal) == 0, "ptrace: %s",
	      strerror(errno));
	CHECK(stopped_by(tid) == SIGTRAP, "a step ended with another signal");
}

/* Lets a thread run `steps` instructions of the handler; returns 0 if it has fewer. */
static int walk_into_handler(int32_t tid, int steps)
{
	int signal = stopped_by(tid);
	uint64_t outside = program_counter(tid);

	step(tid, signal);
	for (int i = 0; i < steps; i++) {
		step(tid, 0);
		/* The kernel restarts an interrupted system call. */
		if (outside - program_counter(tid) <= INSTRUCTION_MOST)
			return 0;
	}
	return 1;
}

/* 0 means that the handler is shorter than that. */
static int hold_after(int steps)
{
	int status;

	CHECK(pipe(to_tracer) == 0 && pipe(to_child) == 0, "pipe: %s", strerror(errno));

	pid_t child = fork_child();

	if (child == 0) {
		called_process();
		_exit(0);
	}
	close(to_tracer[1]);
	close(to_child[0]);

	int32_t tid = hear_word(to_tracer[0]);

	if (ptrace(PTRACE_SEIZE, tid, 0, 0) < 0)
		skipped("ptrace: %s", strerror(errno));
	say_word(to_child[1], 0);

	int more = walk_into_handler(tid, steps);

	hear_word(to_tracer[0]);
	WAIT_FOR(pending_signals(child, tid) != 0);
	CHECK(ptrace(PTRACE_DETACH, tid, 0, 0) == 0, "ptrace: %s", strerror(errno));
	CHECK(waitpid(child, &status, 0) == child, "waitpid: %s", strerror(errno));
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "held after %d instructions", steps);
	close(to_tracer[0]);
	close(to_child[1]);
	return more;
}

void case_late_thread(void)
{
	int steps = 0;

	while (hold_after(steps))
		steps += STRIDE;
	CHECK(steps > 50, "the handler has %d instructions", steps);
}
