#include "threads.h"

/* struct linux_dirent64 (getdents(2)): u64 inode, s64 offset, u16 length, u8 type, name. */
#define DIRENT_LENGTH 16
#define DIRENT_NAME 19

static struct {
	int32_t fd;
	int32_t pid; /* 0: never opened. A forked child has a list of its own. */
} kept;

/* The number an entry is named by; -1: it is no number. */
static int32_t parse_number_name(const char *text)
{
	int32_t number = 0;

	if (*text < '0' || *text > '9')
		return -1;
	for (; *text >= '0' && *text <= '9'; text++)
		number = number * 10 + (*text - '0');
	return *text == 0 ? number : -1;
}

static uint16_t dirent_length(const char *entry)
{
	return (uint16_t)((uint8_t)entry[DIRENT_LENGTH] | (uint8_t)entry[DIRENT_LENGTH + 1] << 8);
}

static int is_proc(int32_t fd)
{
	uint64_t statfs_buffer[16] = { 0 }; /* struct statfs: f_type is the first word */

	return sys2(NR_fstatfs, fd, statfs_buffer) == 0 && statfs_buffer[0] == PROC_SUPER_MAGIC;
}

int32_t threads_open(int32_t pid)
{
	if (kept.pid == pid && is_proc(kept.fd))
		return kept.fd;

	long fd = sys4(NR_openat, AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0)
		return (int32_t)fd;
	if (!is_proc((int32_t)fd)) {
		sys1(NR_close, fd);
		return -ENOENT;
	}
	kept.fd = (int32_t)fd;
	kept.pid = pid;
	return kept.fd;
}

static long each_probed(int32_t pid, int32_t self, void (*visit)(int32_t, void *), void *context)
{
	long found = 0;

	for (int32_t tid = 1; tid < PID_MAX_LIMIT; tid++) {
		if (tid == self || sys3(NR_tgkill, pid, tid, 0) == -ESRCH)
			continue;
		visit(tid, context);
		found++;
	}
	return found;
}

long each_number(int32_t directory_fd, void (*visit)(int32_t number, void *context), void *context)
{
	/* 32 bytes an entry: one read for up to 500 of them, and a stack that fits any thread. */
	char buffer[16384] __attribute__((aligned(8)));
	long found = 0;

	if (sys3(NR_lseek, directory_fd, 0, 0) < 0)
		return -ENOENT;
	for (;;) {
		long length = sys3(NR_getdents64, directory_fd, buffer, sizeof(buffer));

		if (length <= 0)
			return length < 0 ? length : found;
		for (char *entry = buffer; entry < buffer + length; entry += dirent_length(entry)) {
			int32_t number = parse_number_name(entry + DIRENT_NAME);

			if (number >= 0) {
				visit(number, context);
				found++;
			}
		}
	}
}

struct others {
	int32_t self;
	int saw_self;
	void (*visit)(int32_t tid, void *context);
	void *context;
};

static void visit_other(int32_t tid, void *context)
{
	struct others *others = context;

	if (tid == others->self)
		others->saw_self = 1;
	else
		others->visit(tid, others->context);
}

long threads_each(int32_t task_fd, int32_t pid, void (*visit)(int32_t, void *), void *context)
{
	struct others others = { sys_gettid(), 0, visit, context };

	if (task_fd < 0)
		return each_probed(pid, others.self, visit, context);

	long found = each_number(task_fd, visit_other, &others);

	if (found < 0)
		return found;
	/* A /proc of another pid namespace lists other numbers, so not the caller's. */
	return others.saw_self ? found - 1 : -ENOENT;
}

uint32_t threads_count(int32_t task_fd)
{
	/* struct statx: stx_nlink is the u32 at offset 16. The kernel adds the number of
	 * threads to the directory's own 2 links (fs/proc/base.c: proc_task_getattr). */
	uint32_t statx_buffer[64] = { 0 };

	if (task_fd < 0)
		return 0;
	if (sys5(NR_statx, task_fd, "", AT_EMPTY_PATH, STATX_NLINK, statx_buffer) < 0)
		return 0;
	return statx_buffer[4] > 2 ? statx_buffer[4] - 2 : 0;
}

size_t write_number(char *text, int32_t number)
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

/* Reads TID/file into buffer and terminates it; the number of bytes, or a negative errno. */
static long read_task_file(int32_t task_fd, int32_t tid, const char *file, char *buffer, size_t size)
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

/* The text behind "\nkey", or NULL. */
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
