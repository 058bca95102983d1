/* thread.c: see thread.h. */
#include "thread.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

void thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg)
{
    sigset_t all, before;
    char cut[16];
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        fprintf(stderr, "cannot start thread %s: %s\n", name, strerror(failed));
        abort();
    }
    snprintf(cut, sizeof cut, "%s", name);
    pthread_setname_np(*thread, cut);
}

void thread_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    int failed = pthread_cond_init(cond, &attr);
    assert(!failed);
    pthread_condattr_destroy(&attr);
}

bool thread_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint32_t ms)
{
    struct timespec deadline = clock_deadline(ms);
    return pthread_cond_timedwait(cond, lock, &deadline) == 0;
}
