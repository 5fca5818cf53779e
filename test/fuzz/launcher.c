/* The library as a program, and its execve: no command may start unrestricted. */
#include "input.h"

#include <setjmp.h>
#include <string.h>

#include "../../lib/exec.c"
#include "../../lib/launcher.c"

enum { WORDS_MOST = 12, WORD_BYTES = 40 };

static struct input in;
static jmp_buf over;
static long *stack;
static int no_new_privs, restricted, closed, told, named, close_on_exec;

/* The number that a word stands for; -1 if the launcher must reject it. */
static long expected_number(const char *word)
{
	if (!*word || word[strspn(word, "0123456789")])
		return -1;

	unsigned long long value = strtoull(word, NULL, 10);

	return value < INT32_MAX ? (long)value : -1;
}

static void check_exec(const char *path, char *const *argv, char *const *envp)
{
	char **words = (char **)(stack + 1);

	must(restricted && closed == 3 && close_on_exec && stack[0] >= 5);
	must(path == words[3] && argv == words + 4 && envp == words + stack[0] + 1);
}

long syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	char **words = (char **)(stack + 1);
	/* Every errno that execve(2) and the others may return, and 0. */
	long refusal = -(long)(take(&in) % 134);

	(void)d, (void)e, (void)f;
	switch (nr) {
	case NR_fcntl:
		must(a == expected_number(words[1]) + 1 && b == F_SETFD && c == FD_CLOEXEC);
		named = 1;
		close_on_exec = refusal == 0;
		return refusal;
	case NR_prctl:
		must(a == PR_SET_NO_NEW_PRIVS && b == 1);
		no_new_privs = refusal == 0;
		return refusal;
	case NR_landlock_restrict_self:
		must(no_new_privs && a == expected_number(words[1]));
		must(b == expected_number(words[2]));
		restricted = refusal == 0;
		return refusal;
	case NR_close:
		/* The ruleset first, then the program itself. */
		must(restricted && a == expected_number(words[1]) + (closed ? 2 : 0));
		closed += closed ? 2 : 1;
		return refusal;
	case NR_execve:
		check_exec((const char *)a, (char *const *)b, (char *const *)c);
		if (refusal == 0)
			longjmp(over, 1);
		return refusal;
	case NR_write:
		must(c == sizeof(struct launch_failure));
		must(((const struct launch_failure *)b)->error > 0);
		/* Known as soon as the library tries to mark it, even if that fails. */
		must((int32_t)a == -1 || (named && a == expected_number(words[1]) + 1));
		told++;
		return refusal;
	case NR_exit_group:
		must(told == 1 && a >= EXIT_TOOL && a <= EXIT_NOT_FOUND);
		must((a == EXIT_TOOL) == !restricted);
		longjmp(over, 2);
	default:
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The layout of execve(2): argc, the arguments, NULL, the environment, NULL. */
	long words = 0, arguments;
	char **place;

	in = (struct input){ data, data + size };
	arguments = take(&in) % WORDS_MOST;
	words = arguments + take(&in) % 3;
	/* Allocates exactly its size, so that sanitizers see an overread. */
	stack = calloc((size_t)words + 3, sizeof(long));
	must(stack);
	stack[0] = arguments;
	place = (char **)(stack + 1);
	for (long i = 0; i < words; i++) {
		char word[WORD_BYTES + 1];

		take_text(&in, word, WORD_BYTES);
		*place++ = strdup(word);
		if (i == arguments - 1)
			place++;
	}
	no_new_privs = restricted = closed = told = named = close_on_exec = 0;
	if (setjmp(over) == 0)
		launcher_main(stack);
	for (long i = 1; i < words + 3; i++)
		free((void *)stack[i]);
	free(stack);
	return 0;
}
