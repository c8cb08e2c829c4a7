/* Where this program is in the inbox: which entry was last handed out, and what has to be fetched
 * so that every entry is handed out once, in order, without holes. Pushed events are taken only if
 * they are next; everything else is fetched from the log, so nothing is buffered. */
#ifndef INBOX_H
#define INBOX_H

#include "client.h"
#include "wire.h"
#include "zchat.h"

struct inbox {
    struct client *client; /* borrowed */
    bool active;           /* the session hands it out */
    bool fetching;         /* a page is under way */
    bool synced;           /* SYNCED was told */
    uint64_t position;     /* the last entry handed out, or before the first to hand out */
    uint64_t head;         /* the last entry that is known to exist */
    uint64_t missed;       /* the head at login: entries up to it came "while you were away" */
    uint64_t acked;        /* the position that the broker was last told */
    uint64_t read;         /* the account's cursor, as far as known */
    uint64_t read_wanted;  /* where zchat_ack wants the cursor */
    int64_t ack_us;        /* when to tell the broker at the latest; NEVER_US: nothing to tell */
    int64_t retry_us;      /* when to try a failed fetch again; NEVER_US: none failed */
};

void inbox_init(struct inbox *inbox, struct client *client);
/* Called after a login: begins at the account's cursor, or where the login's options say. */
void inbox_start(struct inbox *inbox, const Zchat__V1__LoginResponse *reply);
/* Called after a resumed login: goes on from the position. */
void inbox_resume(struct inbox *inbox, const Zchat__V1__LoginResponse *reply);
void inbox_stop(struct inbox *inbox);
/* The connection is lost: what was under way is asked for again after the resume. */
void inbox_lost(struct inbox *inbox);
/* What was under way will not be answered, though the connection is still there: it is asked for
 * again later. */
void inbox_retry(struct inbox *inbox);

void inbox_event(struct inbox *inbox, const Zchat__V1__ServerEvent *event);
void inbox_heads(struct inbox *inbox, const Zchat__V1__Heads *heads);
void inbox_page(struct inbox *inbox, const Zchat__V1__Reply *reply);
/* The account's cursor is at `cursor` now. */
void inbox_cursor(struct inbox *inbox, uint64_t cursor);
/* Has the account's cursor moved to `seq` with the next frame. */
void inbox_want_read(struct inbox *inbox, uint64_t seq);

/* The acknowledgement that a frame sent now should have; false: none. `flush`: even one that could
 * wait. */
bool inbox_ack(const struct inbox *inbox, bool flush, Zchat__V1__AckRequest *ack);
/* It was sent. */
void inbox_acked(struct inbox *inbox, const Zchat__V1__AckRequest *ack);

void inbox_tick(struct inbox *inbox);
int64_t inbox_deadline_us(const struct inbox *inbox);

/* Makes an event's entry into a message as it is handed out, with cleaned texts. False: it is not a
 * message. */
bool inbox_message(const struct inbox *inbox, const Zchat__V1__ServerEvent *event,
                   zchat_message *message);

#endif
