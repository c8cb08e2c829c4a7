/* The public topics: presence, broadcasts, notices. They come on the command connection or on a SUB
 * socket; either way each topic numbers its events, and holes are filled with Sync. One's own
 * events, and those of users whom this session blocked, are not handed out. */
#ifndef TOPIC_H
#define TOPIC_H

#include "client.h"
#include "text.h"
#include "wire.h"
#include "zchat.h"

#define TOPICS 3

struct topic {
    uint64_t position; /* the last event handed out, or passed over */
    uint64_t head;     /* the last that is known to exist */
    bool fetching;
    int64_t retry_us; /* when a fetch that failed is tried again; NEVER_US: none did */
};

struct topics {
    struct client *client; /* borrowed */
    zchat_public_events mode;
    struct topic list[TOPICS];
    char (*blocked)[NAME_BYTES]; /* owned: sorted */
    size_t blocked_count;
    size_t blocked_room;
};

void topics_init(struct topics *topics, struct client *client);
void topics_release(struct topics *topics);

/* After a login, and after a resumed one. */
void topics_start(struct topics *topics, const Zchat__V1__LoginResponse *reply);
void topics_resume(struct topics *topics, const Zchat__V1__LoginResponse *reply);
void topics_stop(struct topics *topics);
void topics_lost(struct topics *topics);
/* See inbox_retry. */
void topics_retry(struct topics *topics);

/* A public or personal event from the command connection. */
void topics_event(struct topics *topics, const Zchat__V1__ServerEvent *event);
void topics_heads(struct topics *topics, const Zchat__V1__Heads *heads);
void topics_page(struct topics *topics, size_t topic, const Zchat__V1__Reply *reply);

/* The user was blocked or unblocked, says the broker. */
void topics_block(struct topics *topics, const char *user);
void topics_unblock(struct topics *topics, const char *user);

/* Subscribes to all of them. False: no memory. */
bool topics_subscribe(struct topics *topics);
/* What was published; false: it is of none of these topics. */
bool topics_publication(struct topics *topics, const Zchat__V1__Publication *publication);

void topics_tick(struct topics *topics);
int64_t topics_deadline_us(const struct topics *topics);

#endif
