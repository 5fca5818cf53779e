/*
 * The compiler includes this before every source of the library, only for test programs. Each
 * system call first asks whether it must fail. The shipped library is built without it.
 */
#ifndef LANDLOCK_TEST_SHIM_H
#define LANDLOCK_TEST_SHIM_H

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* The CPU's header has an include guard, so this is its only inclusion. */
#define syscall6 kernel_call
#if defined(__x86_64__)
#include "../../lib/arch/x86_64.h"
#else
#include "../../lib/arch/aarch64.h"
#endif
#undef syscall6

/*
 * Whether to skip this call, and what it returns then. Counts every call. `a` and `b` are its first
 * two arguments.
 */
int fault_due(long nr, long a, long b, long *result);

/* Inline, because the child of clone(2) must not return from the function that created it. */
static inline __attribute__((always_inline)) long syscall6(long nr, long a, long b, long c, long d,
							    long e, long f)
{
	long result;

	if (!fault_due(nr, a, b, &result))
		return kernel_call(nr, a, b, c, d, e, f);
	/* The descriptor is closed whatever close(2) returns. */
	if (nr == NR_close)
		kernel_call(nr, a, b, c, d, e, f);
	return result;
}

#pragma GCC visibility pop

#endif
