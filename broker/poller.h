/* Waits for sockets of ZeroMQ and for descriptors, as zmq_poll does, with fewer system calls: each
 * question to a socket costs two, and zmq_poll asks all of them, twice where it waits.
 *
 * A socket's descriptor tells once that something has happened. So a socket is asked what it has
 * when its descriptor tells, and when it was used since it was asked last, for then what happened
 * may have been taken note of already. */
#ifndef POLLER_H
#define POLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct poller_item {
    void *socket; /* borrowed; NULL: the descriptor alone */
    int fd;       /* the socket's own, once poller_begin has asked; -1: nothing */
    bool wanted;  /* whether to wait for it */
    bool used;    /* the caller's: something was sent or received by it, or set */
    bool ready;   /* out: there is something to read */
};

#define POLLER_ITEMS_MAX 16

/* Completes the items, of which at most POLLER_ITEMS_MAX are. false with errno. */
bool poller_begin(struct poller_item *items, size_t count);
/* Waits for one that is ready, and at most so long; < 0: without an end. What was ready counts as
 * used. false with errno: EINTR, or a socket or descriptor that is none. */
bool poller_wait(struct poller_item *items, size_t count, int64_t timeout_us);

#endif
