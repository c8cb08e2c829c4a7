/* The public topics: presence, broadcasts, notices. They come on the command connection or on a SUB
 * socket. In both cases each topic numbers its events, and holes are filled with Sync. The user's
 * own events, and those of users whom this session blocked, are not handed out. */
#ifndef PUBLISHED_H
#define PUBLISHED_H

#include "client.h"
#include "text.h"
#include "wire.h"
#include "zchat.h"

#define TOPICS 3

struct topic {
    uint64_t position; /* the last event that was handed out or passed over */
    uint64_t head;     /* the last event that is known to exist */
    bool fetching;
    int64_t retry_us; /* when to try a failed fetch again; NEVER_US: none failed */
};

struct published {
    struct client *client; /* borrowed */
    zchat_public_events mode;
    struct topic list[TOPICS];
    char (*blocked)[NAME_BYTES]; /* owned: sorted */
    size_t blocked_count;
    size_t blocked_room;
};

void published_init(struct published *published, struct client *client);
void published_release(struct published *published);

/* Called after a login; and after a resumed login. */
void published_start(struct published *published, const Zchat__V1__LoginResponse *reply);
void published_resume(struct published *published, const Zchat__V1__LoginResponse *reply);
void published_stop(struct published *published);
void published_lost(struct published *published);
/* See inbox_retry. */
void published_retry(struct published *published);

/* Takes a public or personal event from the command connection. */
void published_event(struct published *published, const Zchat__V1__ServerEvent *event);
void published_heads(struct published *published, const Zchat__V1__Heads *heads);
void published_page(struct published *published, size_t topic, const Zchat__V1__Reply *reply);

/* The broker said that the user was blocked; or unblocked. */
void published_block(struct published *published, const char *user);
void published_unblock(struct published *published, const char *user);

/* Subscribes to all of them. False: no memory. */
bool published_subscribe(struct published *published);
/* Takes a publication; false: it is not of one of these topics. */
bool published_publication(struct published *published, const Zchat__V1__Publication *publication);

void published_tick(struct published *published);
int64_t published_deadline_us(const struct published *published);

#endif
