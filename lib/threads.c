#include "threads.h"

#include "own.h"

#define PROC_TASK "/proc/self/task"
/* It lists the calling thread: another pid namespace's /proc has this process there, too. */
#define THREAD_SELF_TASK "/proc/thread-self/.."
/* How many steps a search goes between two looks at the clock and the number of threads. */
#define STEPS_A_LOOK 256

typedef uint64_t statfs_buffer[16]; /* struct statfs: f_type is the first word */

static int is_proc(int32_t fd)
{
	statfs_buffer buffer = { 0 };

	return sys2(NR_fstatfs, fd, buffer) == 0 && buffer[0] == PROC_SUPER_MAGIC;
}

static int is_path_in_proc(const char *path)
{
	statfs_buffer buffer = { 0 };

	return sys2(NR_statfs, path, buffer) == 0 && buffer[0] == PROC_SUPER_MAGIC;
}

/* struct statx: stx_nlink is the u32 at 16, stx_ino the u64 at 32, the device the u64 at 136. */
#define STATX_NLINK_AT 2
#define STATX_INO_AT 4
#define STATX_DEVICE_AT 17
typedef uint64_t statx_buffer[32];

static long stat_file(int32_t fd, const char *path, statx_buffer buffer)
{
	return sys5(NR_statx, fd, path, AT_EMPTY_PATH, STATX_NLINK | STATX_INO, buffer);
}

/* Whether a descriptor is this process's task list. Where /proc is gone, its word is taken. */
static int is_task_list(int32_t fd)
{
	statx_buffer ours = { 0 }, named = { 0 };

	if (!is_proc(fd) || stat_file(fd, "", ours) < 0)
		return 0;
	return stat_file(AT_FDCWD, PROC_TASK, named) < 0 ||
	       (ours[STATX_INO_AT] == named[STATX_INO_AT] &&
		ours[STATX_DEVICE_AT] == named[STATX_DEVICE_AT]);
}

/* A /proc of another pid namespace calls this process by another number. */
static int proc_knows_us_as(int32_t pid)
{
	char ours[NUMBER_MAX], theirs[NUMBER_MAX];
	long length = sys4(NR_readlinkat, AT_FDCWD, "/proc/self", theirs, sizeof(theirs) - 1);
	long i = 0;

	if (length < 0)
		return 0;
	theirs[length] = 0;
	write_number(ours, pid);
	while (ours[i] && ours[i] == theirs[i])
		i++;
	return ours[i] == theirs[i];
}

/* In plain memory a forked child would take the parent's list for its own. */
static void keep(struct own *own, int32_t fd)
{
	own->task_fd = fd;
	own->keeps = own_is_cleared_by_fork(own);
}

int32_t threads_open(int32_t pid)
{
	struct own *own = own_memory();

	if (own->keeps && is_task_list(own->task_fd))
		return own->task_fd;

	long fd = sys4(NR_openat, AT_FDCWD, PROC_TASK, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	/* What may not be listed may still be counted, and its files be read. */
	if (fd == -EACCES || fd == -EPERM)
		fd = sys4(NR_openat, AT_FDCWD, PROC_TASK, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return (int32_t)fd;
	if (!is_proc((int32_t)fd) || !proc_knows_us_as(pid)) {
		sys1(NR_close, fd);
		return -ENOENT;
	}
	keep(own, (int32_t)fd);
	return (int32_t)fd;
}

void threads_close(int32_t task_fd)
{
	const struct own *own = own_memory();

	if (task_fd >= 0 && !(own->keeps && own->task_fd == task_fd))
		sys1(NR_close, task_fd);
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

long threads_list(int32_t task_fd, void (*visit)(int32_t, void *), void *context)
{
	struct others others = { sys_gettid(), 0, visit, context };
	long found = each_number(task_fd, visit_other, &others);

	if (found < 0)
		return found;
	/* A /proc of another pid namespace lists other numbers, so not the caller's. */
	return others.saw_self ? found - 1 : -ENOENT;
}

uint32_t threads_count(int32_t task_fd)
{
	/* The kernel adds the number of threads to the directory's own 2 links
	 * (fs/proc/base.c: proc_task_getattr). */
	statx_buffer buffer = { 0 };
	long ret;

	if (task_fd >= 0)
		ret = stat_file(task_fd, "", buffer);
	else if (is_path_in_proc(THREAD_SELF_TASK))
		ret = stat_file(AT_FDCWD, THREAD_SELF_TASK, buffer);
	else
		return 0;
	if (ret < 0)
		return 0;

	uint32_t links = (uint32_t)buffer[STATX_NLINK_AT];

	return links > 2 ? links - 2 : 0;
}

/* A filter in the kernel may answer for it, and then every id looks the same. */
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
	struct others others = { sys_gettid(), 0, visit, context };
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
	return (long)found - others.saw_self;
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
