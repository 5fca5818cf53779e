/*
 * Restricts every thread of the process or none: park all, look again, restrict, release.
 * README.md beside this file has the protocol and the argument why no thread escapes.
 */
#include "allthreads.h"

#include "gate.h"
#include "own.h"
#include "park.h"
#include "signals.h"
#include "slots.h"
#include "sys.h"
#include "threads.h"

static int32_t trial_result;

/* ---- One caller at a time ---- */

#define CONTENDED 0x80000000U
/* Every holder, if the lock is cleared by fork(2): then no child sees a parent's. Otherwise the
 * holder is a process id, by which a child sees that the lock is its parent's. */
#define ANY_HOLDER 1

static void take_lock(struct own *own, uint32_t pid)
{
	uint32_t holder = own_is_cleared_by_fork(own) ? ANY_HOLDER : pid;
	uint32_t held = 0;
	uint32_t mine = holder;

	/* Signals stay open here: the holder has to be able to park this thread. */
	while (!__atomic_compare_exchange_n(&own->lock, &held, mine, 0, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST)) {
		uint32_t known = held;

		if ((held & ~CONTENDED) != holder)
			continue; /* held by the process this one was forked from */
		mine = holder | CONTENDED;
		if (held == mine || __atomic_compare_exchange_n(&own->lock, &known, mine, 0,
								__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			futex_wait(&own->lock, mine, LOOK_AGAIN_NS);
		held = 0;
	}
}

static void drop_lock(struct own *own)
{
	if (__atomic_exchange_n(&own->lock, 0, __ATOMIC_SEQ_CST) & CONTENDED)
		futex_wake(&own->lock, 1);
}

/* ---- Restricting ---- */

__attribute__((noinline, noreturn)) static void trial_child(int32_t ruleset_fd, uint32_t flags)
{
	trial_result = (int32_t)restrict_this_thread(ruleset_fd, flags);
	for (;;)
		sys1(NR_exit, 0);
}

/*
 * no_new_privs cannot be taken back, and Landlock wants it first: a child that shares this
 * memory but not the credentials tries both, so that a refusal leaves this process as it was.
 * It sends no signal when it ends. Where there can be no child, there is no trial.
 */
static int32_t try_in_child(int32_t ruleset_fd, uint32_t flags)
{
	trial_result = 0;
	long pid = CLONE(CLONE_VM | CLONE_VFORK);

	if (pid == 0)
		trial_child(ruleset_fd, flags);
	if (pid > 0)
		while (sys4(NR_wait4, pid, NULL, WAIT_ALL, NULL) == -EINTR)
			;
	return trial_result;
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
	/* A filter may forbid to ask and allow to set: then it counts as not set. */
	int fresh = sys5(NR_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
	long ret = fresh ? try_in_child(ruleset_fd, flags) : 0;

	if (ret < 0)
		return ret;
	/*
	 * A parked thread makes threads all the same: io_uring's completions run on its way out of
	 * any wait, and may start a worker. One found now costs the call only; asking for every id
	 * takes too long to do it twice.
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
	/* Those that did not even start must not start once the descriptor is somebody else's. */
	for (struct slot *slot = NULL; (slot = slots_next(slot, PARKED));)
		if (slots_move(slot, slots_round(), PARKED, CANCELLED) && !b->report->tid)
			report_thread(b, slot->tid, 0);
	for (struct slot *slot = NULL; (slot = slots_next(slot, FINISHED));) {
		int32_t result = slots_result(slot);

		if (result == 0)
			b->report->threads++;
		else if (!b->report->tid)
			report_thread(b, slot->tid, result);
	}
	if (b->report->threads <= (int32_t)parked)
		return ALLTHREADS_DIVERGED;
	/* A worker made since then has the credentials its maker had: it may be unrestricted. */
	return no_other_thread(b, FINISHED) ? 0 : ALLTHREADS_DIVERGED;
}

static int64_t broadcast(struct broadcast *b, int32_t ruleset_fd, uint32_t flags)
{
	long ret = slots_begin(threads_count(b->task_fd));

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
	int everybody_came = park_everybody(b);

	if (everybody_came)
		result = restrict_parked(b, ruleset_fd, flags);
	else
		cancel_parking(b);
	gate_open();
	finish_signal(b, everybody_came);
	return result;
}

EXPORTED int64_t allthreads_restrict(int32_t ruleset_fd, uint32_t flags, uint32_t deadline_ms,
				     struct allthreads_report *report)
{
	static const struct allthreads_report nothing;
	struct broadcast b = { .report = report, .pid = sys_getpid() };
	struct own *own = own_memory();
	uint64_t all = ALL_SIGNALS, before;

	*report = nothing;
	take_lock(own, (uint32_t)b.pid);
	/* The caller must not be suspended by a collector thread that it has parked itself. */
	int64_t result = sys4(NR_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));

	if (result == 0) {
		int32_t task_fd = b.task_fd = threads_open(b.pid);

		b.listed = task_fd >= 0;
		b.extension_ns = deadline_ms * NS_PER_MS;
		b.deadline = now_ns() + b.extension_ns;
		b.last_deadline = b.deadline + (DEADLINES_MOST - 1) * b.extension_ns;
		result = broadcast(&b, ruleset_fd, flags);
		threads_close(task_fd);
		sys4(NR_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
	}
	drop_lock(own);
	return result;
}

EXPORTED int32_t landlock_native_version(void)
{
	return LANDLOCK_NATIVE_VERSION;
}
