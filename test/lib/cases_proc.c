/* /proc is unreachable, belongs to another namespace, or shows an exited main thread. */
#include "stress.h"

#include <fcntl.h>
#include <sched.h>

/* ---- The main thread has exited ---- */

static pthread_barrier_t before_exit;
static int leader_stat; /* opened before /proc goes away: state of the main thread */

static int leader_is_zombie(void)
{
	char text[512];
	ssize_t got = pread(leader_stat, text, sizeof(text) - 1, 0);

	text[got > 0 ? got : 0] = 0;

	const char *name_end = strrchr(text, ')');

	return name_end && name_end[2] == 'Z';
}

static void *leaderless_main(void *unused)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(10, 0, 0);

	pthread_barrier_wait(&before_exit);
	WAIT_FOR(leader_is_zombie());
	check_this_thread(0, 0);

	int64_t result =
		library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, PATIENT_MS, &report);

	expect_success(result, &report, 11);
	check_this_thread(FILE_BIT(0), 1);
	crowd_check(crowd, FILE_BIT(0), 1);
	crowd_end(crowd);
	scratch_remove();
	_exit(0);
	return unused;
}

static void *leaderless_no_proc_main(void *unused)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(10, 0, 0);
	int64_t result = library.restrict_all(ruleset_denying(FILE_BIT(0), WITHOUT_PROC), 0,
					      PATIENT_MS, &report);

	expect_success(result, &report, 12);
	pthread_barrier_wait(&before_exit);
	WAIT_FOR(leader_is_zombie());
	result = library.restrict_all(ruleset_denying(FILE_BIT(1), WITHOUT_PROC), 0, PATIENT_MS,
				      &report);
	expect_success(result, &report, 11);
	check_this_thread(FILE_BIT(0) | FILE_BIT(1), 1);
	crowd_check(crowd, FILE_BIT(0) | FILE_BIT(1), 1);
	crowd_end(crowd);
	scratch_remove();
	_exit(0);
	return unused;
}

static void leave_behind(void *(*body)(void *))
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	leader_stat = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(leader_stat >= 0, "%s: %s", path, strerror(errno));
	pthread_barrier_init(&before_exit, NULL, 2);
	start_thread(body, NULL);
	pthread_barrier_wait(&before_exit);
	pthread_exit(NULL);
}

void case_leader_exited(void)
{
	leave_behind(leaderless_main);
}

void case_leader_exited_no_proc(void)
{
	leave_behind(leaderless_no_proc_main);
}

/* ---- A ruleset that covers /proc ---- */

static uint32_t layers_so_far;

static void *layer_main(void *which)
{
	struct allthreads_report report;
	uint32_t file = FILE_BIT((int)(intptr_t)which);
	int64_t result = library.restrict_all(ruleset_denying(file, WITHOUT_PROC), 0, PATIENT_MS,
					      &report);

	expect_success(result, &report, 0);
	layers_so_far |= file;
	check_this_thread(layers_so_far, 1);
	return NULL;
}

void case_second_layer_no_proc(void)
{
	struct crowd *crowd = crowd_start(10, 0, 0);

	layer_main((void *)0);
	CHECK(open("/proc/self/task", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES,
	      "/proc can still be read");
	for (int layer = 1; layer < 6; layer++) {
		struct crowd *newer = crowd_start(5, layers_so_far, 1);
		struct crowd *brief = crowd_start(3, layers_so_far, 1);

		crowd_end(brief);
		pthread_join(start_thread(layer_main, (void *)(intptr_t)layer), NULL);
		crowd_check(newer, layers_so_far, 1);
		crowd_end(newer);
	}
	crowd_check(crowd, layers_so_far, 1);
	check_this_thread(layers_so_far, 1);
	crowd_end(crowd);
}

/* ---- Namespaces ---- */

static void two_layers_of_a_crowd(void)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(20, 0, 0);
	int64_t result =
		library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, PATIENT_MS, &report);

	expect_success(result, &report, 21);
	crowd_check(crowd, FILE_BIT(0), 1);
	result = library.restrict_all(ruleset_denying(FILE_BIT(1), WITH_PROC), 0, PATIENT_MS, &report);
	expect_success(result, &report, 21);
	crowd_check(crowd, FILE_BIT(0) | FILE_BIT(1), 1);
	check_this_thread(FILE_BIT(0) | FILE_BIT(1), 1);
	crowd_end(crowd);
}

void case_dead_proc(void)
{
	hide_proc();
	two_layers_of_a_crowd();
}

static void with_the_parents_proc(void)
{
	char pid[16];

	memset(pid, 0, sizeof(pid));
	CHECK(readlink("/proc/self", pid, sizeof(pid) - 1) > 0, "/proc/self: %s", strerror(errno));
	CHECK(getpid() == 1 && atoi(pid) != 1, "/proc is of this pid namespace");
	two_layers_of_a_crowd();
}

void case_foreign_proc(void)
{
	enter_namespaces(CLONE_NEWPID);
	in_child(with_the_parents_proc);
}

static void inner_first_process(void)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(4, FILE_BIT(0), 1);
	int64_t result =
		library.restrict_all(ruleset_denying(FILE_BIT(1), WITH_PROC), 0, PATIENT_MS, &report);

	CHECK(getpid() == 1, "this process is number %d", getpid());
	expect_success(result, &report, 5);
	crowd_check(crowd, FILE_BIT(0) | FILE_BIT(1), 1);
	crowd_end(crowd);
}

static void outer_first_process(void)
{
	struct allthreads_report report;

	mount_proc();
	expect_success(library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, PATIENT_MS,
					    &report),
		       &report, 1);
	CHECK(unshare(CLONE_NEWPID) == 0, "unshare: %s", strerror(errno));
	in_child(inner_first_process);
}

/* Parent and child have the same process id, each in its own pid namespace. */
void case_nested_pid_namespace(void)
{
	enter_namespaces(CLONE_NEWPID | CLONE_NEWNS);
	in_child(outer_first_process);
}
