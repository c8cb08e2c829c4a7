/* Waits for sockets of ZeroMQ and for descriptors as zmq_poll does, but with fewer system calls:
 * asking a socket costs two, and zmq_poll asks all of them, and twice if it waits.
 *
 * A socket's descriptor becomes readable only once for what has happened. So a socket is asked what
 * it has when its descriptor is readable, and also if it was used since it was last asked, because
 * using it may have cleared the descriptor. */
#ifndef POLLER_H
#define POLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct poller_item {
    void *socket; /* borrowed; NULL: the descriptor alone */
    int fd;       /* the socket's own, set by poller_begin; -1: nothing */
    bool wanted;  /* whether to wait for it */
    bool used;    /* set by the caller: something was sent, received or set with it */
    bool ready;   /* result: there is something to read */
};

#define POLLER_ITEMS_MAX 16

/* Completes the items, at most POLLER_ITEMS_MAX. false with errno. */
bool poller_begin(struct poller_item *items, size_t count);
/* Waits for one that is ready, at most that long; < 0: without a limit. What is ready counts as
 * used. false with errno: EINTR, or a socket or descriptor is not valid. */
bool poller_wait(struct poller_item *items, size_t count, int64_t timeout_us);

#endif
