/*
 * Included before every file of lib/ (-include arch.h), so that its system calls go to the fuzzer's
 * simulated kernel. Numbers and layouts stay those of this CPU.
 */
#ifndef FUZZ_ARCH_H
#define FUZZ_ARCH_H

#include <stdint.h>

#define syscall6 real_syscall6
#if defined(__x86_64__)
#include "../../lib/arch/x86_64.h"
#else
#include "../../lib/arch/aarch64.h"
#endif
#undef syscall6

long syscall6(long nr, long a, long b, long c, long d, long e, long f);

#endif
