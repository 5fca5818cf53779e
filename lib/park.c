#include "park.h"

#include "gate.h"
#include "signals.h"
#include "slots.h"
#include "threads.h"

/* How often a wait looks for threads that have died: at first, and at the slowest. */
#define SLICE_FIRST_NS (NS_PER_MS / 4)
#define SLICE_LAST_NS (8 * NS_PER_MS)

static int32_t worked;             /* the signal of the last broadcast that reached everybody */
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

/* Visits every other thread; negative errno if `until` came before that, or nothing finds them. */
static long look_at_all(struct broadcast *b, int64_t until, void (*visit)(int32_t, void *),
		       void *context)
{
	int64_t started = now_ns();
	long found = b->listed ? threads_list(b->task_fd, visit, context) : 0;

	if (b->listed && found >= 0)
		return found;
	b->listed = 0;
	if (found == -ENOENT)
		b->task_fd = -1;
	found = threads_probe(b->task_fd, b->pid, until, visit, context);
	/* That may take long, and the deadline is for threads that do not answer. */
	put_off_deadline(b, b->deadline + now_ns() - started);
	return found;
}

/* The same until the last deadline; 0 if that failed, which is reported. */
static int look_in_time(struct broadcast *b, void (*visit)(int32_t, void *))
{
	long found = look_at_all(b, b->last_deadline, visit, b);

	if (found < 0)
		report_thread(b, 0, (int32_t)found);
	return found >= 0;
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
	if (signals_choose(status.blocked))
		b->blocked |= status.blocked;
	else
		b->blocker = tid;
}

/*
 * A thread in the middle of a libc call may block everything for a moment: look again for a
 * while, then choose without it. It may still answer in time.
 */
int choose_signal(struct broadcast *b)
{
	int64_t now = now_ns();
	int64_t patience = now + (b->deadline - now) / 4;

	for (;;) {
		b->blocked = 0;
		b->blocked_known = 1;
		b->blocker = 0;
		if (b->task_fd >= 0 && !look_in_time(b, note_mask))
			return 0;
		/* Masks are out of reach once a ruleset covers /proc: stay with what worked. */
		if (b->task_fd < 0 || !b->blocked_known)
			b->signal = worked ? worked : signals_choose(0);
		else
			b->signal = signals_choose(b->blocked);
		if (b->signal && (!b->blocker || now_ns() > patience))
			return 1;
		if (now_ns() > b->deadline) {
			report_thread(b, b->blocker, 0);
			return 0;
		}
		nap();
	}
}

/* ---- Parking ---- */

static int move(struct slot *slot, enum slot_state from, enum slot_state to)
{
	return slots_move(slot, slots_round(), from, to);
}

static void send_to(struct broadcast *b, struct slot *slot)
{
	/* Counted first: the thread may park before the call returns. */
	move(slot, UNSENT, SENT);
	gate_await();
	slot->error = (int32_t)signals_send(b->pid, slot->tid, b->signal, slots_round());
	if (slot->error == 0)
		return;
	/* EAGAIN: RLIMIT_SIGPENDING is used up for now (sigqueue(3)). Tried again next sweep. */
	if (slot->error != -ESRCH)
		b->unsent++;
	if (move(slot, SENT, slot->error == -ESRCH ? GONE : UNSENT))
		gate_arrive();
}

static void signal_if_new(int32_t tid, void *context)
{
	struct broadcast *b = context;
	int added;
	struct slot *slot = slots_find_or_add(tid, &added);

	/* Listed after it was gone: the kernel gave its id to another thread. */
	if (slot && move(slot, GONE, UNSENT))
		added = 1;
	b->new_threads += added;
	if (slot && slots_is(slot, UNSENT))
		send_to(b, slot);
}

/*
 * Whether the main thread has called pthread_exit: it stays as a zombie and runs no more code.
 * All threads share one memory until they exit, so kcmp(2) tells where /proc is out of reach.
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

/* Threads that were signalled and have since exited will not answer. */
static void forget_the_dead(struct broadcast *b)
{
	for (struct slot *slot = NULL; (slot = slots_next(slot, SENT));) {
		enum slot_state state = SENT;

		if (sys3(NR_tgkill, b->pid, slot->tid, 0) == -ESRCH)
			state = GONE;
		else if (is_zombie_leader(b, slot->tid))
			state = ZOMBIE;
		if (state != SENT && move(slot, SENT, state))
			gate_arrive();
	}
}

