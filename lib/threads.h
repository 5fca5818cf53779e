/* Which threads the process has: from /proc/self/task, or by probing one id after another. */
#ifndef LANDLOCK_THREADS_H
#define LANDLOCK_THREADS_H

#include "kernel.h"

struct thread_status {
	uint64_t blocked; /* SigBlk: bit n - 1 is signal n */
	char state;       /* R S D T t Z X (proc_pid_status(5)) */
};

/*
 * Opens /proc/self/task, or takes the descriptor of an earlier call: a ruleset may deny the list
 * by now. Negative: this process has no usable /proc. If the directory may not be listed, only
 * threads_list() fails. `kept` is 0 at first; NULL: keep none.
 */
int32_t threads_open(int32_t pid, int32_t *kept);

/* Closes what threads_open() returned, unless it is kept. */
void threads_close(int32_t task_fd, const int32_t *kept);

/* Calls `visit` for every thread but the calling one. Negative errno: the list is incomplete. */
long threads_list(int32_t task_fd, void (*visit)(int32_t tid, void *context), void *context);

/*
 * The same by signal 0, from the process's own id upwards and from 1, until there are as many
 * threads as threads_count() says. If it does not say, every possible id is probed.
 * -ETIMEDOUT: that was not done at `until` (CLOCK_MONOTONIC, in nanoseconds).
 */
long threads_probe(int32_t task_fd, int32_t pid, int64_t until,
		   void (*visit)(int32_t tid, void *context), void *context);

/*
 * How many threads the kernel counts, the caller included; 0: it does not say. Needs no right to
 * read anything, and no descriptor: `task_fd` may be negative.
 */
uint32_t threads_count(int32_t task_fd);

/* Reads a thread's state and signal mask; negative errno if they cannot be read. */
long threads_status(int32_t task_fd, int32_t tid, struct thread_status *status);

/* Copies a thread's name, at most size - 1 bytes and a NUL; empty if it cannot be read. */
void threads_name(int32_t task_fd, int32_t tid, char *name, size_t size);

#endif
