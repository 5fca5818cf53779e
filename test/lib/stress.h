/* Hard cases for liblandlock.so in C, one process for each; stress.c lists them. */
#ifndef LANDLOCK_STRESS_H
#define LANDLOCK_STRESS_H

#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pthread.h>
#include <sys/syscall.h>

#include "../../lib/allthreads.h"

/* How many times slower this machine is than a plain one; test/kernels sets it for emulators. */
#ifndef SLOWNESS
#define SLOWNESS 1
#endif
/* Long enough for a loaded machine: only a bug makes a call wait for all of it. */
#define PATIENT_MS (10000 * SLOWNESS)
/* For calls that must give up: the test waits for all of it. */
#define HASTY_MS (300 * SLOWNESS)
#define FOREVER_MS (60000 * SLOWNESS)
#define EXIT_SKIPPED 77
#define SMALL_STACK (64 * 1024)

/* ---- stress.c ---- */

extern struct library {
	__typeof__(allthreads_restrict) *restrict_all;
	__typeof__(landlock_execve) *execve;
	__typeof__(landlock_native_version) *version;
	const char *path;
} library;

extern const char *program_path;

__attribute__((noreturn, format(printf, 1, 2))) void failed(const char *format, ...);
__attribute__((noreturn, format(printf, 1, 2))) void skipped(const char *format, ...);

#define CHECK(condition, ...)                \
	do {                                 \
		if (!(condition))            \
			failed(__VA_ARGS__); \
	} while (0)

