/*
 * stress LIBRARY CASE: loads liblandlock.so, runs one case, and exits with 0 only if everything
 * held. Exits with 77 and says what is missing if this machine cannot run the case.
 */
#include "stress.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <time.h>

#include <sys/prctl.h>
#include <sys/resource.h>

struct library library;
const char *program_path;

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
#define ENTRY(function, name) { name, case_##function },
	CASES(ENTRY)
#undef ENTRY
};

static void say(const char *kind, const char *format, va_list arguments)
{
	char line[512];
	int length = snprintf(line, sizeof(line), "%s: ", kind);

	length += vsnprintf(line + length, sizeof(line) - (size_t)length - 1, format, arguments);
	if (length > (int)sizeof(line) - 2)
		length = (int)sizeof(line) - 2;
	line[length++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)length) < 0)
		_exit(1);
}

void failed(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("failed", format, arguments);
	va_end(arguments);
	_exit(1);
}

void skipped(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("skipped", format, arguments);
	va_end(arguments);
	_exit(EXIT_SKIPPED);
}

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void nap_ms(int64_t ms)
{
	struct timespec rest = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&rest, &rest) < 0 && errno == EINTR)
		;
}

int32_t thread_id(void)
{
	return (int32_t)syscall(SYS_gettid);
}

/* musl's compiler wrapper has no kernel headers: FUTEX_WAIT and FUTEX_WAKE, FUTEX_PRIVATE_FLAG. */
long futex_wait(uint32_t *word, uint32_t value)
{
	return syscall(SYS_futex, word, 0 | 128, value, NULL);
}

void futex_wake(uint32_t *word)
{
	syscall(SYS_futex, word, 1 | 128, INT32_MAX);
}

static void load_library(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	CHECK(handle, "dlopen: %s", dlerror());
	library.path = path;
	library.restrict_all = (__typeof__(library.restrict_all))dlsym(handle, "allthreads_restrict");
	library.execve = (__typeof__(library.execve))dlsym(handle, "landlock_execve");
	library.version = (__typeof__(library.version))dlsym(handle, "landlock_native_version");
	CHECK(library.restrict_all && library.execve && library.version, "dlsym: %s", dlerror());
	CHECK(library.version() == LANDLOCK_NATIVE_VERSION, "version is %d", library.version());
}

/* Room for a thousand threads with two descriptors each. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int count, char **arguments)
{
	if (count > 1 && strcmp(arguments[1], "target-execve") == 0)
		target_execve(arguments);
	if (count > 1 && strcmp(arguments[1], "target-launched") == 0)
		target_launched(arguments);
	CHECK(count == 3, "usage: stress LIBRARY CASE");
	/* Flag 1 asks for the ABI version (landlock_create_ruleset(2)). */
	if (syscall(444, NULL, 0, 1) < 0)
		skipped("Landlock is not there: %s", strerror(errno));
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0, "no_new_privs is set already");
	program_path = arguments[0];
	load_library(arguments[1]);
	raise_descriptor_limit();
	scratch_create();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(cases[i].name, arguments[2]) != 0)
			continue;
		cases[i].run();
		scratch_remove();
		_exit(0);
	}
	scratch_remove();
	failed("no case is called %s", arguments[2]);
}
