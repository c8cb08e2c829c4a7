/* What always holds: a stream with entries in memory is either in the pass's list at or behind its
 * place, or in the list of touched streams, and never in both. */
#include "view.h"

#include "table.h"
#include "tally.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct list {
    struct stream **streams; /* owned; the streams are borrowed: from the table */
    size_t count;
    size_t max;
};

struct view {
    struct table *streams; /* owned, with its items */
    size_t entries;
    struct list touched; /* streams with entries that no pass has seen */
    struct list pass;    /* those of the pass, sorted by id */
    size_t pass_at;
    bool pass_runs;
    int64_t pass_watermark;
};

static bool stream_is(const void *item, const void *key) {
    return ((const struct stream *)item)->id == *(const int64_t *)key;
}

static void stream_free(void *item) {
    struct stream *stream = item;
    tally_free(stream->tally);
    free(stream->positions);
    free(stream);
}

struct view *view_new(void) {
    struct view *view = calloc(1, sizeof *view);
    if (view == NULL) {
        return NULL;
    }
    view->streams = table_new(stream_is);
    if (view->streams == NULL) {
        free(view);
        return NULL;
    }
    return view;
}

void view_free(struct view *view) {
    if (view == NULL) {
        return;
    }
    table_free(view->streams, stream_free);
    free(view->touched.streams);
    free(view->pass.streams);
    free(view);
}

struct stream *view_find(const struct view *view, int64_t id) {
    return table_find(view->streams, table_hash_number((uint64_t)id), &id);
}

struct stream *view_add(struct view *view, int64_t id, uint64_t merged, uint64_t cursor,
                        bool cursor_follows) {
    assert(view_find(view, id) == NULL);
    struct stream *stream = malloc(sizeof *stream);
    if (stream == NULL) {
        return NULL;
    }
    *stream = (struct stream){.id = id,
                              .head = merged,
                              .merged = merged,
                              .cursor = cursor,
                              .cursor_follows = cursor_follows};
    if (!table_add(view->streams, table_hash_number((uint64_t)id), stream)) {
        free(stream);
        return NULL;
    }
    return stream;
}

static size_t entries_of(const struct stream *stream) {
    return (size_t)(stream->head - stream->merged);
}

static bool list_add(struct list *list, struct stream *stream) {
    if (list->count == list->max) {
        size_t max = list->max == 0 ? 64 : list->max * 2;
        struct stream **streams = realloc(list->streams, max * sizeof(struct stream *));
        if (streams == NULL) {
            return false;
        }
        list->streams = streams;
        list->max = max;
    }
    list->streams[list->count++] = stream;
    return true;
}

/* Makes room for one more position behind the others. */
static bool room(struct stream *stream) {
    size_t count = entries_of(stream);
    if (stream->positions_first + count < stream->positions_max) {
        return true;
    }
    if (stream->positions_first > count) {
        memcpy(stream->positions, stream->positions + stream->positions_first,
               count * sizeof(int64_t));
        stream->positions_first = 0;
        return true;
    }
    size_t max = stream->positions_max == 0 ? 4 : stream->positions_max * 2;
    int64_t *positions = realloc(stream->positions, max * sizeof(int64_t));
    if (positions == NULL) {
        return false;
    }
    stream->positions = positions;
    stream->positions_max = max;
    return true;
}

/* Takes a stream out of what is left of a list; false: it is not in there. */
static bool list_remove(struct list *list, size_t from, const struct stream *stream) {
    for (size_t i = from; i < list->count; i++) {
        if (list->streams[i] == stream) {
            size_t behind = --list->count - i;
            memmove(list->streams + i, list->streams + i + 1, behind * sizeof(struct stream *));
            return true;
        }
    }
    return false;
}

void view_remove(struct view *view, struct stream *stream) {
    if (entries_of(stream) > 0) {
        bool found = list_remove(&view->touched, 0, stream) ||
                     (view->pass_runs && list_remove(&view->pass, view->pass_at, stream));
        assert(found);
        (void)found;
        view->entries -= entries_of(stream);
    }
    struct stream *removed =
        table_remove(view->streams, table_hash_number((uint64_t)stream->id), &stream->id);
    assert(removed == stream);
    stream_free(removed);
}

bool view_push(struct view *view, struct stream *stream, int64_t position, bool own) {
    if (!room(stream) || (entries_of(stream) == 0 && !list_add(&view->touched, stream))) {
        return false;
    }
    stream->positions[stream->positions_first + entries_of(stream)] = position;
    if (own && stream->cursor_follows && stream->cursor == stream->head) {
        stream->cursor++;
    }
    stream->head++;
    view->entries++;
    return true;
}

int64_t view_position(const struct stream *stream, uint64_t seq) {
    assert(seq > stream->merged && seq <= stream->head);
    return stream->positions[stream->positions_first + (size_t)(seq - stream->merged - 1)];
}

size_t view_count(const struct view *view) {
    return view->entries;
}

static int by_id(const void *a, const void *b) {
    int64_t x = (*(struct stream *const *)a)->id;
    int64_t y = (*(struct stream *const *)b)->id;
    return (x > y) - (x < y);
}

void view_pass_begin(struct view *view, int64_t watermark) {
    assert(!view->pass_runs);
    struct list empty = view->pass;
    empty.count = 0;
    view->pass = view->touched;
    view->touched = empty;
    if (view->pass.count > 1) {
        qsort(view->pass.streams, view->pass.count, sizeof(struct stream *), by_id);
    }
    view->pass_at = 0;
    view->pass_runs = true;
    view->pass_watermark = watermark;
}

bool view_pass_runs(const struct view *view) {
    return view->pass_runs;
}

int64_t view_pass_watermark(const struct view *view) {
    return view->pass_watermark;
}

struct stream *view_pass_stream(const struct view *view) {
    assert(view->pass_runs);
    return view->pass_at < view->pass.count ? view->pass.streams[view->pass_at] : NULL;
}

size_t view_pass_entries(const struct view *view, size_t max) {
    const struct stream *stream = view_pass_stream(view);
    size_t count = entries_of(stream);
    const int64_t *positions = stream->positions + stream->positions_first;
    size_t found = 0;
    while (found < count && found < max && positions[found] <= view->pass_watermark) {
        found++;
    }
    return found;
}

bool view_pass_merged(struct view *view, size_t count) {
    struct stream *stream = view_pass_stream(view);
    assert(count <= entries_of(stream));
    stream->merged += count;
    stream->positions_first += count;
    view->entries -= count;
    if (entries_of(stream) == 0) {
        free(stream->positions);
        stream->positions = NULL;
        stream->positions_first = stream->positions_max = 0;
    } else if (view_pass_entries(view, 1) > 0) {
        return true;
    } else if (!list_add(&view->touched, stream)) {
        return false;
    }
    view->pass_at++;
    return true;
}

void view_pass_end(struct view *view) {
    assert(view_pass_stream(view) == NULL);
    view->pass_runs = false;
}
