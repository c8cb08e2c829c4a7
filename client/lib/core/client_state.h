/* What the client core is made of. The parts know only struct client; the files that join them
 * (session.c, command.c, client_core.c, outgoing.c) know them all. */
#ifndef CLIENT_STATE_H
#define CLIENT_STATE_H

#include "awaited.h"
#include "client.h"
#include "followed.h"
#include "inbox.h"
#include "published.h"
#include "transfer.h"

struct chats;

struct client_core {
    struct client client;
    struct inbox inbox;
    struct published published;
    struct followed followed;
    struct awaited awaited;
    struct transfers transfers;
    struct chats *chats;  /* borrowed: see chats.h */
    size_t unasked_bytes; /* of frames, since the last one with something that was asked for */
};

#endif
