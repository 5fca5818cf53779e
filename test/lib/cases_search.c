/* Threads that /proc does not list: how far and how long the library looks for them. */
#include "stress.h"

#include <dirent.h>
#include <fcntl.h>

#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* From linux/filter.h and linux/seccomp.h, which musl's compiler does not find. */
struct instruction {
	uint16_t code;
	uint8_t if_true, if_false;
	uint32_t value;
};
struct program {
	uint16_t length;
	const struct instruction *instructions;
};
struct notification {
	uint64_t id;
	uint32_t pid, flags;
	uint64_t call[8];
};
struct answer {
	uint64_t id;
	int64_t value;
	int32_t error;
	uint32_t flags;
};

enum { LOAD = 0x20, IF_EQUAL = 0x15, IF_ABOVE = 0x25, IF_NOT_BELOW = 0x35, RETURN = 0x06 };
enum { NUMBER_AT = 0, SECOND_ARGUMENT_AT = 24 };
#define ALLOW 0x7fff0000U
#define NOTIFY 0x7fc00000U
#define KILL_PROCESS 0x80000000U
#define FAIL(error) (0x00050000U | (error))
#define NEW_LISTENER (1UL << 3)
#define RECEIVE _IOWR('!', 0, struct notification)
#define SEND _IOWR('!', 1, struct answer)
#define CONTINUE 1U

/* An id that no thread has: the library may probe it to see if the kernel answers. */
#define NO_THREAD 4194304
/* How far from the newest thread the library may look. Ids of other processes lie between. */
#define NEAR 65536

#define MEMBERS 20

static int set_filter(const struct instruction *instructions, uint16_t length, unsigned long flags)
{
	struct program program = { length, instructions };
	long ret;

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs: %s", strerror(errno));
	ret = syscall(SYS_seccomp, 1, flags, &program);
	CHECK(ret >= 0, "seccomp: %s", strerror(errno));
	return (int)ret;
}

/* The result of every call of one number. */
static int answer_calls(long nr, uint32_t action, unsigned long flags)
{
	const struct instruction all[] = {
		{ LOAD, 0, 0, NUMBER_AT },
		{ IF_EQUAL, 0, 1, (uint32_t)nr },
		{ RETURN, 0, 0, action },
		{ RETURN, 0, 0, ALLOW },
	};

	return set_filter(all, 4, flags);
}

void refuse_calls(long nr, int32_t error)
{
	answer_calls(nr, FAIL((uint32_t)error), 0);
}

static void *own_id(void *id)
{
	*(int32_t *)id = thread_id();
	return NULL;
}

/* Kills this process if it later probes an id far from all of its own. */
static void forbid_long_search(void)
{
	int32_t newest;

	pthread_join(start_thread(own_id, &newest), NULL);
	if (newest < getpid())
		newest = getpid();

	const struct instruction far[] = {
		{ LOAD, 0, 0, NUMBER_AT },
		{ IF_EQUAL, 0, 4, SYS_tgkill },
		{ LOAD, 0, 0, SECOND_ARGUMENT_AT },
		{ IF_NOT_BELOW, 2, 0, NO_THREAD },
		{ IF_ABOVE, 0, 1, (uint32_t)newest + NEAR },
		{ RETURN, 0, 0, KILL_PROCESS },
		{ RETURN, 0, 0, ALLOW },
	};

	set_filter(far, 7, 0);
}

static void two_layers(void)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(MEMBERS, 0, 1);
	int first = ruleset_denying(FILE_BIT(0), READ_PROC);
	int second = ruleset_denying(FILE_BIT(1), WITHOUT_PROC);

	forbid_long_search();
	expect_success(library.restrict_all(first, 0, PATIENT_MS, &report), &report, MEMBERS + 1);
	crowd_check(crowd, FILE_BIT(0), 1);
	expect_success(library.restrict_all(second, 0, PATIENT_MS, &report), &report, MEMBERS + 1);
	crowd_check(crowd, FILE_BIT(0) | FILE_BIT(1), 1);
	check_this_thread(FILE_BIT(0) | FILE_BIT(1), 1);
	crowd_end(crowd);
}

