/* The streams in memory, with the newest entries of each: (stream, seq) -> position in the log.
 * Older entries are in the store's indexed part; a pass moves entries there, band by band and
 * stream by stream in the order of their ids, while new ones arrive. Ids are given one after the
 * other, so a stream's place follows from its id. No SQL in here: the caller reads and writes the
 * indexed part. */
#ifndef VIEW_H
#define VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Streams whose ids follow each other, from 1 on; what is written of a band's heads and cursors
 * fits into a page, and mostly into a third of one. */
#define BAND_STREAMS 250

struct view;
struct tally;

/* 64 bytes: a million streams are not rare. */
struct stream {
    int64_t id;
    uint64_t head;       /* the last number given */
    uint64_t merged;     /* entries up to this number are in the indexed part, the rest here */
    uint64_t cursor;     /* entries up to this number are read */
    struct tally *tally; /* owned; NULL: not counted */
    union {
        int64_t one;
        int64_t *many; /* owned */
    } positions;       /* of the entries merged+1 .. head, from `first` on; only for the view */
    uint32_t first;
    uint32_t max;          /* 0: there is at most one */
    uint32_t unread_units; /* at most so many are unread; for sqlite/quota.c */
    bool is_known;         /* the view's alone */
    bool cursor_follows;   /* the cursor was the head when it was set */
    bool is_metered;       /* unread_units is known */
    bool is_removed;       /* for rubbish.c: its thread was removed, and its entries will be */
};

struct band {
    struct stream streams[BAND_STREAMS];
    size_t entries; /* in memory */
    /* About the indexed part, for whoever writes it. */
    uint32_t rows;
    uint32_t last_row_bytes;
};

/* NULL: no memory. */
struct view *view_new(void);
void view_free(struct view *view);

/* NULL: not loaded yet. */
struct stream *view_find(const struct view *view, int64_t id);
/* Adds a stream, with none of its entries in memory. NULL: no memory. */
struct stream *view_add(struct view *view, int64_t id, uint64_t merged, uint64_t cursor,
                        bool cursor_follows);

/* Forgets a stream and its entries, even in the middle of a pass. */
void view_remove(struct view *view, struct stream *stream);

/* Forgets the stream's entries up to `seq`, which are nowhere any more. */
void view_forget(struct view *view, struct stream *stream, uint64_t seq);

/* Gives the stream's next number to the log's row at `position`. `own`: the stream's owner wrote
 * it, so that a cursor that was at the head moves on. false: no memory. */
bool view_push(struct view *view, struct stream *stream, int64_t position, bool own);
/* The log's position of an entry in memory: merged < seq <= head. */
int64_t view_position(const struct stream *stream, uint64_t seq);
/* Entries in memory. */
size_t view_count(const struct view *view);

/* ---- bands ---- */

/* How many bands there are, counted from 0; and one of them. NULL: none of its streams is known. */
size_t view_bands(const struct view *view);
struct band *view_band(const struct view *view, size_t band);
size_t view_band_of(int64_t id);
/* The same, but makes the band if it is not there. NULL: no memory. */
struct band *view_band_make(struct view *view, size_t band);

/* ---- passes ---- */

/* Begins a pass over all entries in memory; `watermark`: the position of the last one. */
void view_pass_begin(struct view *view, int64_t watermark);
bool view_pass_runs(const struct view *view);
int64_t view_pass_watermark(const struct view *view);
/* The next band that has entries; false: the pass is complete, view_pass_end follows. */
bool view_pass_band(struct view *view, size_t *band);
/* The next stream of that band that has entries; NULL: none, and the pass goes on to the next band.
 */
struct stream *view_pass_stream(struct view *view);
/* How many entries of the stream the pass has to move. */
size_t view_pass_entries(const struct stream *stream);
/* The first `count` of these are in the indexed part now. */
void view_pass_merged(struct view *view, struct stream *stream, size_t count);
void view_pass_end(struct view *view);

#endif
