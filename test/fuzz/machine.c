#include <string.h>

#include "machine.h"

#include "../../lib/frame.h"

struct machine machine;

/* Masks beyond the standard signals: a thread that blocks all but 33, all but 64, or all. */
static const uint64_t masks[] = {
	0, 0, 0, ~0ULL, ~(1ULL << 32), 1ULL << 32, ~(1ULL << 63), 7ULL << 31,
};

static uint64_t take_mask(void)
{
	return masks[take(&machine.in) % (sizeof(masks) / sizeof(masks[0]))];
}

static struct thread *add_thread(const struct thread *creator)
{
	if (machine.count == THREADS_MOST)
		return NULL;

	struct thread *thread = &machine.threads[machine.count];
	struct coroutine *stack = thread->stack ? thread->stack : coroutine_make();

	coroutine_drop(stack);
	/* A new thread inherits its creator's credentials, domain and mask. */
	if (creator)
		*thread = *creator;
	else
		memset(thread, 0, sizeof(*thread));
	thread->stack = stack;
	thread->tid = PID + machine.count++;
	thread->queued = 0;
	thread->held = 0;
	thread->worker = 0;
	thread->late = 0;
	thread->sleeps_on = NULL;
	return thread;
}

void machine_boot(struct input *in)
{
	struct coroutine *stacks[THREADS_MOST];

	for (int i = 0; i < THREADS_MOST; i++)
		stacks[i] = machine.threads[i].stack;
	memset(&machine, 0, sizeof(machine));
	for (int i = 0; i < THREADS_MOST; i++)
		machine.threads[i].stack = stacks[i];
	machine.in = *in;
	machine.now = 1;

	int proc = take(&machine.in) % 8;

	machine.proc = proc != 1;
	machine.unlisted = proc == 2;

	int threads = 2 + take(&machine.in) % 6;
	int nnp = take(&machine.in);

	for (int i = 0; i < threads; i++) {
		struct thread *thread = add_thread(NULL);

		thread->no_new_privs = nnp >> i & 1;
		thread->mask = take_mask();
		thread->full = take(&machine.in) % 16 == 1;
		thread->held = take(&machine.in) % 16 == 1;
	}
	/* The caller may be the main thread or another one. */
	machine.caller = machine.running = &machine.threads[nnp >> 7];
	machine.caller->mask = machine.caller->held = 0;
}

struct thread *machine_find(int32_t tid)
{
	int at = tid - PID;

	if (at < 0 || at >= machine.count || machine.threads[at].life == DEAD)
		return NULL;
	return &machine.threads[at];
}

void machine_wait(struct thread *thread)
{
	coroutine_yield(thread->stack);
	machine.running = thread;
}

void machine_preempt(void)
{
	struct thread *me = machine.running;

	if (me->tid >= PID + machine.count || me == machine.caller || take(&machine.in) < 240)
		return;
	me->late = 1 + take(&machine.in) % 64;
	machine_wait(me);
}

/* The index of the first queued signal that a thread does not block; -1 if there is none. */
static int deliverable(const struct thread *thread)
{
	for (int i = 0; i < thread->queued; i++)
		if (!(thread->mask >> (thread->queue[i].signal - 1) & 1))
			return i;
	return -1;
}

/* What the kernel does before it returns to the program. */
static void handle_signals(void *argument)
{
	struct thread *thread = argument;

	for (int at; (at = deliverable(thread)) >= 0;) {
		struct queued got = thread->queue[at];
		struct kernel_sigaction action = machine.actions[got.signal];
		uint64_t before = thread->mask, frame[1024] = { 0 };

		thread->queued--;
		memmove(thread->queue + at, thread->queue + at + 1,
			(size_t)(thread->queued - at) * sizeof(got));
		/* With the default action, the library's signal would end the process. */
		must(action.handler != SIG_DFL);
		if (action.handler == SIG_IGN)
			continue;
		thread->mask |= action.mask | 1ULL << (got.signal - 1);
		frame[FRAME_MASK_AT] = before;
		((handler_function *)action.handler)(got.signal, &got.info, frame);
		thread->mask = before;
	}
}

static int can_run(const struct thread *thread)
{
	if (thread == machine.caller || thread->life != ALIVE || thread->held || thread->late ||
	    thread->sleeps_on)
		return 0;
	return coroutine_waits(thread->stack) || deliverable(thread) >= 0;
}

static void run(struct thread *thread)
{
	struct thread *before = machine.running;

	machine.running = thread;
	if (coroutine_waits(thread->stack))
		coroutine_resume(thread->stack);
	else
		coroutine_start(thread->stack, handle_signals, thread);
	machine.running = before;
}

/* A thread's action that the library does not control. */
static void happen(struct thread *thread, int what)
{
	int own = thread != machine.caller && !coroutine_waits(thread->stack);

	/* Requests made to io_uring earlier continue while a thread is parked. */
	if (what == 1 && !own && thread != machine.caller) {
		struct thread *worker = add_thread(thread);

		if (!worker)
			return;
		worker->worker = worker->held = machine.workers = 1;
		worker->mask = ~0ULL;
		return;
	}
	if (what != 0 && thread->worker)
		return;
	if (thread->life != ALIVE || !own || deliverable(thread) >= 0)
		return;
	if (what == 0)
		thread->life = thread->tid == PID ? DEFUNCT : DEAD;
	else if (what == 1)
		add_thread(thread);
	else if (what == 2)
		thread->mask = take_mask();
	else
		thread->held = !thread->held;
}

void machine_turn(void)
{
	uint8_t what = take(&machine.in);
	struct thread *thread = &machine.threads[(what >> 4) % machine.count];

	/* Threads switch only when the caller yields, never nested. */
	if (machine.running != machine.caller || (what & 15) == 15)
		return;
	if ((what & 15) >= 11)
		return happen(thread, (what & 15) - 11);
	if (what & 8) {
		if (can_run(thread))
			run(thread);
		return;
	}
	for (int i = 0; i < machine.count; i++)
		if (can_run(&machine.threads[i]))
			run(&machine.threads[i]);
}

int machine_settle(void)
{
	for (int rounds = 0; rounds < 100; rounds++) {
		int busy = 0;

		for (int i = 0; i < machine.count; i++) {
			if (!can_run(&machine.threads[i]))
				continue;
			run(&machine.threads[i]);
			busy = 1;
		}
		if (!busy)
			return 1;
	}
	return 0;
}
