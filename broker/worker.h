/* Threads that check and hash passwords away from the loop, because one takes 130 ms. Finished work
 * comes back over inproc. */
#ifndef WORKER_H
#define WORKER_H

#include "core/core.h"

struct workers;

/* NULL: no threads or sockets; errno says why. */
struct workers *workers_new(void *context, uint32_t count);
/* Waits for the work under way, and drops its results. */
void workers_free(struct workers *workers);

void *workers_socket(const struct workers *workers);
/* Takes the work over, and has a thread do it. */
void workers_give(struct workers *workers, struct core_work *work);
/* The next finished work; NULL: none now. */
struct core_work *workers_take(struct workers *workers);

#endif
