/*
 * A thread that no signal reaches, for unreachable.test.ts. It takes one order at a time from a
 * pipe, answers through another pipe, and does nothing else.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int orders[2], answers[2], held[2];
static char path[4096];

static void set_mask(uint64_t blocked)
{
	/* Raw, because libc's wrapper leaves out its own signals. */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, NULL, sizeof(blocked));
}

static int open_path(void)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static void answer(int32_t value)
{
	if (write(answers[1], &value, sizeof(value)) != sizeof(value))
		_exit(99);
}

/* A parent in vfork(2) runs no signal handler until its child is gone. */
static void hang_in_vfork(void)
{
	char byte;
	pid_t pid;

	pid = vfork();
	if (pid == 0) {
		/* If this process is killed, nothing else would end the child. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		answer(0);
		(void)!read(held[0], &byte, 1);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void *run(void *unused)
{
	char order;

	prctl(PR_SET_NAME, "deaf");
	answer((int32_t)syscall(SYS_gettid));
	while (read(orders[0], &order, 1) == 1) {
		if (order == 'b')
			set_mask(~0ULL);
		if (order == 'u')
			set_mask(0);
		if (order == 'v')
			hang_in_vfork();
		else
			answer(order == 'o' ? open_path() : 0);
	}
	return unused;
}

static int32_t wait_for_answer(void)
{
	int32_t value;

	return read(answers[0], &value, sizeof(value)) == sizeof(value) ? value : -1;
}

/* Starts the thread and returns its id. */
int32_t deaf_start(void)
{
	pthread_t thread;

	if (pipe2(orders, O_CLOEXEC) || pipe2(answers, O_CLOEXEC) || pipe2(held, O_CLOEXEC))
		return -1;
	if (pthread_create(&thread, NULL, run, NULL))
		return -1;
	return wait_for_answer();
}

/* Gives an order and waits for the answer: b(lock), u(nblock), v(fork), o(pen file). */
int32_t deaf_order(uint8_t order, const char *file)
{
	strncpy(path, file, sizeof(path) - 1);
	if (write(orders[1], &order, 1) != 1)
		return -1;
	return wait_for_answer();
}

/* Ends the child of vfork(2). */
int32_t deaf_let_go(void)
{
	return write(held[1], "", 1) == 1 ? 0 : -1;
}
