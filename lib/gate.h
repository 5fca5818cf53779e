/* Where parked threads sleep, the order they wait for, and the count of those still to come. */
#ifndef LANDLOCK_GATE_H
#define LANDLOCK_GATE_H

#include "kernel.h"

/*
 * Runs on every other thread, in the signal handler: parks, restricts, waits for release. `round`
 * is the one that sent the signal; if it is over, nothing happens.
 */
void gate_park_this_thread(uint32_t round);

/* Starts a round in which threads park. */
void gate_close(void);

/* Lets the parked threads restrict themselves; `expected` of them are then awaited. */
void gate_order(int32_t ruleset_fd, uint32_t flags, uint32_t expected);

/* Lets everybody go. */
void gate_open(void);

/* One more, or one fewer, thread to wait for until all are parked. Only the caller may ask. */
void gate_await(void);
void gate_arrive(void);

/* Sleeps until nobody is awaited (1), or for `ns` nanoseconds (0). */
int gate_sleep(int64_t ns);

#endif
