#include "threads.h"

#include "number.h"

#define PROC_TASK "/proc/self/task"
/* Names the calling thread in any /proc, that of another pid namespace included. */
#define THREAD_SELF_TASK "/proc/thread-self/.."
/* How many steps a search goes between two looks at the clock and the number of threads. */
#define STEPS_A_LOOK 256
/* Room for any int32 that is not negative, and a NUL. */
#define NUMBER_MAX 12

/* Writes a number that is not negative in decimal; its length without the NUL. */
static size_t write_number(char *text, int32_t number)
{
	char digits[NUMBER_MAX];
	size_t length = 0, count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	while (count > 0)
		text[length++] = digits[--count];
	text[length] = 0;
	return length;
}

/* ---- /proc/self/task ---- */

/* What statfs(2) or fstatfs(2) says of a file. The first word of struct statfs is f_type. */
static int is_proc(long nr, long file)
{
	uint64_t buffer[16];

	buffer[0] = 0;
	return sys2(nr, file, buffer) == 0 && buffer[0] == PROC_SUPER_MAGIC;
}

/* struct statx, in words. */
enum { STATX_NLINK_AT = 2, STATX_INO_AT = 4, STATX_DEVICE_AT = 17, STATX_WORDS = 32 };

static long stat_file(long directory, const char *path, uint64_t *buffer)
{
	buffer[STATX_NLINK_AT] = 0;
	return sys5(NR_statx, directory, path, AT_EMPTY_PATH, STATX_NLINK | STATX_INO, buffer);
}

/* Whether this is the /proc of our pid namespace: another one has another number for us. */
static int is_own_proc(int32_t pid)
{
	char number[NUMBER_MAX];
	long length = sys4(NR_readlinkat, AT_FDCWD, "/proc/self", number, sizeof(number) - 1);

	number[length > 0 ? length : 0] = 0;
	return parse_number(number) == pid;
}

static int is_usable(int32_t fd, int32_t pid)
{
	return is_proc(NR_fstatfs, fd) && is_own_proc(pid);
}

/* The program may close a kept descriptor, and get its number for another file. */
static int is_task_list(int32_t fd)
{
	uint64_t ours[STATX_WORDS], named[STATX_WORDS];

	return stat_file(fd, "", ours) == 0 && stat_file(AT_FDCWD, PROC_TASK, named) == 0 &&
	       ours[STATX_INO_AT] == named[STATX_INO_AT] &&
	       ours[STATX_DEVICE_AT] == named[STATX_DEVICE_AT];
}

