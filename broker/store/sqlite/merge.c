/* How the view's entries move: from the log into memory when the store opens, and from memory into
 * the tables entry and band_row, slice by slice. A slice writes entries and what is known of their
 * band together, so at any moment each entry of the log is in exactly one place; the watermark only
 * limits what a replay has to look at, and moves when a pass is complete. */
#include "band.h"
#include "log.h"

const struct statement_text merge_statements[] = {
    {STATEMENT_ENTRY_ADD, "INSERT INTO entry (stream, last_seq, positions) VALUES (?1, ?2, ?3)"},
    {0},
};

static enum store_status replay_entry(struct store *store, int64_t position, int64_t id,
                                      uint64_t seq, bool own) {
    struct stream *stream;
    enum store_status status = sqlite_stream(store, id, &stream);
    if (status == STORE_FAILED)
        return status;
    if (status != STORE_OK || seq > stream->head + 1)
        return sqlite_fail_because(store, "read", "the log has a hole");
    if (seq <= stream->head)
        return STORE_OK; /* merged by a pass that did not end */
    return view_push(store->view, stream, position, own) ? STORE_OK : sqlite_no_memory(store);
}

static enum store_status replay_streams(struct store *store, int64_t position,
                                        const struct log_entry *entry) {
    if (replay_entry(store, position, entry->stream, entry->seq, false) != STORE_OK)
        return STORE_FAILED;
    if (!log_is_message(entry->kind))
        return sqlite_fresh_replay(store, position, entry);
    store->messages++;
    return replay_entry(store, position, entry->author, entry->second, true);
}

/* The streams of a damaged entry are unknown, so their numbers would be given again. */
static enum store_status replay(struct store *store, int64_t position, int64_t watermark) {
    struct log *log = store->log;
    struct log_entry entry;
    if (sqlite_log_read(store, position, &entry) != STORE_OK)
        return STORE_FAILED;
    if (entry.kind == LOG_LOST && position > watermark)
        return sqlite_fail_because(store, "read", "the end of the log is damaged");
    if (!entry.id)
        return STORE_OK;
    if (position > log->ids_merged && !ids_add(log->ids, entry.id, position))
        return sqlite_no_memory(store);
    return position > watermark ? replay_streams(store, position, &entry) : STORE_OK;
}

enum store_status sqlite_replay(struct store *store) {
    int64_t watermark = 0;
    int64_t messages = 0;
    if (sqlite_meta(store, "watermark", &watermark) != STORE_OK ||
        sqlite_meta(store, "messages", &messages) != STORE_OK ||
        sqlite_log_load(store) != STORE_OK || sqlite_id_load(store) != STORE_OK)
        return STORE_FAILED;
    if (store->beside)
        return STORE_OK; /* nobody reads inboxes in this process */
    if (sqlite_band_load(store) != STORE_OK || sqlite_rubbish_load(store) != STORE_OK)
        return STORE_FAILED;
    store->messages = (uint64_t)messages;
    int64_t merged = store->log->ids_merged;
    enum store_status status = STORE_OK;
    for (int64_t position = (watermark < merged ? watermark : merged) + 1;
         position <= store->last_position && status == STORE_OK; position++)
        status = replay(store, position, watermark);
    return status;
}

bool sqlite_merge_waits(const struct store *store) {
    return view_pass_runs(store->view) || view_count(store->view) > store->view_entries;
}

/* ---- slices ---- */

/* The clock is read once for so many entries or streams. */
#define CLOCK_EVERY 8

struct slice {
    size_t must;      /* twice what arrived since the last slice, so that memory stays bounded */
    size_t may;       /* how much at most, until the time is over */
    int64_t begin_us; /* 0 without a clock */
    size_t merged;
    size_t looked; /* what was merged when the clock was last read */
    bool is_late;  /* then the time was over */
};

static struct slice begin_slice(const struct store *store) {
    size_t must = 2 * store->view_appended;
    return (struct slice){.must = must,
                          .may = must > store->slice_entries ? must : store->slice_entries,
                          .begin_us = store->clock_us ? store->clock_us() : 0};
}

static bool is_time_over(const struct store *store, struct slice *slice) {
    if (store->clock_us && slice->merged - slice->looked >= CLOCK_EVERY) {
        slice->looked = slice->merged;
        slice->is_late = store->clock_us() - slice->begin_us >= store->slice_us;
    }
    return slice->is_late;
}

