/* A ZeroMQ socket, its monitor and their places in the wake: one connection, made once. It never
 * reconnects by itself; what became of it is told, and whoever opened it opens another. Only
 * this file of the library, context.c and peer_zap.c know zmq.h. */
#ifndef CHANNEL_H
#define CHANNEL_H

#include "context.h"
#include "limits.h"
#include "wake.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct channel;

enum channel_type { CHANNEL_DEALER, CHANNEL_SUB, CHANNEL_PAIR };

enum channel_state {
    CHANNEL_OPENING,     /* connecting, or shaking hands */
    CHANNEL_READY,       /* the handshake is done */
    CHANNEL_UNREACHABLE, /* nobody took the connection */
    CHANNEL_BROKEN,      /* somebody did, and closed it before the handshake was done: which says
                            nothing of keys, since a broker that stops does the same */
    CHANNEL_FOREIGN,     /* what came is no ZMTP, or does not fit the key */
    CHANNEL_DENIED,      /* the other side refused our key */
    CHANNEL_CLOSED,      /* it was ready, and is no longer */
};

struct channel_keys {
    const unsigned char *server_key; /* KEY_BYTES each */
    const unsigned char *public_key;
    const unsigned char *secret_key;
};

/* Begins to connect. `keys` NULL: without security. NULL with errno: no memory or file descriptors
 * (ENOMEM, EMFILE), or an endpoint that can't be one (EINVAL). */
struct channel *channel_new(struct context *context, struct wake *wake, enum channel_type type,
                            const char *endpoint, const struct channel_keys *keys);
/* A PAIR socket that waits at a free port of all addresses, CURVE's server: it becomes ready with
 * the first connection that the ZAP handler admits for `domain`, and takes no other one then.
 * The keys' server_key does not count. NULL with errno. */
struct channel *channel_listen(struct context *context, struct wake *wake,
                               const struct channel_keys *keys, const char *domain, uint16_t *port);
/* Closes. What was sent but not yet written is given linger_ms. */
void channel_free(struct channel *channel, int linger_ms);

enum channel_state channel_state(struct channel *channel);

/* SUB only: adds a subscription. False: no memory. */
bool channel_subscribe(struct channel *channel, const void *prefix, size_t prefix_bytes);
/* Takes one back. */
void channel_unsubscribe(struct channel *channel, const void *prefix, size_t prefix_bytes);

/* The room for a frame to send; `secret`: it is wiped when it was sent. NULL: no memory. */
void *channel_frame(struct channel *channel, size_t frame_bytes, bool secret);
/* Sends that frame. False: it can't be sent, the connection is gone or going. */
bool channel_send(struct channel *channel);

/* The next frame, valid until the next call. False: there is none now. */
bool channel_receive(struct channel *channel, const void **frame, size_t *frame_bytes);
/* To be asked now and then, where frames are taken as they come: whether the other side sends a
 * message without an end, of which libzmq keeps the parts beyond every bound. */
bool channel_is_endless(struct channel *channel);
/* Whether channel_receive might have one: false until the wake says so. */
bool channel_is_ready(const struct channel *channel);

#endif
