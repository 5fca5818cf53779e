/* One caller at a time. A forked child finds the lock free, even if its parent held it. */
#ifndef LANDLOCK_LOCK_H
#define LANDLOCK_LOCK_H

#include "kernel.h"

/*
 * Returns a word for the holder, 0 at first and again in every forked child. NULL if the kernel
 * cannot clear it there.
 */
int32_t *lock_take(int32_t pid);
void lock_drop(void);

#endif
