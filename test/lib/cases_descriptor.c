/* A call keeps one descriptor open, the list of threads. The application may close it. */
#include "stress.h"

#include <fcntl.h>
#include <limits.h>

static struct crowd *crowd;

static void add_layer(int file, int proc)
{
	struct allthreads_report report;
	int ruleset = ruleset_denying(FILE_BIT(file), proc);

	expect_success(library.restrict_all(ruleset, 0, PATIENT_MS, &report), &report, 7);
	close(ruleset);
}

static void end_crowd(uint32_t denied)
{
	crowd_check(crowd, denied, 1);
	check_this_thread(denied, 1);
	crowd_end(crowd);
}

/* The one descriptor of a task list; -1 if there is none. */
static int find_list(void)
{
	char path[64], target[PATH_MAX];
	int found = -1;

	for (int fd = 3; fd < 1024; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

		ssize_t length = readlink(path, target, sizeof(target) - 1);

		target[length > 0 ? length : 0] = 0;
		if (length < 5 || strcmp(target + length - 5, "/task") != 0)
			continue;
		CHECK(found < 0, "descriptors %d and %d are open", found, fd);
		CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC, "programs inherit descriptor %d", fd);
		found = fd;
	}
	return found;
}

/* Without statx(2) a call cannot check that the descriptor is still its list. */
static void calls_without_statx(void)
{
	struct allthreads_report report;
	struct state before, after;

	refuse_calls(SYS_statx, EPERM);
	crowd = crowd_start(6, 0, 1);
	state_take(&before);
	for (int call = 0; call < 3; call++)
		expect_unchanged(library.restrict_all(-1, 0, PATIENT_MS, &report), &report, -EBADF);
	state_take(&after);
	CHECK(after.files == before.files, "%d descriptors are left", after.files - before.files);
	crowd_end(crowd);
}

void case_descriptors(void)
{
	struct allthreads_report report;
	struct state before, after;

	in_child(calls_without_statx);
	crowd = crowd_start(6, 0, 0);
	state_take(&before);
	for (int call = 0; call < 4; call++) {
		if (call % 2 == 0)
			expect_unchanged(library.restrict_all(-1, 0, PATIENT_MS, &report), &report,
					 -EBADF);
		else
			add_layer(call, WITH_PROC);
		state_take(&after);
		CHECK(after.files - before.files == (find_list() >= 0),
		      "call %d left %d descriptors open", call, after.files - before.files);
	}
	end_crowd(FILE_BIT(1) | FILE_BIT(3));
}

/* ---- The list that stays open ---- */

/* From here on, probing any id makes the call fail. */
static void layer_without_probing(void)
{
	crowd = crowd_start(6, 0, 0);
	add_layer(0, WITHOUT_PROC);
	CHECK(open("/proc/self/task", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES,
	      "/proc can still be listed");
	refuse_calls(SYS_tgkill, EPERM);
	add_layer(1, WITHOUT_PROC);
	add_layer(2, WITHOUT_PROC);
	end_crowd(FILE_BIT(0) | FILE_BIT(1) | FILE_BIT(2));
}

static void layer_of_child(void)
{
	int inherited = find_list();

	CHECK(inherited >= 0, "no descriptor is inherited");
	close(inherited);
	crowd = crowd_start(6, FILE_BIT(0), 1);
	add_layer(1, WITH_PROC);
	CHECK(find_list() >= 0, "the child keeps no list");
	end_crowd(FILE_BIT(0) | FILE_BIT(1));
}

static void layer_after_fork(void)
{
	crowd = crowd_start(6, 0, 0);
	add_layer(0, WITH_PROC);

	struct crowd *own = crowd;

	in_child(layer_of_child);
	crowd = own;
	end_crowd(FILE_BIT(0));
}

static const char *replacement;

static void layer_after_loss(void)
{
	crowd = crowd_start(6, 0, 0);
	add_layer(0, WITH_PROC);

	int fd = find_list();

	CHECK(fd >= 0, "no list is kept");
	close(fd);
	if (replacement) {
		int other = open(replacement, O_RDONLY | O_CLOEXEC);

		CHECK(other >= 0, "%s: %s", replacement, strerror(errno));
		if (other != fd) {
			CHECK(dup2(other, fd) == fd, "dup2: %s", strerror(errno));
			close(other);
		}
	}
	add_layer(1, WITHOUT_PROC);
	CHECK(!replacement || fcntl(fd, F_GETFD) >= 0, "somebody else's descriptor was closed");
	add_layer(2, WITHOUT_PROC);
	end_crowd(FILE_BIT(0) | FILE_BIT(1) | FILE_BIT(2));
}

void case_kept_descriptor(void)
{
	char parent[64];
	const char *const others[] = { NULL, "/dev/null", "/proc/self/status", parent, "/proc" };

	in_child(layer_without_probing);
	in_child(layer_after_fork);
	snprintf(parent, sizeof(parent), "/proc/%d/task", getpid());
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		replacement = others[i];
		in_child(layer_after_loss);
	}
}
