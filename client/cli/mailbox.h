/* Messages as they are shown: what was missed first, under a header that counts it; then what
 * arrives. What was written to the terminal counts as read. */
#ifndef MAILBOX_H
#define MAILBOX_H

#include "zchat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app;

struct mailbox {    /* all zero: nothing yet */
    zchat_id *sent; /* owned: one's own, from here, that the inbox has not echoed yet */
    size_t sent_count;
    zchat_message *held; /* owned, strings too: missed ones, until all are here or too many */
    size_t held_count;
    bool in_missed;     /* the header was shown, its end was not */
    uint64_t shown_seq; /* the last one that was put on the screen */
    uint64_t acked_seq; /* the last one that the broker was told of */
    uint64_t received;  /* how many messages of others were shown; recv counts on it */
};

void mailbox_release(struct mailbox *mailbox);
/* Another session begins, of which `cursor` entries are read. */
void mailbox_reset(struct mailbox *mailbox, uint64_t cursor);

/* An entry of the inbox arrived. */
void mailbox_take(struct app *app, const zchat_message *message);
/* All that was missed has arrived. */
void mailbox_synced(struct app *app);
/* What is on the screen was written: tells the broker. */
void mailbox_acknowledge(struct app *app);

/* One message on the screen, as `inbox N` shows it again. */
void mailbox_show(struct app *app, const zchat_message *message);

/* Sends; a refusal or "stored" is shown when the answer comes. */
void mailbox_send(struct app *app, const char *to, const char *text);

#endif
