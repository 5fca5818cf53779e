/* Stacks that take turns on one thread. In a file of its own, because <ucontext.h> and lib/sys.h
 * define the same names. */
#ifndef FUZZ_COROUTINE_H
#define FUZZ_COROUTINE_H

struct coroutine;

/* Creates one; each coroutine_start() starts it anew. */
struct coroutine *coroutine_make(void);

/* Runs body(argument) on it until it yields or ends. */
void coroutine_start(struct coroutine *coroutine, void (*body)(void *), void *argument);

/* Continues where it yielded. */
void coroutine_resume(struct coroutine *coroutine);

/* Whether it has yielded and not ended. */
int coroutine_waits(const struct coroutine *coroutine);

/* Returns, from inside, to the code that started or resumed it. */
void coroutine_yield(struct coroutine *coroutine);

/* Forgets its position. */
void coroutine_drop(struct coroutine *coroutine);

#endif
