/* Whatever threads a process has, each one ends up confined. */
#include "stress.h"

#include <signal.h>

static void basic_with(int count)
{
	struct raw_sigaction before[SIGNALS + 1];
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(count, 0, 0);
	int ruleset = ruleset_denying(FILE_BIT(0), WITH_PROC);

	crowd_settle(crowd);
	check_this_thread(0, 0);
	dispositions_save(before);

	int64_t result = library.restrict_all(ruleset, 0, PATIENT_MS, &report);

	expect_success(result, &report, count + 1);
	dispositions_compare(before);
	check_this_thread(FILE_BIT(0), 1);
	crowd_check(crowd, FILE_BIT(0), 1);
	check_no_new_privs_everywhere(1);
	/* Only a thread that continues after the interruption can end. */
	crowd_end(crowd);
	close(ruleset);
}

static void basic_0(void)
{
	basic_with(0);
}
static void basic_1(void)
{
	basic_with(1);
}
static void basic_8(void)
{
	basic_with(8);
}
static void basic_100(void)
{
	basic_with(100);
}
static void basic_1000(void)
{
	basic_with(1000);
}

void case_basic(void)
{
	in_child(basic_0);
	in_child(basic_1);
	in_child(basic_8);
	in_child(basic_100);
	in_child(basic_1000);
}

void case_layers(void)
{
	struct raw_sigaction before[SIGNALS + 1];
	struct allthreads_report report;
	struct crowd *crowd = crowd_start(12, 0, 0);
	uint32_t denied = 0;

	dispositions_save(before);
	for (int layer = 0; layer < 16; layer++) {
		int ruleset = ruleset_denying(FILE_BIT(layer), WITH_PROC);
		int64_t result = library.restrict_all(ruleset, 0, PATIENT_MS, &report);

		denied |= FILE_BIT(layer);
		expect_success(result, &report, 13);
		crowd_check(crowd, denied, 1);
		check_this_thread(denied, 1);
		close(ruleset);
	}

	int ruleset = ruleset_denying(FILE_BIT(16), WITH_PROC);
	int64_t result = library.restrict_all(ruleset, 0, PATIENT_MS, &report);

	expect_unchanged(result, &report, -E2BIG);
	dispositions_compare(before);
	crowd_check(crowd, denied, 1);
	check_this_thread(denied, 1);
	crowd_end(crowd);
}

/* ---- Several callers ---- */

#define CALLERS_MOST 8

static struct {
	pthread_barrier_t barrier;
	int count;
	int threads;
	uint32_t denied;
} callers;

static void *caller_main(void *argument)
{
	int which = (int)(intptr_t)argument;
	int ruleset = ruleset_denying(FILE_BIT(which), WITH_PROC);
	struct allthreads_report report;

	check_this_thread(0, 0);
	pthread_barrier_wait(&callers.barrier);

	int64_t result = library.restrict_all(ruleset, 0, PATIENT_MS, &report);

	expect_success(result, &report, callers.threads);
	pthread_barrier_wait(&callers.barrier);
	check_this_thread(callers.denied, 1);
	return NULL;
}

static void callers_at_once(int count)
{
	pthread_t threads[CALLERS_MOST];
	struct crowd *crowd = crowd_start(20, 0, 0);

	callers.count = count;
	callers.threads = 1 + 20 + count;
	callers.denied = FILE_BIT(count) - 1;
	pthread_barrier_init(&callers.barrier, NULL, (unsigned)count);
	for (int i = 0; i < count; i++)
		threads[i] = start_thread(caller_main, (void *)(intptr_t)i);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	crowd_check(crowd, callers.denied, 1);
	check_this_thread(callers.denied, 1);
}

static void callers_2(void)
{
	callers_at_once(2);
}
static void callers_8(void)
{
	callers_at_once(8);
}

void case_two_callers(void)
{
	/* The race is short, so each gets a few runs. */
	for (int run = 0; run < 10; run++) {
		in_child(callers_2);
		in_child(callers_8);
	}
}

/* ---- Small stacks ---- */

/* PTHREAD_STACK_MIN of both libcs on x64. */
#define TINY_STACK (16 * 1024)
#define ALTSTACK (16 * 1024)
#define ALTSTACK_THREADS 16
#define UNTOUCHED 0xa5

static uint32_t altstack_ready, altstack_go;

static void *altstack_main(void *argument)
{
	stack_t stack = { .ss_sp = argument, .ss_size = ALTSTACK };
	int used = 0;

	memset(argument, UNTOUCHED, ALTSTACK);
	CHECK(sigaltstack(&stack, NULL) == 0, "sigaltstack: %s", strerror(errno));
	__atomic_add_fetch(&altstack_ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&altstack_go, __ATOMIC_SEQ_CST))
		futex_wait(&altstack_go, 0);
	check_this_thread(FILE_BIT(0), 1);
	for (int i = 0; i < ALTSTACK; i++)
		used += ((uint8_t *)argument)[i] != UNTOUCHED;
	CHECK(used > 0, "the handler ran on the thread's own stack");
	/* The first page of the stack, far below what a signal frame and a handler need. */
	for (int i = 0; i < 4096; i++)
		CHECK(((uint8_t *)argument)[i] == UNTOUCHED, "the handler used %d bytes of stack", used);
	return NULL;
}

static void *tiny_main(void *unused)
{
	__atomic_add_fetch(&altstack_ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&altstack_go, __ATOMIC_SEQ_CST))
		futex_wait(&altstack_go, 0);
	check_this_thread(FILE_BIT(0), 1);
	return unused;
}

void case_altstack(void)
{
	static uint8_t stacks[ALTSTACK_THREADS][ALTSTACK];
	pthread_t threads[2 * ALTSTACK_THREADS];
	struct allthreads_report report;
	pthread_attr_t tiny;

	pthread_attr_init(&tiny);
	CHECK(pthread_attr_setstacksize(&tiny, TINY_STACK) == 0, "no stack of %d bytes", TINY_STACK);
	for (int i = 0; i < ALTSTACK_THREADS; i++) {
		threads[2 * i] = start_thread(altstack_main, stacks[i]);
		CHECK(pthread_create(&threads[2 * i + 1], &tiny, tiny_main, NULL) == 0,
		      "no thread with a stack of %d bytes", TINY_STACK);
	}
	WAIT_FOR(__atomic_load_n(&altstack_ready, __ATOMIC_SEQ_CST) == 2 * ALTSTACK_THREADS);

	int ruleset = ruleset_denying(FILE_BIT(0), WITH_PROC);
	int64_t result = library.restrict_all(ruleset, 0, PATIENT_MS, &report);

	expect_success(result, &report, 2 * ALTSTACK_THREADS + 1);
	__atomic_store_n(&altstack_go, 1, __ATOMIC_SEQ_CST);
	futex_wake(&altstack_go);
	for (int i = 0; i < 2 * ALTSTACK_THREADS; i++)
		pthread_join(threads[i], NULL);
}
