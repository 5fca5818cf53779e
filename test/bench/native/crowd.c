#include "crowd.h"

#include <dirent.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

static sem_t running;

static void *idle(void *unused)
{
	sem_post(&running);
	for (;;)
		pause();
	return unused;
}

static int thread_count(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int count = 0;

	if (!tasks)
		return -1;
	while (readdir(tasks))
		count++;
	closedir(tasks);
	return count - 2;
}

int crowd_grow(int total)
{
	pthread_attr_t attributes;
	pthread_t thread;

	sem_init(&running, 0, 0);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 * 1024);
	for (int missing = total - thread_count(); missing > 0; missing--) {
		if (pthread_create(&thread, &attributes, idle, NULL) != 0)
			return -1;
		sem_wait(&running);
	}
	return thread_count();
}
