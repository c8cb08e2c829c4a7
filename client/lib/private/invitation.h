/* What the broker is told about private chats: invitations, their answers, and which chats are
 * open. */
#ifndef INVITATION_H
#define INVITATION_H

#include "chat.h"

/* The broker ends invitations by itself; after this time an invitation is over even if the broker
 * did not end it. */
#define INVITATION_LATE_US ((INVITATION_S + 5) * INT64_C(1000000))

enum invitation_word {
    INVITATION_DECLINED,
    INVITATION_ACCEPTED, /* with the chat's link, which is listening already */
    INVITATION_UNABLE,   /* the user accepted, but this program can't */
};

/* Sends the invitation of a new chat, or of a new link. False: no memory. */
bool invitation_ask(struct chat *chat);
void invitation_answer(struct chat *chat, enum invitation_word word);
/* Tells the broker that the chat is open; or over. */
void invitation_open(const struct chat *chat);
void invitation_close(const struct chat *chat);
/* The user did something that the broker does not see: tells it now, or as soon as it may be told
 * again. */
void invitation_active(struct chats *chats);

#endif
