/* Threads that start and end while the broadcast looks for them. */
#include "stress.h"

#include <fcntl.h>
#include <sched.h>

#include <sys/utsname.h>

#define CHURNERS 4
#define CHAINS 2
/* The smallest pid_max with room to work in: ids below 300 are used only once. */
#define FEW_IDS "400"

static struct {
	int without_proc;
	uint32_t keepers_before;
	uint32_t keepers_most;
	uint32_t created;
	uint32_t broadcasting;
	uint32_t enforced;
	uint32_t finish;
	uint32_t keepers;
	uint32_t ended; /* counts only those created */
} churn;

static uint32_t get(uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static uint32_t add(uint32_t *word)
{
	return __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
}

/* Either outcome is right during the broadcast; once it has returned, only a refusal is. */
static void attempt(void)
{
	uint32_t enforced = get(&churn.enforced);
	int fd = open(scratch_file(0), O_RDONLY | O_CLOEXEC);
	int error = fd < 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	CHECK(!enforced || error == EACCES, "thread %d escaped: it got %s", thread_id(),
	      error ? strerror(error) : "the file");
	CHECK(error == 0 || error == EACCES, "thread %d: %s", thread_id(), strerror(error));
}

static void *brief(void *unused)
{
	attempt();
	add(&churn.ended);
	return unused;
}

static void *keeper(void *unused)
{
	attempt();
	while (!get(&churn.finish))
		futex_wait(&churn.finish, 0);
	check_this_thread(FILE_BIT(0), 1);
	add(&churn.ended);
	return unused;
}

static int create(pthread_t *thread, int detached, void *(*body)(void *))
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, SMALL_STACK);
	pthread_attr_setdetachstate(&attributes,
				    detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);

	int error = pthread_create(thread, &attributes, body, NULL);

	pthread_attr_destroy(&attributes);
	CHECK(error == 0 || error == EAGAIN, "pthread_create: %s", strerror(error));
	if (error == 0)
		add(&churn.created);
	else
		sched_yield();
	return error == 0;
}

/* Each thread creates its successor and ends, so a single look finds the wrong one. */
static void *chain(void *unused)
{
	pthread_t next;

	attempt();
	while (!get(&churn.finish))
		if (create(&next, 1, chain))
			break;
	add(&churn.ended);
	return unused;
}

static void *churner(void *detached)
{
	pthread_t thread;

	for (uint32_t i = 0; !get(&churn.finish); i++) {
		uint32_t room = get(&churn.broadcasting) ? churn.keepers_most : churn.keepers_before;

		attempt();
		if (i % 4 == 0 && get(&churn.keepers) < room) {
			if (create(&thread, 1, keeper))
				add(&churn.keepers);
		} else if (create(&thread, detached != NULL, brief) && !detached) {
			pthread_join(thread, NULL);
		}
	}
	return NULL;
}

static void churn_with(uint32_t keepers_before, uint32_t keepers_most)
{
	pthread_t threads[CHURNERS], first;
	struct allthreads_report report;
	int ruleset = ruleset_denying(FILE_BIT(0), WITH_PROC);

	churn.keepers_before = keepers_before;
	churn.keepers_most = keepers_most;
	check_this_thread(0, 0);
	for (int i = 0; i < CHURNERS; i++)
		threads[i] = start_thread(churner, i % 2 ? &churn : NULL);
	for (int i = 0; i < CHAINS; i++)
		CHECK(create(&first, 1, chain), "no thread to start with");
	WAIT_FOR(get(&churn.created) > 300);
	add(&churn.broadcasting);

	int64_t result = library.restrict_all(ruleset, 0, PATIENT_MS, &report);

	expect_success(result, &report, 0);
	add(&churn.enforced);
	CHECK(report.threads > CHURNERS, "only %d threads", report.threads);

	uint32_t created = get(&churn.created);

	WAIT_FOR(get(&churn.created) > created + 300);
	if (!churn.without_proc)
		check_no_new_privs_everywhere(1);
	add(&churn.finish);
	futex_wake(&churn.finish);
	for (int i = 0; i < CHURNERS; i++)
		pthread_join(threads[i], NULL);
	WAIT_FOR(get(&churn.ended) == get(&churn.created));
	check_this_thread(FILE_BIT(0), 1);
}

void case_churn(void)
{
	churn_with(100, 600);
}

static void churn_with_few_ids(void)
{
	mount_proc();

	int fd = open("/proc/sys/kernel/pid_max", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, FEW_IDS, strlen(FEW_IDS)) < 0)
		skipped("/proc/sys/kernel/pid_max: %s", strerror(errno));
	close(fd);
	if (churn.without_proc)
		hide_proc();
	churn_with(10, 40);
}

static void enter_and_churn(void)
{
	enter_namespaces(CLONE_NEWPID | CLONE_NEWNS);
	in_child(churn_with_few_ids);
}

/* An id comes back after a hundred threads, and so within one broadcast. */
void case_reused_thread_id(void)
{
	struct utsname kernel;
	int major, minor;

	/* Before 6.14 the limit applies to the whole machine. */
	uname(&kernel);
	if (sscanf(kernel.release, "%d.%d", &major, &minor) != 2 || major * 100 + minor < 614)
		skipped("Linux 6.14 or later is needed for a pid_max of one's own");
	for (int run = 0; run < 20; run++)
		in_child(enter_and_churn);
	churn.without_proc = 1;
	in_child(enter_and_churn);
}
