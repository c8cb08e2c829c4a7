/* Threads of the store: they take no signals, which are the program's. */
#ifndef BACKGROUND_H
#define BACKGROUND_H

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

/* 0, or the error as pthread_create has it. A thread has the mask of who makes it. */
static inline int background_start(pthread_t *thread, void *(*run)(void *arg), void *arg) {
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(thread, NULL, run, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

#endif