/* Waits for a condition, at most 60 s, which is longer than any load needs. */
#define WAIT_FOR(condition)                                                            \
	do {                                                                           \
		for (int64_t since = now_ms(); !(condition); nap_ms(1))                \
			CHECK(now_ms() - since < FOREVER_MS, "never came: %s", #condition); \
	} while (0)

int64_t now_ms(void);
void nap_ms(int64_t ms);
int32_t thread_id(void);
/* Like futex(2): returns -1 and sets errno. */
long futex_wait(uint32_t *word, uint32_t value);
/* Wakes all waiters. */
void futex_wake(uint32_t *word);

/* ---- scratch.c: files that a ruleset denies or grants ---- */

#define FILES 20
#define FILE_BIT(n) (1U << (n))

/* READ_PROC allows reading the files of /proc, not listing its directories. */
enum { WITHOUT_PROC, WITH_PROC, READ_PROC };

void scratch_create(void);
void scratch_remove(void);
const char *scratch_file(int which);

/* A ruleset that denies reading the files of the set `denied` and grants the others. */
int ruleset_denying(uint32_t denied, int proc);

/* Adds enough rules that each copy of the ruleset takes time. */
void ruleset_fill(int ruleset);

/* The calling thread opens every file: EACCES if denied, success otherwise. */
void check_this_thread(uint32_t denied, int no_new_privs);

/* The state that /proc shows for each thread. */
void check_no_new_privs_everywhere(int expected);

char thread_state(int32_t tid);

void expect_success(int64_t result, const struct allthreads_report *report, int threads);
void expect_unchanged(int64_t result, const struct allthreads_report *report, int64_t expected);

/* ---- crowd.c: threads that block in various ways ---- */

enum idle { IDLE_FUTEX, IDLE_READ, IDLE_SLEEP, IDLE_POLL, IDLE_BUSY, IDLE_KINDS };

struct crowd;

/* Returns once each thread has proved that it can open every file outside `denied`. */
struct crowd *crowd_start(int count, uint32_t denied, int no_new_privs);

/* Returns once every thread blocks where it should wait; needs a readable /proc. */
void crowd_settle(struct crowd *crowd);

/* Each thread proves again what it can open, then idles. */
void crowd_check(struct crowd *crowd, uint32_t denied, int no_new_privs);

void crowd_end(struct crowd *crowd);

pthread_t start_thread(void *(*body)(void *), void *argument);

/* ---- signals.c ---- */

/* The kernel's struct sigaction, because libc's wrapper rejects 32 to 34. */
struct raw_sigaction {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;
	uint64_t mask;
};

#define ALL_SIGNALS (~0ULL)
#define SIGNALS 64

uint64_t raw_mask(uint64_t blocked);
struct raw_sigaction raw_sigaction_get(int signal);
void raw_sigaction_set(int signal, const struct raw_sigaction *action);
void raw_handle(int signal, void (*handler)(int, void *, void *));
void dispositions_save(struct raw_sigaction saved[SIGNALS + 1]);
void dispositions_compare(const struct raw_sigaction saved[SIGNALS + 1]);

/* A thread that blocks `blocked` and waits in a futex until it is told to stop. */
struct blocker {
	pthread_t thread;
	uint64_t blocked;
	const char *name;
	int32_t tid;
	uint32_t stop;
	uint32_t denied;
	int no_new_privs;
};

void blocker_start(struct blocker *blocker, uint64_t blocked, const char *name);
/* The thread unblocks everything, proves what it can open and ends. */
void blocker_stop(struct blocker *blocker, uint32_t denied, int no_new_privs);

/* ---- state.c: what a failing call must leave unchanged ---- */

struct state {
	struct raw_sigaction dispositions[SIGNALS + 1];
	char masks[4096]; /* every thread's id and SigBlk line */
	int files;
	int pages; /* of address space */
};

void state_take(struct state *state);

/*
 * Records the state once every thread has its mask back, since threads need a moment to leave the
 * handler. Returns 1 if it had to restore the caller's mask, which only `own_may_stay` allows.
 */
int state_settle(struct state *state, const struct state *like, int own_may_stay);

/* Counts changed signal handlers: at most 1, the handler that stays after UNREACHABLE. */
int state_compare(const struct state *before, const struct state *after);

/* ---- children.c ---- */

/* Like fork(2), but the child dies with the thread that created it. */
pid_t fork_child(void);

/* Call it again in a child after a change of credentials, which makes the kernel forget it. */
void die_with_parent(void);

/* Runs `body` in a new process and returns its verdict. */
void in_child(void (*body)(void));

/* The pending or blocked signals of a thread: bit n - 1 is signal n. */
uint64_t pending_signals(pid_t pid, int32_t tid);
uint64_t blocked_signals(pid_t pid, int32_t tid);

/* A word through a pipe between a parent and its child. */
void say_word(int fd, int32_t word);
int32_t hear_word(int fd);

/* ---- namespaces.c ---- */

/* Creates namespaces (unshare(2) flags), as root or in a user namespace. */
void enter_namespaces(int flags);

/* Leaves an empty directory in place of /proc. */
void hide_proc(void);

/* Mounts the /proc of this pid namespace in this mount namespace. */
void mount_proc(void);

/* ---- cases_search.c ---- */

/* Makes every call of this number fail, in this thread and in those that it starts. */
void refuse_calls(long nr, int32_t error);

/* ---- the cases ---- */

#define CASES(X)                                           \
	X(basic, "basic")                                  \
	X(churn, "churn")                                  \
	X(layers, "layers")                                \
	X(two_callers, "two-callers")                      \
	X(altstack, "altstack")                            \
	X(slow_ruleset, "slow-ruleset")                    \
	X(short_deadline, "short-deadline")                \
	X(paused, "paused")                                \
	X(starved, "starved")                              \
	X(nnp_unchanged, "nnp-unchanged")                  \
	X(sigpending, "sigpending")                        \
	X(diverged, "diverged")                            \
	X(blocked, "blocked")                              \
	X(blocks_33, "blocks-33")                          \
	X(transient, "transient")                          \
	X(vfork_child, "vfork-child")                      \
	X(late_signal, "late-signal")                      \
	X(late_thread, "late-thread")                      \
	X(stopped, "stopped")                              \
	X(foreign_signal, "foreign-signal")                \
	X(suspended, "suspended")                          \
	X(collector, "collector")                          \
	X(caller_suspended, "caller-suspended")            \
	X(setuid_broadcast, "setuid-broadcast")            \
	X(leader_exited, "leader-exited")                  \
	X(leader_exited_no_proc, "leader-exited-no-proc")  \
	X(second_layer_no_proc, "second-layer-no-proc")    \
	X(descriptors, "descriptors")                      \
	X(kept_descriptor, "kept-descriptor")              \
	X(reused_thread_id, "reused-thread-id")            \
	X(dead_proc, "dead-proc")                          \
	X(foreign_proc, "foreign-proc")                    \
	X(nested_pid_namespace, "nested-pid-namespace")    \
	X(unlisted_proc, "unlisted-proc")                  \
	X(vain_search, "vain-search")                      \
	X(io_worker, "io-worker")                          \
	X(io_poller, "io-poller")                          \
	X(io_born_worker, "io-born-worker")                \
	X(storm, "storm")                                  \
	X(fork, "fork")                                    \
	X(fork_same_pid, "fork-same-pid")                  \
	X(faults, "faults")                                \
	X(execve, "execve")                                \
	X(launcher, "launcher")

#define DECLARE(function, name) void case_##function(void);
CASES(DECLARE)
#undef DECLARE

/* Names under which execve(2) and the launcher start this program. */
void target_execve(char **arguments);
void target_launched(char **arguments);

#endif
