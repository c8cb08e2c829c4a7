/* A connection to the broker: two ordered queues of frames under way, the state that the model
 * gives to the session on it, and the commands that the broker took in over it. Either end may be
 * gone before the other one knows. */
#ifndef LINK_H
#define LINK_H

#include "asked.h"
#include "seed.h"
#include "town.h"

struct peer;
struct person;

struct parcel {
    struct parcel *next; /* owned: the queue's */
    int64_t arrive_us;
    uint8_t *bytes; /* owned */
    size_t length;
};

struct queue {
    struct parcel *first; /* owned */
    struct parcel *last;  /* borrowed */
    int64_t last_us;      /* what was put in last arrives then */
};

/* The session as it should be. */
struct seat {
    bool open;
    int account;
    bool online, inbox, public_events;
    uint64_t instance;
    uint64_t number;   /* never given again */
    int64_t active_us; /* its last command */
};

struct link {
    struct link *next; /* owned: the world's list */
    uint64_t number;
    struct person *person; /* borrowed: the world's, whose program holds it; NULL: a raw sender's */
    bool is_left;          /* by whoever held it */
    struct peer *peer;     /* borrowed: the core's; NULL: not yet, or no more */
    bool is_new;           /* the broker has not seen it yet */
    unsigned run;          /* of the broker that it goes to */
    int key;
    int64_t base_us;  /* how long a frame takes at least */
    int64_t close_us; /* when the broker notices that it was left; INT64_MAX: it did not */
    int64_t lost_us;  /* when its holder notices that the broker left; INT64_MAX: it did not */
    struct queue up, down;
    int64_t full_until_us; /* its pipe takes nothing until then */
    unsigned unread;       /* frames into the pipe since nobody reads it any more */
    struct seat seat;
    uint32_t accounts;                    /* whose sessions it had: a set, bit by bit */
    struct asked *asked;                  /* owned: what is not answered yet, newest first */
    uint64_t orders;                      /* the last one given to a command */
    uint64_t answered;                    /* the order of the last answer, but those that waited */
    unsigned noise;                       /* frames that nobody can read, not answered yet */
    unsigned ends;                        /* of sessions, that it was not told of yet */
    int64_t silent_from_us[ACCOUNTS_MAX]; /* it was told of its block; 0: not */
};

void queue_put(struct queue *queue, struct parcel *parcel, int64_t arrive_us);
struct parcel *queue_take(struct queue *queue);
/* Drops all but the first `keep`. */
void queue_cut(struct queue *queue, size_t keep);
size_t queue_count(const struct queue *queue);
/* INT64_MAX: it is empty. */
int64_t queue_due(const struct queue *queue);

struct parcel *parcel_new(uint8_t *bytes, size_t length);
void parcel_free(struct parcel *parcel);

struct link *link_new(uint64_t number, int key);
void link_free(struct link *link);
/* One more, all zeros but for its order. */
struct asked *link_add_asked(struct link *link);
/* NULL: none of that number. */
struct asked *link_find(const struct link *link, uint64_t number);
void link_forget(struct link *link, struct asked *asked);
/* Those that want no reply. */
void link_forget_silent(struct link *link);
/* Those whose reply is still to come. */
unsigned link_unanswered(const struct link *link);

#endif
