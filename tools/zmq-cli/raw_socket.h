/* A ZeroMQ socket of any type, made from the words and options of a call of raw. */
#ifndef RAW_SOCKET_H
#define RAW_SOCKET_H

#include "call.h"

#include <stdbool.h>

struct raw_kind {
    const char *name;
    int type;
    bool reads;  /* it can receive */
    bool writes; /* it can send */
    bool asks;   /* after each message that it sends it receives one */
    bool answers;
    bool peers;  /* the first part of a message is the peer */
    bool topics; /* it receives what it subscribed to */
    bool feeds;  /* it hears of subscriptions, or could */
};

struct raw_socket { /* all zero: not open */
    const struct raw_kind *kind;
    void *context; /* owned */
    void *socket;  /* owned */
    int fd;        /* readable when something has changed; owned by the socket */
    bool linger;   /* the call said how long it may linger */
};

/* The type of that name, in any case; NULL: there is none. */
const struct raw_kind *raw_kind_find(const char *name);

/* Makes it, sets its options, and binds or connects it to all addresses. `subscriptions`: a PUB
 * that hears of them. A failure has been reported; close it in any case. */
enum status raw_socket_open(struct raw_socket *socket, const struct call *call, bool subscriptions);

/* Closes it, once all is sent or after so many milliseconds. False: it may not have sent all. */
bool raw_socket_close(struct raw_socket *socket, int linger_ms);

#endif
