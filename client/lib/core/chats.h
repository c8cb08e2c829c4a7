/* Private chats, as the core uses them: what goes with the session, and what the broker says of
 * them. They have sockets and files, so whoever links the core brings them. */
#ifndef CHATS_H
#define CHATS_H

#include "client.h"

struct chats;

/* Frees them without a word. */
void chats_release(struct chats *chats);

/* There is a session, which ends after that long without activity; 0: never. */
void chats_entered(struct chats *chats, uint32_t idle_timeout_s);
/* The session is lost; it is there again. */
void chats_lost(struct chats *chats);
void chats_resume(struct chats *chats);
/* All end with the next step: the user logs out. */
void chats_leave(struct chats *chats);
/* All end now. */
void chats_end_all(struct chats *chats, zchat_code code, const char *text);

/* Events about private chats; false: it is none. */
bool chats_event(struct chats *chats, const Zchat__V1__ServerEvent *event);
/* The answer to a request of theirs. */
void chats_reply(struct chats *chats, const struct request *request, const Zchat__V1__Reply *reply);

/* Does what there is to do now; whether a step would do more at once, or when. */
void chats_step(struct chats *chats);
bool chats_have_more(const struct chats *chats);
int64_t chats_deadline_us(const struct chats *chats);
/* Calls that wait for their answers. */
size_t chats_pending(const struct chats *chats);

#endif
