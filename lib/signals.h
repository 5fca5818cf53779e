/* The broadcast's signal: its choice, its handler during a call, and signals of others. */
#ifndef LANDLOCK_SIGNALS_H
#define LANDLOCK_SIGNALS_H

#include "kernel.h"

/* Chooses a signal outside `blocked` (bit n - 1 is signal n); 0: there is none. */
int32_t signals_choose(uint64_t blocked);

/* Lets `on_park` handle `signal`; negative errno on failure. */
long signals_install(int32_t signal, void (*on_park)(uint32_t round));

/* Puts the former handler back. Only if none of our signals can still arrive. */
void signals_restore(int32_t signal);

/* Sends `signal` to one thread, marked as ours and with the round; negative errno on failure. */
long signals_send(int32_t pid, int32_t tid, int32_t signal, uint32_t round);

#endif
