/* The inbox's place in this program: which entry was handed out last, and what has to be fetched so
 * that every entry is handed out once, in order, without holes. Pushed events are taken only if
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
    uint64_t missed;       /* the head at the login: up to there "while you were away" */
    uint64_t acked;        /* the position that the broker was told */
    uint64_t read;         /* the account's cursor as known */
    uint64_t read_wanted;  /* where zchat_ack wants it */
    int64_t ack_us;        /* when the broker is told at the latest; NEVER_US: nothing to tell */
    int64_t retry_us;      /* when a fetch that failed is tried again; NEVER_US: none did */
};

void inbox_init(struct inbox *inbox, struct client *client);
/* After a login: begins at its cursor, or where the login's options say. */
void inbox_start(struct inbox *inbox, const Zchat__V1__LoginResponse *reply);
/* After a resumed login: goes on from the position. */
void inbox_resume(struct inbox *inbox, const Zchat__V1__LoginResponse *reply);
void inbox_stop(struct inbox *inbox);
/* The connection is lost: what was under way is asked again after the resume. */
void inbox_lost(struct inbox *inbox);
/* What was under way is not answered, but the connection is there: it is asked again later. */
void inbox_retry(struct inbox *inbox);

void inbox_event(struct inbox *inbox, const Zchat__V1__ServerEvent *event);
void inbox_heads(struct inbox *inbox, const Zchat__V1__Heads *heads);
void inbox_page(struct inbox *inbox, const Zchat__V1__Reply *reply);
/* The account's cursor is there now. */
void inbox_cursor(struct inbox *inbox, uint64_t cursor);
/* Wants the account's cursor there, with the next frame. */
void inbox_want_read(struct inbox *inbox, uint64_t seq);

/* What a frame that is sent now should tell; false: nothing. `flush`: also what could wait. */
bool inbox_ack(const struct inbox *inbox, bool flush, Zchat__V1__AckRequest *ack);
/* It was sent. */
void inbox_acked(struct inbox *inbox, const Zchat__V1__AckRequest *ack);

void inbox_tick(struct inbox *inbox);
int64_t inbox_deadline_us(const struct inbox *inbox);

/* An event's entry as it is handed out; its texts are cleaned. False: it is none. */
bool inbox_message(const struct inbox *inbox, const Zchat__V1__ServerEvent *event,
                   zchat_message *message);

#endif
