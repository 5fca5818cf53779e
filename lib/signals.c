#include "signals.h"

#define SIGNAL_MAX 64
#define LAST_SIGNAL (1ULL << (SIGNAL_MAX - 1))
#define SI_QUEUE (-1)
/* Tells our signals from foreign ones. glibc's handler of 33 ignores any si_code but
 * SI_TKILL, so one of ours that arrives late does nothing there either. */
#define COOKIE 0x6c6f636bULL /* "lock"; the round is below it */
#define COOKIE_AT 32

static struct kernel_sigaction former[SIGNAL_MAX + 1];
static void (*park)(uint32_t round);

/*
 * 32 to 34 belong to the libcs (glibc: cancel, setxid; musl: timer, cancel, synccall): no
 * program blocks them, neither libc lets it. 33 first: glibc already has a handler there
 * that ignores what is not its own. Then the real-time signals from the far end, where
 * programs look last. Standard signals never: SIGPWR and SIGUSR1 are JavaScriptCore's, and
 * a pending standard signal swallows ours instead of queueing it.
 */
static const uint8_t libc_signals[] = { 33, 32, 34 };
#define FIRST_CHOICE (SIGNAL_MAX - 1)
#define LAST_CHOICE 35

int32_t signals_choose(uint64_t blocked)
{
	for (size_t i = 0; i < sizeof(libc_signals); i++)
		if (!(blocked >> (libc_signals[i] - 1) & 1))
			return libc_signals[i];
	for (int32_t signal = FIRST_CHOICE; signal >= LAST_CHOICE; signal--)
		if (!(blocked >> (signal - 1) & 1))
			return signal;
	return 0;
}

static void chain(int32_t signal, struct signal_info *info, void *context)
{
	struct kernel_sigaction *old = &former[signal];

	if (old->handler == SIG_IGN)
		return;
	if (old->handler != SIG_DFL) {
		((void (*)(int32_t, struct signal_info *, void *))old->handler)(signal, info, context);
		return;
	}
	/* The default of these signals ends the process: let the kernel do so, on return. */
	sys4(NR_rt_sigaction, signal, old, NULL, sizeof(uint64_t));
	sys4(NR_rt_tgsigqueueinfo, sys_getpid(), sys_gettid(), signal, info);
}

/*
 * A collector suspends a thread by a signal whose handler waits in sigsuspend(2), with all but
 * the signal to go on blocked. This wait would end with our handler, and the thread run while
 * the collector takes it for suspended: JavaScriptCore does not ask again. So it waits on here.
 */
static void handle_ours(uint32_t round, const uint64_t *frame)
{
	uint64_t all = ALL_SIGNALS, before = 0, mask;

	/* The handler leaves the last signal as it was, so that it tells whether the call that
	 * was interrupted had blocked it, with a mask of its own. */
	sys4(NR_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));

	int waits = (before & LAST_SIGNAL) && !(frame[FRAME_MASK_AT] & LAST_SIGNAL) &&
		    sigsuspend_mask(frame, &mask);

	park(round);
	if (!waits)
		return;
	/* The next broadcast shall find it the way this one did. */
	all &= ~LAST_SIGNAL;
	sys4(NR_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
	sys2(NR_rt_sigsuspend, &mask, sizeof(mask));
}

static void handle(int32_t signal, struct signal_info *info, void *context)
{
	if (info->code != SI_QUEUE || info->value >> COOKIE_AT != COOKIE ||
	    info->pid != sys_getpid())
		chain(signal, info, context);
	else
		handle_ours((uint32_t)info->value, context);
}

long signals_install(int32_t signal, void (*on_park)(uint32_t round))
{
	/* Everything is blocked while a thread is parked: no other handler may run on it, and
	 * the collector's suspend signal waits until the thread goes on. */
	struct kernel_sigaction action, old;

	/* Field by field: an initialiser would be a constant in memory, with a relocation. */
	action.handler = (unsigned long)handle;
	action.flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | SA_RESTORER;
	action.restorer = SIGRETURN_STUB;
	action.mask = ALL_SIGNALS & ~LAST_SIGNAL;

	long ret = sys4(NR_rt_sigaction, signal, NULL, &old, sizeof(uint64_t));

	if (ret < 0)
		return ret;
	/* Before ours is in place: a foreign signal may come at once. */
	if (old.handler != action.handler)
		former[signal] = old;
	park = on_park;
	return sys4(NR_rt_sigaction, signal, &action, NULL, sizeof(uint64_t));
}

void signals_restore(int32_t signal)
{
	sys4(NR_rt_sigaction, signal, &former[signal], NULL, sizeof(uint64_t));
}

long signals_send(int32_t pid, int32_t tid, int32_t signal, uint32_t round)
{
	struct signal_info info = { .signo = signal, .code = SI_QUEUE, .pid = pid };

	info.value = COOKIE << COOKIE_AT | round;
	return sys4(NR_rt_tgsigqueueinfo, pid, tid, signal, &info);
}
