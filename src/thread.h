/*
 * thread.h: named threads and a condition on the monotonic clock. Few, blocking, with a plain loop each:
 * stop? → work → wait with a timeout.
 */
#ifndef WOLFCDC_THREAD_H
#define WOLFCDC_THREAD_H
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts `run(arg)` in a thread called `name` (≤ 15 bytes) with all signals blocked. Failing to start a
   thread ends the process: there is no smaller service to offer. */
void thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg);
void thread_cond_init(pthread_cond_t *cond); /* CLOCK_MONOTONIC */
/* Waits at most ms; false on timeout. The mutex is held before and after. */
bool thread_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint32_t ms);

#endif
