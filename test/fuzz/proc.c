/* What lib/ reads from /proc: links, directories, threads' status and names. */
#include "input.h"

#include <string.h>

#include "../../lib/threads.c"

enum { TASK_FD = 5, FILE_FD = 6, PID = 4711 };

static struct input in;
static char status_text[4096], path_asked[64];
static long read_limit;
static int files_open, lists_open;
static int names_left;

/* ---- A second parser of the same texts ---- */

static int64_t expected_sum, expected_count;

static void expect_name(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	if (digits == 0 || name[digits] != 0)
		return;

	unsigned long long value = strtoull(name, NULL, 10);

	if (value < INT32_MAX) {
		expected_sum += (int64_t)value;
		expected_count++;
	}
}

static const char *expected_field(const char *text, const char *key)
{
	const char *found = strstr(text, key);

	return found ? found + strlen(key) : NULL;
}

/* ---- The kernel ---- */

static long fill_directory(char *buffer, size_t size)
{
	size_t used = 0;

	/* The kernel always leaves room for 255 bytes and never writes an empty record. */
	while (names_left > 0 && used + 288 <= size) {
		char *entry = buffer + used;
		char *name = entry + DIRENT_NAME;
		size_t length = take_text(&in, name, 255);
		size_t whole = (DIRENT_NAME + length + 1 + 7) / 8 * 8;

		names_left--;
		entry[DIRENT_LENGTH] = (char)(whole & 255);
		entry[DIRENT_LENGTH + 1] = (char)(whole >> 8);
		expect_name(name);
		used += whole;
	}
	return (long)used;
}

static long fill_file(char *buffer, size_t size)
{
	size_t length = strlen(status_text);

	if (read_limit < 0)
		return read_limit;
	length = length < (size_t)read_limit ? length : (size_t)read_limit;
	length = length < size ? length : size;
	memcpy(buffer, status_text, length);
	/* Garbage after the end: the reader must stop at the returned length. */
	memset(buffer + length, 'f', size - length);
	return (long)length;
}

long syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	(void)d, (void)f;
	switch (nr) {
	case NR_openat:
		if ((int32_t)a != AT_FDCWD) {
			must(strlen((const char *)b) < sizeof(path_asked));
			strcpy(path_asked, (const char *)b);
		}
		if (take(&in) & 1)
			return -ENOENT;
		if ((int32_t)a == AT_FDCWD)
			return lists_open++, TASK_FD;
		files_open++;
		return FILE_FD;
	case NR_close:
		must(a == TASK_FD || a == FILE_FD);
		files_open -= a == FILE_FD;
		lists_open -= a == TASK_FD;
		return 0;
	case NR_statfs:
	case NR_fstatfs:
		if (nr == NR_fstatfs && (int32_t)a != TASK_FD)
			return -9; /* EBADF */
		*(uint64_t *)b = take(&in) & 1 ? 0xef53 : PROC_SUPER_MAGIC;
		return take(&in) & 1 ? -EINVAL : 0;
	case NR_statx:
		((uint64_t *)e)[STATX_NLINK_AT] = take_u32(&in) % (PID_MAX_LIMIT + 3);
		((uint64_t *)e)[STATX_INO_AT] = take(&in) & 1;
		((uint64_t *)e)[STATX_DEVICE_AT] = 1;
		return take(&in) & 1 ? -ENOENT : 0;
	case NR_readlinkat: {
		char link[64];
		size_t length = take_text(&in, link, (size_t)d);

		if (take(&in) & 1)
			length = (size_t)sprintf(link, "%d", PID);
		memcpy((char *)c, link, length);
		return take(&in) == 255 ? -ENOENT : (long)length;
	}
	case NR_lseek:
		return take(&in) == 255 ? -EINVAL : 0;
	case NR_getdents64:
		return take(&in) == 255 ? -ENOENT : fill_directory((char *)b, (size_t)c);
	case NR_read:
		return fill_file((char *)b, (size_t)c);
	case NR_gettid:
		return PID;
	default:
		abort();
	}
}

/* ---- The target ---- */

static int64_t visited_sum, visited_count;

static void count(int32_t number, void *context)
{
	(void)context;
	must(number >= 0);
	visited_sum += number;
	visited_count++;
}

static void try_opening(void)
{
	int32_t kept = 0;

	for (int calls = 1 + take(&in) % 2; calls > 0; calls--) {
		int32_t task_fd = threads_open(PID, &kept);

		threads_count(task_fd);
		threads_close(task_fd, &kept);
	}
	must(kept || lists_open == 0);
}

static void try_directory(void)
{
	expected_sum = expected_count = visited_sum = visited_count = 0;
	names_left = take(&in);

	long found = each_number(TASK_FD, count, NULL);

	must(found < 0 || found == visited_count);
	must(found < 0 || (visited_count == expected_count && visited_sum == expected_sum));
	names_left = take(&in);
	visited_count = 0;
	found = threads_list(TASK_FD, count, NULL);
	/* It may list the caller more than once. */
	must(found < 0 || found >= visited_count);
}

static void try_files(void)
{
	struct thread_status status = { 0, 0 };
	char name[20], path[64];
	int32_t tid = (int32_t)(take_u32(&in) & INT32_MAX);
	size_t kept = 0;

	read_limit = take(&in) == 255 ? -ESRCH : (long)sizeof(status_text);
	for (; in.at < in.end && kept < sizeof(status_text) - 1; kept++)
		status_text[kept] = (char)take(&in);
	status_text[kept] = 0;

	long result = threads_status(TASK_FD, tid, &status);
	const char *state = expected_field(status_text, "\nState:\t");
	const char *mask = expected_field(status_text, "\nSigBlk:\t");

	sprintf(path, "%d/status", tid);
	must(strcmp(path, path_asked) == 0);
	if (result == 0) {
		must(state && mask && status.state == *state);
		size_t digits = strspn(mask, "0123456789abcdef");

		if (digits <= 16 && (mask[digits] == '\n' || mask[digits] == 0))
			must(status.blocked == (digits ? strtoull(mask, NULL, 16) : 0));
	}
	memset(name, 'x', sizeof(name));
	threads_name(TASK_FD, tid, name, sizeof(name));
	must(memchr(name, 0, sizeof(name)) && !strchr(name, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	in = (struct input){ data, data + size };
	files_open = lists_open = 0;
	try_opening();
	if (take(&in) & 1)
		try_directory();
	try_files();
	must(files_open == 0);
	return 0;
}
