/* Signal handlers: how they return, and what the frame of an interrupted thread says. */
#ifndef LANDLOCK_FRAME_H
#define LANDLOCK_FRAME_H

#include "kernel.h"

#if defined(__x86_64__)

/* The kernel refuses a handler without SA_RESTORER on this CPU (sigaction(2)). */
#define SA_RESTORER 0x04000000UL
__attribute__((naked, used)) static void sigreturn_stub(void)
{
	__asm__ volatile("mov $15, %eax\n\t" /* rt_sigreturn */
			 "syscall");
}
#define SIGRETURN_STUB ((unsigned long)sigreturn_stub)

/* struct ucontext (arch/x86/include/uapi/asm/sigcontext.h), in words. */
enum { FRAME_RDI_AT = 13, FRAME_RSI_AT = 14, FRAME_RAX_AT = 18, FRAME_MASK_AT = 37 };

/*
 * Whether the interrupted call was rt_sigsuspend(2), and with which mask. The frame has lost the
 * call's number, but not its arguments: a pointer, and the size of a mask. io_uring_enter(2) has a
 * descriptor instead of the pointer, and no file has the highest event set that ppoll(2) would.
 */
static inline int read_sigsuspend(const uint64_t *frame, uint64_t *mask)
{
	if (frame[FRAME_RAX_AT] != (uint64_t)-EINTR || frame[FRAME_RSI_AT] != sizeof(*mask) ||
	    frame[FRAME_RDI_AT] <= INT32_MAX)
		return 0;
	*mask = *(const uint64_t *)frame[FRAME_RDI_AT];
	return (int64_t)*mask < 0;
}

#else

/* The kernel returns from handlers through the vDSO on this CPU. */
#define SA_RESTORER 0UL
#define SIGRETURN_STUB 0UL

/* struct ucontext (arch/arm64/include/uapi/asm/ucontext.h), in words. */
enum { FRAME_MASK_AT = 5, FRAME_X8_AT = 31 };

/*
 * Whether the interrupted call was rt_sigsuspend(2), and with which mask. The frame has the call's
 * number, but lost the mask: a thread that blocks nearly all signals there waits for the others.
 * 32 and 33 stay open, since no libc lets a program block them.
 */
static inline int read_sigsuspend(const uint64_t *frame, uint64_t *mask)
{
	*mask = ~(frame[FRAME_MASK_AT] | 1ULL << 31 | 1ULL << 32);
	return frame[FRAME_X8_AT] == NR_rt_sigsuspend;
}

#endif

#endif
