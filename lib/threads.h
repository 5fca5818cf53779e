/* Which threads the process has: from /proc/self/task, or by asking for every id. */
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
 */
int32_t threads_open(int32_t pid);

/* Closes what threads_open() returned, unless it is kept: there may be no memory for that. */
void threads_close(int32_t task_fd);

/*
 * Calls visit for every thread but the calling one. `task_fd` as threads_open() returned
 * it; negative: every possible id is asked for with signal 0.
 * Returns how many it called visit for, or a negative errno where /proc gave no full answer.
 */
long threads_each(int32_t task_fd, int32_t pid, void (*visit)(int32_t tid, void *context),
		  void *context);

/* How many threads the kernel counts, the caller included; 0: it does not say. */
uint32_t threads_count(int32_t task_fd);

/* Reads a thread's state and signal mask; negative errno where that is not readable. */
long threads_status(int32_t task_fd, int32_t tid, struct thread_status *status);

/* Copies a thread's name, at most size - 1 bytes and a NUL; empty where it is not readable. */
void threads_name(int32_t task_fd, int32_t tid, char *name, size_t size);

#endif
