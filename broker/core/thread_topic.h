/* The topics of threads that something happened in lately. A thread's events are gathered: the
 * first after some silence is told at the end of its own turn, what follows a little later, in one
 * frame for all who subscribed and one for each who follows on the command connection. After it
 * fell silent a topic publishes its head once more. Their numbers are the store's. */
#ifndef THREAD_TOPIC_H
#define THREAD_TOPIC_H

#include "outbox.h"
#include "threads.h"

#include <uthash.h>

#define THREAD_TOPIC_BYTES 40 /* "thread/", 32 hex digits, NUL */

struct core;

struct thread_topic {
    unsigned char id[ID_BYTES];
    char name[THREAD_TOPIC_BYTES];
    int64_t stream;
    uint64_t head;
    struct outbox_frame *waiting;     /* owned: its events that wait; NULL: none do */
    size_t count;                     /* how many */
    size_t bytes;                     /* theirs */
    int64_t told_us;                  /* when it was told last */
    int64_t due_us;                   /* when what waits is told, or else the head */
    size_t place;                     /* in the heap, where something waits; */
    struct thread_topic *prev, *next; /* else here: the one that is due first is first */
    UT_hash_handle hh;                /* by id */
};

struct thread_topics {
    struct thread_topic *by_id;  /* owned */
    struct thread_topic *silent; /* borrowed: those where nothing waits */
    struct thread_topic **due;   /* owned: a heap of the others, the first due on top */
    size_t due_count;
    size_t due_room;
    size_t bytes; /* of all that waits */
};

void thread_topics_init(struct thread_topics *topics);
void thread_topics_release(struct core *core);

/* "thread/" and the id in hex; and back: false where it is not that. */
void thread_topic_name(const unsigned char id[ID_BYTES], char name[THREAD_TOPIC_BYTES]);
bool thread_topic_parse(const char *name, unsigned char id[ID_BYTES]);
/* Something happened in the thread: the event is to be told on its topic, and on the connections
 * that asked for it. */
void thread_topic_add(struct core *core, const struct store_thread *thread,
                      Zchat__V1__ServerEvent *event);
/* What waits of the thread is told in this turn; of all threads. */
void thread_topic_tell(struct core *core, const unsigned char id[ID_BYTES]);
void thread_topics_tell(struct core *core);
/* The turn is about to be sealed: what is due goes with it. */
void thread_topics_end_turn(struct core *core);

int64_t thread_topics_deadline(const struct core *core);
void thread_topics_tick(struct core *core, int64_t now_us);

#endif
