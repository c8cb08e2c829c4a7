/* Threads of the store: they take no signals, which are the program's. */
#ifndef THREAD_H
#define THREAD_H

#include <pthread.h>

/* 0, or the error as pthread_create has it. */
int thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg);

#endif
