/* The public topics: presence, broadcasts, notices. They come on the command connection or on a SUB
 * socket; either way each topic numbers its events, and holes are filled with Sync. One's own
 * events, and those of users whom this session blocked, are not handed out. */
#ifndef TOPIC_H
#define TOPIC_H

#include "channel.h"
#include "text.h"
#include "wire.h"
#include "zchat.h"

#define TOPICS 3

struct topic {
    uint64_t position; /* the last event handed out, or passed over */
    uint64_t head;     /* the last that is known to exist */
    bool fetching;
    int64_t retry_us; /* when a fetch that failed is tried again; WAKE_NEVER: none did */
};

struct topics {
    zchat_public_events mode;
    struct topic list[TOPICS];
    struct channel *channel; /* owned; the SUB socket, while it is open */
    bool subscribed;         /* its handshake is done */
    int64_t reopen_us; /* when the SUB socket is opened; WAKE_NEVER: it is, or none is wanted */
    unsigned failures; /* of opening it, in a row */
    char (*blocked)[NAME_BYTES]; /* owned: sorted */
    size_t blocked_count;
    size_t blocked_room;
};

void topics_init(struct topics *topics);
void topics_release(struct topics *topics);

/* After a login, and after a resumed one. */
void topics_start(zchat *z, const Zchat__V1__LoginResponse *reply);
void topics_resume(zchat *z, const Zchat__V1__LoginResponse *reply);
void topics_stop(zchat *z);
void topics_lost(zchat *z);
/* See inbox_retry. */
void topics_retry(zchat *z);

/* A public or personal event from the command connection. */
void topics_event(zchat *z, const Zchat__V1__ServerEvent *event);
void topics_heads(zchat *z, const Zchat__V1__Heads *heads);
void topics_page(zchat *z, size_t topic, const Zchat__V1__Reply *reply);

/* The user was blocked or unblocked, says the broker. */
void topics_block(zchat *z, const char *user);
void topics_unblock(zchat *z, const char *user);

/* Reads what the SUB socket has, opens and reopens it. True: there may be more. */
bool topics_receive(zchat *z);
/* Opens the SUB socket anew, a little later. */
void topics_reopen(zchat *z);
void topics_tick(zchat *z);
int64_t topics_deadline_us(const struct topics *topics);

#endif
