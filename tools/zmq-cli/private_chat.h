/* A private chat that this process holds: it lives no longer than the process. Lines from stdin go
 * to the other one, their lines are printed, and each line that did not reach them is reported on
 * stderr. */
#ifndef PRIVATE_CHAT_H
#define PRIVATE_CHAT_H

#include "private_state.h"

/* Logs in for private chats: `endless`, for one after the other. */
enum status private_chat_begin(struct private_chat *chat, struct call *call, bool endless);
/* Leaves the chat, and reports what was not delivered by then. */
void private_chat_release(struct private_chat *chat);

/* Invites, and waits until the chat is open. */
enum status private_chat_start(struct private_chat *chat, const char *user);
/* Waits for an invitation from `user` (NULL: anybody) for `patience_us` (-1: for ever). Then
 * chat->user tells who invites. */
enum status private_chat_await(struct private_chat *chat, const char *user, int64_t patience_us);
/* Accepts the invitation of chat->user. */
enum status private_chat_accept(struct private_chat *chat);
enum status private_chat_decline(struct private_chat *chat);

/* Holds the chat until stdin has ended and everything is delivered, or the other one ends it. If
 * stdin brings no line, it only listens. */
enum status private_chat_hold(struct private_chat *chat);
enum status private_chat_stop(struct private_chat *chat);

/* Folds a name to lower case, as the library tells names. */
void private_chat_name(char name[PRIVATE_USER_BYTES], const char *user);

/* How long to wait for a person: --timeout if given, otherwise as long as an invitation lives. */
int64_t private_chat_patience_us(const struct call *call);

/* That time, or the call's limit if that is sooner and applies. */
int64_t private_chat_within(const struct private_chat *chat, int64_t until_us);

/* Sets what the call says if it waits for the other one in vain. */
void private_chat_expect(struct private_chat *chat, int64_t patience_us, const char *text);

#endif
