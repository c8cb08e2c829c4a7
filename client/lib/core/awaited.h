/* Messages that were sent, and that the broker is to tell of when they are read. The broker forgets
 * this with the session; so it is asked again after each resumed login, and what was read meanwhile
 * is told then. */
#ifndef AWAITED_H
#define AWAITED_H

#include "client.h"

struct awaited {
    struct client *client;           /* borrowed */
    unsigned char (*list)[ID_BYTES]; /* owned: their ids */
    size_t count;
    size_t room;
    int64_t retry_us; /* when the broker is asked again; NEVER_US: it need not be */
};

void awaited_init(struct awaited *awaited, struct client *client);
/* Forgets all of them. */
void awaited_stop(struct awaited *awaited);
void awaited_resume(struct awaited *awaited);
/* See inbox_retry. */
void awaited_retry(struct awaited *awaited);

/* The broker answered a call about a message: it is waited for, or not, or no longer. */
void awaited_asked(struct awaited *awaited, const unsigned char id[ID_BYTES], bool waits);
/* The broker answered what was asked again. */
void awaited_reply(struct awaited *awaited, const struct request *request,
                   const Zchat__V1__Reply *reply);
void awaited_event(struct awaited *awaited, const Zchat__V1__ServerEvent *event);

void awaited_tick(struct awaited *awaited);
int64_t awaited_deadline_us(const struct awaited *awaited);

#endif
