/*
 * System calls, for the library and the launcher: no libc header, no errno, no allocation. Every
 * call returns what the kernel returned, a negative errno on failure.
 */
#ifndef LANDLOCK_SYS_H
#define LANDLOCK_SYS_H

#include <stddef.h>
#include <stdint.h>

/* Declarations too, or arm64 would reach its own functions through relocations. */
#pragma GCC visibility push(hidden)

#if defined(__x86_64__)
#include "arch/x86_64.h"
#elif defined(__aarch64__)
#include "arch/aarch64.h"
#else
#error "no arch header for this CPU"
#endif

enum {
	ENOENT = 2,
	EINVAL = 22,
	PR_SET_NO_NEW_PRIVS = 38,
	NR_landlock_restrict_self = 446, /* the same number on every CPU */
};

#define sys0(nr) syscall6((nr), 0, 0, 0, 0, 0, 0)
#define sys1(nr, a) syscall6((nr), (long)(a), 0, 0, 0, 0, 0)
#define sys2(nr, a, b) syscall6((nr), (long)(a), (long)(b), 0, 0, 0, 0)
#define sys3(nr, a, b, c) syscall6((nr), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define sys4(nr, a, b, c, d) syscall6((nr), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define sys5(nr, a, b, c, d, e) \
	syscall6((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define sys6(nr, a, b, c, d, e, f) \
	syscall6((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/*
 * no_new_privs, then the ruleset, on the calling thread (landlock_restrict_self(2)).
 * Landlock refuses a thread without no_new_privs unless it has CAP_SYS_ADMIN.
 */
static inline long restrict_this_thread(int32_t ruleset_fd, uint32_t flags)
{
	long ret = sys5(NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

	if (ret < 0)
		return ret;
	return sys2(NR_landlock_restrict_self, ruleset_fd, flags);
}

#endif
