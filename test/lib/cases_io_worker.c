/* io_uring's worker is a kernel thread in this process, and takes no signals. */
#include "stress.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>

#include <sys/mman.h>
#include <sys/wait.h>

#define NR_IO_URING_SETUP 425
#define NR_IO_URING_ENTER 426
/* io_uring_setup(2), io_uring_enter(2) */
#define OFFSET_SQ_RING 0ULL
#define OFFSET_SQES 0x10000000ULL
#define OP_POLL_ADD 6
#define OP_READ 22
#define SQE_LINK (1U << 2)
#define SQE_ASYNC (1U << 4)
#define SQE_BYTES 64
#define SETUP_SQPOLL (1U << 1)

struct parameters {
	uint32_t sq_entries, cq_entries, flags, cpu, idle, features, wq_fd, reserved[3];
	uint32_t head, tail, mask, entries, sq_flags, dropped, array, more;
	uint64_t user;
	uint32_t cq[10];
};

/* The id of a thread whose name starts with this prefix, or 0. */
static int32_t thread_there(const char *prefix)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	char path[512], name[16];
	int32_t found = 0;

	while ((entry = readdir(tasks))) {
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);

		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && read(fd, name, 7) == 7 && memcmp(name, prefix, 7) == 0)
			found = atoi(entry->d_name);
		if (fd >= 0)
			close(fd);
	}
	closedir(tasks);
	return found;
}

struct ring {
	int fd;
	uint8_t *queue, *sqe;
	size_t queue_length, sqe_length;
};

static struct parameters ring_setup(struct ring *ring, uint32_t flags)
{
	struct parameters p;

	memset(&p, 0, sizeof(p));
	p.flags = flags;
	ring->fd = (int)syscall(NR_IO_URING_SETUP, 4, &p);
	if (ring->fd < 0)
		skipped("io_uring_setup: %s", strerror(errno));
	return p;
}

/*
 * Starts a read that a worker has to wait for. With a descriptor in `after`, it starts once that
 * becomes readable.
 */
static struct ring ring_reading_from(int fd, int after)
{
	static char byte;
	struct ring r;
	struct parameters p = ring_setup(&r, 0);
	uint32_t entries = after < 0 ? 1 : 2;

	r.queue_length = p.array + p.sq_entries * sizeof(uint32_t);
	r.sqe_length = p.sq_entries * SQE_BYTES;
	r.queue = mmap(NULL, r.queue_length, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, OFFSET_SQ_RING);
	r.sqe = mmap(NULL, r.sqe_length, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, OFFSET_SQES);

	uint64_t address = (uint64_t)(uintptr_t)&byte;
	uint32_t one = 1;

	CHECK(r.queue != MAP_FAILED && r.sqe != MAP_FAILED, "mmap: %s", strerror(errno));
	memset(r.sqe, 0, entries * SQE_BYTES);

	uint8_t *entry = r.sqe;

	if (after >= 0) {
		entry[0] = OP_POLL_ADD;
		entry[1] = SQE_LINK;
		memcpy(entry + 4, &after, 4);
		entry[28] = POLLIN;
		entry += SQE_BYTES;
	}
	entry[0] = OP_READ;
	entry[1] = SQE_ASYNC;
	memcpy(entry + 4, &fd, 4);
	memcpy(entry + 16, &address, 8);
	memcpy(entry + 24, &one, 4);
	for (uint32_t i = 0; i < entries; i++)
		memcpy(r.queue + p.array + i * sizeof(i), &i, sizeof(i));
	__atomic_store_n((uint32_t *)(r.queue + p.tail), entries, __ATOMIC_SEQ_CST);
	CHECK(syscall(NR_IO_URING_ENTER, r.fd, entries, 0, 0, NULL, 0) == (long)entries,
	      "io_uring_enter: %s", strerror(errno));
	return r;
}

void case_io_worker(void)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(5, 0, 0);
	int ends[2];

	CHECK(pipe2(ends, O_CLOEXEC) == 0, "pipe2: %s", strerror(errno));

	struct ring ring = ring_reading_from(ends[0], -1);

	WAIT_FOR(thread_there("iou-wrk"));

	int64_t result =
		library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, HASTY_MS, &report);

	expect_unchanged(result, &report, ALLTHREADS_UNREACHABLE);
	CHECK(strncmp(report.name, "iou-wrk", 7) == 0, "thread %d (%s) was blamed", report.tid,
	      report.name);
	check_no_new_privs_everywhere(0);
	crowd_check(crowd, 0, 0);

	CHECK(write(ends[1], "", 1) == 1, "write: %s", strerror(errno));
	/* A worker waits for more work while its ring exists. */
	munmap(ring.queue, ring.queue_length);
	munmap(ring.sqe, ring.sqe_length);
	close(ring.fd);
	WAIT_FOR(!thread_there("iou-wrk"));
	result = library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, PATIENT_MS, &report);
	expect_success(result, &report, 6);
	crowd_check(crowd, FILE_BIT(0), 1);
	check_this_thread(FILE_BIT(0), 1);
	crowd_end(crowd);
}

