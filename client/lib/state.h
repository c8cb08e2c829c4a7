/* What the client core is made of. The parts know struct client alone; what joins them (session.c,
 * command.c, core.c, outgoing.c) knows them all. */
#ifndef STATE_H
#define STATE_H

#include "chat.h"
#include "client.h"
#include "followed.h"
#include "inbox.h"
#include "topic.h"
#include "transfer.h"

struct core {
    struct client client;
    struct inbox inbox;
    struct topics topics;
    struct followed followed;
    struct transfers transfers;
    struct chats chats;
};

#endif
