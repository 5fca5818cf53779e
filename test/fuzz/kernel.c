/* The simulated machine's system calls, as far as lib/ uses them. */
#include <string.h>

#include "machine.h"

/* Descriptors of TID/status and TID/comm: these plus the thread's number. */
enum { STATUS_FD = 1000, COMM_FD = 2000 };

static struct { uint64_t position; int32_t last; } listing;

/* One input byte decides whether a call fails that may fail. */
static int fails(void)
{
	int yes = take(&machine.in) >= 250;

	machine.faults |= yes;
	return yes;
}

static long open_at(int32_t directory, const char *path, long flags)
{
	if (directory == AT_FDCWD) {
		if (!machine.proc || fails())
			return -ENOENT;
		if (machine.unlisted && !(flags & O_PATH))
			return -EACCES;
		return machine.task_fds++, TASK_FD;
	}

	char *rest;
	struct thread *thread = machine_find((int32_t)strtol(path, &rest, 10));

	if (!thread)
		return -ENOENT;
	if (fails())
		return take(&machine.in) & 1 ? -12 /* ENOMEM */ : -EPERM;
	return (strcmp(rest, "/status") == 0 ? STATUS_FD : COMM_FD) + (thread - machine.threads);
}

static char state_of(const struct thread *thread)
{
	if (thread->life != ALIVE)
		return 'Z';
	if (thread->held)
		return take(&machine.in) & 1 ? 't' : 'D';
	return thread->late || thread->queued || machine.starved ? 'R' : 'S';
}

static long read_file(int32_t fd, char *buffer, size_t size)
{
	const struct thread *thread = &machine.threads[fd % 1000];

	if (thread->life == DEAD)
		return -ESRCH;
	if (fd >= COMM_FD)
		return snprintf(buffer, size, "thread-%d\n", thread->tid);
	return snprintf(buffer, size, "Name:\tx\nState:\t%c (x)\nSigPnd:\t0\nSigBlk:\t%016lx\nSigIgn:\t0\n",
			state_of(thread), (unsigned long)thread->mask);
}

/*
 * Continues like proc_task_readdir(): after the last thread, or, if that is gone, at the same
 * distance from the main thread. The buffer limits how many fit.
 */
static long list_threads(char *buffer)
{
	size_t used = 0;
	int room = 1 + take(&machine.in) % 8, at = 0;

	if (room == 1)
		room = THREADS_MOST;
	if (machine_find(listing.last))
		at = listing.last - PID + 1;
	else
		for (uint64_t passed = 0; passed < listing.position && at < machine.count; at++)
			passed += machine.threads[at].life != DEAD;
	for (; at < machine.count && room > 0; at++) {
		if (machine.threads[at].life == DEAD)
			continue;
		room--;
		listing.position++;
		listing.last = machine.threads[at].tid;
		memset(buffer + used, 0, 32);
		buffer[used + 16] = 32; /* d_reclen */
		snprintf(buffer + used + 19, 13, "%d", listing.last);
		used += 32;
	}
	return (long)used;
}

static long queue_signal(int32_t tid, int32_t signal, const struct signal_info *info)
{
	struct thread *thread = machine_find(tid);

	if (!thread)
		return -ESRCH;
	if (signal == 0)
		return 0;
	if (fails() || thread->queued == QUEUE_MOST)
		return -EAGAIN;
	if (machine.actions[signal].handler != SIG_IGN)
		thread->queue[thread->queued++] = (struct queued){ signal, *info };
	return 0;
}

static long wait_futex(uint32_t *word, uint32_t value, const struct timespec64 *limit)
{
	struct thread *me = machine.running;

	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != value)
		return -EAGAIN;
	if (me != machine.caller) {
		me->sleeps_on = take(&machine.in) >= 250 ? NULL : word; /* NULL: a spurious wake-up */
		machine_wait(me);
		return 0;
	}
	for (int i = 0; i < machine.count; i++)
		if (machine.threads[i].late > 0)
			machine.threads[i].late--;
	must(limit); /* no other code calls the library, so an endless wait is a bug */
	/* Usually the other threads make progress meanwhile. */
	if (take(&machine.in) < 250)
		machine_settle();
	else
		machine.starved = 1;
	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != value)
		return 0;

	int64_t slept = limit->seconds * NS_PER_S + limit->nanoseconds;

	machine.now += slept > machine.oversleep ? slept : machine.oversleep;
	return -ETIMEDOUT;
}

static long wake_futex(const uint32_t *word)
{
	for (int i = 0; i < machine.count; i++)
		if (machine.threads[i].sleeps_on == word)
			machine.threads[i].sleeps_on = NULL;
	return 0;
}

