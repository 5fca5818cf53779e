/*
 * Restricts every thread of the process or none: park all, look again, restrict, release.
 * README.md beside this file has the protocol and the argument why no thread escapes.
 */
#include "allthreads.h"

#include "gate.h"
#include "signals.h"
#include "slots.h"
#include "sys.h"
#include "threads.h"

#define ALL_SIGNALS (~0ULL)
/* How often a wait looks for threads that have died: at first, and at the slowest. */
#define SLICE_FIRST_NS (NS_PER_MS / 4)
#define SLICE_LAST_NS (8 * NS_PER_MS)

struct broadcast {
	struct allthreads_report *report;
	int64_t deadline; /* CLOCK_MONOTONIC, in nanoseconds */
	int32_t pid;
	int32_t task_fd; /* negative: no usable /proc */
	int32_t signal;
	int32_t news;   /* threads that a sweep saw for the first time */
	int32_t unsent; /* threads whose signal the kernel would not queue yet */
	uint64_t blocked;
	int blocked_known;
	int32_t blocker; /* the thread that left no signal to choose */
};

static int32_t worked;             /* the signal of the last broadcast that reached everybody */
static uint8_t handler_stays[65]; /* by signal: one of ours may still arrive */
static int32_t trial_result;

static void nap(void)
{
	uint32_t nobody_wakes = 0;

	futex_wait(&nobody_wakes, 0, NS_PER_MS);
}

static void blame(struct broadcast *b, int32_t tid, int32_t error)
{
	b->report->tid = tid;
	b->report->error = error;
	threads_name(b->task_fd, tid, b->report->name, sizeof(b->report->name));
}

/* ---- One caller at a time ---- */

#define CONTENDED 0x80000000U
static uint32_t lock; /* 0: free; else the holder's pid, so that a forked child sees it is stale */

