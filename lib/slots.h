/*
 * One slot for each other thread: what it was told and what came of it. Written by the
 * caller while it sweeps and by the thread itself in its signal handler.
 */
#ifndef LANDLOCK_SLOTS_H
#define LANDLOCK_SLOTS_H

#include "sys.h"

enum slot_state {
	UNSENT,    /* seen; its signal is not queued yet */
	SENT,      /* its signal is queued */
	PARKED,    /* waits in the handler */
	RUNNING,   /* restricts itself */
	FINISHED,  /* has its result */
	GONE,      /* exited meanwhile */
	ZOMBIE,    /* a main thread that called pthread_exit: still listed, runs no more code */
	CANCELLED, /* given up on: whatever comes late does nothing */
};

struct slot {
	int32_t tid;    /* 0: free */
	int32_t error;  /* why its signal could not be queued: 0 or a negative errno */
	uint64_t word;  /* the round it belongs to, an enum slot_state and a result */
	uint32_t place; /* how many slots were taken up to this one */
};

/* Starts a round with an empty table and room for many more threads than `threads` (0: unknown). */
long slots_begin(uint32_t threads);

/* The slot of a thread, or NULL. */
struct slot *slots_find(int32_t tid);

/* The slot of a thread, made UNSENT where there is none; NULL where the table is full. */
struct slot *slots_find_or_add(int32_t tid, int *added);

/* The slot after `slot` that is in `state`; the first one for NULL. NULL: no more. */
struct slot *slots_next(struct slot *slot, enum slot_state state);

uint32_t slots_count(enum slot_state state);

/*
 * Moves a slot of `round` from one state to another; 0 if it was not in `from`, or belongs to
 * another round: a thread that lost its CPU for a whole call must not answer for the next one.
 */
int slots_move(struct slot *slot, uint32_t round, enum slot_state from, enum slot_state to);

/* Moves a slot of `round` from RUNNING to FINISHED, with the result of its enforcement. */
void slots_finish(struct slot *slot, uint32_t round, long result);

/* The result of a FINISHED slot: 0 or a negative errno. */
int32_t slots_result(const struct slot *slot);

/* Whether a slot of the present round is in this state. */
int slots_is(const struct slot *slot, enum slot_state state);

/* The present round. Only the caller asks; a parked thread has its round from its signal. */
uint32_t slots_round(void);

#endif
