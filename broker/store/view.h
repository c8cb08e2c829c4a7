/* The newest entries of all streams in memory: (stream, seq) -> position in the log. Older entries
 * are in the store's indexed part; a pass moves entries there, stream by stream in the order of
 * their ids, while new ones arrive. No SQL in here: the caller reads and writes the indexed part.
 */
#ifndef VIEW_H
#define VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view;
struct tally;

struct stream {
    int64_t id;
    uint64_t head;       /* the last number given */
    uint64_t merged;     /* entries up to this number are in the indexed part, the rest here */
    uint64_t cursor;     /* entries up to this number are read */
    bool cursor_follows; /* the cursor was the head when it was set */
    struct tally *tally; /* owned; NULL: not counted */
    int64_t *positions;  /* owned: of the entries merged+1 .. head, from `positions_first` on */
    size_t positions_first;
    size_t positions_max;
};

/* NULL: no memory. */
struct view *view_new(void);
void view_free(struct view *view);

/* NULL: not loaded yet. */
struct stream *view_find(const struct view *view, int64_t id);
/* Makes a stream known, none of whose entries is in memory. NULL: no memory. */
struct stream *view_add(struct view *view, int64_t id, uint64_t merged, uint64_t cursor,
                        bool cursor_follows);

/* Forgets a stream and its entries, also in the midst of a pass. */
void view_remove(struct view *view, struct stream *stream);

/* Gives the stream's next number to the log's row at `position`. `own`: the stream's owner wrote
 * it, so that a cursor that was at the head moves on. false: no memory. */
bool view_push(struct view *view, struct stream *stream, int64_t position, bool own);
/* The log's position of an entry in memory: merged < seq <= head. */
int64_t view_position(const struct stream *stream, uint64_t seq);
/* Entries in memory. */
size_t view_count(const struct view *view);

/* Begins a pass over all entries in memory up to that position. */
void view_pass_begin(struct view *view, int64_t watermark);
bool view_pass_runs(const struct view *view);
int64_t view_pass_watermark(const struct view *view);
/* The pass's next stream; NULL: the pass is complete, view_pass_end follows. */
struct stream *view_pass_stream(const struct view *view);
/* How many entries of that stream the pass has to move, at most `max`. */
size_t view_pass_entries(const struct view *view, size_t max);
/* The first `count` entries of the pass's stream are in the indexed part now: drops them, and goes
 * on to the next stream where none is left. false: no memory. */
bool view_pass_merged(struct view *view, size_t count);
void view_pass_end(struct view *view);

#endif
