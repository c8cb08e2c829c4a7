/* The life of private chats: links, lines, files and time. */
#ifndef CHATS_H
#define CHATS_H

#include "chat.h"

/* Frees them without a word. */
void chats_release(struct chats *chats);
void chats_step(struct chats *chats);
/* Whether a step would do something now, or when. */
bool chats_have_more(const struct chats *chats);
int64_t chats_deadline_us(const struct chats *chats);
/* Calls that wait for their answers. */
size_t chats_pending(const struct chats *chats);

/* All end with the next step: the user logs out. */
void chats_leave(struct chats *chats);
/* All end now. */
void chats_end_all(struct chats *chats, zchat_code code, const char *text);

#endif
