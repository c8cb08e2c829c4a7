/* The public topics: each numbers its events, keeps the last TOPIC_EVENTS_KEPT of them, and
 * publishes its head once more after it fell silent. The numbers begin at the time of the start, in
 * microseconds, so that they keep growing after a restart. */
#ifndef TOPIC_H
#define TOPIC_H

#include "outbox.h"

enum topic_name {
    TOPIC_PRESENCE,
    TOPIC_BROADCAST,
    TOPIC_NOTICE,
};
#define TOPICS (TOPIC_NOTICE + 1)

struct topic_event {
    int64_t about;  /* the account that it tells of; 0: none */
    uint8_t *bytes; /* owned: the event, alone in a packed ServerBatch */
    size_t length;
};

struct topic {
    const char *name;
    uint64_t head;             /* of the last event; first - 1: none since the start */
    uint64_t published;        /* of the last one published; later ones wait */
    uint64_t first;            /* of the first event since the start */
    int64_t repeat_us;         /* when the head is published again; INT64_MAX: not */
    struct outbox_frame *open; /* borrowed: the outbox's growing frame */
    struct topic_event kept[TOPIC_EVENTS_KEPT]; /* event n at n % TOPIC_EVENTS_KEPT */
};

struct topics {
    struct topic topic[TOPICS];
};

void topics_init(struct topics *topics, int64_t now_us);
void topics_release(struct topics *topics);

/* NULL: there is no topic of that name. */
struct topic *topic_find(struct topics *topics, const char *name);

/* Numbers the event and keeps it; `about` is the account that it tells of. Returns the event
 * packed, as it is kept. */
struct outbox_packed topic_note(struct topic *topic, Zchat__V1__ServerEvent *event, int64_t about);
/* Publishes the next one of the noted events. */
void topic_publish(struct topic *topic, struct outbox *outbox, const struct outbox_packed *noted,
                   int64_t now_us);
/* The next event published begins a new frame. */
void topic_break(struct topic *topic);
/* The kept event of this number; NULL: it is gone, or not yet there. */
const struct topic_event *topic_event(const struct topic *topic, uint64_t seq);
/* The number of the oldest event kept; beyond the head: none is kept. */
uint64_t topic_oldest(const struct topic *topic);

int64_t topics_deadline(const struct topics *topics);
void topics_tick(struct topics *topics, struct outbox *outbox, int64_t now_us);

#endif