static long restrict_running(int32_t fd, uint64_t flags)
{
	struct thread *me = machine.running;

	must(fd == RULESET_FD && flags == 0 && me->no_new_privs);
	if (me->full || fails()) {
		machine.refused = 1;
		return -7; /* E2BIG */
	}
	me->layers |= 1U << machine.call;
	return 0;
}

static long control_running(long what)
{
	if (what == PR_GET_NO_NEW_PRIVS)
		return machine.running->no_new_privs;
	must(what == PR_SET_NO_NEW_PRIVS);
	machine.running->no_new_privs = 1;
	return 0;
}

static long change_action(int32_t signal, const struct kernel_sigaction *new,
			  struct kernel_sigaction *old)
{
	if (old)
		*old = machine.actions[signal];
	if (new)
		machine.actions[signal] = *new;
	return 0;
}

static long change_mask(const uint64_t *new, uint64_t *old)
{
	if (old)
		*old = machine.running->mask;
	machine.running->mask = *new;
	return 0;
}

static long stat_file(const char *path, uint64_t *buffer)
{
	uint64_t links = 2;

	if (*path && !machine.proc)
		return -ENOENT;
	if (fails())
		return -EPERM;
	/* Zombies count, because /proc lists them. */
	for (int i = 0; i < machine.count; i++)
		links += machine.threads[i].life != DEAD;
	buffer[2] = links;          /* stx_nlink */
	buffer[4] = buffer[17] = 1; /* stx_ino, and the device */
	return 0;
}

/* One page for the lock, and one for the slots. */
static long give_memory(size_t size)
{
	static _Alignas(4096) char lock_page[4096], slots_page[4096];

	must(size <= sizeof(lock_page));
	return (long)memset(size < sizeof(lock_page) ? slots_page : lock_page, 0, size);
}

long syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	(void)f;
	machine.now += 1000;
	machine_turn();
	switch (nr) {
	case NR_openat: return open_at((int32_t)a, (const char *)b, c);
	case NR_close: return machine.task_fds -= a == TASK_FD, 0;
	case NR_read: return read_file((int32_t)a, (char *)b, (size_t)c);
	case NR_lseek:
		return memset(&listing, 0, sizeof(listing)), machine.unlisted ? -9 : 0; /* EBADF */
	case NR_getdents64: return fails() ? -ENOENT : list_threads((char *)b);
	case NR_statfs:
		if (!machine.proc)
			return -ENOENT;
		/* fall through */
	case NR_fstatfs:
		if (nr == NR_fstatfs && a != TASK_FD)
			return -9; /* EBADF */
		return *(uint64_t *)b = PROC_SUPER_MAGIC, 0;
	case NR_statx: return stat_file((const char *)b, (uint64_t *)e);
	case NR_readlinkat: return snprintf((char *)c, (size_t)d, "%d", PID);
	case NR_mmap: return fails() ? -12 /* ENOMEM */ : give_memory((size_t)b);
	case NR_munmap: return 0;
	case NR_madvise: return fails() ? -EINVAL : 0;
	case NR_getpid: return PID;
	case NR_gettid: return machine_preempt(), machine.running->tid;
	case NR_kcmp: return machine_find((int32_t)b) && machine_find((int32_t)b)->life == DEFUNCT;
	case NR_tgkill: return queue_signal((int32_t)b, 0, NULL);
	case NR_rt_tgsigqueueinfo:
		return queue_signal((int32_t)b, (int32_t)c, (const struct signal_info *)d);
	case NR_rt_sigaction:
		return change_action((int32_t)a, (const void *)b, (struct kernel_sigaction *)c);
	case NR_rt_sigprocmask: return change_mask((const uint64_t *)b, (uint64_t *)c);
	case NR_clock_gettime:
		*(struct timespec64 *)b =
			(struct timespec64){ machine.now / NS_PER_S, machine.now % NS_PER_S };
		return 0;
	case NR_futex:
		return b == FUTEX_WAKE_PRIVATE ? wake_futex((const uint32_t *)a) :
			wait_futex((uint32_t *)a, (uint32_t)c, (const struct timespec64 *)d);
	case NR_prctl: return control_running(a);
	case NR_landlock_restrict_self: return restrict_running((int32_t)a, (uint64_t)b);
	case NR_clone: return run_child(a);
	case NR_exit: child_ends(); return 0;
	case NR_wait4: return take(&machine.in) >= 250 ? -EINTR : a;
	default: abort();
	}
}
