/* arm64: system call numbers and the raw call. */
#ifndef LANDLOCK_ARCH_H
#define LANDLOCK_ARCH_H

enum {
	NR_fcntl = 25,
	NR_statfs = 43,
	NR_fstatfs = 44,
	NR_openat = 56,
	NR_close = 57,
	NR_getdents64 = 61,
	NR_lseek = 62,
	NR_read = 63,
	NR_write = 64,
	NR_readlinkat = 78,
	NR_exit = 93,
	NR_exit_group = 94,
	NR_futex = 98,
	NR_clock_gettime = 113,
	NR_tgkill = 131,
	NR_rt_sigsuspend = 133,
	NR_rt_sigaction = 134,
	NR_rt_sigprocmask = 135,
	NR_prctl = 167,
	NR_getpid = 172,
	NR_gettid = 178,
	NR_munmap = 215,
	NR_clone = 220,
	NR_execve = 221,
	NR_mmap = 222,
	NR_madvise = 233,
	NR_rt_tgsigqueueinfo = 240,
	NR_wait4 = 260,
	NR_prlimit64 = 261,
	NR_kcmp = 272,
	NR_statx = 291,
};

enum { O_DIRECTORY = 040000 };

static inline long syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

#endif
