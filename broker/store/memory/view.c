/* What is always true: a stream that is not known has no entries, and a band counts the entries of
 * its streams. A pass goes through the bands once, so it sees each entry that was there when it
 * began, and some that came later. */
#include "view.h"

#include "tally.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* So that a wrong id does not take all memory. */
#define BANDS_MAX ((size_t)1 << 24)

struct view {
    struct band **bands; /* owned, and so are the bands; NULL: not there yet */
    size_t bands_count;
    size_t bands_max;
    size_t entries;
    bool pass_runs;
    size_t pass_band;
    size_t pass_at; /* in the band */
    int64_t pass_watermark;
};

struct view *view_new(void) {
    return calloc(1, sizeof(struct view));
}

static void release(struct stream *stream) {
    tally_free(stream->tally);
    if (stream->max > 0)
        free(stream->positions.many);
}

void view_free(struct view *view) {
    if (!view)
        return;
    for (size_t i = 0; i < view->bands_count; i++) {
        for (size_t j = 0; view->bands[i] && j < BAND_STREAMS; j++)
            release(&view->bands[i]->streams[j]);
        free(view->bands[i]);
    }
    free(view->bands);
    free(view);
}

/* ---- bands ---- */

size_t view_bands(const struct view *view) {
    return view->bands_count;
}

struct band *view_band(const struct view *view, size_t band) {
    return band < view->bands_count ? view->bands[band] : NULL;
}

size_t view_band_of(int64_t id) {
    return id < 1 ? SIZE_MAX : (size_t)(id - 1) / BAND_STREAMS;
}

static bool has_room_for_bands(struct view *view, size_t count) {
    if (count > BANDS_MAX || count <= view->bands_max)
        return count <= BANDS_MAX;
    size_t max = 2 * view->bands_max > count ? 2 * view->bands_max : count;
    struct band **bands = realloc(view->bands, max * sizeof(struct band *));
    if (!bands)
        return false;
    view->bands = bands;
    view->bands_max = max;
    return true;
}

/* Aligned, so that a stream is in one line of the processor's cache: if there are many streams,
 * nearly each one that is looked at has to come from memory. */
static struct band *new_band(void) {
    enum { LINE = 64 };
    _Static_assert(sizeof(struct stream) == LINE, "a stream fills a line");
    size_t bytes = (sizeof(struct band) + LINE - 1) / LINE * LINE;
    struct band *band = aligned_alloc(LINE, bytes);
    if (band)
        memset(band, 0, bytes);
    return band;
}

struct band *view_band_make(struct view *view, size_t number) {
    if (view_band(view, number))
        return view->bands[number];
    struct band *band = has_room_for_bands(view, number + 1) ? new_band() : NULL;
    if (!band)
        return NULL;
    while (view->bands_count <= number)
        view->bands[view->bands_count++] = NULL;
    view->bands[number] = band;
    return band;
}

/* ---- streams ---- */

static struct stream *stream_in(struct band *band, int64_t id) {
    return &band->streams[(size_t)(id - 1) % BAND_STREAMS];
}

struct stream *view_find(const struct view *view, int64_t id) {
    struct band *band = view_band(view, view_band_of(id));
    struct stream *stream = band ? stream_in(band, id) : NULL;
    return stream && stream->is_known ? stream : NULL;
}

struct stream *view_add(struct view *view, int64_t id, uint64_t merged, uint64_t cursor,
                        bool cursor_follows) {
    assert(!view_find(view, id));
    struct band *band = id > 0 ? view_band_make(view, view_band_of(id)) : NULL;
    if (!band)
        return NULL;
    struct stream *stream = stream_in(band, id);
    *stream = (struct stream){.id = id,
                              .head = merged,
                              .merged = merged,
                              .cursor = cursor,
                              .is_known = true,
                              .cursor_follows = cursor_follows};
    return stream;
}

static size_t entries_of(const struct stream *stream) {
    return (size_t)(stream->head - stream->merged);
}

static const int64_t *positions_of(const struct stream *stream) {
    return stream->max == 0 ? &stream->positions.one : stream->positions.many + stream->first;
}

static struct band *band_of(const struct view *view, const struct stream *stream) {
    return view->bands[view_band_of(stream->id)];
}

