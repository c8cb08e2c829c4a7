/* The SUB socket, while the published events are wanted: it is opened, watched, and opened anew
 * after a random delay whenever it ends. The core takes what comes from it. */
#ifndef SUBSCRIBER_H
#define SUBSCRIBER_H

#include "channel.h"
#include "client_core.h"
#include "connection.h"

struct subscriber {
    struct client_core *core;            /* borrowed */
    const struct connection *connection; /* borrowed: the connection to the same broker */
    struct channel *channel;             /* owned; NULL: it is not open */
    bool ready;                          /* the handshake is done */
    int64_t reopen_us; /* when to open it; WAKE_NEVER: it is open, or not wanted */
    unsigned failures; /* of opening it, in a row */
};

void subscriber_init(struct subscriber *subscriber, struct client_core *core,
                     const struct connection *connection);
/* Opens it with the next step, while there is a session. */
void subscriber_open(struct subscriber *subscriber);
void subscriber_close(struct subscriber *subscriber);

/* Adds a subscription. False: that failed, and the socket is opened anew a little later. */
bool subscriber_add(struct subscriber *subscriber, const uint8_t *prefix, size_t prefix_bytes);
void subscriber_remove(struct subscriber *subscriber, const uint8_t *prefix, size_t prefix_bytes);

/* Reads what the socket has, up to a bound; opens it when that is due. */
void subscriber_receive(struct subscriber *subscriber);
void subscriber_tick(struct subscriber *subscriber);
/* Whether there may be more to read; when a tick is due. */
bool subscriber_has_more(const struct subscriber *subscriber);
int64_t subscriber_deadline_us(const struct subscriber *subscriber);

#endif
