/*
 * One slot for each other thread: what it was told and what came of it. Written by the caller while
 * it sweeps and by the thread itself in its signal handler.
 */
#ifndef LANDLOCK_SLOTS_H
#define LANDLOCK_SLOTS_H

#include "kernel.h"

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
	uint64_t word; /* the round it belongs to, a result and an enum slot_state */
	int32_t error; /* why its signal could not be queued: 0 or a negative errno */
	int32_t next;  /* the thread that was added after this one; 0: none */
};

/* Starts a round without any slot; negative errno if there is no memory for them. */
long slots_begin(void);

/* The slot for a thread, of whatever round; NULL if no thread can have that id. */
struct slot *slots_find(int32_t tid);

/* The same, in this round: UNSENT if it is new. NULL if no thread can have that id. */
struct slot *slots_find_or_add(int32_t tid, int *added);

/* The thread that a slot is for. */
int32_t slots_thread(const struct slot *slot);

/* The slot after `slot` that is in `state`; the first one for NULL. NULL: no more. */
struct slot *slots_next(struct slot *slot, enum slot_state state);

uint32_t slots_count(enum slot_state state);

/*
 * Moves a slot of `round` from one state to another. 0 if it was in another state or round: a
 * thread that lost its CPU for a whole call must not answer for the next one.
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
