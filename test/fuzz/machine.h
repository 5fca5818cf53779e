/*
 * A process on a simulated machine: its threads, who runs when, what fails. Each thread runs the
 * library's own handler on a stack of its own, and they switch at system calls. Only broadcast.c
 * includes lib/.
 */
#ifndef FUZZ_MACHINE_H
#define FUZZ_MACHINE_H

#include "coroutine.h"
#include "input.h"

#include "../../lib/kernel.h"

enum { PID = 2, THREADS_MOST = 14, QUEUE_MOST = 4, TASK_FD = 9, RULESET_FD = 5 };

enum life { ALIVE, DEFUNCT, DEAD };

struct queued {
	int32_t signal;
	struct signal_info info;
};

struct thread {
	int32_t tid;
	enum life life;
	int held;          /* by a debugger, or in an uninterruptible call */
	int worker;        /* a kernel thread like io_uring's, without signals */
	int late;          /* in the handler without a CPU, for this many sleeps of the caller */
	int no_new_privs;
	uint32_t layers;   /* bit n: restricted by call n */
	int full;          /* it can take no further layer */
	uint64_t mask;     /* blocked signals */
	struct queued queue[QUEUE_MOST];
	int queued;
	uint32_t *sleeps_on;
	struct coroutine *stack;
};

struct machine {
	struct input in;
	struct thread threads[THREADS_MOST];
	int count;
	struct thread *caller;  /* of the library; runs on the fuzzer's own stack */
	struct thread *running; /* now */
	int call;               /* number of the library call, from 0 */
	int64_t now;            /* CLOCK_MONOTONIC, in nanoseconds */
	int64_t oversleep;      /* shortest sleep: the machine may be slow */
	struct kernel_sigaction actions[65];
	int proc;     /* whether /proc is there */
	int unlisted; /* it may not be listed */
	int task_fds; /* open descriptors of /proc/self/task */
	/* In this call: whether others got no CPU, an enforcement failed, anything else failed,
	 * and whether the kernel created a worker. */
	int starved, refused, faults, workers;
};
extern struct machine machine;

/* The library's handler, and a thread that gets another program's signal. */
typedef void handler_function(int32_t signal, struct signal_info *info, void *context);

/* Resets to a new process. */
void machine_boot(struct input *in);

/* The living thread with that id, or NULL. */
struct thread *machine_find(int32_t tid);

/* Another thread's turn during a system call: the input decides whose, and what happens. */
void machine_turn(void);

/* Runs all until they wait; returns 0 if one still runs after long. */
int machine_settle(void);

/* Like vfork(2): runs the child to its end and returns its number. */
long run_child(long how);

/* Ends that child; does not return. */
void child_ends(void);

/* Called in a thread: it may lose its CPU here, for longer than a call lasts. */
void machine_preempt(void);

/* Called in a thread: waits until it is resumed. */
void machine_wait(struct thread *thread);

#endif
