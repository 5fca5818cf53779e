#include "stress.h"

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>

#include <sys/prctl.h>
#include <sys/stat.h>

#define NR_LANDLOCK_CREATE_RULESET 444
#define NR_LANDLOCK_ADD_RULE 445
#define RULE_PATH_BENEATH 1
#define READ_FILE (1ULL << 2)
#define READ_DIR (1ULL << 3)
#define EXTRA_FILES 6000

struct path_beneath {
	uint64_t access;
	int32_t parent;
} __attribute__((packed));

static char root[PATH_MAX - 64];
static char files[FILES][PATH_MAX];

void scratch_create(void)
{
	const char *temporary = getenv("TMPDIR");

	snprintf(root, sizeof(root), "%s/landlock-stress-XXXXXX", temporary ? temporary : "/tmp");
	CHECK(mkdtemp(root), "mkdtemp: %s", strerror(errno));
	/* Some cases continue as another user. */
	chmod(root, 0755);
	for (int i = 0; i < FILES; i++) {
		char directory[PATH_MAX - 32];

		snprintf(directory, sizeof(directory), "%s/%d", root, i);
		mkdir(directory, 0755);
		snprintf(files[i], sizeof(files[i]), "%s/file", directory);

		int fd = open(files[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

		CHECK(fd >= 0, "%s: %s", files[i], strerror(errno));
		close(fd);
	}
}

void scratch_remove(void)
{
	for (int i = 0; i < FILES; i++) {
		unlink(files[i]);
		rmdir(dirname(files[i]));
	}
	rmdir(root);
}

const char *scratch_file(int which)
{
	return files[which];
}

static void grant(int ruleset, uint64_t access, const char *path)
{
	struct path_beneath rule = { access, open(path, O_PATH | O_CLOEXEC) };

	/* Not every system has all these directories. */
	if (rule.parent < 0)
		return;
	CHECK(syscall(NR_LANDLOCK_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0,
	      "landlock_add_rule for %s: %s", path, strerror(errno));
	close(rule.parent);
}

int ruleset_denying(uint32_t denied, int proc)
{
	static const char *const system_paths[] = { "/usr", "/lib", "/lib64", "/etc", "/dev", "/sys" };
	uint64_t handled = READ_FILE | READ_DIR;
	int ruleset = (int)syscall(NR_LANDLOCK_CREATE_RULESET, &handled, sizeof(handled), 0);
	char directory[PATH_MAX];

	CHECK(ruleset >= 0, "landlock_create_ruleset: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(system_paths) / sizeof(system_paths[0]); i++)
		grant(ruleset, handled, system_paths[i]);
	if (proc == WITH_PROC)
		grant(ruleset, handled, "/proc");
	if (proc == READ_PROC)
		grant(ruleset, READ_FILE, "/proc");
	/* Not its directory, which may contain the scratch files. */
	grant(ruleset, READ_FILE, program_path);
	for (int i = 0; i < FILES; i++) {
		if (denied & FILE_BIT(i))
			continue;
		memcpy(directory, files[i], sizeof(directory));
		grant(ruleset, handled, dirname(directory));
	}
	return ruleset;
}

void ruleset_fill(int ruleset)
{
	char path[PATH_MAX];

	for (int i = 0; i < EXTRA_FILES; i++) {
		struct path_beneath rule = { READ_FILE, -1 };

		snprintf(path, sizeof(path), "%s/extra-%d", root, i);
		rule.parent = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
		CHECK(rule.parent >= 0, "%s: %s", path, strerror(errno));
		CHECK(syscall(NR_LANDLOCK_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0,
		      "landlock_add_rule: %s", strerror(errno));
		close(rule.parent);
		/* The rule keeps the inode alive. */
		unlink(path);
	}
}

void check_this_thread(uint32_t denied, int no_new_privs)
{
	for (int i = 0; i < FILES; i++) {
		int fd = open(files[i], O_RDONLY | O_CLOEXEC);
		int error = fd < 0 ? errno : 0;

		if (fd >= 0)
			close(fd);
		CHECK(error == (denied & FILE_BIT(i) ? EACCES : 0),
		      "thread %d, file %d: wanted %s, got %s", thread_id(), i,
		      denied & FILE_BIT(i) ? "EACCES" : "success", error ? strerror(error) : "success");
	}

	int got = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);

	CHECK(got == no_new_privs, "thread %d: no_new_privs is %d", thread_id(), got);
}

/* Reads /proc/self/task/TID/FILE; returns 0 if the thread is gone. */
static int read_task(const char *tid, const char *file, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%.16s/%.16s", tid, file);

	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;

	ssize_t got = read(fd, text, size - 1);

	close(fd);
	text[got > 0 ? got : 0] = 0;
	return got > 0;
}

void check_no_new_privs_everywhere(int expected)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	char text[8192];
	int seen = 0;

	CHECK(tasks, "/proc/self/task: %s", strerror(errno));
	while ((entry = readdir(tasks))) {
		if (entry->d_name[0] == '.' || !read_task(entry->d_name, "status", text, sizeof(text)))
			continue;

		const char *field = strstr(text, "NoNewPrivs:\t");

		CHECK(field && atoi(field + 12) == expected, "thread %s: no_new_privs is not %d",
		      entry->d_name, expected);
		seen++;
	}
	closedir(tasks);
	CHECK(seen > 0, "/proc/self/task is empty");
}

char thread_state(int32_t tid)
{
	char number[16], text[512];

	snprintf(number, sizeof(number), "%d", tid);
	if (!read_task(number, "stat", text, sizeof(text)))
		return 0;

	/* The name before it may contain anything, even a parenthesis (proc_pid_stat(5)). */
	const char *end = strrchr(text, ')');

	return end ? end[2] : 0;
}

static const char *described(int64_t result, const struct allthreads_report *report)
{
	static _Thread_local char text[256];

	snprintf(text, sizeof(text),
		 "returned %lld; threads %d, thread %d (%s), error %d, signal %d, changed %d",
		 (long long)result, report->threads, report->tid, report->name, report->error,
		 report->signal, report->changed);
	return text;
}

void expect_success(int64_t result, const struct allthreads_report *report, int threads)
{
	CHECK(result == 0, "wanted success, %s", described(result, report));
	CHECK(report->changed == 1 && report->signal > 0 && report->tid == 0 && report->error == 0 &&
		      report->name[0] == 0,
	      "report of a success: %s", described(result, report));
	CHECK(threads == 0 || report->threads == threads, "wanted %d threads, %s", threads,
	      described(result, report));
}

void expect_unchanged(int64_t result, const struct allthreads_report *report, int64_t expected)
{
	CHECK(result == expected, "wanted %lld, %s", (long long)expected, described(result, report));
	CHECK(report->changed == 0 && report->threads == 0, "wanted nothing changed, %s",
	      described(result, report));
}
