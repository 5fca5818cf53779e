/* A thread of the kernel's own in this process: io_uring's worker takes no signals. */
#include "stress.h"

#include <dirent.h>
#include <fcntl.h>

#include <sys/mman.h>

#define NR_IO_URING_SETUP 425
#define NR_IO_URING_ENTER 426
/* io_uring_setup(2), io_uring_enter(2) */
#define OFFSET_SQ_RING 0ULL
#define OFFSET_SQES 0x10000000ULL
#define OP_READ 22
#define SQE_ASYNC (1U << 4)
#define SETUP_SQPOLL (1U << 1)

struct parameters {
	uint32_t sq_entries, cq_entries, flags, cpu, idle, features, wq_fd, reserved[3];
	uint32_t head, tail, mask, entries, sq_flags, dropped, array, more;
	uint64_t user;
	uint32_t cq[10];
};

static int thread_there(const char *prefix)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	char path[512], name[16];
	int found = 0;

	while ((entry = readdir(tasks))) {
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);

		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && read(fd, name, 7) == 7 && memcmp(name, prefix, 7) == 0)
			found = 1;
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

/* Starts a read that a worker has to wait for. */
static struct ring ring_reading_from(int fd)
{
	static char byte;
	struct ring r;
	struct parameters p = ring_setup(&r, 0);

	r.queue_length = p.array + p.sq_entries * sizeof(uint32_t);
	/* struct io_uring_sqe has 64 bytes. */
	r.sqe_length = p.sq_entries * 64;
	r.queue = mmap(NULL, r.queue_length, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, OFFSET_SQ_RING);
	r.sqe = mmap(NULL, r.sqe_length, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, OFFSET_SQES);

	uint64_t address = (uint64_t)(uintptr_t)&byte;
	uint32_t one = 1;

	CHECK(r.queue != MAP_FAILED && r.sqe != MAP_FAILED, "mmap: %s", strerror(errno));
	memset(r.sqe, 0, 64);
	r.sqe[0] = OP_READ;
	r.sqe[1] = SQE_ASYNC;
	memcpy(r.sqe + 4, &fd, 4);
	memcpy(r.sqe + 16, &address, 8);
	memcpy(r.sqe + 24, &one, 4);
	memset(r.queue + p.array, 0, 4);
	__atomic_store_n((uint32_t *)(r.queue + p.tail), 1, __ATOMIC_SEQ_CST);
	CHECK(syscall(NR_IO_URING_ENTER, r.fd, 1, 0, 0, NULL, 0) == 1, "io_uring_enter: %s",
	      strerror(errno));
	return r;
}

void case_io_worker(void)
{
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(5, 0, 0);
	int ends[2];

	CHECK(pipe2(ends, O_CLOEXEC) == 0, "pipe2: %s", strerror(errno));

	struct ring ring = ring_reading_from(ends[0]);

	WAIT_FOR(thread_there("iou-wrk"));

	int64_t result =
		library.restrict_all(ruleset_denying(FILE_BIT(0), WITH_PROC), 0, HASTY_MS, &report);

	expect_unchanged(result, &report, ALLTHREADS_UNREACHABLE);
	CHECK(strncmp(report.name, "iou-wrk", 7) == 0, "thread %d (%s) was blamed", report.tid,
	      report.name);
	check_no_new_privs_everywhere(0);
	crowd_check(crowd, 0, 0);

	CHECK(write(ends[1], "", 1) == 1, "write: %s", strerror(errno));
	/* A worker waits for more work as long as there is a ring. */
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
