/*
 * The kernel interface this library uses, and nothing else: no libc header, no
 * errno, no allocation. Every call returns what the kernel returned, a negative
 * errno on failure. Layouts are those of 64-bit Linux, the same on both CPUs.
 */
#ifndef LANDLOCK_SYS_H
#define LANDLOCK_SYS_H

#include <stddef.h>
#include <stdint.h>

/* For declarations too, or arm64 would reach its own functions through relocations. */
#pragma GCC visibility push(hidden)

#if defined(__x86_64__)
#include "arch/x86_64.h"
#elif defined(__aarch64__)
#include "arch/aarch64.h"
#else
#error "no arch header for this CPU"
#endif

enum {
	EPERM = 1,
	ENOENT = 2,
	ESRCH = 3,
	EINTR = 4,
	EAGAIN = 11,
	ENOMEM = 12,
	EACCES = 13,
	EINVAL = 22,
	ENOSYS = 38,
	ETIMEDOUT = 110,
};

enum {
	O_RDONLY = 0,
	O_CLOEXEC = 02000000,
	O_PATH = 010000000,
	AT_FDCWD = -100,
	AT_EMPTY_PATH = 0x1000,
	STATX_NLINK = 0x4,
	STATX_INO = 0x100,
	KCMP_VM = 1,
	PROC_SUPER_MAGIC = 0x9fa0,
	F_SETFD = 2,
	FD_CLOEXEC = 1,
	RLIMIT_NOFILE = 7,
	PR_SET_NO_NEW_PRIVS = 38,
	PR_GET_NO_NEW_PRIVS = 39,
	CLOCK_MONOTONIC = 1,
	FUTEX_WAIT_PRIVATE = 0 | 128,
	FUTEX_WAKE_PRIVATE = 1 | 128,
	NR_landlock_restrict_self = 446, /* the same number on every CPU */
	SIG_SETMASK = 2,
	CLONE_VM = 0x100,
	CLONE_VFORK = 0x4000,
	WAIT_ALL = 0x40000000, /* __WALL */
};

#define ALL_SIGNALS (~0ULL)
#define SA_SIGINFO 0x00000004UL
#define SA_ONSTACK 0x08000000UL
#define SA_RESTART 0x10000000UL
#define SIG_DFL 0UL
#define SIG_IGN 1UL
#define NS_PER_MS 1000000LL
#define NS_PER_S 1000000000LL

struct timespec64 {
	int64_t seconds;
	int64_t nanoseconds;
};

/* The kernel's own layout (include/linux/signal_types.h), not libc's. */
struct kernel_sigaction {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;
	uint64_t mask;
};

/* siginfo_t as rt_tgsigqueueinfo(2) takes it: 128 bytes, union at offset 16. */
struct signal_info {
	int32_t signo;
	int32_t error;
	int32_t code;
	int32_t padding;
	int32_t pid;
	uint32_t uid;
	uint64_t value;
	uint8_t rest[96];
};
_Static_assert(sizeof(struct signal_info) == 128, "siginfo_t is 128 bytes");

struct resource_limit {
	uint64_t soft;
	uint64_t hard;
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

static inline int32_t sys_getpid(void)
{
	return (int32_t)sys0(NR_getpid);
}

static inline int32_t sys_gettid(void)
{
	return (int32_t)sys0(NR_gettid);
}

static inline int64_t now_ns(void)
{
	struct timespec64 t = { 0, 0 };

	sys2(NR_clock_gettime, CLOCK_MONOTONIC, &t);
	return t.seconds * NS_PER_S + t.nanoseconds;
}

/* Sleeps while *word is `value`, for at most `ns` nanoseconds. */
static inline long futex_wait(uint32_t *word, uint32_t value, int64_t ns)
{
	struct timespec64 t = { ns / NS_PER_S, ns % NS_PER_S };

	return sys4(NR_futex, word, FUTEX_WAIT_PRIVATE, value, &t);
}

/* How long to sleep where another thread wakes: no wake that failed may end in sleep for ever. */
#define LOOK_AGAIN_NS (100 * NS_PER_MS)

static inline void futex_wake(uint32_t *word, int32_t count)
{
	sys3(NR_futex, word, FUTEX_WAKE_PRIVATE, count);
}

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
