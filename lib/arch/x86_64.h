/* x86-64: system call numbers and the raw call. */
#ifndef LANDLOCK_ARCH_H
#define LANDLOCK_ARCH_H

enum {
	NR_read = 0,
	NR_write = 1,
	NR_close = 3,
	NR_lseek = 8,
	NR_mmap = 9,
	NR_munmap = 11,
	NR_rt_sigaction = 13,
	NR_rt_sigprocmask = 14,
	NR_madvise = 28,
	NR_getpid = 39,
	NR_clone = 56,
	NR_execve = 59,
	NR_exit = 60,
	NR_wait4 = 61,
	NR_fcntl = 72,
	NR_rt_sigsuspend = 130,
	NR_statfs = 137,
	NR_fstatfs = 138,
	NR_prctl = 157,
	NR_gettid = 186,
	NR_futex = 202,
	NR_getdents64 = 217,
	NR_clock_gettime = 228,
	NR_exit_group = 231,
	NR_tgkill = 234,
	NR_openat = 257,
	NR_readlinkat = 267,
	NR_rt_tgsigqueueinfo = 297,
	NR_prlimit64 = 302,
	NR_kcmp = 312,
	NR_statx = 332,
};

enum { O_DIRECTORY = 0200000 };

static inline long syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#endif
