#include "gate.h"

#include "slots.h"

enum phase { PARK, RUN, RELEASED };
#define PHASE_BITS 2

static uint32_t phase;   /* parked threads sleep on it */
static uint32_t awaited; /* the caller sleeps on it */
static int32_t order_fd;
static uint32_t order_flags;

static void set_phase(enum phase next)
{
	__atomic_store_n(&phase, slots_round() << PHASE_BITS | next, __ATOMIC_SEQ_CST);
	futex_wake(&phase, INT32_MAX);
}

/* The phase that follows `current` of `round`. */
static enum phase phase_after(uint32_t round, enum phase current)
{
	uint32_t now;

	while ((now = __atomic_load_n(&phase, __ATOMIC_SEQ_CST)) == (round << PHASE_BITS | current))
		futex_wait(&phase, now, LOOK_AGAIN_NS);
	return now == (round << PHASE_BITS | RUN) ? RUN : RELEASED;
}

void gate_park_this_thread(void)
{
	uint32_t round = slots_round();
	struct slot *slot = slots_find(sys_gettid());

	/* Not expected: a signal of an earlier round that came late. */
	if (!slot || !slots_move(slot, SENT, PARKED))
		return;
	gate_arrive();
	if (phase_after(round, PARK) != RUN || !slots_move(slot, PARKED, RUNNING))
		return;
	slot->result = (int32_t)restrict_this_thread(order_fd, order_flags);
	slots_move(slot, RUNNING, FINISHED);
	gate_arrive();
	phase_after(round, RUN);
}

void gate_close(void)
{
	__atomic_store_n(&awaited, 0, __ATOMIC_SEQ_CST);
	set_phase(PARK);
}

void gate_order(int32_t ruleset_fd, uint32_t flags, uint32_t expected)
{
	order_fd = ruleset_fd;
	order_flags = flags;
	__atomic_store_n(&awaited, expected, __ATOMIC_SEQ_CST);
	set_phase(RUN);
}

void gate_open(void)
{
	set_phase(RELEASED);
}

void gate_await(void)
{
	__atomic_add_fetch(&awaited, 1, __ATOMIC_SEQ_CST);
}

void gate_arrive(void)
{
	if (__atomic_sub_fetch(&awaited, 1, __ATOMIC_SEQ_CST) == 0)
		futex_wake(&awaited, 1);
}

int gate_sleep(int64_t ns)
{
	int64_t until = now_ns() + ns;
	uint32_t left;

	while ((left = __atomic_load_n(&awaited, __ATOMIC_SEQ_CST)) != 0) {
		int64_t rest = until - now_ns();

		if (rest <= 0)
			return 0;
		futex_wait(&awaited, left, rest < LOOK_AGAIN_NS ? rest : LOOK_AGAIN_NS);
	}
	return 1;
}
