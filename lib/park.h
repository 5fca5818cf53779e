/* Parks every other thread in the signal handler, or names one that cannot be reached. */
#ifndef LANDLOCK_PARK_H
#define LANDLOCK_PARK_H

#include "allthreads.h"
#include "slots.h"
#include "sys.h"

/* What one call knows. */
struct broadcast {
	struct allthreads_report *report;
	int64_t deadline;      /* CLOCK_MONOTONIC, in nanoseconds */
	int64_t last_deadline; /* it is never put off beyond that */
	int64_t extension_ns;  /* how much longer threads get that only lack a CPU */
	int32_t pid;
	int32_t task_fd; /* negative: no usable /proc */
	int listed;      /* 0: task_fd gives no list, so ids are asked for one by one */
	int32_t signal;
	int32_t new_threads; /* threads that a sweep saw for the first time */
	int32_t unsent;      /* threads whose signal the kernel would not queue yet */
	uint64_t blocked;
	int blocked_known;
	int32_t blocker; /* a thread that blocks every signal there is to choose; 0: none */
};

/* Puts a thread and what happened to it into the report. */
void report_thread(struct broadcast *b, int32_t tid, int32_t error);

/* Chooses a signal that no thread blocks; 0: there was none until the deadline. */
int choose_signal(struct broadcast *b);

/* How many times the deadline a call may take before anything has changed. */
#define DEADLINES_MOST 10

/*
 * Giving up after the change would leave the process divided, and every thread has shown that it
 * answers: what it may lack is a CPU. A large ruleset takes its time on many threads, too.
 */
#define ANSWER_NS (60 * NS_PER_S)

/* Parks every other thread; 0: not all of them until the deadline. */
int park_everybody(struct broadcast *b);

/*
 * Whether the process has no thread but the caller, those parked in `state`, and a main thread that
 * has exited. If it has another one, that is reported.
 */
int no_other_thread(struct broadcast *b, enum slot_state state);

/* Gives up: threads that still get the signal ignore it. Reports one that did not come. */
void cancel_parking(struct broadcast *b);

/* Gives the signal back where none of ours can still arrive, and remembers one that worked. */
void finish_signal(struct broadcast *b, int everybody_came);

#endif
