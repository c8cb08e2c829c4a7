/* What the broker says of private chats, and what becomes of them with the session. */
#ifndef CHAT_NEWS_H
#define CHAT_NEWS_H

#include "chat.h"

/* Events about private chats; false: it is none. */
bool chats_event(struct chats *chats, const Zchat__V1__ServerEvent *event);
/* The answer to a request of theirs. */
void chats_reply(struct chats *chats, const struct request *request, const Zchat__V1__Reply *reply);
/* There is a session, which ends after that long without activity; 0: never. */
void chats_entered(struct chats *chats, uint32_t idle_timeout_s);
/* The session is lost; it is there again. */
void chats_lost(struct chats *chats);
void chats_resume(struct chats *chats);

#endif
