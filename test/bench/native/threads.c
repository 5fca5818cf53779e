/*
 * threads COUNT METHOD: µs to restrict a process of so many threads.
 *   broadcast      one signal to each thread, the least that reaches all of them
 *   tsync          the kernel does it, ABI 8
 *   psx            libpsx, as linked: once for no_new_privs, once for the ruleset
 *   LIBRARY        allthreads_restrict() of that file
 */
#include "crowd.h"
#include "landlock.h"

#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>

static int ruleset;
static _Atomic uint32_t waiting;
static _Atomic int failed;

static void restrict_one(int signal)
{
	int saved = errno;

	(void)signal;
	if (restrict_self(ruleset, 0) != 0)
		failed = 1;
	if (--waiting == 0)
		syscall(SYS_futex, &waiting, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	errno = saved;
}

static int broadcast(void)
{
	struct sigaction action = { .sa_handler = restrict_one, .sa_flags = SA_RESTART };
	pid_t process = getpid(), self = gettid();
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;

	CHECK(tasks, "/proc/self/task");
	sigfillset(&action.sa_mask);
	sigaction(SIGRTMIN, &action, NULL);
	waiting = 1;
	while ((entry = readdir(tasks))) {
		pid_t thread = atoi(entry->d_name);

		if (thread <= 0 || thread == self)
			continue;
		waiting++;
		CHECK(syscall(SYS_tgkill, process, thread, SIGRTMIN) == 0, "tgkill");
	}
	closedir(tasks);
	if (restrict_self(ruleset, 0) != 0)
		failed = 1;
	waiting--;
	for (uint32_t left; (left = waiting) != 0;)
		syscall(SYS_futex, &waiting, FUTEX_WAIT_PRIVATE, left, NULL, NULL, 0);
	return failed;
}

#ifdef WITH_PSX
#include <sys/psx_syscall.h>

/* libpsx of Debian's newest suite needs a newer glibc than this machine may have. */
long __attribute__((weak)) __isoc23_strtol(const char *text, char **end, int base)
{
	return strtol(text, end, base);
}

static int psx(void)
{
	if (psx_syscall6(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0) != 0)
		return 1;
	return psx_syscall3(SYS_landlock_restrict_self, ruleset, 0, 0) != 0;
}
#else
static int psx(void)
{
	return 1;
}
#endif

int main(int argc, char **argv)
{
	const char *method = argc == 3 ? argv[2] : "";
	int64_t (*library)(int32_t, uint32_t, uint32_t, void *) = NULL;
	int32_t report[10];
	int error;

	CHECK(argc == 3 && crowd_grow(atoi(argv[1])) == atoi(argv[1]), "threads");
	ruleset = create_ruleset();
	add_path(ruleset, "/usr", RIGHTS_READ);
	add_path(ruleset, "/proc", RIGHTS_READ);
	if (strchr(method, '/')) {
		void *file = dlopen(method, RTLD_NOW);

		CHECK(file, method);
		*(void **)&library = dlsym(file, "allthreads_restrict");
		CHECK(library, "allthreads_restrict");
	}

	double begun = now_us();

	if (library)
		error = library(ruleset, 0, 10000, report) != 0;
	else if (strcmp(method, "tsync") == 0)
		error = restrict_self(ruleset, FLAG_TSYNC) != 0;
	else if (strcmp(method, "psx") == 0)
		error = psx();
	else
		error = broadcast();

	double ended = now_us();

	CHECK(!error, method);
	printf("[%.3f]\n", ended - begun);
	fflush(stdout);
	_exit(0);
}
