/* Parks every other thread in the signal handler, or names one that cannot be reached. */
#ifndef LANDLOCK_PARK_H
#define LANDLOCK_PARK_H

#include "allthreads.h"
#include "slots.h"

/* What one call knows. */
struct broadcast {
	struct allthreads_report *report;
	int64_t deadline;      /* CLOCK_MONOTONIC, in nanoseconds */
	int64_t last_deadline; /* how far it may be put off */
	int64_t extension_ns;  /* how long it is put off for threads that lack a CPU */
	int32_t pid;
	int32_t task_fd; /* negative: no usable /proc */
	int listed;      /* 0: task_fd gives no list, so ids are probed one by one */
	int32_t signal;
	int32_t new_threads; /* threads that a sweep saw for the first time */
	int32_t unsent;      /* threads whose signal the kernel would not queue yet */
	uint64_t blocked;
	int blocked_known;
	int32_t blocker; /* a thread that blocks every signal to choose from; 0: none */
};

/* Puts a thread and what happened to it into the report. */
void report_thread(struct broadcast *b, int32_t tid, int32_t error);

/* Chooses a signal that no thread blocks, if there is one. 0: the threads could not be found. */
int choose_signal(struct broadcast *b);

/* A call takes at most so many times its deadline before anything has changed. */
#define DEADLINES_MOST 10

/*
 * How long the next answer may take after the change. Giving up then leaves the process divided,
 * and each thread has shown that it answers: it lacks a CPU, or copies a large ruleset.
 */
#define ANSWER_NS (60 * NS_PER_S)

/* Parks every other thread; 0: not all of them until the deadline. */
int park_everybody(struct broadcast *b);

/*
 * Whether the process has no thread but the caller, those in `state`, and a main thread that has
 * exited. Reports another one.
 */
int no_other_thread(struct broadcast *b, enum slot_state state);

/* Gives up: threads that get the signal later ignore it. Reports one that did not park. */
void cancel_parking(struct broadcast *b);

/* Puts the former handler back if none of our signals can still arrive. */
void finish_signal(struct broadcast *b, int everybody_parked);

#endif
