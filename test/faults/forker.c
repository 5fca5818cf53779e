/*
 * An addon's thread that forks all the time, for environments.test.ts. Each child tries to open a
 * file; a child of the restricted process must fail.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exit codes of a child: it opened the file; it was denied with no_new_privs; anything else. */
enum { OPENED = 1, DENIED = 2, STRANGE = 3, ENDS };

static char path[4096];
static int restricted, stop;
static int32_t before[ENDS], after[ENDS];
static pthread_t thread;

static int try_file(void)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return OPENED;
	return errno == EACCES && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? DENIED : STRANGE;
}

static void *run(void *unused)
{
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		int32_t *counts = __atomic_load_n(&restricted, __ATOMIC_SEQ_CST) ? after : before;
		int status = 0;
		pid_t child = fork();

		if (child == 0)
			_exit(try_file());
		while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
		status = child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : STRANGE;
		__atomic_add_fetch(&counts[status < ENDS ? status : STRANGE], 1, __ATOMIC_SEQ_CST);
	}
	return unused;
}

static int32_t sum(int32_t *counts)
{
	int32_t all = 0;

	for (int i = 0; i < ENDS; i++)
		all += __atomic_load_n(&counts[i], __ATOMIC_SEQ_CST);
	return all;
}

int32_t forker_start(const char *file)
{
	strncpy(path, file, sizeof(path) - 1);
	return pthread_create(&thread, NULL, run, NULL);
}

/* Counts later children as forked by a restricted process. */
int32_t forker_restricted(void)
{
	__atomic_store_n(&restricted, 1, __ATOMIC_SEQ_CST);
	return 0;
}

/* Waits for this many more children. */
int32_t forker_pass(int32_t children)
{
	int32_t wanted = sum(before) + sum(after) + children;

	while (sum(before) + sum(after) < wanted)
		usleep(100);
	return 0;
}

int32_t forker_stop(void)
{
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	return pthread_join(thread, NULL);
}

/* How many children ended with this code, before or after the restriction. */
int32_t forker_count(int32_t is_after, int32_t end)
{
	return (is_after ? after : before)[end];
}
