/* Threads of the store: they take no signals, which are the program's. */
#ifndef BACKGROUND_H
#define BACKGROUND_H

#include <pthread.h>

/* 0, or the error as pthread_create has it. */
int thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg);

#endif
