/* Private chats, as the core uses them: what follows from the session, and what the broker says
 * about them. They have sockets and files, so whoever links the core provides these functions. */
#ifndef CHATS_H
#define CHATS_H

#include "client.h"

struct chats;

/* Frees them without a word. */
void chats_release(struct chats *chats);

/* There is a session now. The broker ends it after `idle_timeout_s` without activity; 0: never. */
void chats_entered(struct chats *chats, uint32_t idle_timeout_s);
/* The session is lost; the session is there again. */
void chats_lost(struct chats *chats);
void chats_resume(struct chats *chats);
/* The user logs out: all chats end with the next step. */
void chats_leave(struct chats *chats);
/* All end now. */
void chats_end_all(struct chats *chats, zchat_code code, const char *text);

/* Takes an event about private chats; false: the event is about something else. */
bool chats_event(struct chats *chats, const Zchat__V1__ServerEvent *event);
/* Takes the answer to a request of the chats. */
void chats_reply(struct chats *chats, const struct request *request, const Zchat__V1__Reply *reply);

/* Does what there is to do now; and tells whether another step would do more at once, or when. */
void chats_step(struct chats *chats);
bool chats_have_more(const struct chats *chats);
int64_t chats_deadline_us(const struct chats *chats);
/* Calls that wait for their answers. */
size_t chats_pending(const struct chats *chats);

#endif
