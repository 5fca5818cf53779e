/*
 * The whole surface of liblandlock.so. Nothing else is exported.
 */
#ifndef LANDLOCK_ALLTHREADS_H
#define LANDLOCK_ALLTHREADS_H

#include <stdint.h>

#define EXPORTED __attribute__((visibility("default")))

/* Raised with every change of the surface; src/kernel/native.ts compares it. */
#define LANDLOCK_NATIVE_VERSION 3

/* Own results, below every errno (the kernel's largest is 4095). */
enum {
	/* A thread did not park, or not all were found, in time. Nothing has changed. */
	ALLTHREADS_UNREACHABLE = -5001,
	/*
	 * Some threads are restricted, and at least one is not, or may not be: it failed, did not
	 * answer, or was made by the kernel meanwhile. The process must end.
	 */
	ALLTHREADS_DIVERGED = -5002,
};

struct allthreads_report {
	int32_t threads; /* restricted threads, the caller included */
	int32_t tid;     /* the thread a failure is about; 0: none in particular */
	int32_t error;   /* its negative errno, or that of the search; 0: it gave no answer */
	int32_t signal;  /* the signal the broadcast used; 0: it never came to that */
	int32_t changed; /* 1: an attribute of some thread was changed */
	char name[20];   /* that thread's name (proc_pid_comm(5)), NUL-terminated */
};

/*
 * Returns LANDLOCK_NATIVE_VERSION.
 *
 * Signal-safe: yes. Blocks: no.
 */
EXPORTED int32_t landlock_native_version(void);

/*
 * Sets no_new_privs and enforces a ruleset on every thread of the process, or on none.
 *
 * ruleset_fd:  open Landlock ruleset
 * flags:       landlock_restrict_self(2) flags; not TSYNC, which makes this needless
 * deadline_ms: how long the other threads may take to park, in milliseconds
 * report:      filled in whatever happens
 *
 * Returns 0; a negative errno of the calling thread's own landlock_restrict_self(2);
 * ALLTHREADS_UNREACHABLE; or ALLTHREADS_DIVERGED.
 *
 * Signal-safe: no. Blocks: at most deadline_ms until nothing has changed, ten times that for
 * threads that could answer but get no CPU, and to find threads that /proc does not list; then as
 * long as threads report within 60 s of each other; and, if there is no /proc, 60 s to look for
 * threads once more.
 * State on failure: unchanged, except after ALLTHREADS_DIVERGED.
 */
EXPORTED int64_t allthreads_restrict(int32_t ruleset_fd, uint32_t flags, uint32_t deadline_ms,
				     struct allthreads_report *report);

/*
 * Replaces the process by a program, with the signal dispositions and the limit on open
 * files that a plain exec from the parent would have left. Bun ignores SIGPIPE and SIGXFSZ
 * and raises the soft limit for itself; a command must not inherit either.
 *
 * path, argv, envp: as for execve(2)
 * nofile_soft:      RLIMIT_NOFILE soft limit to set, 0: leave it
 *
 * Returns a negative errno: it only returns when execve(2) failed.
 *
 * Signal-safe: yes. Blocks: no. State on failure: limit and dispositions are changed.
 */
EXPORTED int64_t landlock_execve(const char *path, char *const *argv, char *const *envp,
				 uint64_t nofile_soft);

#endif
