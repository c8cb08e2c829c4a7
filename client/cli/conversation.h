/* Whom plain lines go to, and what scrolled by meanwhile: how many messages of others, and how many
 * posts in threads that the user follows. A count grows while a conversation with somebody else is
 * open; opening one with its sender, reading the thread, writing to either, or leaving the
 * conversation clears it. It is about attention; at the broker, what was shown counts as read. */
#ifndef CONVERSATION_H
#define CONVERSATION_H

#include "name.h"

#include <stdbool.h>
#include <stddef.h>

struct conversation_unread {
    char *name;  /* owned: a user's, or a thread's title */
    bool thread; /* it is a title */
    unsigned count;
};

struct conversation {                   /* all zero: none is open */
    char partner[NAME_BYTES];           /* "": none is open */
    bool is_private;                    /* lines go straight to the partner */
    struct conversation_unread *unread; /* owned; in the order of arrival */
    size_t unread_count;
};

void conversation_release(struct conversation *conversation);
bool conversation_is_open(const struct conversation *conversation);
void conversation_open(struct conversation *conversation, const char *user);
void conversation_close(struct conversation *conversation);
/* A message of `user` was shown. */
void conversation_heard(struct conversation *conversation, const char *user);
/* Something new in a thread was shown. */
void conversation_heard_thread(struct conversation *conversation, const char *title);
/* Something was written to `user`: clears their count. */
void conversation_answered(struct conversation *conversation, const char *user);
/* The same for a thread that was read, or written to. */
void conversation_saw_thread(struct conversation *conversation, const char *title);
/* Clears all counts. */
void conversation_caught_up(struct conversation *conversation);

/* The part of the prompt that says where lines go: "bob> ", or "zchat> " if none is open. */
void conversation_place(const struct conversation *conversation, char *prompt, size_t prompt_bytes);
/* The whole prompt: "[carol:2 #harvest:1] bob> ". `state` is one more word in the brackets; what is
 * in them takes less than half of the `columns`. */
void conversation_prompt(const struct conversation *conversation, const char *state, size_t columns,
                         char *prompt, size_t prompt_bytes);

#endif
