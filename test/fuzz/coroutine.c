#include "coroutine.h"

#include <stdlib.h>
#include <ucontext.h>

/* Includes what sanitizers add to each frame. */
#define STACK_BYTES (256 << 10)

struct coroutine {
	ucontext_t own;
	ucontext_t outside;
	void (*body)(void *);
	void *argument;
	char *stack;
	int waits;
};

struct coroutine *coroutine_make(void)
{
	struct coroutine *coroutine = calloc(1, sizeof(*coroutine));

	coroutine->stack = malloc(STACK_BYTES);
	return coroutine;
}

/* makecontext(3) passes only integers. */
static struct coroutine *starting;

static void enter(void)
{
	struct coroutine *coroutine = starting;

	coroutine->body(coroutine->argument);
	coroutine->waits = 0;
}

void coroutine_start(struct coroutine *coroutine, void (*body)(void *), void *argument)
{
	coroutine->body = body;
	coroutine->argument = argument;
	coroutine->waits = 1;
	getcontext(&coroutine->own);
	coroutine->own.uc_stack.ss_sp = coroutine->stack;
	coroutine->own.uc_stack.ss_size = STACK_BYTES;
	coroutine->own.uc_link = &coroutine->outside;
	makecontext(&coroutine->own, enter, 0);
	starting = coroutine;
	swapcontext(&coroutine->outside, &coroutine->own);
}

void coroutine_resume(struct coroutine *coroutine)
{
	swapcontext(&coroutine->outside, &coroutine->own);
}

int coroutine_waits(const struct coroutine *coroutine)
{
	return coroutine->waits;
}

void coroutine_yield(struct coroutine *coroutine)
{
	swapcontext(&coroutine->own, &coroutine->outside);
}

void coroutine_drop(struct coroutine *coroutine)
{
	coroutine->waits = 0;
}
