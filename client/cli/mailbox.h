/* Messages as they are shown: first those missed, under a header with their number; then those that
 * arrive. A message that was written to the terminal counts as read. */
#ifndef MAILBOX_H
#define MAILBOX_H

#include "said.h"
#include "zchat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app;

struct mailbox {    /* all zeros: nothing yet */
    zchat_id *sent; /* owned: of messages sent from here that the inbox has not echoed yet */
    size_t sent_count;
    zchat_message *held; /* owned, with their strings: missed ones, until all came or too many */
    size_t held_count;
    bool in_missed;     /* the header was shown, but not yet the end */
    uint64_t shown_seq; /* the last one that was put on the screen */
    uint64_t acked_seq; /* the last one that the broker was told of */
    uint64_t received;  /* how many messages of others were shown; for recv */
    struct said said;
    char last_writer[NAME_BYTES]; /* who wrote last; "": nobody did */
};

void mailbox_release(struct mailbox *mailbox);
/* Another session begins, in which `cursor` entries are read already. */
void mailbox_reset(struct mailbox *mailbox, uint64_t cursor);

/* An entry of the inbox arrived. */
void mailbox_take(struct app *app, const zchat_message *message);
/* All that was missed has arrived. */
void mailbox_synced(struct app *app);
/* What is on the screen was written: tells the broker that it is read. */
void mailbox_acknowledge(struct app *app);

/* Puts a message on the screen, as `inbox N` shows it again. */
void mailbox_show(struct app *app, const zchat_message *message);

/* Sends a message; shows a refusal or "stored" when the answer comes. */
void mailbox_send(struct app *app, const char *to, const char *text);
/* Remembers what it says, and what it changes of what was said before. */
void mailbox_remember(struct mailbox *mailbox, const zchat_message *message);
/* Replaces the text of one of the user's own messages; `text` NULL: takes it back. */
void mailbox_amend(struct app *app, struct said_message *message, const char *text);

#endif
