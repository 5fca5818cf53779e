/* The descriptor that the library keeps is closed, and its number given to something else. */
#include "stress.h"

#include <fcntl.h>
#include <limits.h>

static const char *replacement;

static void lose_descriptor(void)
{
	char path[64], target[PATH_MAX];
	int lost = 0;

	for (int fd = 3; fd < 1024; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

		ssize_t length = readlink(path, target, sizeof(target) - 1);

		target[length > 0 ? length : 0] = 0;
		if (length < 5 || strcmp(target + length - 5, "/task") != 0)
			continue;
		close(fd);
		lost++;
		if (!replacement)
			continue;

		int other = open(replacement, O_RDONLY | O_CLOEXEC);

		CHECK(other >= 0, "%s: %s", replacement, strerror(errno));
		if (other != fd) {
			CHECK(dup2(other, fd) == fd, "dup2: %s", strerror(errno));
			close(other);
		}
	}
	CHECK(lost == 1, "the library keeps %d descriptors", lost);
}

static void layer_after_loss(void)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(6, 0, 0);
	int64_t result =
		library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, PATIENT_MS, &report);

	expect_success(result, &report, 7);
	lose_descriptor();
	result = library.restrict_all(ruleset_denying(FILE_BIT(1), WITH_PROC), 0, PATIENT_MS, &report);
	expect_success(result, &report, 7);
	crowd_check(crowd, FILE_BIT(0) | FILE_BIT(1), 1);
	check_this_thread(FILE_BIT(0) | FILE_BIT(1), 1);
	crowd_end(crowd);
}

void case_kept_descriptor(void)
{
	char parent[64];
	const char *const others[] = { NULL, "/dev/null", "/proc/self/status", parent, "/proc" };

	snprintf(parent, sizeof(parent), "/proc/%d/task", getpid());
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		replacement = others[i];
		in_child(layer_after_loss);
	}
}
