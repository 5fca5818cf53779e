/* Undoes what Bun changed for itself, then replaces it by a program. */
#include "allthreads.h"
#include "kernel.h"

#define SIGPIPE 13
#define SIGXFSZ 25
#define RLIMIT_NOFILE 7

struct resource_limit {
	uint64_t soft;
	uint64_t hard;
};

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