static bool is_over(const struct store *store, struct slice *slice) {
    return slice->merged >= slice->must &&
           (slice->merged >= slice->may || is_time_over(store, slice));
}

/* How many of one stream's entries are merged at once: not so many that the clock is not read for
 * long. */
static size_t some(const struct slice *slice, size_t entries) {
    size_t left = slice->may - slice->merged;
    size_t most = left < RUN_ENTRIES ? left : RUN_ENTRIES;
    return entries < most ? entries : most;
}

/* ---- bands ---- */

/* Groups on their way into the band's rows. */
struct groups {
    size_t length;
    unsigned char bytes[BAND_ROW_FULL];
};

static enum store_status write_groups(struct store *store, size_t band, struct groups *groups) {
    enum store_status status =
        groups->length > 0 ? sqlite_band_add(store, band, groups->bytes, groups->length) : STORE_OK;
    groups->length = 0;
    return status;
}

/* Writes one row of the table entry: the stream's next `count` entries. */
static enum store_status write_run(struct store *store, const struct stream *stream, size_t count) {
    unsigned char positions[RUN_ENTRIES * RUN_ENTRY_BYTES];
    for (size_t i = 0; i < count; i++)
        run_put(positions, i, view_position(stream, stream->merged + 1 + i));
    sqlite3_stmt *add = store->statements[STATEMENT_ENTRY_ADD];
    bind_number(add, 1, stream->id);
    bind_number(add, 2, (int64_t)(stream->merged + count));
    bind_blob(add, 3, positions, count * RUN_ENTRY_BYTES);
    return sqlite_run(store, add);
}

static enum store_status write_group(struct store *store, const struct stream *stream, size_t count,
                                     struct groups *groups) {
    struct group group = {.place = (size_t)(stream->id - 1) % BAND_STREAMS,
                          .first = stream->merged + 1,
                          .count = count};
    if (groups->length + GROUP_BYTES_MAX > sizeof groups->bytes &&
        write_groups(store, view_band_of(stream->id), groups) != STORE_OK)
        return STORE_FAILED;
    for (size_t i = 0; i < count; i++)
        group.positions[i] = view_position(stream, group.first + i);
    groups->length += group_write(groups->bytes + groups->length, &group);
    return STORE_OK;
}

/* Merges a stream's next entries, as many as fit into a row of its own or a group. */
static enum store_status merge_stream(struct store *store, struct stream *stream,
                                      struct slice *slice, struct groups *groups) {
    size_t entries = view_pass_entries(stream);
    size_t count = some(slice, entries);
    enum store_status status = entries > GROUP_ENTRIES_MAX
                                   ? write_run(store, stream, count)
                                   : write_group(store, stream, count, groups);
    if (status == STORE_OK) {
        view_pass_merged(store->view, stream, count);
        slice->merged += count;
    }
    return status;
}

/* Merges the rest of the band, or as much as the slice has time for. */
static enum store_status merge_band(struct store *store, size_t band, struct slice *slice) {
    struct groups groups = {.length = 0};
    size_t before = slice->merged;
    struct stream *stream;
    enum store_status status = STORE_OK;
    while (status == STORE_OK && !is_over(store, slice) && (stream = view_pass_stream(store->view)))
        status = merge_stream(store, stream, slice, &groups);
    if (status == STORE_OK)
        status = write_groups(store, band, &groups);
    return status == STORE_OK && slice->merged > before ? sqlite_band_write(store, band) : status;
}

static enum store_status end_pass(struct store *store) {
    int64_t watermark = view_pass_watermark(store->view);
    view_pass_end(store->view);
    return sqlite_fresh_write(store) == STORE_OK &&
                   sqlite_meta_set(store, "watermark", watermark) == STORE_OK
               ? sqlite_meta_set(store, "messages", (int64_t)store->pass_messages)
               : STORE_FAILED;
}

enum store_status sqlite_merge_slice(struct store *store) {
    struct view *view = store->view;
    if (sqlite_write(store) != STORE_OK)
        return STORE_FAILED;
    if (!view_pass_runs(view)) {
        view_pass_begin(view, store->last_position);
        store->pass_messages = store->messages;
    }
    struct slice slice = begin_slice(store);
    size_t band;
    while (view_pass_band(view, &band)) {
        if (is_over(store, &slice))
            return STORE_OK;
        if (merge_band(store, band, &slice) != STORE_OK)
            return STORE_FAILED;
    }
    return end_pass(store);
}
