/* Which threads the process has: from /proc/self/task, or by asking for one id after another. */
#ifndef LANDLOCK_THREADS_H
#define LANDLOCK_THREADS_H

#include "numbers.h"
#include "sys.h"

/* The largest thread id there can be on a 64-bit kernel is one less (proc_sys_kernel(5)). */
#define PID_MAX_LIMIT 4194304

struct thread_status {
	uint64_t blocked; /* SigBlk: bit n - 1 is signal n */
	char state;       /* R S D T t Z X (proc_pid_status(5)) */
};

/*
 * Opens /proc/self/task, or returns the descriptor kept from an earlier call: once a
 * ruleset is in force it may be out of reach. Negative: this process has no usable /proc.
 * A directory that may not be listed is opened all the same: threads_list() will fail.
 */
int32_t threads_open(int32_t pid);

/* Closes what threads_open() returned, unless it is kept: there may be no memory for that. */
void threads_close(int32_t task_fd);

/*
 * Calls visit for every thread but the calling one, as /proc/self/task lists them. Returns how
 * many, or a negative errno if that is no full answer; -ENOENT: `task_fd` is about other ids.
 */
long threads_list(int32_t task_fd, void (*visit)(int32_t tid, void *context), void *context);

/*
 * The same by signal 0, from the process's own id upwards and from 1, until there are as many
 * threads as threads_count() says. If it does not say, every possible id is asked for.
 * -ETIMEDOUT: that was not done at `until` (CLOCK_MONOTONIC, in nanoseconds).
 */
long threads_probe(int32_t task_fd, int32_t pid, int64_t until,
		   void (*visit)(int32_t tid, void *context), void *context);

/*
 * How many threads the kernel counts, the caller included; 0: it does not say. Needs no right to
 * read anything, and no descriptor: `task_fd` may be negative.
 */
uint32_t threads_count(int32_t task_fd);

/* Reads a thread's state and signal mask; negative errno where that is not readable. */
long threads_status(int32_t task_fd, int32_t tid, struct thread_status *status);

/* Copies a thread's name, at most size - 1 bytes and a NUL; empty where it is not readable. */
void threads_name(int32_t task_fd, int32_t tid, char *name, size_t size);

#endif
