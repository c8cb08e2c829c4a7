/* A ZeroMQ socket, its monitor and their places in the wake: one connection, made once. It never
 * reconnects by itself: it tells what became of it, and whoever opened it opens another one. Only
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
    CHANNEL_BROKEN,      /* somebody took it, but closed it before the handshake was done; this says
                          * nothing about keys, because a broker that stops does the same */
    CHANNEL_FOREIGN,     /* what came is not ZMTP, or does not fit the key */
    CHANNEL_DENIED,      /* the other side refused our key */
    CHANNEL_CLOSED,      /* it was ready, and is no longer */
    CHANNEL_ENDLESS,     /* a message has more than one part, or more bytes than a frame may have,
                            or more wait than may: it is over at once, whatever is still in it */
};

/* What is said of CHANNEL_ENDLESS; %s is the endpoint. */
#define CHANNEL_ENDLESS_TEXT                                                                       \
    "what answers at %s does not keep to the protocol: it sends a message of several parts, or "   \
    "one without an end"

struct channel_keys {
    const unsigned char *server_key; /* KEY_BYTES each */
    const unsigned char *public_key;
    const unsigned char *secret_key;
};

/* Begins to connect. `keys` NULL: without security, to a greeter. NULL with errno: no memory or
 * file descriptors (ENOMEM, EMFILE), or an endpoint that can't be one (EINVAL). */
struct channel *channel_new(struct context *context, struct wake *wake, enum channel_type type,
                            const char *endpoint, const struct channel_keys *keys);
/* Opens a PAIR socket that waits at a free port on all addresses, as CURVE's server. It becomes
 * ready with the first connection that the ZAP handler admits for `domain`, and then takes no other
 * one. The keys' server_key is not used. NULL with errno. */
struct channel *channel_listen(struct context *context, struct wake *wake,
                               const struct channel_keys *keys, const char *domain, uint16_t *port);
/* Closes the channel. What was sent but is not yet written gets linger_ms to be written. */
void channel_free(struct channel *channel, int linger_ms);

/* Also looks, now and then, whether what comes has an end. */
enum channel_state channel_state(struct channel *channel, int64_t now_us);
/* When it is to be asked again, else; WAKE_NEVER: not by itself. */
int64_t channel_deadline_us(const struct channel *channel);

/* SUB only: adds a subscription. False: no memory. */
bool channel_subscribe(struct channel *channel, const void *prefix, size_t prefix_bytes);
/* Takes one back. */
void channel_unsubscribe(struct channel *channel, const void *prefix, size_t prefix_bytes);

/* Room for a frame to send; `secret`: the frame is wiped after it was sent. NULL: no memory. */
void *channel_frame(struct channel *channel, size_t frame_bytes, bool secret);
/* Sends that frame. False: it can't be sent, because the connection is gone or going. */
bool channel_send(struct channel *channel);

/* The next frame, valid until the next call. False: there is none now. */
bool channel_receive(struct channel *channel, const void **frame, size_t *frame_bytes);
/* Whether channel_receive may have a frame: false until the wake says so. */
bool channel_is_ready(const struct channel *channel);

#endif
