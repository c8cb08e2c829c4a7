/* One link of a private chat: a PAIR socket that either waits for one admitted peer or connects to
 * one, and is used once. It carries frames; what they say is the chat's. */
#ifndef LINK_H
#define LINK_H

#include "channel.h"
#include "device.h"
#include "fault.h"
#include "resolve.h"
#include "wire.h"

#define LINK_DOMAIN 33 /* 32 hex digits with their NUL */

enum link_state {
    LINK_MAKING,
    LINK_UP, /* CURVE has proved both keys */
    LINK_DEAD,
};

struct link_place { /* what all links of a handle share; borrowed */
    struct context *context;
    struct wake *wake;
    const struct device *device;
};

struct link {
    struct link_place place;
    struct channel *channel; /* owned; NULL: the host is looked up */
    struct resolve *resolve; /* owned; NULL where it listens */
    struct address address;  /* where it connects to */
    size_t next_host;        /* of those that resolve found */
    bool listens;
    uint16_t port;                    /* where it listens */
    char domain[LINK_DOMAIN];         /* of the ZAP handler */
    struct peer_guest *guest;         /* owned: whom it admits; NULL where it connects */
    unsigned char key[KEY_BYTES];     /* the peer's */
    unsigned char nonce[NONCE_BYTES]; /* to be shown by who connects */
    enum link_state state;
    enum channel_state end; /* of a dead one: how its channel ended */
    int64_t leave_us;       /* the connection is over; what it still holds is read until then */
    int64_t look_us;        /* when it is looked whether what comes has an end */
    bool endless;           /* it is dead since it had none */
};

/* Waits for the peer of that key. NULL: the fault says why. */
struct link *link_listen(struct link_place place, const unsigned char key[KEY_BYTES],
                         struct fault *fault);
/* Connects to that peer. */
struct link *link_dial(struct link_place place, const struct address *address,
                       const unsigned char key[KEY_BYTES], const unsigned char nonce[NONCE_BYTES],
                       struct fault *fault);
/* Closes; what was sent is given linger_ms. */
void link_free(struct link *link, int linger_ms);

/* The address in digits that it tried last; NULL: none was found, or it listens. */
const char *link_tried(const struct link *link);

enum link_state link_step(struct link *link, int64_t now_us);

/* The room for a frame, and sending it. Where that fails the link is dead. */
void *link_frame(struct link *link, size_t frame_bytes);
bool link_send(struct link *link);
/* Sends one message in a frame of its own. */
bool link_say(struct link *link, Zchat__V1__PeerMessage *message);
bool link_receive(struct link *link, const void **frame, size_t *frame_bytes);

/* Whether a step or a receive may find something now. */
bool link_is_ready(const struct link *link);
/* When a step is due, else; WAKE_NEVER: not by itself. */
int64_t link_deadline_us(const struct link *link);

#endif
