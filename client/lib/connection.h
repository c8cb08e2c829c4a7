/* The way to the broker: look up the host, ask the greeter, check the key, connect with CURVE, let
 * the broker prove the key; and the same again, after a random delay, whenever the connection ends.
 * Knows nothing of sessions: it carries frames, and connection_step returns what happened. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "channel.h"
#include "device.h"
#include "fault.h"
#include "greeting.h"
#include "resolve.h"
#include "settings.h"

enum connection_state {
    CONNECTION_WAITING,   /* until deadline_us, then the next attempt */
    CONNECTION_RESOLVING, /* the host's name */
    CONNECTION_GREETING,  /* the greeter was asked */
    CONNECTION_ASKING,    /* an unknown key: connection_trust decides */
    CONNECTION_PROVING,   /* a Ping was sent through CURVE */
    CONNECTION_UP,
    CONNECTION_OVER, /* given up */
};

enum connection_news {
    CONNECTION_NOTHING,
    CONNECTION_UNKNOWN_KEY, /* the fingerprint is known now */
    CONNECTION_PROVED,      /* up */
    CONNECTION_LOST,        /* fault says why; the next attempt is in retry_ms */
    CONNECTION_REFUSED,     /* fault says why; there are no more attempts */
};

struct connection {
    const struct settings *settings; /* borrowed: from the handle */
    const struct device *device;     /* borrowed: from the handle */
    struct wake *wake;               /* borrowed: from the handle */
    struct wire_arena *arena;        /* borrowed: from the handle */
    struct context *context;         /* owned: a place in it */
    struct resolve *resolve;         /* owned */
    struct channel *channel;         /* owned: the greeter's, then the commands' */
    enum connection_state state;
    int64_t deadline_us;   /* of this state; WAKE_NEVER: none */
    int64_t up_us;         /* since when it is up */
    int64_t give_up_us;    /* when to leave a broker that stops; WAKE_NEVER: it does not */
    unsigned attempts;     /* that failed in a row */
    unsigned refusals;     /* ... because there was another key or another protocol */
    unsigned closings;     /* ... because the connection was closed before the key was proved */
    bool stood;            /* it was up once: since then it never gives up */
    size_t address;        /* which of the host's addresses is tried */
    size_t addresses_left; /* how many are left to try in this attempt */
    bool leaving;          /* the connection ended; what the channel holds is read first */
    bool key_known;
    unsigned char key[KEY_BYTES]; /* the broker's, once known */
    char fingerprint[FINGERPRINT_TEXT];
    char host[HOST_BYTES]; /* the address that is tried, in digits */
    struct greeting greeting;
    uint32_t retry_ms;
    struct fault fault;
};

/* False: no memory or file descriptors. The first attempt begins with the first step. */
bool connection_init(struct connection *connection, const struct settings *settings,
                     const struct device *device, struct wake *wake, struct wire_arena *arena);
/* Closes; what was sent gets a moment to be written. */
void connection_release(struct connection *connection);

/* Goes on as far as it can without waiting, or until there is news. */
enum connection_news connection_step(struct connection *connection, int64_t now_us);

/* Goes on with the key of CONNECTION_UNKNOWN_KEY, and pins it. */
zchat_code connection_trust(struct connection *connection, int64_t now_us, struct fault *fault);

/* Breaks the connection off, to begin anew. Returns CONNECTION_LOST or _REFUSED, with that
 * reason. */
enum connection_news connection_break(struct connection *connection, int64_t now_us,
                                      zchat_code code, const char *reason);
/* The same, because a frame could not be sent. */
enum connection_news connection_lost(struct connection *connection, int64_t now_us);
/* Ends it for good. */
void connection_stop(struct connection *connection);
/* The broker said that it stops: the connection is left soon, if the broker does not end it. */
void connection_expect_end(struct connection *connection, int64_t now_us);

/* Only while the connection is up. See channel.h. */
void *connection_frame(struct connection *connection, size_t frame_bytes, bool secret);
bool connection_send(struct connection *connection);
bool connection_receive(struct connection *connection, const void **frame, size_t *frame_bytes);

/* Whether a step or a receive may find something, now or (deadline) later. */
bool connection_is_ready(const struct connection *connection);
int64_t connection_deadline_us(const struct connection *connection);

#endif
