/* One pollable fd for everything that a handle waits for: the fds of ZeroMQ's sockets, a timer, and
 * a flag that the library sets itself when it knows that there is more to do. The fd is readable
 * until wake_collect has seen why. Only this unit knows Linux's epoll, timerfd and eventfd. */
#ifndef WAKE_H
#define WAKE_H

#include <stdbool.h>
#include <stdint.h>

#define WAKE_NEVER INT64_MAX

struct wake;

/* The state of an fd. `ready` is set when the fd was readable, and only the fd's owner clears it,
 * once nothing more can be read. The fd of a ZeroMQ socket is edge-triggered, and a send can
 * consume an edge: so whoever sends sets `ready`, too. */
struct wake_source {
    bool ready;
};

/* NULL: no memory or no more file descriptors. */
struct wake *wake_new(void);
void wake_free(struct wake *wake);

int wake_fd(const struct wake *wake);

/* Begins to watch an fd; `source` must live until wake_remove. False: no memory. */
bool wake_add(struct wake *wake, int fd, struct wake_source *source);
void wake_remove(struct wake *wake, int fd);

/* Watches a socket that belongs to somebody else, who reads it and may close it at any time: the
 * wake's own fd becomes readable when something comes over it, even if it was read at once. */
void wake_watch(struct wake *wake, int fd);
/* Stops that until it is watched again. */
void wake_mute(struct wake *wake, int fd);
/* Changes whenever something came, over whichever of them. */
unsigned wake_foreign(const struct wake *wake);

/* Makes the fd readable until the next wake_collect. Costs nothing if it is readable already. */
void wake_fire(struct wake *wake);
/* Makes the fd readable at that time of clock_us, or earlier, at the time of an earlier call. */
void wake_at(struct wake *wake, int64_t when_us);

/* Waits up to timeout_ms (0: not at all, -1: without end) and marks the sources that are ready.
 * False with errno: EINTR. */
bool wake_collect(struct wake *wake, int timeout_ms);

#endif
