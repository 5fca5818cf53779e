/* What the library needs of the kernel beyond system calls. The launcher needs none of it. */
#ifndef LANDLOCK_KERNEL_H
#define LANDLOCK_KERNEL_H

#include "sys.h"

enum {
	EPERM = 1,
	ESRCH = 3,
	EINTR = 4,
	EAGAIN = 11,
	EACCES = 13,
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
	PR_GET_NO_NEW_PRIVS = 39,
	CLOCK_MONOTONIC = 1,
	FUTEX_WAIT_PRIVATE = 0 | 128,
	FUTEX_WAKE_PRIVATE = 1 | 128,
	SIG_SETMASK = 2,
};

#define ALL_SIGNALS (~0ULL)
#define SIG_DFL 0UL
#define SIG_IGN 1UL
#define NS_PER_MS 1000000LL
#define NS_PER_S 1000000000LL

/* The largest thread id there can be on a 64-bit kernel is one less (proc_sys_kernel(5)). */
#define PID_MAX_LIMIT 4194304

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

/* New memory, filled with zeros; a negative errno on failure. */
static inline long map_memory(size_t bytes)
{
	/* PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE */
	return sys6(NR_mmap, 0, bytes, 0x3, 0x4022, -1, 0);
}

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

/* Every sleep is this short, so a wake-up that fails only costs time. */
#define LOOK_AGAIN_NS (100 * NS_PER_MS)

static inline void futex_wake(uint32_t *word, int32_t count)
{
	sys3(NR_futex, word, FUTEX_WAKE_PRIVATE, count);
}

#endif
