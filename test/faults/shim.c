/*
 * Decides which system call fails. It also replaces libc for src/kernel/syscalls.ts, so that those
 * calls can fail too, and it is the launcher, which reads its fault from the environment.
 */
#define launcher_main true_launcher_main
#include "../../lib/launcher.c"
#undef launcher_main
#include "../../lib/allthreads.h"
#include "../../lib/kernel.h"

#define NUMBERS 512
#define NR_landlock_create_ruleset 444

static struct {
	int32_t nr;
	int32_t result; /* a negative errno, or the value of a success */
	uint32_t when;  /* which call of that number, from 1; 0 for none */
	uint32_t last;  /* the last failing call */
} fault;
static uint32_t seen[NUMBERS];

/*
 * Ids that no thread of a young process has. Asking the kernel for all four million takes half a
 * second, three times in each case.
 */
#define NEAR 65536

static int is_nobodys(long pid, long tid)
{
	return tid >= NEAR && (tid < pid || tid >= pid + NEAR);
}

/*
 * Rights that the kernel seems to lack, in the order of struct landlock_ruleset_attr. Exported
 * functions set them; the launcher's copy stays zero.
 */
static uint64_t lacking[3];

static int is_refused(const uint64_t *handled, unsigned long size)
{
	for (unsigned long i = 0; i < 3 && (i + 1) * sizeof(*handled) <= size; i++)
		if (handled[i] & lacking[i])
			return 1;
	return 0;
}

int fault_due(long nr, long a, long b, long *result)
{
	uint32_t count;

	if (nr == NR_landlock_create_ruleset && a && is_refused((const uint64_t *)a, (unsigned long)b)) {
		*result = -EINVAL;
		return 1;
	}

	if (nr == NR_tgkill && is_nobodys(a, b)) {
		*result = -ESRCH;
		return 1;
	}

	if (nr < 0 || nr >= NUMBERS)
		return 0;
	count = __atomic_add_fetch(&seen[nr], 1, __ATOMIC_SEQ_CST);
	if (nr != fault.nr || !fault.when || count < fault.when || count > fault.last)
		return 0;
	*result = fault.result;
	return 1;
}

static void arm(int32_t nr, int32_t result, uint32_t when, uint32_t last)
{
	fault.when = 0;
	for (int i = 0; i < NUMBERS; i++)
		seen[i] = 0;
	fault.nr = nr;
	fault.result = result;
	fault.last = last;
	fault.when = when;
}

/* Makes calls `when` to `last` of `nr` return `result`, and restarts the count at 0. */
EXPORTED void faults_arm(int32_t nr, int32_t result, uint32_t when, uint32_t last)
{
	arm(nr, result, when, last);
}

/* Makes landlock_create_ruleset(2) refuse these rights, like a kernel that lacks them. */
EXPORTED void faults_lack(uint64_t fs, uint64_t net, uint64_t scoped)
{
	lacking[0] = fs;
	lacking[1] = net;
	lacking[2] = scoped;
}

/* How many calls of a number followed faults_arm(). */
EXPORTED uint32_t faults_seen(int32_t nr)
{
	return nr >= 0 && nr < NUMBERS ? seen[nr] : 0;
}

/* ---- libc, for src/kernel/syscalls.ts ---- */

static int32_t last_error;

static long returned(long result)
{
	if (result >= 0 || result < -4095)
		return result;
	last_error = (int32_t)-result;
	return -1;
}

EXPORTED long syscall(long nr, long a, long b, long c, long d, long e)
{
	return returned(sys5(nr, a, b, c, d, e));
}

EXPORTED int32_t openat(int32_t directory, const char *path, int32_t flags, uint32_t mode)
{
	return (int32_t)returned(sys4(NR_openat, directory, path, flags, mode));
}

EXPORTED int32_t close(int32_t fd)
{
	return (int32_t)returned(sys1(NR_close, fd));
}

EXPORTED int32_t *__errno_location(void)
{
	return &last_error;
}

/* ---- The launcher ---- */

#define VARIABLE "LAUNCHER_FAULT="

/* VARIABLE is followed by number, errno, first and last call, each with a comma after it. */
static void arm_from(const char *text)
{
	int32_t values[4] = { 0 };

	for (int i = 0; i < 4; i++, text++)
		for (; *text >= '0' && *text <= '9'; text++)
			values[i] = values[i] * 10 + (*text - '0');
	/* Not the exported variable, which would need a relocation. */
	arm(values[0], -values[1], (uint32_t)values[2], (uint32_t)values[3]);
}

__attribute__((used, noreturn)) static void launcher_main(long *stack)
{
	for (char **envp = (char **)(stack + 1) + stack[0] + 1; *envp; envp++) {
		size_t i = 0;

		while (VARIABLE[i] && (*envp)[i] == VARIABLE[i])
			i++;
		if (!VARIABLE[i])
			arm_from(*envp + i);
	}
	true_launcher_main(stack);
}
