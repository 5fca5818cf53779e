/* Child processes of a case; none outlives it, however it ends. */
#include "stress.h"

#include <signal.h>

#include <sys/prctl.h>
#include <sys/wait.h>

static pid_t parent; /* 0 in the first process of the case */

void die_with_parent(void)
{
	if (parent == 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* It may have died earlier. A parent outside this pid namespace has id 0. */
	if (getppid() != parent && getppid() != 0)
		_exit(1);
}

pid_t fork_child(void)
{
	pid_t self = getpid(), child = fork();

	if (child == 0) {
		parent = self;
		die_with_parent();
	}
	CHECK(child >= 0, "fork: %s", strerror(errno));
	return child;
}

void in_child(void (*body)(void))
{
	int status;
	pid_t child = fork_child();

	if (child == 0) {
		body();
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child, "waitpid: %s", strerror(errno));
	CHECK(!WIFSIGNALED(status), "a process died of signal %d", WTERMSIG(status));
	/* The child has already printed why. */
	if (WEXITSTATUS(status) != 0)
		_exit(WEXITSTATUS(status));
}

static uint64_t signals_of(pid_t pid, int32_t tid, const char *name)
{
	char path[64], text[8192];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, tid);

	FILE *status = fopen(path, "re");

	CHECK(status, "%s: %s", path, strerror(errno));
	text[fread(text, 1, sizeof(text) - 1, status)] = 0;
	fclose(status);

	const char *field = strstr(text, name);

	return field ? strtoull(field + strlen(name), NULL, 16) : 0;
}

uint64_t pending_signals(pid_t pid, int32_t tid)
{
	return signals_of(pid, tid, "SigPnd:\t");
}

uint64_t blocked_signals(pid_t pid, int32_t tid)
{
	return signals_of(pid, tid, "SigBlk:\t");
}

void say_word(int fd, int32_t word)
{
	CHECK(write(fd, &word, sizeof(word)) == sizeof(word), "write: %s", strerror(errno));
}

int32_t hear_word(int fd)
{
	int32_t word = 0;

	CHECK(read(fd, &word, sizeof(word)) == sizeof(word), "the other process has ended");
	return word;
}
