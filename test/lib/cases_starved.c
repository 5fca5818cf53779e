/* Threads that are ready to run but get no CPU are late, not lost. */
#include "stress.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>

#include <sys/wait.h>

/* Next to a normal thread an idle one gets 3 of 1,027 shares (kernel: WEIGHT_IDLEPRIO), so it
 * runs about once a second. */
#define STARVED_MS 100
#define LAYERS 10
#define ALL_FILES (FILE_BIT(LAYERS) - 1)

static uint32_t end;

static void stay_on_one_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	CHECK(sched_setaffinity(0, sizeof(one), &one) == 0, "sched_setaffinity: %s", strerror(errno));
}

static void *idler_main(void *ready)
{
	struct sched_param none = { 0 };

	stay_on_one_cpu();
	/* musl only has a stub. */
	CHECK(syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &none) == 0, "SCHED_IDLE: %s",
	      strerror(errno));
	__atomic_store_n((uint32_t *)ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&end, __ATOMIC_SEQ_CST))
		;
	check_this_thread(ALL_FILES, 1);
	return NULL;
}

/* Needs a process of its own: a thread of this one would be parked and leave the CPU. */
static pid_t start_hog(void)
{
	int spins[2];

	CHECK(pipe2(spins, O_CLOEXEC) == 0, "pipe2: %s", strerror(errno));

	pid_t hog = fork_child();

	if (hog == 0) {
		/* The test reads this process's output until no process holds the pipe. */
		close(STDERR_FILENO);
		stay_on_one_cpu();
		say_word(spins[1], 0);
		for (;;)
			;
	}
	/* Before this, it does not yet end with this process. */
	hear_word(spins[0]);
	return hog;
}

void case_starved(void)
{
	struct allthreads_report report;
	uint32_t ready = 0;
	pthread_t idler = start_thread(idler_main, &ready);

	WAIT_FOR(__atomic_load_n(&ready, __ATOMIC_SEQ_CST));

	pid_t hog = start_hog();

	int64_t longest = 0, start = now_ms();

	for (int layer = 0; layer < LAYERS;) {
		int ruleset = ruleset_denying(FILE_BIT(layer), WITH_PROC);
		int64_t since = now_ms();
		int64_t result = library.restrict_all(ruleset, 0, STARVED_MS, &report);

		close(ruleset);
		/* A busy machine may take longer still, which changes nothing. */
		if (result == ALLTHREADS_UNREACHABLE) {
			expect_unchanged(result, &report, ALLTHREADS_UNREACHABLE);
			CHECK(now_ms() - start < 60000, "it was never restricted");
			continue;
		}
		expect_success(result, &report, 2);
		if (now_ms() - since > longest)
			longest = now_ms() - since;
		layer++;
	}
	CHECK(longest > STARVED_MS, "it never waited for longer than %lld ms", (long long)longest);
	kill(hog, SIGKILL);
	waitpid(hog, NULL, 0);
	__atomic_store_n(&end, 1, __ATOMIC_SEQ_CST);
	pthread_join(idler, NULL);
	check_this_thread(ALL_FILES, 1);
}
