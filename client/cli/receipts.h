/* Telling the user that what they sent was read: for each recipient one message at a time is waited
 * for, and one line says that they have read all up to the newest. So a burst of messages gets one
 * line, and few of the waits that a session may have are used. */
#ifndef RECEIPTS_H
#define RECEIPTS_H

#include "name.h"
#include "zchat.h"

#include <stdbool.h>
#include <stddef.h>

struct app;

struct receipts_person {
    char user[NAME_BYTES];
    bool waiting;     /* `awaited` was asked about, and is not read yet */
    zchat_id awaited; /* the message that is waited for */
    zchat_id newest;  /* the last one that was sent */
};

struct receipts {                   /* all zeros: nobody was written to */
    struct receipts_person *people; /* owned */
    size_t count;
};

/* Forgets all; also when another session begins. */
void receipts_release(struct receipts *receipts);
/* A message was sent. */
void receipts_sent(struct app *app, const char *user, const zchat_id *id);
/* A message that was waited for was read. */
void receipts_read(struct app *app, const char *user, const zchat_id *id);

#endif