static void take_lock(uint32_t pid)
{
	uint32_t held = 0;
	uint32_t mine = pid;

	/* Signals stay open here: the holder has to be able to park this thread. */
	while (!__atomic_compare_exchange_n(&lock, &held, mine, 0, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST)) {
		uint32_t known = held;

		if ((held & ~CONTENDED) != pid)
			continue; /* held by the process this one was forked from */
		mine = pid | CONTENDED;
		if (held == mine || __atomic_compare_exchange_n(&lock, &known, mine, 0,
								__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			futex_wait(&lock, mine, -1);
		held = 0;
	}
}

static void drop_lock(void)
{
	if (__atomic_exchange_n(&lock, 0, __ATOMIC_SEQ_CST) & CONTENDED)
		futex_wake(&lock, 1);
}

/* ---- Choosing the signal ---- */

static void note_mask(int32_t tid, void *context)
{
	struct broadcast *b = context;
	struct thread_status status;
	long ret = threads_status(b->task_fd, tid, &status);

	if (ret == -ENOENT || ret == -ESRCH)
		return;
	if (ret < 0) {
		b->blocked_known = 0;
		return;
	}
	if (status.state == 'Z' || status.state == 'X')
		return;
	if (signals_choose(b->blocked) && !signals_choose(b->blocked | status.blocked))
		b->blocker = tid;
	b->blocked |= status.blocked;
}

/* A thread that libc is starting blocks everything for a moment: look again until the deadline. */
static int choose_signal(struct broadcast *b)
{
	for (;;) {
		b->blocked = 0;
		b->blocked_known = 1;
		if (b->task_fd >= 0 && threads_each(b->task_fd, b->pid, note_mask, b) < 0)
			b->task_fd = -1;
		/* Masks are out of reach once a ruleset covers /proc: stay with what worked. */
		if (b->task_fd < 0 || !b->blocked_known)
			b->signal = worked ? worked : signals_choose(0);
		else
			b->signal = signals_choose(b->blocked);
		if (b->signal)
			return 1;
		if (now_ns() > b->deadline) {
			blame(b, b->blocker, 0);
			return 0;
		}
		nap();
	}
}

/* ---- Parking ---- */

static void send_to(struct broadcast *b, struct slot *slot)
{
	/* Counted first: the thread may park before the call returns. */
	slots_move(slot, UNSENT, SENT);
	gate_await();
	slot->error = (int32_t)signals_send(b->pid, slot->tid, b->signal);
	if (slot->error == 0)
		return;
	/* EAGAIN: RLIMIT_SIGPENDING is used up for now (sigqueue(3)). Tried again next sweep. */
	if (slot->error != -ESRCH)
		b->unsent++;
	if (slots_move(slot, SENT, slot->error == -ESRCH ? GONE : UNSENT))
		gate_arrive();
}

static void greet(int32_t tid, void *context)
{
	struct broadcast *b = context;
	int added;
	struct slot *slot = slots_find_or_add(tid, &added);

	b->news += added;
	if (slot && (added || slot->error))
		send_to(b, slot);
}

/* Threads that were signalled and have since exited will not answer. */
static void forget_the_dead(struct broadcast *b)
{
	struct thread_status status;

	for (struct slot *slot = NULL; (slot = slots_next(slot, SENT));) {
		if (sys3(NR_tgkill, b->pid, slot->tid, 0) == -ESRCH) {
			if (slots_move(slot, SENT, GONE))
				gate_arrive();
		} else if (slot->tid == b->pid && threads_status(b->task_fd, slot->tid, &status) == 0 &&
			   status.state == 'Z') {
			if (slots_move(slot, SENT, ZOMBIE))
				gate_arrive();
		}
	}
}

static int wait_for_parking(struct broadcast *b)
{
	for (int64_t slice = SLICE_FIRST_NS; !gate_sleep(slice);) {
		if (now_ns() > b->deadline)
			return 0;
		forget_the_dead(b);
		if (slice < SLICE_LAST_NS)
			slice *= 2;
	}
	return 1;
}

/*
 * Parks every other thread. Done when two sweeps in a row found nobody new and, where the
 * kernel says how many threads there are, each of them is accounted for.
 */
static int park_everybody(struct broadcast *b)
{
	for (int clean = 0;;) {
		int64_t started = now_ns();

		b->news = 0;
		b->unsent = 0;
		if (threads_each(b->task_fd, b->pid, greet, b) < 0)
			return 0;
		/* Asking for every id takes long; the deadline is for threads that do not answer. */
		if (b->task_fd < 0)
			b->deadline += now_ns() - started;
		if (!wait_for_parking(b))
			return 0;

		uint32_t counted = threads_count(b->task_fd);

		clean = b->news || b->unsent ? 0 : clean + 1;
		if (clean >= 2 && counted <= 1 + slots_count(PARKED) + slots_count(ZOMBIE))
			return 1;
		if (now_ns() > b->deadline)
			return 0;
		if (b->unsent || clean >= 2)
			nap();
	}
}

/* Gives up: whoever still gets the signal ignores it. Names one thread that did not come. */
static void cancel(struct broadcast *b)
{
	static const enum slot_state missing[] = { UNSENT, SENT };

	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		for (struct slot *slot = NULL; (slot = slots_next(slot, missing[i]));) {
			if (!slots_move(slot, missing[i], CANCELLED))
				continue;
			handler_stays[b->signal] = 1;
			if (!b->report->tid)
				blame(b, slot->tid, slot->error);
		}
	}
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

static int64_t restrict_parked(struct broadcast *b, int32_t ruleset_fd, uint32_t flags,
			       uint32_t deadline_ms)
{
	int fresh = sys5(NR_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;
	long ret = fresh ? try_in_child(ruleset_fd, flags) : 0;

	if (ret < 0)
		return ret;
	ret = restrict_this_thread(ruleset_fd, flags);
	b->report->changed = fresh || ret == 0;
	if (ret < 0)
		return ret;

	uint32_t parked = slots_count(PARKED);

	gate_order(ruleset_fd, flags, parked);
	int all_answered = gate_sleep(deadline_ms * NS_PER_MS);

	b->report->threads = 1;
	/* Those that did not even start must not start once the descriptor is somebody else's. */
	for (struct slot *slot = NULL; (slot = slots_next(slot, PARKED));)
		if (slots_move(slot, PARKED, CANCELLED) && !b->report->tid)
			blame(b, slot->tid, 0);
	for (struct slot *slot = NULL; (slot = slots_next(slot, FINISHED));) {
		if (slot->result == 0)
			b->report->threads++;
		else if (!b->report->tid)
			blame(b, slot->tid, slot->result);
	}
	return all_answered && b->report->threads == (int32_t)parked + 1 ? 0 : ALLTHREADS_DIVERGED;
}

static int64_t broadcast(struct broadcast *b, int32_t ruleset_fd, uint32_t flags,
			 uint32_t deadline_ms)
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

	if (park_everybody(b))
		result = restrict_parked(b, ruleset_fd, flags, deadline_ms);
	else
		cancel(b);
	gate_open();
	/* A thread that was given up on may get its signal at any time, under any disposition. */
	if (!handler_stays[b->signal])
		signals_restore(b->signal);
	worked = result == 0 ? b->signal : worked;
	return result;
}

EXPORTED int64_t allthreads_restrict(int32_t ruleset_fd, uint32_t flags, uint32_t deadline_ms,
				     struct allthreads_report *report)
{
	static const struct allthreads_report nothing;
	struct broadcast b = { .report = report, .pid = sys_getpid() };
	uint64_t all = ALL_SIGNALS, before;

	*report = nothing;
	take_lock((uint32_t)b.pid);
	/* The caller must not be suspended by a collector thread that it has parked itself. */
	sys4(NR_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));
	b.deadline = now_ns() + deadline_ms * NS_PER_MS;
	b.task_fd = threads_open(b.pid);

	int64_t result = broadcast(&b, ruleset_fd, flags, deadline_ms);

	sys4(NR_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
	drop_lock();
	return result;
}

EXPORTED int32_t landlock_native_version(void)
{
	return LANDLOCK_NATIVE_VERSION;
}
