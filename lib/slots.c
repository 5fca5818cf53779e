#include "slots.h"

/* A slot's word: the round, the negated result, the state. */
#define ROUND_AT 32
#define RESULT_AT 3
#define STATE_MASK 7U
/* Room to grow: threads that start and end while the sweeps run must find a slot too, each of
 * them. 1 MiB of table, of which only what is used becomes memory. */
#define SLOTS_PER_THREAD 8
#define SLOTS_MIN 65536

struct table {
	uint32_t capacity; /* a power of two */
	uint32_t used;
	uint32_t *order; /* indices of the used slots, for capacity / 2 of them */
	struct slot slots[];
};

/* Grown by mapping a larger one and never unmapped: a late signal may still look into it. */
static struct table *table;
static uint32_t present_round;

static uint64_t word(uint32_t round, enum slot_state state)
{
	return (uint64_t)round << ROUND_AT | state;
}

static uint64_t word_of(const struct slot *slot)
{
	return __atomic_load_n(&slot->word, __ATOMIC_SEQ_CST);
}

long slots_begin(uint32_t threads)
{
	uint32_t capacity = SLOTS_MIN;

	while (capacity < threads * SLOTS_PER_THREAD)
		capacity *= 2;
	__atomic_add_fetch(&present_round, 1, __ATOMIC_SEQ_CST);
	if (table && table->capacity >= capacity) {
		for (uint32_t i = 0; i < table->used; i++)
			__atomic_store_n(&table->slots[table->order[i]].tid, 0, __ATOMIC_SEQ_CST);
		table->used = 0;
		return 0;
	}
	/* PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS */
	size_t slot_bytes = sizeof(*table) + capacity * sizeof(struct slot);
	long map = sys6(NR_mmap, 0, slot_bytes + capacity / 2 * sizeof(uint32_t), 0x3, 0x22, -1, 0);

	if (map < 0)
		return map;
	((struct table *)map)->capacity = capacity;
	((struct table *)map)->order = (uint32_t *)(map + (long)slot_bytes);
	__atomic_store_n(&table, (struct table *)map, __ATOMIC_SEQ_CST);
	return 0;
}

/*
 * The slot of a thread or the free one where it belongs: a table is never more than half full.
 * Ids come in a row, and neighbours stay neighbours: scattered, each thread would cost a page.
 */
static struct slot *place(struct table *in, int32_t tid)
{
	uint32_t i = (uint32_t)tid;
	int32_t there;

	for (;; i++) {
		struct slot *slot = &in->slots[i & (in->capacity - 1)];

		there = __atomic_load_n(&slot->tid, __ATOMIC_SEQ_CST);
		if (there == 0 || there == tid)
			return slot;
	}
}

struct slot *slots_find(int32_t tid)
{
	struct table *in = __atomic_load_n(&table, __ATOMIC_SEQ_CST);
	struct slot *slot = place(in, tid);

	return slot->tid == tid ? slot : NULL;
}

struct slot *slots_find_or_add(int32_t tid, int *added)
{
	struct slot *slot = place(table, tid);

	/* A process forked in the middle of a call may have slots that its table does not list. */
	*added = slot->tid != tid || word_of(slot) >> ROUND_AT != slots_round();
	if (!*added)
		return slot;
	if (table->used >= table->capacity / 2)
		return NULL;
	table->order[table->used++] = (uint32_t)(slot - table->slots);
	slot->place = table->used;
	slot->error = 0;
	__atomic_store_n(&slot->word, word(slots_round(), UNSENT), __ATOMIC_SEQ_CST);
	__atomic_store_n(&slot->tid, tid, __ATOMIC_SEQ_CST);
	return slot;
}

int slots_is(const struct slot *slot, enum slot_state state)
{
	uint64_t now = word_of(slot);

	return now >> ROUND_AT == slots_round() && (now & STATE_MASK) == state;
}

struct slot *slots_next(struct slot *slot, enum slot_state state)
{
	for (uint32_t i = slot ? slot->place : 0; i < table->used; i++) {
		struct slot *next = &table->slots[table->order[i]];

		if (slots_is(next, state))
			return next;
	}
	return NULL;
}

uint32_t slots_count(enum slot_state state)
{
	uint32_t count = 0;

	for (struct slot *slot = NULL; (slot = slots_next(slot, state));)
		count++;
	return count;
}

static int replace(struct slot *slot, uint64_t expected, uint64_t next)
{
	return __atomic_compare_exchange_n(&slot->word, &expected, next, 0, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

int slots_move(struct slot *slot, uint32_t round, enum slot_state from, enum slot_state to)
{
	return replace(slot, word(round, from), word(round, to));
}

void slots_finish(struct slot *slot, uint32_t round, long result)
{
	replace(slot, word(round, RUNNING), word(round, FINISHED) | (uint64_t)-result << RESULT_AT);
}

int32_t slots_result(const struct slot *slot)
{
	return -(int32_t)((uint32_t)word_of(slot) >> RESULT_AT);
}

uint32_t slots_round(void)
{
	return __atomic_load_n(&present_round, __ATOMIC_SEQ_CST);
}
