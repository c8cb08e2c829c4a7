/* The bounds of a turn: it is full once its commands took their time, read their rows or made their
 * bytes of answers. Peers that wait take turns within it, a slice each. */
#ifndef TURN_H
#define TURN_H

#include "outbox.h"

/* How far a turn is, or how far it may be. */
struct turn_use {
    int64_t us;
    size_t made;   /* bytes of answers */
    uint64_t rows; /* read */
    size_t bytes;  /* of commands carried out */
};

struct turn {
    const struct core_options *options; /* borrowed: the core's */
    const struct outbox *outbox;        /* borrowed: the core's */
    int64_t at_us;                      /* the clock when it was last looked at */
    int64_t used_us;                    /* in this turn */
    size_t made;                        /* bytes that the outbox had made when the turn began */
    uint64_t rows;                      /* read in this turn */
    size_t bytes;                       /* of the commands carried out in this turn */
};

void turn_init(struct turn *turn, const struct core_options *options, const struct outbox *outbox);
/* The next turn begins. */
void turn_end(struct turn *turn);

/* Before work begins: the clock is looked at. After some of it: the time counts. */
void turn_begin_work(struct turn *turn);
void turn_note_work(struct turn *turn);
/* The same, and whether there is time for more of it in this turn. */
bool turn_has_room(struct turn *turn);

struct turn_use turn_used(const struct turn *turn);
bool turn_is_full(const struct turn *turn);
/* Whether it takes no more frames. Some of it is left for those that wait. */
bool turn_is_full_for_new(const struct turn *turn, bool others_wait);
/* Whether it is full, or the slice is that began at `since`. */
bool turn_slice_is_full(const struct turn *turn, const struct turn_use *since);

#endif
