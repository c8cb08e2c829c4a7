/* One link of a private chat, as the chat sees it: it either waits for one admitted peer or
 * connects to one, is used once, and carries frames; the chat knows what they say. Whoever links
 * private chats provides these functions. */
#ifndef LINK_H
#define LINK_H

#include "address.h"
#include "chat_host.h"
#include "fault.h"
#include "limits.h"
#include "wire.h"

enum link_state {
    LINK_MAKING,
    LINK_UP, /* CURVE has proved both keys */
    LINK_DEAD,
};

enum link_end {
    LINK_UNANSWERED, /* nobody is there */
    LINK_CLOSED,     /* somebody was */
    LINK_DENIED,     /* they refused our key */
    LINK_FOREIGN,    /* the other side did not prove the right key */
    LINK_ENDLESS,    /* they sent a message without an end */
};

struct link {
    enum link_state state;
    enum link_end end;                /* of a dead one */
    uint16_t port;                    /* where it listens */
    unsigned char nonce[NONCE_BYTES]; /* the one who connects has to show it */
};

/* Waits for the peer of that key. NULL: the fault says why. */
struct link *link_listen(const struct chat_host *host, const unsigned char key[KEY_BYTES],
                         struct fault *fault);
/* Connects to that peer. */
struct link *link_dial(const struct chat_host *host, const struct address *address,
                       const unsigned char key[KEY_BYTES], const unsigned char nonce[NONCE_BYTES],
                       struct fault *fault);
/* Closes; what was sent gets linger_ms to be written. NULL is fine. */
void link_free(struct link *link, int linger_ms);

/* The address, in digits, that it last tried; NULL: none was found, or it listens. */
const char *link_tried(const struct link *link);

enum link_state link_step(struct link *link, int64_t now_us);

/* Room for a frame; and sending it. If that fails the link is dead. */
void *link_frame(struct link *link, size_t frame_bytes);
bool link_send(struct link *link);
bool link_receive(struct link *link, const void **frame, size_t *frame_bytes);

/* Whether a step or a receive may find something now. */
bool link_is_ready(const struct link *link);
/* If not, when a step is due; NEVER_US: not by itself. */
int64_t link_deadline_us(const struct link *link);

#endif
