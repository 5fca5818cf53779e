#include "gate.h"

#include "slots.h"

enum phase { PARK, RUN, RELEASED };
#define PHASE_BITS 2
#define PHASE_AT 32

/*
 * The upper half is the round and its phase, the lower half counts the threads awaited in it. They
 * are one word, so a late thread cannot be counted in another phase than its own.
 */
static uint64_t gate;
static int32_t order_fd;
static uint32_t order_flags;

/* Parked threads sleep on the phase, the caller on the count. Both CPUs are little-endian. */
#define AWAITED ((uint32_t *)&gate)
#define PHASE ((uint32_t *)&gate + 1)

static uint64_t load_gate(void)
{
	return __atomic_load_n(&gate, __ATOMIC_SEQ_CST);
}

static uint32_t make_phase(uint32_t round, enum phase phase)
{
	return round << PHASE_BITS | phase;
}

static void set_phase(enum phase next, uint32_t awaited)
{
	uint64_t upper = make_phase(slots_round(), next);

	__atomic_store_n(&gate, upper << PHASE_AT | awaited, __ATOMIC_SEQ_CST);
	futex_wake(PHASE, INT32_MAX);
}

/* Waits for the end of a phase of `round`. Returns whether the next one is RUN. */
static int wait_for_next_phase(uint32_t round, enum phase current)
{
	uint32_t now;

	while ((now = (uint32_t)(load_gate() >> PHASE_AT)) == make_phase(round, current))
		futex_wait(PHASE, now, LOOK_AGAIN_NS);
	return now == make_phase(round, RUN);
}

/* Counts one awaited thread less, if that phase still lasts. */
static void arrive(uint32_t round, enum phase current)
{
	uint64_t before = load_gate();

	do
		if (before >> PHASE_AT != make_phase(round, current))
			return;
	while (!__atomic_compare_exchange_n(&gate, &before, before - 1, 0, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST));
	if ((uint32_t)before == 1)
		futex_wake(AWAITED, 1);
}

void gate_park_this_thread(uint32_t round)
{
	struct slot *slot = slots_find(sys_gettid());

	/* The caller has given this thread up, or a call later asks for it by another signal. */
	if (!slot || !slots_move(slot, round, SENT, PARKED))
		return;
	arrive(round, PARK);
	if (!wait_for_next_phase(round, PARK) || !slots_move(slot, round, PARKED, RUNNING))
		return;
	slots_finish(slot, round, restrict_this_thread(order_fd, order_flags));
	arrive(round, RUN);
	wait_for_next_phase(round, RUN);
}

void gate_close(void)
{
	set_phase(PARK, 0);
}

void gate_order(int32_t ruleset_fd, uint32_t flags, uint32_t expected)
{
	order_fd = ruleset_fd;
	order_flags = flags;
	set_phase(RUN, expected);
}

void gate_open(void)
{
	set_phase(RELEASED, 0);
}

void gate_await(void)
{
	__atomic_add_fetch(&gate, 1, __ATOMIC_SEQ_CST);
}

void gate_arrive(void)
{
	arrive(slots_round(), PARK);
}

int gate_sleep(int64_t ns)
{
	int64_t until = now_ns() + ns;
	uint32_t left;

	while ((left = (uint32_t)load_gate()) != 0) {
		int64_t rest = until - now_ns();

		if (rest <= 0)
			return 0;
		futex_wait(AWAITED, left, rest < LOOK_AGAIN_NS ? rest : LOOK_AGAIN_NS);
	}
	return 1;
}
