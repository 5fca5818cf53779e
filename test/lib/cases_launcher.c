/* liblandlock.so as a program. */
#include "stress.h"

#include <fcntl.h>
#include <signal.h>

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define RULESET 200
#define STATUS (RULESET + 1)
#define PROGRAM (RULESET + 2)

enum { STEP_RESTRICT = 2, STEP_EXEC = 3 };
enum { EXIT_TOOL = 125, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

static const char *launcher; /* a path to the library */
static char not_executable[4096];

void target_launched(char **arguments)
{
	int denied = open(arguments[2], O_RDONLY);
	int error = errno;

	CHECK(denied < 0 && error == EACCES, "the command can open what is denied");
	CHECK(open(arguments[3], O_RDONLY) >= 0, "the command: %s", strerror(errno));
	check_no_new_privs_everywhere(1);
	for (int fd = RULESET; fd <= PROGRAM; fd++)
		CHECK(fcntl(fd, F_GETFD) < 0, "descriptor %d is left open", fd);
	CHECK(strcmp(arguments[0], "its own name") == 0, "argv[0] is %s", arguments[0]);
	CHECK(getenv("MARK"), "the environment is lost");
	_exit(42);
}

/* Runs the launcher, returns its exit status and stores the status pipe's content in `failure`. */
static int launch(int ruleset, char **arguments, int32_t failure[2], ssize_t *length)
{
	char *environment[] = { "MARK=1", NULL };
	int ends[2], status;

	CHECK(pipe2(ends, O_CLOEXEC) == 0, "pipe2: %s", strerror(errno));

	pid_t child = fork_child();

	if (child == 0) {
		if (ruleset >= 0)
			dup2(ruleset, RULESET);
		dup2(ends[1], STATUS);
		dup2(open(launcher, O_RDONLY | O_CLOEXEC), PROGRAM);
		execve(launcher, arguments, environment);
		failed("execve of %s: %s", launcher, strerror(errno));
	}
	close(ends[1]);
	*length = read(ends[0], failure, 2 * sizeof(int32_t));
	close(ends[0]);
	CHECK(waitpid(child, &status, 0) == child, "waitpid: %s", strerror(errno));
	CHECK(WIFEXITED(status), "the launcher died of signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static void expect_launch(int ruleset, char **arguments, int code, int step, int error)
{
	int32_t failure[2] = { 0, 0 };
	ssize_t length;
	int got = launch(ruleset, arguments, failure, &length);

	CHECK(got == code, "descriptor \"%s\": wanted exit %d, got %d (step %d, error %d)",
	      arguments[1] ? arguments[1] : "none", code, got, failure[0], failure[1]);
	CHECK(length == (step ? 8 : 0), "the status pipe held %zd bytes", length);
	CHECK(failure[0] == step && failure[1] == error, "wanted step %d, error %d, got %d, %d", step,
	      error, failure[0], failure[1]);
}

static void launches(void)
{
	int ruleset = ruleset_denying(FILE_BIT(0), WITH_PROC);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char *command[] = { "launcher",       "200", "0", (char *)program_path, "its own name",
			    "target-launched", (char *)scratch_file(0), (char *)scratch_file(1), NULL };

	expect_launch(ruleset, command, 42, 0, 0);
	expect_launch(null, command, EXIT_TOOL, STEP_RESTRICT, EBADFD);
	expect_launch(-1, command, EXIT_TOOL, STEP_RESTRICT, EBADF);
	command[2] = "1073741824";
	expect_launch(ruleset, command, EXIT_TOOL, STEP_RESTRICT, EINVAL);
	command[2] = "0";
	command[3] = "/no/such/program";
	expect_launch(ruleset, command, EXIT_NOT_FOUND, STEP_EXEC, ENOENT);
	command[3] = not_executable;
	expect_launch(ruleset, command, EXIT_CANNOT_RUN, STEP_EXEC, EACCES);

	/* A usage error: no status pipe was named. */
	char *const wrong[][6] = {
		{ "launcher", NULL },
		{ "launcher", "200", "0", (char *)program_path, NULL },
		{ "launcher", "x", "0", (char *)program_path, "name", NULL },
		{ "launcher", "", "0", (char *)program_path, "name", NULL },
		{ "launcher", "-1", "0", (char *)program_path, "name", NULL },
		{ "launcher", "200", "0x1", (char *)program_path, "name", NULL },
		{ "launcher", "200", "", (char *)program_path, "name", NULL },
		{ "launcher", "2147483647", "0", (char *)program_path, "name", NULL },
		{ "launcher", "4294967496", "0", (char *)program_path, "name", NULL },
		{ "launcher", "300", "0", (char *)program_path, "name", NULL },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		expect_launch(ruleset, (char **)wrong[i], EXIT_TOOL, 0, 0);
}

static int copy_library(int to)
{
	char bytes[65536];
	int from = open(library.path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	CHECK(from >= 0 && to >= 0, "%s: %s", library.path, strerror(errno));
	while ((length = read(from, bytes, sizeof(bytes))) > 0)
		CHECK(write(to, bytes, (size_t)length) == length, "write: %s", strerror(errno));
	close(from);
	return to;
}

void case_launcher(void)
{
	char path[4096], memory[64];

	snprintf(not_executable, sizeof(not_executable), "%s", scratch_file(2));
	/* The prebuilt file needs no exec bit, but a copy run by its path does. */
	snprintf(path, sizeof(path), "%s-launcher", scratch_file(3));
	close(copy_library(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755)));
	launcher = path;
	launches();
	unlink(path);

	int fd = copy_library((int)syscall(SYS_memfd_create, "landlock", MFD_CLOEXEC));

	snprintf(memory, sizeof(memory), "/proc/%d/fd/%d", getpid(), fd);
	launcher = memory;
	launches();
}
