/* arm64: system call numbers, the raw call, and the two things C cannot say. */
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

/* The kernel returns from handlers through the vDSO on this CPU. */
#define SA_RESTORER 0UL
#define SIGRETURN_STUB 0UL

/* struct ucontext of a signal frame (arch/arm64/include/uapi/asm/ucontext.h), in words. */
enum { FRAME_MASK_AT = 5, FRAME_X8_AT = 31 };

/*
 * Whether a call that waited with a mask of its own was rt_sigsuspend(2), and which mask. The
 * call's number is still in the frame, but its result has taken the mask's place there. Who
 * waits behind a mask that blocks nearly all waits for what is blocked otherwise; and 32 and
 * 33 are open because no libc lets anybody block them.
 */
static inline int sigsuspend_mask(const uint64_t *frame, uint64_t *mask)
{
	*mask = ~(frame[FRAME_MASK_AT] | 1ULL << 31 | 1ULL << 32);
	return frame[FRAME_X8_AT] == NR_rt_sigsuspend;
}

#define CLONE(flags) syscall6(NR_clone, (flags), 0, 0, 0, 0, 0)

/* At program entry the stack pointer is the only argument there is. */
#define PROGRAM_ENTRY(name, body)                       \
	__asm__(".text\n.globl " #name "\n.hidden " #name "\n.type " #name ",%function\n" #name ":\n" \
		"mov x29, #0\n\t"                       \
		"mov x30, #0\n\t"                       \
		"mov x0, sp\n\t"                        \
		"and sp, x0, #-16\n\t"                  \
		"bl " #body "\n\t"                      \
		"brk #1\n")

#endif
