/* The whole protocol on a simulated machine: every thread is restricted, or none is. */
#include <setjmp.h>
#include <string.h>

#include "machine.h"

/* The library probes every possible id if there is no /proc. */
#undef PID_MAX_LIMIT
#define PID_MAX_LIMIT (PID + THREADS_MOST)

#include "../../lib/lock.c"
#include "../../lib/slots.c"
#include "../../lib/threads.c"
#include "../../lib/gate.c"
#include "../../lib/signals.c"
#include "../../lib/park.c"
#include "../../lib/allthreads.c"

static jmp_buf child_exit;
static struct thread child;

/* Runs with other credentials. The child runs inside this call, since C cannot return twice. */
long run_child(long how)
{
	struct thread *parent = machine.running;

	must(how == (CLONE_VM | CLONE_VFORK) && parent == machine.caller);
	if (take(&machine.in) >= 250)
		return -EAGAIN;
	child = *parent;
	child.tid = PID + THREADS_MOST;
	machine.running = &child;
	if (setjmp(child_exit) == 0)
		restrict_child(RULESET_FD, 0);
	machine.running = parent;
	return child.tid;
}

void child_ends(void)
{
	longjmp(child_exit, 1);
}

/* Resets the library as after loading, in the memory that give_memory() gives. */
static void reset_library(void)
{
	slots = NULL;
	lock = NULL;
	plain_lock = 0;
	gate = 0;
	present_round = proven_signal = child_result = 0;
	memset(handler_stays, 0, sizeof(handler_stays));
	memset(former, 0, sizeof(former));
}

/* The state of the threads before a call: whether each has no_new_privs. */
static uint32_t privileges(int count)
{
	uint32_t all = 0;

	for (int i = 0; i < count; i++)
		all |= (uint32_t)machine.threads[i].no_new_privs << i;
	return all;
}

static int restricted_threads(void)
{
	int count = 0;

	for (int i = 0; i < machine.count; i++)
		count += machine.threads[i].layers >> machine.call & 1;
	return count;
}

/* Whether every thread accepts some signal and another layer. */
static int all_can_answer(void)
{
	uint64_t blocked = 0;

	for (int i = 0; i < machine.count; i++) {
		const struct thread *thread = &machine.threads[i];

		if (thread->life != ALIVE)
			continue;
		if (thread->held || thread->late || thread->full || thread->queued)
			return 0;
		blocked |= thread->mask;
	}
	/* Without /proc the library does not know their masks. */
	return machine.proc ? signals_choose(blocked) != 0 : blocked == 0;
}

static void check_success(const struct allthreads_report *report)
{
	for (int i = 0; i < machine.count; i++)
		must(machine.threads[i].life != ALIVE ||
		     (machine.threads[i].layers >> machine.call & 1));
	must(report->changed == 1 && report->tid == 0 && report->error == 0);
	must(report->threads >= 1 && report->threads <= restricted_threads());
}

static void check_failure(int64_t result, const struct allthreads_report *report)
{
	must(restricted_threads() == 0);
	must(result == ALLTHREADS_UNREACHABLE || (result < 0 && result > -4096));
	must(result != ALLTHREADS_UNREACHABLE || !report->changed);
	must(report->threads == 0);
}

/* Returns 0 if the process must end. */
static int try_call(void)
{
	static const uint32_t deadlines[] = { 1000, 0, 1, 20, UINT32_MAX };
	uint32_t deadline = deadlines[take(&machine.in) % 5];
	struct allthreads_report report;

	machine.refused = machine.faults = machine.starved = machine.workers = 0;
	machine.oversleep = deadline * NS_PER_MS / 64;

	int before_count = machine.count;
	uint32_t before = privileges(before_count);
	int sure = machine.in.at >= machine.in.end && deadline >= 1000 && all_can_answer();

	memset(&report, 0xaa, sizeof(report));
	int64_t result = allthreads_restrict(RULESET_FD, 0, deadline, &report);

	must(machine.running == machine.caller && machine.caller->mask == 0 && *lock == 0);
	must(memchr(report.name, 0, sizeof(report.name)));
	must(!sure || result == 0);
	must(machine.task_fds == 0 || (lock != &plain_lock && lock[1]));
	if (result == ALLTHREADS_DIVERGED) {
		/* A fault may also hide how many threads exist at the end. */
		must(report.changed == 1 && (machine.refused || machine.starved || machine.workers ||
					     machine.faults));
		return 0;
	}
	for (int late = 0; late < 2; late++) {
		if (result == 0)
			check_success(&report);
		else
			check_failure(result, &report);
		must(report.changed || privileges(before_count) == before);
		/* Late signals arrive now and must change nothing. */
		must(machine_settle());
	}
	for (int i = 0; i < machine.count; i++)
		must(machine.threads[i].late || !machine.threads[i].sleeps_on);
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };

	reset_library();
	machine_boot(&in);
	for (int left = 1 + take(&machine.in) % 3; left > 0 && try_call(); left--)
		machine.call++;
	return 0;
}
