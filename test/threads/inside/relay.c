/*
 * Two chains of threads, for relay.test.ts. Each thread starts the next and ends, so the kernel
 * reuses the same few thread ids.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define CHAINS 2

static int returned, stop, running;
static int32_t started, opened, denied;
static char path[4096];

static void *run(void *unused)
{
	pthread_attr_t attr;
	pthread_t next;

	if (__atomic_load_n(&returned, __ATOMIC_SEQ_CST)) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		__atomic_add_fetch(fd < 0 ? &denied : &opened, 1, __ATOMIC_SEQ_CST);
		if (fd >= 0)
			close(fd);
	}
	__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		__atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
		return unused;
	}
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 65536);
	while (pthread_create(&next, &attr, run, NULL))
		usleep(100);
	return unused;
}

static void wait_for(const int32_t *counter, int32_t value)
{
	while (__atomic_load_n(counter, __ATOMIC_SEQ_CST) < value)
		usleep(100);
}

/* Starts the chains, which open the file after the call returns. */
int32_t relay_start(const char *file)
{
	strncpy(path, file, sizeof(path) - 1);
	running = CHAINS;
	for (int i = 0; i < CHAINS; i++)
		run(NULL);
	return 0;
}

/* Waits for this many more threads. */
int32_t relay_pass(int32_t threads)
{
	wait_for(&started, __atomic_load_n(&started, __ATOMIC_SEQ_CST) + threads);
	return 0;
}

int32_t relay_returned(void)
{
	__atomic_store_n(&returned, 1, __ATOMIC_SEQ_CST);
	return 0;
}

int32_t relay_stop(void)
{
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&running, __ATOMIC_SEQ_CST))
		usleep(100);
	return 0;
}

int32_t relay_opened(void)
{
	return opened;
}

int32_t relay_denied(void)
{
	return denied;
}
