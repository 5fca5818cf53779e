/*
 * Put before every source of the library by the compiler, for programs of these tests only: each
 * system call asks first whether it shall fail. What is shipped is built without it.
 */
#ifndef LANDLOCK_TEST_SHIM_H
#define LANDLOCK_TEST_SHIM_H

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* The header of the CPU guards against being included again, so this is the only time. */
#define syscall6 kernel_call
#if defined(__x86_64__)
#include "../../lib/arch/x86_64.h"
#else
#include "../../lib/arch/aarch64.h"
#endif
#undef syscall6

/*
 * Whether this call shall not be made, and what it returns instead. Counts it in any case.
 * `a` and `b` are its first two arguments.
 */
int fault_due(long nr, long a, long b, long *result);

/* Inline, because the child of clone(2) must not return from the function that made it. */
static inline __attribute__((always_inline)) long syscall6(long nr, long a, long b, long c, long d,
							    long e, long f)
{
	long result;

	if (!fault_due(nr, a, b, &result))
		return kernel_call(nr, a, b, c, d, e, f);
	/* Whatever it returns, the descriptor is closed (close(2)). */
	if (nr == NR_close)
		kernel_call(nr, a, b, c, d, e, f);
	return result;
}

#pragma GCC visibility pop

#endif
