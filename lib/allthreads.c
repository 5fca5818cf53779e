/*
 * Restricts every thread of the process or none: park all, count again, restrict, release.
 * README.md has the protocol, and the argument why no thread escapes.
 */
#include "allthreads.h"

#include "gate.h"
#include "lock.h"
#include "park.h"
#include "signals.h"
#include "slots.h"
#include "threads.h"

enum { CLONE_VM = 0x100, CLONE_VFORK = 0x4000, WAIT_ALL = 0x40000000 /* __WALL */ };

static int32_t child_result;

__attribute__((noinline, noreturn)) static void restrict_child(int32_t ruleset_fd, uint32_t flags)
{
	child_result = (int32_t)restrict_this_thread(ruleset_fd, flags);
	for (;;)
		sys1(NR_exit, 0);
}

/*
 * no_new_privs cannot be taken back, and Landlock demands it first. So a child tries both, which
 * shares this memory but not the credentials. If there can be no child, nothing is tried.
 */
static int32_t try_in_child(int32_t ruleset_fd, uint32_t flags)
{
	child_result = 0;
	long pid = sys5(NR_clone, CLONE_VM | CLONE_VFORK, 0, 0, 0, 0);

	if (pid == 0)
		restrict_child(ruleset_fd, flags);
	if (pid > 0)
		while (sys4(NR_wait4, pid, NULL, WAIT_ALL, NULL) == -EINTR)
			;
	return child_result;
}

static void wait_for_answers(void)
{
	uint32_t before, now = slots_count(FINISHED);

	do {
		if (gate_sleep(ANSWER_NS))
			return;
		before = now;
		now = slots_count(FINISHED);
	} while (now > before);
}

static int64_t restrict_parked(struct broadcast *b, int32_t ruleset_fd, uint32_t flags)
{
	/* If a seccomp filter answers instead, it counts as not set. */
	int fresh = sys5(NR_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
	long ret = fresh ? try_in_child(ruleset_fd, flags) : 0;

	if (ret < 0)
		return ret;
	/*
	 * The kernel may create io_uring workers for a parked thread while it completes requests. If
	 * one is found now, only the call fails. Probing every possible id takes too long to be done
	 * twice.
	 */
	if ((b->listed || threads_count(b->task_fd)) && !no_other_thread(b, PARKED))
		return ALLTHREADS_UNREACHABLE;
	ret = restrict_this_thread(ruleset_fd, flags);
	b->report->changed = fresh || ret == 0;
	if (ret < 0)
		return ret;

	uint32_t parked = slots_count(PARKED);

	gate_order(ruleset_fd, flags, parked);
	wait_for_answers();

	b->report->threads = 1;
	/* Those that have not started must not start once the descriptor is reused. */
	for (struct slot *slot = NULL; (slot = slots_next(slot, PARKED));)
		if (slots_move(slot, slots_round(), PARKED, CANCELLED) && !b->report->tid)
			report_thread(b, slots_thread(slot), 0);
	for (struct slot *slot = NULL; (slot = slots_next(slot, FINISHED));) {
		int32_t result = slots_result(slot);

		if (result == 0)
			b->report->threads++;
		else if (!b->report->tid)
			report_thread(b, slots_thread(slot), result);
	}
	if (b->report->threads <= (int32_t)parked)
		return ALLTHREADS_DIVERGED;
	/* A worker made since then may be unrestricted, as its maker was. */
	return no_other_thread(b, FINISHED) ? 0 : ALLTHREADS_DIVERGED;
}

static int64_t broadcast(struct broadcast *b, int32_t ruleset_fd, uint32_t flags)
{
	long ret = slots_begin();

	if (ret < 0)
		return ret;
	if (!choose_signal(b))
		return ALLTHREADS_UNREACHABLE;
	gate_close();
	ret = signals_install(b->signal, gate_park_this_thread);
	if (ret < 0)
		return ret;
	b->report->signal = b->signal;

	int64_t result = ALLTHREADS_UNREACHABLE;
	int everybody_parked = park_everybody(b);

	if (everybody_parked)
		result = restrict_parked(b, ruleset_fd, flags);
	else
		cancel_parking(b);
	gate_open();
	finish_signal(b, everybody_parked);
	return result;
}

EXPORTED int64_t allthreads_restrict(int32_t ruleset_fd, uint32_t flags, uint32_t deadline_ms,
				     struct allthreads_report *report)
{
	static const struct allthreads_report nothing;
	int32_t pid = sys_getpid();
	uint64_t all = ALL_SIGNALS, before;

	*report = nothing;

	int32_t *kept = lock_take(pid);

	/* A collector thread must not suspend the caller, and then be parked itself. */
	int64_t result = sys4(NR_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));

	if (result == 0) {
		int32_t task_fd = threads_open(pid, kept);
		int64_t extension_ns = deadline_ms * NS_PER_MS, now = now_ns();
		struct broadcast b = {
			.report = report,
			.deadline = now + extension_ns,
			.last_deadline = now + DEADLINES_MOST * extension_ns,
			.extension_ns = extension_ns,
			.pid = pid,
			.task_fd = task_fd,
			.listed = task_fd >= 0,
		};

		result = broadcast(&b, ruleset_fd, flags);
		threads_close(task_fd, kept);
		sys4(NR_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
	}
	lock_drop();
	return result;
}

EXPORTED int32_t landlock_native_version(void)
{
	return LANDLOCK_NATIVE_VERSION;
}