/*
 * Whether the missing threads only wait for a CPU: on a machine under load that takes longer
 * than any deadline for threads that cannot answer should be.
 */
static int extend_deadline(struct broadcast *b)
{
	struct thread_status status;

	for (struct slot *slot = NULL; (slot = slots_next(slot, SENT));)
		if (threads_status(b->task_fd, slot->tid, &status) < 0 || status.state != 'R' ||
		    (status.blocked >> (b->signal - 1) & 1))
			return 0;
	put_off_deadline(b, now_ns() + b->extension_ns);
	return now_ns() < b->deadline;
}

static int wait_for_parking(struct broadcast *b)
{
	for (int64_t slice = SLICE_FIRST_NS; !gate_sleep(slice);) {
		if (now_ns() > b->deadline && !extend_deadline(b))
			return 0;
		forget_the_dead(b);
		if (slice < SLICE_LAST_NS)
			slice *= 2;
	}
	return 1;
}

/*
 * Parks every other thread. Done when two sweeps in a row found nobody new and, if the kernel says
 * how many threads there are, each of them is accounted for. Asking for ids takes long, so then
 * the number alone is enough, or one sweep over all that are possible.
 */
int park_everybody(struct broadcast *b)
{
	for (int clean = 0;;) {
		b->new_threads = 0;
		b->unsent = 0;
		if (!look_in_time(b, signal_if_new) || !wait_for_parking(b))
			return 0;

		uint32_t counted = threads_count(b->task_fd);

		clean = b->new_threads || b->unsent ? 0 : clean + 1;
		if (clean >= (b->listed ? 2 : counted ? 0 : 1) &&
		    counted <= 1 + slots_count(PARKED) + slots_count(ZOMBIE))
			return 1;
		/* Threads that nobody can see yet are no reason to wait any longer. */
		if (now_ns() > b->deadline && (b->unsent || clean >= 2 || !extend_deadline(b)))
			return 0;
		if (b->unsent || clean >= 2)
			nap();
	}
}

/* ---- Looking once more ---- */

/* How long a thread that is counted but not listed has to show itself, or to be gone. */
#define HIDDEN_NS NS_PER_S

struct stranger {
	enum slot_state known;
	int32_t tid; /* 0: none was seen */
};

static void note_stranger(int32_t tid, void *context)
{
	struct stranger *stranger = context;
	struct slot *slot = slots_find(tid);

	if (!slot || !(slots_is(slot, stranger->known) || slots_is(slot, ZOMBIE)))
		stranger->tid = tid;
}

int no_other_thread(struct broadcast *b, enum slot_state state)
{
	struct stranger stranger = { state, 0 };
	uint32_t known = 1 + slots_count(state) + slots_count(ZOMBIE);

	for (int64_t until = now_ns() + HIDDEN_NS; now_ns() < until; nap()) {
		uint32_t counted = threads_count(b->task_fd);

		if (counted && counted <= known)
			return 1;
		if (look_at_all(b, counted ? until : now_ns() + ANSWER_NS, note_stranger,
				&stranger) < 0)
			continue;
		if (stranger.tid) {
			report_thread(b, stranger.tid, 0);
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
			if (!move(slot, missing[i], CANCELLED))
				continue;
			/* An unsent one cannot come late. */
			if (missing[i] == SENT)
				handler_stays[b->signal] = 1;
			/* Others may only have lacked a CPU, or the time until the search ended. */
			if (slot->tid == b->blocker || !(b->report->tid || b->report->error))
				report_thread(b, slot->tid, slot->error);
		}
	}
}

void finish_signal(struct broadcast *b, int everybody_came)
{
	/* A thread that was given up on may get its signal at any time, under any disposition. */
	if (!handler_stays[b->signal])
		signals_restore(b->signal);
	if (everybody_came)
		worked = b->signal;
}
