/* The bounds of a turn, and what waits for the next one. A turn is full once its commands took
 * their time, read their rows or made their bytes of answers; what is left of a frame then waits,
 * in order for each peer, and the peers that wait take turns, a slice each. A peer that does not
 * take what it was sent is not served until it did: its commands wait, too. */
#ifndef TURN_H
#define TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct core;
struct peer;
struct waiter;
struct waiting_frame;

/* A peer's side of it, inside struct peer. */
struct backlog {
    struct waiting_frame *frames; /* owned, in order */
    size_t bytes;                 /* theirs */
    struct peer *next, *prev;     /* borrowed: in the ring, or among the stalled */
    uint32_t refused;             /* commands, since it is stalled */
    bool stalled;
};

struct turn {
    int64_t at_us;          /* the clock when it was last looked at */
    int64_t used_us;        /* in this turn */
    size_t made;            /* bytes that the outbox had made when the turn began */
    uint64_t rows;          /* read in this turn */
    size_t bytes;           /* of the commands carried out in this turn */
    struct peer *ring;      /* borrowed: peers whose commands wait for time */
    struct peer *stalled;   /* borrowed: peers whose commands wait until they have read */
    size_t waiting_bytes;   /* of all of them */
    struct waiter *waiters; /* owned: whose they are, by account or address */
    int64_t look_us;        /* when the stalled ones are looked at */
    int64_t look_after_us;  /* grows while none of them reads */
};

/* Carries a frame's commands out, or keeps what does not fit into this turn. */
void turn_take(struct core *core, struct peer *peer, const void *frame, size_t frame_bytes);
/* Goes on with what waits, until the turn is full. */
void turn_go_on(struct core *core);
/* Around work that no frame brings, of which there may be much: whether there is time for more of
 * it in this turn. */
void turn_begin_work(struct core *core);
bool turn_has_room(struct core *core);
/* The next turn begins. */
void turn_end(struct core *core);
/* The peer leaves; what waits of it is dropped. */
void turn_forget(struct core *core, struct peer *peer);
/* Whether the turn takes no more frames. Some of it is left for those that wait. */
bool turn_is_full_for_new(const struct core *core);
/* When turn_go_on has something to do. */
int64_t turn_deadline(const struct core *core);

#endif