/* The complement of a descriptor is kept, so that 0 is none. */
int32_t threads_open(int32_t pid, int32_t *kept)
{
	if (kept && is_usable(~*kept, pid) && is_task_list(~*kept))
		return ~*kept;

	long fd = sys4(NR_openat, AT_FDCWD, PROC_TASK, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	/* A ruleset may deny the list. The threads can still be counted. */
	if (fd == -EACCES || fd == -EPERM)
		fd = sys4(NR_openat, AT_FDCWD, PROC_TASK, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd >= 0 && !is_usable((int32_t)fd, pid)) {
		sys1(NR_close, fd);
		return -ENOENT;
	}
	/* If statx(2) is refused, each call would keep one more. */
	if (fd >= 0 && kept && is_task_list((int32_t)fd))
		*kept = ~(int32_t)fd;
	return (int32_t)fd;
}

void threads_close(int32_t task_fd, const int32_t *kept)
{
	if (task_fd >= 0 && !(kept && ~*kept == task_fd))
		sys1(NR_close, task_fd);
}

/* struct linux_dirent64 (getdents(2)): u64 inode, s64 offset, u16 length, u8 type, name. */
#define DIRENT_LENGTH 16
#define DIRENT_NAME 19

static uint16_t dirent_length(const char *entry)
{
	return (uint16_t)((uint8_t)entry[DIRENT_LENGTH] | (uint8_t)entry[DIRENT_LENGTH + 1] << 8);
}

/* Calls `visit` for every entry of a directory that a number names; how many, or -errno. */
static long each_number(int32_t directory_fd, void (*visit)(int32_t, void *), void *context)
{
	/* 32 bytes an entry: one read for up to 500 of them, and a stack that fits any thread. */
	char buffer[16384] __attribute__((aligned(8)));
	long length, found = 0, ret = sys3(NR_lseek, directory_fd, 0, 0);

	if (ret < 0)
		return ret;
	while ((length = sys3(NR_getdents64, directory_fd, buffer, sizeof(buffer))) > 0) {
		for (char *entry = buffer; entry < buffer + length; entry += dirent_length(entry)) {
			int32_t number = parse_number(entry + DIRENT_NAME);

			if (number >= 0) {
				visit(number, context);
				found++;
			}
		}
	}
	return length < 0 ? length : found;
}

struct others {
	int32_t self;
	void (*visit)(int32_t tid, void *context);
	void *context;
};

static void visit_other(int32_t tid, void *context)
{
	const struct others *others = context;

	if (tid != others->self)
		others->visit(tid, others->context);
}

long threads_list(int32_t task_fd, void (*visit)(int32_t, void *), void *context)
{
	struct others others = { sys_gettid(), visit, context };

	return each_number(task_fd, visit_other, &others);
}

uint32_t threads_count(int32_t task_fd)
{
	uint64_t buffer[STATX_WORDS];
	long dir = task_fd >= 0 ? task_fd : AT_FDCWD;
	const char *path = task_fd >= 0 ? "" : THREAD_SELF_TASK;

	if (task_fd < 0 && !is_proc(NR_statfs, (long)path))
		return 0;
	if (stat_file(dir, path, buffer) < 0)
		return 0;

	/* 2 as every directory, and one a thread (fs/proc/base.c: proc_task_getattr). */
	uint32_t links = (uint32_t)buffer[STATX_NLINK_AT];

	return links > 2 ? links - 2 : 0;
}

/* ---- Without a list ---- */

/* A seccomp filter may answer instead of the kernel, and then every id looks the same. */
static long check_probing(int32_t pid, int32_t self)
{
	long ret = sys3(NR_tgkill, pid, self, 0);

	if (ret < 0)
		return ret;
	return sys3(NR_tgkill, pid, PID_MAX_LIMIT, 0) == -ESRCH ? 0 : -ENOSYS;
}

static int probe(int32_t pid, int32_t tid, struct others *others)
{
	if (sys3(NR_tgkill, pid, tid, 0) == -ESRCH)
		return 0;
	visit_other(tid, others);
	return 1;
}

long threads_probe(int32_t task_fd, int32_t pid, int64_t until, void (*visit)(int32_t, void *),
		   void *context)
{
	struct others others = { sys_gettid(), visit, context };
	long ret = check_probing(pid, others.self);
	uint32_t counted = 0, found = 0;

	if (ret < 0)
		return ret;
	/* Ids go up from the process's own, and start again near 1 after the largest. */
	for (int32_t step = 0; step < PID_MAX_LIMIT; step++) {
		if (step % STEPS_A_LOOK == 0) {
			if (now_ns() > until)
				return -ETIMEDOUT;
			counted = threads_count(task_fd);
		}
		if (counted && found >= counted)
			break;
		if (step < PID_MAX_LIMIT - pid)
			found += probe(pid, pid + step, &others);
		if (step > 0 && step < pid)
			found += probe(pid, step, &others);
	}
	return 0;
}

/* ---- What /proc says of one thread ---- */

/* Reads TID/file into buffer and terminates it; the number of bytes, or a negative errno. */
static long read_task_file(int32_t task_fd, int32_t tid, const char *file, char *buffer,
			   size_t size)
{
	char path[NUMBER_MAX + 16];
	size_t length;

	if (task_fd < 0)
		return -ENOENT;
	length = write_number(path, tid);
	for (; *file; file++)
		path[length++] = *file;
	path[length] = 0;

	long fd = sys4(NR_openat, task_fd, path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;

	long got = sys3(NR_read, fd, buffer, size - 1);

	sys1(NR_close, fd);
	buffer[got > 0 ? got : 0] = 0;
	return got;
}

/* The text after "\nkey", or NULL. */
static const char *find_field(const char *text, const char *key)
{
	for (; *text; text++) {
		size_t i = 0;

		if (*text != '\n')
			continue;
		while (key[i] && text[1 + i] == key[i])
			i++;
		if (!key[i])
			return text + 1 + i;
	}
	return NULL;
}

long threads_status(int32_t task_fd, int32_t tid, struct thread_status *status)
{
	char buffer[4096];
	long got = read_task_file(task_fd, tid, "/status", buffer, sizeof(buffer));

	if (got < 0)
		return got;

	const char *state = find_field(buffer, "State:\t");
	const char *mask = find_field(buffer, "SigBlk:\t");

	if (!state || !mask)
		return -EINVAL;
	status->state = *state;
	status->blocked = 0;
	for (; *mask && *mask != '\n'; mask++)
		status->blocked = status->blocked << 4 |
				  (uint64_t)(*mask <= '9' ? *mask - '0' : *mask - 'a' + 10);
	return 0;
}

void threads_name(int32_t task_fd, int32_t tid, char *name, size_t size)
{
	if (read_task_file(task_fd, tid, "/comm", name, size) < 0)
		name[0] = 0;
	for (; *name; name++)
		if (*name == '\n')
			*name = 0;
}
