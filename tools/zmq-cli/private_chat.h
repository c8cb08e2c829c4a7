/* A private chat that this process holds: it lives no longer than the process does. Lines of stdin
 * go to the other one, his lines are printed, and each line that did not reach him is told on
 * stderr. */
#ifndef PRIVATE_CHAT_H
#define PRIVATE_CHAT_H

#include "private_state.h"

/* Logs in for private chats. */
enum status private_chat_begin(struct private_chat *chat, struct call *call);
/* Leaves; what was not delivered by then is told. */
void private_chat_release(struct private_chat *chat);

/* Invites, and waits until the chat is open. */
enum status private_chat_start(struct private_chat *chat, const char *user);
/* Waits for an invitation of `user` (NULL: anybody), `patience_us` (-1: for ever); whose it is
 * stands in chat->user then. */
enum status private_chat_await(struct private_chat *chat, const char *user, int64_t patience_us);
/* Accepts the invitation of chat->user. */
enum status private_chat_accept(struct private_chat *chat);
enum status private_chat_decline(struct private_chat *chat);

/* Holds the chat until stdin has ended and all is delivered, or the other one ends it. Where stdin
 * brings no line, it only listens. */
enum status private_chat_hold(struct private_chat *chat);
enum status private_chat_stop(struct private_chat *chat);

/* Folds a name to lower case, as the library tells it. */
void private_chat_name(char name[PRIVATE_USER_BYTES], const char *user);

/* How long a person is waited for: --timeout where it is said, else as long as an invitation
 * lives. */
int64_t private_chat_patience_us(const struct call *call);

/* That time, or the call's limit where it is sooner and holds. */
int64_t private_chat_within(const struct private_chat *chat, int64_t until_us);

/* The words of a call that waits for the other one. */
void private_chat_expect(struct private_chat *chat, int64_t patience_us, const char *text);

#endif
