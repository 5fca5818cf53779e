#include "park.h"

#include "gate.h"
#include "signals.h"
#include "threads.h"

/* A wait looks for exited threads ever less often. Ten threads park within the first slice. */
#define SLICE_FIRST_NS (NS_PER_MS / 4)
#define SLICE_LAST_NS (8 * NS_PER_MS)

static int32_t proven_signal;     /* of the last broadcast that reached everybody; 0: none yet */
static uint8_t handler_stays[65]; /* by signal: one of ours may still arrive */

static void nap(void)
{
	uint32_t nobody_wakes = 0;

	futex_wait(&nobody_wakes, 0, NS_PER_MS);
}

void report_thread(struct broadcast *b, int32_t tid, int32_t error)
{
	b->report->tid = tid;
	b->report->error = error;
	threads_name(b->task_fd, tid, b->report->name, sizeof(b->report->name));
}

static void put_off_deadline(struct broadcast *b, int64_t to)
{
	b->deadline = to < b->last_deadline ? to : b->last_deadline;
}

/* Visits every other thread. Negative errno: `until` came before that, or none can be found. */
static long visit_threads(struct broadcast *b, int64_t until, void (*visit)(int32_t, void *),
			  void *context)
{
	int64_t started = now_ns();
	long found = b->listed ? threads_list(b->task_fd, visit, context) : 0;

	if (b->listed && found >= 0)
		return found;
	b->listed = 0;
	found = threads_probe(b->task_fd, b->pid, until, visit, context);
	/* That may take long, and the deadline is for threads that do not answer. */
	put_off_deadline(b, b->deadline + now_ns() - started);
	return found;
}

/* The same until the last deadline. 0: it failed, which is reported. */
static int visit_in_time(struct broadcast *b, void (*visit)(int32_t, void *))
{
	long found = visit_threads(b, b->last_deadline, visit, b);

	if (found < 0)
		report_thread(b, 0, (int32_t)found);
	return found >= 0;
}

/* ---- Choosing the signal ---- */

static void note_mask(int32_t tid, void *context)
{
	struct broadcast *b = context;
	struct thread_status status;
	/* If one cannot be read, the others do not matter. */
	long ret = b->blocked_known ? threads_status(b->task_fd, tid, &status) : -ENOENT;

	if (ret == -ENOENT || ret == -ESRCH)
		return;
	if (ret < 0) {
		b->blocked_known = 0;
		return;
	}
	if (status.state == 'Z' || status.state == 'X')
		return;
	if (signals_choose(status.blocked))
		b->blocked |= status.blocked;
	else
		b->blocker = tid;
}

/*
 * A thread blocks all signals for a moment in the middle of a libc call, or as it leaves the
 * handler of the last call. After a quarter of the deadline, its mask no longer affects the choice
 * of signal. It has the remaining three quarters to answer.
 */
int choose_signal(struct broadcast *b)
{
	int64_t now = now_ns();
	int64_t blocker_deadline = now + (b->deadline - now) / 4;

	for (;; nap()) {
		b->blocked = 0;
		b->blocked_known = b->task_fd >= 0;
		b->blocker = 0;
		if (b->blocked_known && !visit_in_time(b, note_mask))
			return 0;
		if (!b->blocked_known || !b->blocker || now_ns() > blocker_deadline)
			break;
	}
	/* Masks cannot be read once a ruleset denies /proc: stay with a proven signal. */
	b->signal = b->blocked_known ? signals_choose(b->blocked) : proven_signal;
	if (!b->signal)
		b->signal = signals_choose(0);
	return 1;
}

/* ---- Parking ---- */

static int move_slot(struct slot *slot, enum slot_state from, enum slot_state to)
{
	return slots_move(slot, slots_round(), from, to);
}

static void send_to(struct broadcast *b, struct slot *slot)
{
	/* Counted first: the thread may park before the call returns. */
	move_slot(slot, UNSENT, SENT);
	gate_await();
	slot->error = (int32_t)signals_send(b->pid, slots_thread(slot), b->signal, slots_round());
	if (slot->error == 0)
		return;
	/* EAGAIN: RLIMIT_SIGPENDING is used up (sigqueue(3)). The next sweep tries again. */
	if (slot->error != -ESRCH)
		b->unsent++;
	if (move_slot(slot, SENT, slot->error == -ESRCH ? GONE : UNSENT))
		gate_arrive();
}

static void signal_if_new(int32_t tid, void *context)
{
	struct broadcast *b = context;
	int added;
	struct slot *slot = slots_find_or_add(tid, &added);

	/* Listed although it was gone: the kernel gave its id to another thread. */
	if (slot && move_slot(slot, GONE, UNSENT))
		added = 1;
	b->new_threads += added;
	if (slot && slots_is(slot, UNSENT))
		send_to(b, slot);
}

/*
 * Whether the main thread has called pthread_exit: it stays as a zombie and runs no more code.
 * If /proc is unreadable, kcmp(2) tells: an exited thread has left the memory that all share.
 */
