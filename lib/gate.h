/*
 * Where parked threads sleep, and the order they wait for. The word carries the round, so
 * that a thread waking late from one round never takes the next one's word for its own.
 */
#ifndef LANDLOCK_GATE_H
#define LANDLOCK_GATE_H

#include "sys.h"

/* Runs on every other thread, in the signal handler: park, restrict, wait for release. */
void gate_park_this_thread(void);

/* Starts a round in which threads park. */
void gate_close(void);

/* Lets the parked threads restrict themselves; `expected` of them are then awaited. */
void gate_order(int32_t ruleset_fd, uint32_t flags, uint32_t expected);

/* Lets everybody go. */
void gate_open(void);

/* One more, or one fewer, thread to wait for. */
void gate_await(void);
void gate_arrive(void);

/* Sleeps until nobody is awaited (1), or for `ns` nanoseconds (0). */
int gate_sleep(int64_t ns);

#endif