void case_io_poller(void)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(5, 0, 0);
	int ruleset = ruleset_denying(FILE_BIT(0), WITH_PROC);
	struct ring ring;

	ring_setup(&ring, SETUP_SQPOLL);
	WAIT_FOR(thread_there("iou-sqp"));

	int64_t result = library.restrict_all(ruleset, 0, HASTY_MS, &report);

	expect_unchanged(result, &report, ALLTHREADS_UNREACHABLE);
	CHECK(strncmp(report.name, "iou-sqp", 7) == 0, "thread %d (%s) was blamed", report.tid,
	      report.name);
	check_no_new_privs_everywhere(0);
	crowd_check(crowd, 0, 0);

	close(ring.fd);
	WAIT_FOR(!thread_there("iou-sqp"));
	result = library.restrict_all(ruleset, 0, PATIENT_MS, &report);
	expect_success(result, &report, 6);
	crowd_check(crowd, FILE_BIT(0), 1);
	check_this_thread(FILE_BIT(0), 1);
	crowd_end(crowd);
}

/* ---- A worker created while its thread is parked ---- */

#define RUNS 200
/* This many runs with a worker in the middle of the call are enough. */
#define MEETINGS 12
/* The call takes this long each time it meets the worker before anything changed. */
#define MEETING_MS (100 * SLOWNESS)
/* They stay idle, because busy ones would only take the CPUs. */
#define OTHERS 4

enum { NOBODY_MET, MET_BEFORE, MET_AFTERWARDS, ENDS };

static int ruleset, run, trigger[2], never_ready[2], verdict[2];
static uint32_t submitted, finished;

static void *submitter_main(void *tid)
{
	ring_reading_from(never_ready[0], trigger[0]);
	*(int32_t *)tid = thread_id();
	__atomic_store_n(&submitted, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&finished, __ATOMIC_SEQ_CST))
		futex_wait(&finished, 0);
	return NULL;
}

/* Ends the poll at a random moment after its thread has parked. */
static void pull_trigger(pid_t pid, int32_t tid)
{
	while (!(blocked_signals(pid, tid) >> 62 & 1))
		;
	for (volatile int i = 0; i < run % 20 * 5000; i++)
		;
	CHECK(write(trigger[1], "", 1) == 1, "write: %s", strerror(errno));
}

static void process_with_ring(void)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(OTHERS, 0, 0);
	int32_t tid = 0;

	CHECK(pipe(trigger) == 0 && pipe(never_ready) == 0, "pipe: %s", strerror(errno));

	pthread_t submitter = start_thread(submitter_main, &tid);

	WAIT_FOR(__atomic_load_n(&submitted, __ATOMIC_SEQ_CST));

	pid_t self = getpid(), helper = fork_child();

	if (helper == 0) {
		pull_trigger(self, tid);
		_exit(0);
	}

	int64_t result = library.restrict_all(ruleset, 0, MEETING_MS, &report);
	int32_t end = NOBODY_MET;

	if (result == 0) {
		/* A thread with the restriction created this worker. */
		check_no_new_privs_everywhere(1);
		expect_success(result, &report, OTHERS + 2);
	} else if (result == ALLTHREADS_DIVERGED) {
		end = MET_AFTERWARDS;
		CHECK(report.changed, "nothing has changed");
		/* A new worker first has its creator's name. */
		WAIT_FOR(thread_there("iou-wrk") == report.tid);
	} else {
		/* On a busy machine another thread may be late. */
		end = strncmp(report.name, "iou-wrk", 7) == 0 ? MET_BEFORE : NOBODY_MET;
		expect_unchanged(result, &report, ALLTHREADS_UNREACHABLE);
		CHECK(end == NOBODY_MET || report.tid == thread_there("iou-wrk"),
		      "thread %d was reported", report.tid);
		check_no_new_privs_everywhere(0);
	}
	/* On a busy machine the call may end before this thread sees another one parked. */
	kill(helper, SIGKILL);
	waitpid(helper, NULL, 0);
	if (end != MET_AFTERWARDS)
		crowd_check(crowd, result == 0 ? FILE_BIT(0) : 0, result == 0);
	say_word(verdict[1], end);
	__atomic_store_n(&finished, 1, __ATOMIC_SEQ_CST);
	futex_wake(&finished);
	pthread_join(submitter, NULL);
}

void case_io_born_worker(void)
{
	int ends[ENDS] = { 0 };

	CHECK(pipe(verdict) == 0, "pipe: %s", strerror(errno));
	/* Threads need time to restrict themselves, and may create a worker before that. */
	ruleset = ruleset_denying(FILE_BIT(0), WITH_PROC);
	ruleset_fill(ruleset);
	/* On a busy machine a run takes seconds. */
	for (int64_t since = now_ms(); run < RUNS && now_ms() - since < FOREVER_MS / 2; run++) {
		in_child(process_with_ring);
		ends[hear_word(verdict[0])]++;
		if (ends[MET_BEFORE] + ends[MET_AFTERWARDS] == MEETINGS)
			return;
	}
	if (ends[MET_BEFORE] + ends[MET_AFTERWARDS] == 0)
		skipped("in %d runs no worker was made while its thread was parked", run);
}
