/* x86-64: system call numbers, the raw call, and the two things C cannot say. */
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

/* The kernel refuses a handler without SA_RESTORER on this CPU (sigaction(2)). */
#define SA_RESTORER 0x04000000UL
__attribute__((naked, used)) static void sigreturn_stub(void)
{
	__asm__ volatile("mov $15, %eax\n\t" /* rt_sigreturn */
			 "syscall");
}
#define SIGRETURN_STUB ((unsigned long)sigreturn_stub)

/* struct ucontext of a signal frame (arch/x86/include/uapi/asm/sigcontext.h), in words. */
enum { FRAME_RDI_AT = 13, FRAME_RSI_AT = 14, FRAME_RAX_AT = 18, FRAME_MASK_AT = 37 };

/*
 * Whether a call that waited with a mask of its own was rt_sigsuspend(2), and which mask. The
 * call's number is gone from the frame; its arguments are a pointer and the size of a mask.
 * io_uring_enter(2) has a descriptor for the pointer, and of a ppoll(2) of 8 files the first
 * would need its highest event set, which no file has.
 */
static inline int sigsuspend_mask(const uint64_t *frame, uint64_t *mask)
{
	if (frame[FRAME_RAX_AT] != (uint64_t)-4 /* EINTR */ ||
	    frame[FRAME_RSI_AT] != sizeof(*mask) || frame[FRAME_RDI_AT] <= INT32_MAX)
		return 0;
	*mask = *(const uint64_t *)frame[FRAME_RDI_AT];
	return (int64_t)*mask < 0;
}

/* clone(2) takes the thread pointer last here. */
#define CLONE(flags) syscall6(NR_clone, (flags), 0, 0, 0, 0, 0)

/* At program entry the stack pointer is the only argument there is. */
#define PROGRAM_ENTRY(name, body)                       \
	__asm__(".text\n.globl " #name "\n.hidden " #name "\n.type " #name ",@function\n" #name ":\n" \
		"xor %ebp, %ebp\n\t"                    \
		"mov %rsp, %rdi\n\t"                    \
		"and $-16, %rsp\n\t"                    \
		"call " #body "\n\t"                    \
		"hlt\n")

#endif