static int is_zombie_leader(struct broadcast *b, int32_t tid)
{
	struct thread_status status;

	if (tid != b->pid)
		return 0;
	if (threads_status(b->task_fd, tid, &status) == 0)
		return status.state == 'Z';
	return sys5(NR_kcmp, sys_gettid(), tid, KCMP_VM, 0, 0) > 0;
}

/* Stops waiting for threads that have exited since they were signalled. */
static void settle_exited(struct broadcast *b)
{
	for (struct slot *slot = NULL; (slot = slots_next(slot, SENT));) {
		enum slot_state state = SENT;

		if (sys3(NR_tgkill, b->pid, slots_thread(slot), 0) == -ESRCH)
			state = GONE;
		else if (is_zombie_leader(b, slots_thread(slot)))
			state = ZOMBIE;
		if (state != SENT && move_slot(slot, SENT, state))
			gate_arrive();
	}
}

/*
 * Puts the deadline off if all missing threads are ready to run and take the signal: under load a
 * CPU may come later than any sensible deadline. 0: some other thread is missing, or time is up.
 */
static int extend_deadline(struct broadcast *b)
{
	struct thread_status status;

	for (struct slot *slot = NULL; (slot = slots_next(slot, SENT));)
		if (threads_status(b->task_fd, slots_thread(slot), &status) < 0 ||
		    status.state != 'R' || (status.blocked >> (b->signal - 1) & 1))
			return 0;
	put_off_deadline(b, now_ns() + b->extension_ns);
	return now_ns() < b->deadline;
}

static int wait_for_parking(struct broadcast *b)
{
	for (int64_t slice = SLICE_FIRST_NS; !gate_sleep(slice);) {
		if (now_ns() > b->deadline && !extend_deadline(b))
			return 0;
		settle_exited(b);
		if (slice < SLICE_LAST_NS)
			slice *= 2;
	}
	return 1;
}

/*
 * Done when as many threads are parked as the kernel counts. Without a count, two sweeps in a row
 * must find no new thread; one is enough if it probes every possible id, which takes long.
 */
int park_everybody(struct broadcast *b)
{
	for (int clean = 0;;) {
		b->new_threads = 0;
		b->unsent = 0;
		if (!visit_in_time(b, signal_if_new) || !wait_for_parking(b))
			return 0;

		uint32_t counted = threads_count(b->task_fd);

		clean = b->new_threads || b->unsent ? 0 : clean + 1;
		if (counted ? counted <= 1 + slots_count(PARKED) + slots_count(ZOMBIE)
			    : clean >= (b->listed ? 2 : 1))
			return 1;
		/* The deadline is not put off for threads that are counted but not found. */
		if (now_ns() > b->deadline && (b->unsent || clean >= 2 || !extend_deadline(b)))
			return 0;
		if (b->unsent || clean >= 2)
			nap();
	}
}

/* ---- Looking once more ---- */

/* How long a thread that is counted but not listed has to show itself, or to be gone. */
#define HIDDEN_NS NS_PER_S

struct unknown_thread {
	enum slot_state expected; /* of the others */
	int32_t tid; /* 0: none was seen */
};

static void note_unknown(int32_t tid, void *context)
{
	struct unknown_thread *unknown = context;
	struct slot *slot = slots_find(tid);

	if (!slot || !(slots_is(slot, unknown->expected) || slots_is(slot, ZOMBIE)))
		unknown->tid = tid;
}

int no_other_thread(struct broadcast *b, enum slot_state state)
{
	struct unknown_thread unknown = { state, 0 };
	uint32_t known = 1 + slots_count(state) + slots_count(ZOMBIE);

	for (int64_t until = now_ns() + HIDDEN_NS; now_ns() < until; nap()) {
		uint32_t counted = threads_count(b->task_fd);

		if (counted && counted <= known)
			return 1;
		if (visit_threads(b, counted ? until : now_ns() + ANSWER_NS, note_unknown,
				&unknown) < 0)
			continue;
		if (unknown.tid) {
			report_thread(b, unknown.tid, 0);
			return 0;
		}
		if (!counted)
			return 1;
	}
	return 0;
}

/* ---- The end ---- */

void cancel_parking(struct broadcast *b)
{
	static const enum slot_state missing[] = { UNSENT, SENT };

	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		for (struct slot *slot = NULL; (slot = slots_next(slot, missing[i]));) {
			if (!move_slot(slot, missing[i], CANCELLED))
				continue;
			/* An unsent signal cannot arrive late. */
			if (missing[i] == SENT)
				handler_stays[b->signal] = 1;

			int32_t tid = slots_thread(slot);

			/* The blocker is the cause; others may only have lacked a CPU. */
			if (tid == b->blocker || !(b->report->tid || b->report->error))
				report_thread(b, tid, slot->error);
		}
	}
}

void finish_signal(struct broadcast *b, int everybody_parked)
{
	/* A thread that was given up on may get its signal at any time. */
	if (!handler_stays[b->signal])
		signals_restore(b->signal);
	if (everybody_parked)
		proven_signal = b->signal;
}
