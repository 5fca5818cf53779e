/*
 * A process on a machine that a fuzzer makes up: its threads, who runs when, what fails. The
 * threads run the library's own handler, each on a stack of its own, and change places at system
 * calls. lib/ is included by broadcast.c alone.
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
	int held;          /* by a debugger, or in a call that cannot be interrupted */
	int worker;        /* of the kernel's own, as io_uring's: it takes no signals */
	int late;          /* in the handler without a CPU: for so many sleeps of the caller */
	int no_new_privs;
	uint32_t layers;   /* bit n: restricted by call n */
	int full;          /* it can take no other layer */
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
	int call;               /* which call of the library this is, from 0 */
	int64_t now;            /* CLOCK_MONOTONIC, in nanoseconds */
	int64_t oversleep;      /* how long a sleep takes at least: the machine may be a slow one */
	struct kernel_sigaction actions[65];
	int proc;     /* whether /proc is there */
	int unlisted; /* it may not be listed */
	int task_fds; /* descriptors of /proc/self/task that are open */
	/* In this call: whether others got no CPU, an enforcement failed, anything else did, and
	 * whether the kernel made a worker. */
	int starved, refused, faults, workers;
};
extern struct machine machine;

/* The library's handler, and a thread of the program that gets a signal of somebody else. */
typedef void handler_function(int32_t signal, struct signal_info *info, void *context);

/* A new process. */
void machine_boot(struct input *in);

/* The thread of that id that has not exited, or NULL. */
struct thread *machine_find(int32_t tid);

/* Somebody else's turn, in the midst of a system call: the fuzzer says whose, and what happens. */
void machine_turn(void);

/* Lets everybody run until all wait; 0: somebody still does after long. */
int machine_settle(void);

/* As vfork(2): runs the child to its end, and returns its number. */
long run_child(long how);

/* That child ends: does not return. */
void child_ends(void);

/* From inside a thread: it may lose its CPU here, for longer than a call lasts. */
void machine_preempt(void);

/* From inside a thread: waits until it is resumed. */
void machine_wait(struct thread *thread);

#endif
