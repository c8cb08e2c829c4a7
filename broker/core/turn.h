/* The bounds of a turn: it is full once its commands have used up its time, its rows to read or its
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
/* The turn is over, and the next one begins. */
void turn_end(struct turn *turn);

/* turn_begin_work reads the clock before work begins; turn_note_work, after some of it, counts the
 * time that it took. */
void turn_begin_work(struct turn *turn);
void turn_note_work(struct turn *turn);
/* Counts the time likewise, and tells whether this turn has time for more work. */
bool turn_has_room(struct turn *turn);

struct turn_use turn_used(const struct turn *turn);
bool turn_is_full(const struct turn *turn);
/* Whether the turn takes no more new frames. If others wait, part of the turn is left for them. */
bool turn_is_full_for_new(const struct turn *turn, bool others_wait);
/* Whether the turn is full, or the slice that began at `since`. */
bool turn_slice_is_full(const struct turn *turn, const struct turn_use *since);

#endif
