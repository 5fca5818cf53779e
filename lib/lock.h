/* One caller at a time. A forked child finds the lock free, even if its parent held it. */
#ifndef LANDLOCK_LOCK_H
#define LANDLOCK_LOCK_H

#include "kernel.h"

void lock_take(int32_t pid);
void lock_drop(void);

#endif
