#include "slots.h"

/* A slot's word: the round, the negated result, the state. */
#define ROUND_AT 32
#define RESULT_AT 3
#define STATE_MASK 7U
#define MADV_NOHUGEPAGE 15

/*
 * By thread id: 64 MiB of address space, of which only used pages become memory. Never unmapped,
 * because a late thread may still look into it.
 */
static struct slot *slots;
static uint32_t present_round;
static int32_t first, *link_to_next; /* the threads of this round, in a list */

static uint64_t make_word(uint32_t round, enum slot_state state)
{
	return (uint64_t)round << ROUND_AT | state;
}

static uint64_t load_word(const struct slot *slot)
{
	return __atomic_load_n(&slot->word, __ATOMIC_SEQ_CST);
}

long slots_begin(void)
{
	if (!slots) {
		size_t bytes = PID_MAX_LIMIT * sizeof(struct slot);
		long map = map_memory(bytes);

		if (map < 0)
			return map;
		/* A huge page would take 2 MiB for the first slot. */
		sys3(NR_madvise, map, bytes, MADV_NOHUGEPAGE);
		__atomic_store_n(&slots, (struct slot *)map, __ATOMIC_SEQ_CST);
	}
	first = 0;
	link_to_next = &first;
	__atomic_add_fetch(&present_round, 1, __ATOMIC_SEQ_CST);
	return 0;
}

struct slot *slots_find(int32_t tid)
{
	if (tid <= 0 || tid >= PID_MAX_LIMIT)
		return NULL;
	return __atomic_load_n(&slots, __ATOMIC_SEQ_CST) + tid;
}

int32_t slots_thread(const struct slot *slot)
{
	return (int32_t)(slot - slots);
}

struct slot *slots_find_or_add(int32_t tid, int *added)
{
	struct slot *slot = slots_find(tid);

	*added = slot && load_word(slot) >> ROUND_AT != slots_round();
	if (*added) {
		slot->error = 0;
		slot->next = 0;
		__atomic_store_n(&slot->word, make_word(slots_round(), UNSENT), __ATOMIC_SEQ_CST);
		*link_to_next = tid;
		link_to_next = &slot->next;
	}
	return slot;
}

int slots_is(const struct slot *slot, enum slot_state state)
{
	uint64_t now = load_word(slot);

	return now >> ROUND_AT == slots_round() && (now & STATE_MASK) == state;
}

struct slot *slots_next(struct slot *slot, enum slot_state state)
{
	for (int32_t tid = slot ? slot->next : first; tid; tid = slots[tid].next)
		if (slots_is(&slots[tid], state))
			return &slots[tid];
	return NULL;
}

uint32_t slots_count(enum slot_state state)
{
	uint32_t count = 0;

	for (struct slot *slot = NULL; (slot = slots_next(slot, state));)
		count++;
	return count;
}

static int replace_word(struct slot *slot, uint64_t expected, uint64_t next)
{
	return __atomic_compare_exchange_n(&slot->word, &expected, next, 0, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

int slots_move(struct slot *slot, uint32_t round, enum slot_state from, enum slot_state to)
{
	return replace_word(slot, make_word(round, from), make_word(round, to));
}

void slots_finish(struct slot *slot, uint32_t round, long result)
{
	replace_word(slot, make_word(round, RUNNING),
		     make_word(round, FINISHED) | (uint64_t)-result << RESULT_AT);
}

int32_t slots_result(const struct slot *slot)
{
	return -(int32_t)((uint32_t)load_word(slot) >> RESULT_AT);
}

uint32_t slots_round(void)
{
	return __atomic_load_n(&present_round, __ATOMIC_SEQ_CST);
}
