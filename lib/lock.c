#include "lock.h"

#define MADV_WIPEONFORK 18 /* madvise(2), Linux 4.14 */
#define PAGE_BYTES 4096    /* the kernel rounds it up to its own pages */

#define CONTENDED 0x80000000U
/*
 * The holder, if fork(2) clears the lock. Otherwise it is a process id, which tells a forked child
 * that its parent held the lock.
 */
#define ANY_HOLDER 1

static uint32_t *lock;      /* 0: free */
static uint32_t plain_lock; /* if the kernel cannot clear memory in children */

static uint32_t *map_cleared_by_fork(void)
{
	long map = map_memory(PAGE_BYTES);

	if (map < 0)
		return NULL;
	if (sys3(NR_madvise, map, PAGE_BYTES, MADV_WIPEONFORK) == 0)
		return (uint32_t *)map;
	sys2(NR_munmap, map, PAGE_BYTES);
	return NULL;
}

static uint32_t *find_lock(void)
{
	uint32_t *known = __atomic_load_n(&lock, __ATOMIC_SEQ_CST);

	if (known)
		return known;

	uint32_t *mapped = map_cleared_by_fork();
	uint32_t *choice = mapped ? mapped : &plain_lock;

	/* Two first callers must agree on one. */
	if (__atomic_compare_exchange_n(&lock, &known, choice, 0, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST))
		return choice;
	if (mapped)
		sys2(NR_munmap, mapped, PAGE_BYTES);
	return known;
}

int32_t *lock_take(int32_t pid)
{
	uint32_t *word = find_lock();
	uint32_t holder = word == &plain_lock ? (uint32_t)pid : ANY_HOLDER;
	uint32_t held = 0;
	uint32_t mine = holder;

	/* Signals stay open here, because the holder must be able to park this thread. */
	while (!__atomic_compare_exchange_n(word, &held, mine, 0, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST)) {
		uint32_t known = held;

		if ((held & ~CONTENDED) != holder)
			continue; /* held by the process this one was forked from */
		mine = holder | CONTENDED;
		if (held == mine || __atomic_compare_exchange_n(word, &known, mine, 0,
								__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			futex_wait(word, mine, LOOK_AGAIN_NS);
		held = 0;
	}
	return word == &plain_lock ? NULL : (int32_t *)word + 1;
}

void lock_drop(void)
{
	uint32_t *word = find_lock();

	if (__atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST) & CONTENDED)
		futex_wake(word, 1);
}