static void drop(struct view *view, struct stream *stream, size_t count) {
    view->entries -= count;
    band_of(view, stream)->entries -= count;
}

void view_remove(struct view *view, struct stream *stream) {
    drop(view, stream, entries_of(stream));
    release(stream);
    *stream = (struct stream){0};
}

/* Makes room for several, where there was room for one. */
static bool make_many(struct stream *stream) {
    enum { FIRST_MAX = 4 };
    int64_t *many = malloc(FIRST_MAX * sizeof *many);
    if (!many)
        return false;
    many[0] = stream->positions.one;
    stream->positions.many = many;
    stream->first = 0;
    stream->max = FIRST_MAX;
    return true;
}

/* Makes room for one more position behind the others. */
static bool has_room(struct stream *stream) {
    size_t count = entries_of(stream);
    if (stream->max == 0)
        return count == 0 || make_many(stream);
    if (stream->first + count < stream->max)
        return true;
    if (stream->first > count) {
        memcpy(stream->positions.many, positions_of(stream), count * sizeof(int64_t));
        stream->first = 0;
        return true;
    }
    size_t max = (size_t)stream->max * 2;
    int64_t *many =
        max <= UINT32_MAX ? realloc(stream->positions.many, max * sizeof(int64_t)) : NULL;
    if (!many)
        return false;
    stream->positions.many = many;
    stream->max = (uint32_t)max;
    return true;
}

bool view_push(struct view *view, struct stream *stream, int64_t position, bool own) {
    if (!has_room(stream))
        return false;
    if (stream->max == 0)
        stream->positions.one = position;
    else
        stream->positions.many[stream->first + entries_of(stream)] = position;
    if (own && stream->cursor_follows && stream->cursor == stream->head)
        stream->cursor++;
    stream->head++;
    view->entries++;
    band_of(view, stream)->entries++;
    return true;
}

int64_t view_position(const struct stream *stream, uint64_t seq) {
    assert(seq > stream->merged && seq <= stream->head);
    return positions_of(stream)[seq - stream->merged - 1];
}

size_t view_count(const struct view *view) {
    return view->entries;
}

/* ---- passes ---- */

void view_pass_begin(struct view *view, int64_t watermark) {
    assert(!view->pass_runs);
    view->pass_runs = true;
    view->pass_band = view->pass_at = 0;
    view->pass_watermark = watermark;
}

bool view_pass_runs(const struct view *view) {
    return view->pass_runs;
}

int64_t view_pass_watermark(const struct view *view) {
    return view->pass_watermark;
}

static bool has_entries(const struct view *view, size_t band) {
    return view->bands[band] && view->bands[band]->entries > 0;
}

bool view_pass_band(struct view *view, size_t *band) {
    assert(view->pass_runs);
    while (view->pass_band < view->bands_count && !has_entries(view, view->pass_band)) {
        view->pass_band++;
        view->pass_at = 0;
    }
    *band = view->pass_band;
    return view->pass_band < view->bands_count;
}

struct stream *view_pass_stream(struct view *view) {
    struct band *band = view->bands[view->pass_band];
    for (; view->pass_at < BAND_STREAMS; view->pass_at++)
        if (entries_of(&band->streams[view->pass_at]) > 0)
            return &band->streams[view->pass_at];
    view->pass_band++;
    view->pass_at = 0;
    return NULL;
}

size_t view_pass_entries(const struct stream *stream) {
    return entries_of(stream);
}

void view_pass_merged(struct view *view, struct stream *stream, size_t count) {
    assert(count <= entries_of(stream));
    drop(view, stream, count);
    stream->merged += count;
    stream->first += stream->max > 0 ? (uint32_t)count : 0;
    if (entries_of(stream) == 0 && stream->max > 0) {
        free(stream->positions.many);
        stream->first = stream->max = 0;
    }
}

void view_forget(struct view *view, struct stream *stream, uint64_t seq) {
    if (seq > stream->head)
        stream->head = stream->merged = seq; /* of an earlier run's that are in no index */
    else if (seq > stream->merged)
        view_pass_merged(view, stream, (size_t)(seq - stream->merged));
}

void view_pass_end(struct view *view) {
    view->pass_runs = false;
}
