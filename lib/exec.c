/* What turns an exec from inside Bun into a plain one. */
#include "allthreads.h"
#include "numbers.h"
#include "sys.h"

#define SIGPIPE 13
#define SIGXFSZ 25

/* Of /proc/self/fd/N, for what Bun opens for itself: its event loop, and a ruleset. */
static const char own_kind[] = "anon_inode:";

struct inheritance {
	int32_t directory_fd;
	int64_t kept;
};

static void keep_open(int32_t fd, void *context)
{
	struct inheritance *inheritance = context;
	char path[NUMBER_MAX];
	char target[sizeof(own_kind) - 1];

	if (fd <= 2 || fd == inheritance->directory_fd)
		return;
	write_number(path, fd);

	long length =
		sys4(NR_readlinkat, inheritance->directory_fd, path, target, sizeof(target));

	if (length == sizeof(target)) {
		size_t same = 0;

		while (same < sizeof(target) && target[same] == own_kind[same])
			same++;
		if (same == sizeof(target))
			return;
	}
	if (length > 0 && sys3(NR_fcntl, fd, F_SETFD, 0) == 0)
		inheritance->kept++;
}

EXPORTED int64_t landlock_inherit_descriptors(void)
{
	long fd = sys4(NR_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;

	struct inheritance inheritance = { (int32_t)fd, 0 };
	long ret = each_number((int32_t)fd, keep_open, &inheritance);

	sys1(NR_close, fd);
	return ret < 0 ? ret : inheritance.kept;
}

EXPORTED int64_t landlock_execve(const char *path, char *const *argv, char *const *envp,
				 uint64_t nofile_soft)
{
	static const int32_t ignored_by_bun[] = { SIGPIPE, SIGXFSZ };
	struct kernel_sigaction plain = { .handler = SIG_DFL };
	struct resource_limit limit;

	for (size_t i = 0; i < sizeof(ignored_by_bun) / sizeof(ignored_by_bun[0]); i++)
		sys4(NR_rt_sigaction, ignored_by_bun[i], &plain, NULL, sizeof(uint64_t));
	if (nofile_soft && sys4(NR_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit) == 0) {
		limit.soft = nofile_soft;
		sys4(NR_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL);
	}
	return sys3(NR_execve, path, argv, envp);
}
