/* The parts of Landlock that the floors need; older headers lack some. */
#ifndef BENCH_LANDLOCK_H
#define BENCH_LANDLOCK_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RIGHTS_HANDLED 0x7fffULL /* ABI 3: execute to truncate */
#define RIGHTS_READ_FILES 0x5ULL /* execute, read_file */
#define RIGHTS_READ 0xdULL	 /* and read_dir */
#define FLAG_TSYNC 8		 /* ABI 8 */

#define CHECK(condition, what)                                                    \
	do {                                                                      \
		if (!(condition)) {                                               \
			fprintf(stderr, "%s: %s\n", what, strerror(errno));       \
			exit(1);                                                  \
		}                                                                 \
	} while (0)

static inline int create_ruleset(void)
{
	uint64_t handled = RIGHTS_HANDLED;
	int fd = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);

	CHECK(fd >= 0, "landlock_create_ruleset");
	return fd;
}

static inline void add_path(int ruleset, const char *path, uint64_t rights)
{
	struct __attribute__((packed)) {
		uint64_t rights;
		int32_t fd;
	} beneath = { rights, open(path, O_PATH | O_CLOEXEC) };

	CHECK(beneath.fd >= 0, path);
	CHECK(syscall(SYS_landlock_add_rule, ruleset, 1, &beneath, 0) == 0, path);
	close(beneath.fd);
}

static inline long restrict_self(int ruleset, int flags)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return syscall(SYS_landlock_restrict_self, ruleset, flags);
}

static inline double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

#endif
