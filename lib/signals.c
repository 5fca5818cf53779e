#include "signals.h"

#include "frame.h"

#define SIGNAL_MAX 64
#define LAST_SIGNAL (1ULL << (SIGNAL_MAX - 1))
#define SI_QUEUE (-1)
#define SA_SIGINFO 0x00000004UL
#define SA_ONSTACK 0x08000000UL
#define SA_RESTART 0x10000000UL
/*
 * Tells our signals from foreign ones; the round is in the lower half. glibc's own handler of 33
 * ignores ours too, since it wants SI_TKILL.
 */
#define COOKIE 0x6c6f636bULL /* "lock" */
#define COOKIE_AT 32

static struct kernel_sigaction former[SIGNAL_MAX + 1];
static void (*park)(uint32_t round);

/*
 * 32 to 34 belong to glibc and musl, which let no program block them. Then the last real-time
 * signals, which programs use least; JavaScriptCore uses standard ones, and those do not queue.
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

typedef void handler_function(int32_t signal, struct signal_info *info, void *context);

static void pass_on(int32_t signal, struct signal_info *info, void *context)
{
	struct kernel_sigaction *old = &former[signal];

	if (old->handler == SIG_IGN)
		return;
	if (old->handler != SIG_DFL) {
		((handler_function *)old->handler)(signal, info, context);
		return;
	}
	/* The default of these signals ends the process: let the kernel do so on return. */
	sys4(NR_rt_sigaction, signal, old, NULL, sizeof(uint64_t));
	sys4(NR_rt_tgsigqueueinfo, sys_getpid(), sys_gettid(), signal, info);
}

/*
 * A garbage collector suspends a thread by a signal whose handler waits in sigsuspend(2), and our
 * signal would end that wait. JavaScriptCore does not ask again, so the thread waits on here.
 */
static void handle_ours(uint32_t round, const uint64_t *frame)
{
	uint64_t all = ALL_SIGNALS, before = 0, mask;

	/*
	 * The kernel blocks all signals for a handler but the last one, which stays as the
	 * interrupted call had it: blocked here but not in the frame means a mask of its own.
	 */
	sys4(NR_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));

	int is_suspended = (before & LAST_SIGNAL) && !(frame[FRAME_MASK_AT] & LAST_SIGNAL) &&
			   read_sigsuspend(frame, &mask);

	park(round);
	if (!is_suspended)
		return;
	/* So that the next broadcast recognises it, too. */
	all &= ~LAST_SIGNAL;
	sys4(NR_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
	sys2(NR_rt_sigsuspend, &mask, sizeof(mask));
}

static void handle(int32_t signal, struct signal_info *info, void *context)
{
	if (info->code != SI_QUEUE || info->value >> COOKIE_AT != COOKIE ||
	    info->pid != sys_getpid())
		pass_on(signal, info, context);
	else
		handle_ours((uint32_t)info->value, context);
}

long signals_install(int32_t signal, void (*on_park)(uint32_t round))
{
	struct kernel_sigaction action, old;

	/* Field by field, because an initialiser would need a relocation. */
	action.handler = (unsigned long)handle;
	action.flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | SA_RESTORER;
	action.restorer = SIGRETURN_STUB;
	action.mask = ALL_SIGNALS & ~LAST_SIGNAL;

	long ret = sys4(NR_rt_sigaction, signal, NULL, &old, sizeof(uint64_t));

	if (ret < 0)
		return ret;
	/* Before ours is in place, since a foreign signal may come at once. */
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
	static struct signal_info info; /* only one caller at a time */

	info.signo = signal;
	info.code = SI_QUEUE;
	info.pid = pid;
	info.value = COOKIE << COOKIE_AT | round;
	return sys4(NR_rt_tgsigqueueinfo, pid, tid, signal, &info);
}
