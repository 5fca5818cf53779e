/*
 * liblandlock.so run as a program: restricts itself, then becomes the command. There is no dynamic
 * linker here, so nothing in this file may need a relocation.
 *
 *   argv: NAME RULESET_FD FLAGS PATH ARGV0 [ARG...]
 *
 * RULESET_FD + 1 is the status pipe, or an eventfd: it closes when the command starts, or carries
 * a struct launch_failure. RULESET_FD + 2 is this program itself, if the child cannot reach it
 * through its parent. src/sandbox/spawn.ts is the other end. The command gets none of the three.
 */
#include "entry.h"
#include "number.h"
#include "sys.h"

#define F_SETFD 2
#define FD_CLOEXEC 1

enum launch_step { STEP_USAGE = 1, STEP_RESTRICT = 2, STEP_EXEC = 3 };

struct launch_failure {
	int32_t step;
	int32_t error; /* positive errno */
};

/* As env(1) and the shells: the tool failed, the command cannot run, the command is missing. */
enum { EXIT_TOOL = 125, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

__attribute__((noreturn)) static void fail(int32_t status_fd, enum launch_step step, long error)
{
	struct launch_failure failure = { step, (int32_t)-error };
	int code = EXIT_TOOL;

	if (step == STEP_EXEC)
		code = error == -ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
	sys3(NR_write, status_fd, &failure, sizeof(failure));
	for (;;)
		sys1(NR_exit_group, code);
}

__attribute__((used, noreturn)) static void launcher_main(long *stack)
{
	long argc = stack[0];
	char **argv = (char **)(stack + 1);
	char **envp = argv + argc + 1;
	int32_t fd = argc >= 5 ? parse_number(argv[1]) : -1;
	int32_t flags = argc >= 5 ? parse_number(argv[2]) : -1;
	int32_t status_fd = fd + 1;

	if (fd < 0 || flags < 0)
		fail(-1, STEP_USAGE, -EINVAL);

	long ret = sys3(NR_fcntl, status_fd, F_SETFD, FD_CLOEXEC);

	if (ret < 0)
		fail(status_fd, STEP_USAGE, ret);
	ret = restrict_this_thread(fd, (uint32_t)flags);
	if (ret < 0)
		fail(status_fd, STEP_RESTRICT, ret);
	sys1(NR_close, fd);
	sys1(NR_close, (long)fd + 2);
	fail(status_fd, STEP_EXEC, sys3(NR_execve, argv[3], argv + 4, envp));
}

PROGRAM_ENTRY(landlock_launcher, launcher_main);
