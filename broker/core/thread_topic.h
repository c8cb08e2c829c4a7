/* The topics of threads that something happened in lately: each collects a turn's events into one
 * frame, and publishes its head once more after it fell silent. Their numbers are the store's. */
#ifndef THREAD_TOPIC_H
#define THREAD_TOPIC_H

#include "outbox.h"

#include <uthash.h>

#define THREAD_TOPIC_BYTES 40 /* "thread/", 32 hex digits, NUL */

struct thread_topic {
    unsigned char id[ID_BYTES];
    char name[THREAD_TOPIC_BYTES];
    struct outbox_frame *open; /* borrowed: the outbox's growing frame */
    uint64_t head;
    int64_t repeat_us;
    struct thread_topic *prev, *next; /* the one that is due first is first */
    UT_hash_handle hh;                /* by id */
};

struct thread_topics {
    struct thread_topic *by_id;   /* owned */
    struct thread_topic *waiting; /* borrowed */
};

void thread_topics_init(struct thread_topics *topics);
void thread_topics_release(struct thread_topics *topics);

/* "thread/" and the id in hex. */
void thread_topic_name(const unsigned char id[ID_BYTES], char name[THREAD_TOPIC_BYTES]);
/* Publishes an event, which has the number `seq`. */
void thread_topic_publish(struct thread_topics *topics, struct outbox *outbox,
                          const unsigned char id[ID_BYTES], uint64_t seq,
                          const struct outbox_packed *event, int64_t now_us);

int64_t thread_topics_deadline(const struct thread_topics *topics);
void thread_topics_tick(struct thread_topics *topics, struct outbox *outbox, int64_t now_us);

#endif
