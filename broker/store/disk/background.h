/* The store's own threads. They take no signals: those are for the program. */
#ifndef BACKGROUND_H
#define BACKGROUND_H

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

/* Returns 0, or an error of pthread_create. A new thread inherits the signal mask of the thread
 * that makes it. */
static inline int background_start(pthread_t *thread, void *(*run)(void *arg), void *arg) {
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(thread, NULL, run, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

#endif