static void with_outer_layer(int proc)
{
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs: %s", strerror(errno));
	CHECK(syscall(446 /* landlock_restrict_self */, ruleset_denying(0, proc), 0) == 0,
	      "landlock_restrict_self: %s", strerror(errno));
	CHECK(open("/proc/self/task", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES,
	      "/proc can still be listed");
	CHECK((open("/proc/self/status", O_RDONLY | O_CLOEXEC) >= 0) == (proc == READ_PROC),
	      "/proc/self/status can be read if it should not, or the other way round");
	two_layers();
}

static void read_not_listed(void)
{
	with_outer_layer(READ_PROC);
}

static void neither_read_nor_listed(void)
{
	with_outer_layer(WITHOUT_PROC);
}

static void list_refused(void)
{
	refuse_calls(SYS_getdents64, EPERM);

	DIR *tasks = opendir("/proc/self/task");

	CHECK(tasks && !readdir(tasks) && errno == EPERM, "/proc can still be listed");
	two_layers();
}

static void no_descriptor_left(void)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(MEMBERS, 0, 0);
	int ruleset = ruleset_denying(FILE_BIT(0), WITH_PROC);
	struct rlimit all, none;

	forbid_long_search();
	getrlimit(RLIMIT_NOFILE, &all);
	none = all;
	/* poll(2) of one file needs at least this limit. */
	none.rlim_cur = 1;
	setrlimit(RLIMIT_NOFILE, &none);

	int64_t result = library.restrict_all(ruleset, 0, PATIENT_MS, &report);

	setrlimit(RLIMIT_NOFILE, &all);
	expect_success(result, &report, MEMBERS + 1);
	crowd_check(crowd, FILE_BIT(0), 1);
	crowd_end(crowd);
}

void case_unlisted_proc(void)
{
	in_child(read_not_listed);
	in_child(neither_read_nor_listed);
	in_child(list_refused);
	in_child(no_descriptor_left);
}

/* ---- A search that cannot end ---- */

/* Delays each call, as a tracer does. */
static void answer_slowly(int listener)
{
	for (;;) {
		struct notification asked;
		struct answer answer = { .flags = CONTINUE };

		memset(&asked, 0, sizeof(asked));
		if (ioctl(listener, RECEIVE, &asked) < 0 && errno != EINTR && errno != ENOENT)
			_exit(0);
		nap_ms(1);
		answer.id = asked.id;
		ioctl(listener, SEND, &answer);
	}
}

static void search_in_vain(int32_t error, int64_t most_ms)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(MEMBERS, 0, 1);
	int64_t since = now_ms();
	int64_t result =
		library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, HASTY_MS, &report);

	CHECK(now_ms() - since < most_ms, "the search took %lld ms", (long long)(now_ms() - since));
	expect_unchanged(result, &report, ALLTHREADS_UNREACHABLE);
	CHECK(report.tid == 0 && report.error == -error, "it reports thread %d, error %d", report.tid,
	      report.error);
	crowd_check(crowd, 0, 1);
	check_this_thread(0, 1);
	crowd_end(crowd);
}

/* Slow or forbidden, the search ends long before the process would be killed. */
static void slow_search(void)
{
	hide_proc();

	int listener = answer_calls(SYS_tgkill, NOTIFY, NEW_LISTENER);

	if (fork_child() == 0)
		answer_slowly(listener);
	close(listener);
	search_in_vain(ETIMEDOUT, 20 * HASTY_MS);
}

static void forbidden_search(void)
{
	hide_proc();
	refuse_calls(SYS_tgkill, EPERM);
	search_in_vain(EPERM, HASTY_MS);
}

/* Acts like a sandbox whose filter skips the call and reports success. */
static void pretended_search(void)
{
	hide_proc();
	refuse_calls(SYS_tgkill, 0);
	search_in_vain(ENOSYS, HASTY_MS);
}

void case_vain_search(void)
{
	in_child(slow_search);
	in_child(forbidden_search);
	in_child(pretended_search);
}
