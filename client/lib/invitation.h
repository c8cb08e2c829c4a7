/* Private chats as the broker sees them: invitations, their answers, and which chats are open. */
#ifndef INVITATION_H
#define INVITATION_H

#include "chat.h"

/* Sends the invitation of a new chat, or of a new link. */
void invitation_ask(zchat *z, struct chat *chat);
enum invitation_word {
    INVITATION_DECLINED,
    INVITATION_ACCEPTED, /* with the chat's link, which listens already */
    INVITATION_UNABLE,   /* the user accepted, and this program can't */
};
void invitation_answer(zchat *z, struct chat *chat, enum invitation_word word);
/* Accepts his invitation. Not ZCHAT_OK: the fault says why, and the inviter is told that. */
zchat_code invitation_accept(zchat *z, struct chat *chat, struct fault *fault);
/* The broker is told that the chat is open, or over. */
void invitation_open(zchat *z, const struct chat *chat);
void invitation_close(zchat *z, const struct chat *chat);
/* The user does something that the broker does not see: it is told now, or as soon as it may be
 * told again. */
void invitation_active(zchat *z);
/* There is a session, which ends after that long without activity; 0: never. */
void invitations_entered(zchat *z, uint32_t idle_timeout_s);

/* Events about private chats; false: it is none. */
bool invitations_event(zchat *z, const Zchat__V1__ServerEvent *event);
void invitations_reply(zchat *z, const struct request *request, const Zchat__V1__Reply *reply);
/* The session is lost; it is there again. */
void invitations_lost(zchat *z);
void invitations_resume(zchat *z);

#endif
