/* A walk over a stream's entries in order, which gives their positions in the log. Only one walk at
 * a time; meanwhile nothing may append to the stream or merge. */
#ifndef SQLITE_WALK_H
#define SQLITE_WALK_H

#include "band.h"

/* Entries that follow each other, in one of the two places where merged entries are. */
struct walk_run {
    uint64_t first;
    uint64_t last; /* 0: none was read yet; both UINT64_MAX: there is no more */
    int64_t positions[RUN_ENTRIES];
};

struct walk {
    const struct stream *stream; /* borrowed: from the view */
    uint64_t seq;                /* of the entry that was last found */
    uint64_t last_seq;           /* the walk's end */
    struct walk_run row;         /* of entry */
    bool row_again;              /* the last row was damaged: the statement begins anew */
    struct walk_run group;       /* of band_row */
    uint32_t band_row;           /* number of the band's row; 0: none was looked for yet */
    size_t band_at;              /* behind it */
    struct band_groups groups;
    bool in_transaction; /* of its own, so that not each row locks and unlocks the file */
};

/* Begins a walk over the entries after `after_seq` up to `last_seq`, which is at most the stream's
 * head. */
enum store_status walk_begin(struct store *store, struct walk *walk, const struct stream *stream,
                             uint64_t after_seq, uint64_t last_seq);
/* The position of the walk's next entry; 0: damaged. OK, NOT_FOUND (the end). */
enum store_status walk_next(struct store *store, struct walk *walk, int64_t *position);
/* Must follow walk_begin in any case. Takes the status that ended the walk, and returns it; for
 * NOT_FOUND, which is the walk's end, it returns OK. */
enum store_status walk_end(struct store *store, struct walk *walk, enum store_status status);

#endif
