/* Whom plain lines go to, and how many messages of others scrolled by meanwhile. A count grows
 * while a conversation with somebody else is open; opening one with its sender, writing to the
 * sender, or leaving the conversation clears it. It is about attention; at the broker, what was
 * shown counts as read. */
#ifndef CONVERSATION_H
#define CONVERSATION_H

#include "name.h"

#include <stdbool.h>
#include <stddef.h>

struct conversation_unread {
    char user[NAME_BYTES];
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
/* Something was written to `user`: clears their count. */
void conversation_answered(struct conversation *conversation, const char *user);
/* Clears all counts. */
void conversation_caught_up(struct conversation *conversation);

/* Writes "[carol:2] bob> ", or "zchat> " if none is open; `state` is one more word in the
 * brackets. */
void conversation_prompt(const struct conversation *conversation, const char *state, char *prompt,
                         size_t prompt_bytes);

#endif
