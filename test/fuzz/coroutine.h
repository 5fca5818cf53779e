/* Stacks that take turns on one thread. Apart from the rest: <ucontext.h> and lib/sys.h name the
 * same things. */
#ifndef FUZZ_COROUTINE_H
#define FUZZ_COROUTINE_H

struct coroutine;

/* Makes one; it starts anew with each call of coroutine_start(). */
struct coroutine *coroutine_make(void);

/* Runs body(argument) on it until it yields or ends. */
void coroutine_start(struct coroutine *coroutine, void (*body)(void *), void *argument);

/* Goes on where it yielded. */
void coroutine_resume(struct coroutine *coroutine);

/* Whether it has yielded and not ended. */
int coroutine_waits(const struct coroutine *coroutine);

/* From inside: back to whoever started or resumed it. */
void coroutine_yield(struct coroutine *coroutine);

/* Forgets where it is. */
void coroutine_drop(struct coroutine *coroutine);

#endif
