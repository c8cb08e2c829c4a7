/* The positions of a stream's entries up to `merged` are in the store, the others in memory. In the
 * store they are in two places, the stream's own rows and its band's rows; each row has some that
 * follow each other. The next entry is taken from the place that has it. */
#include "walk.h"

#include <string.h>

const struct statement_text walk_statements[] = {
    {STATEMENT_BEGIN_READ, "BEGIN"},
    {STATEMENT_ENTRY_RUNS, "SELECT last_seq, positions FROM entry WHERE stream = ?1 AND last_seq "
                           "> ?2 ORDER BY last_seq"},
    {0},
};

#define NONE UINT64_MAX

static void begin_rows(struct store *store, const struct walk *walk, uint64_t after_seq) {
    sqlite3_stmt *rows = store->statements[STATEMENT_ENTRY_RUNS];
    (void)sqlite3_reset(rows);
    bind_number(rows, 1, walk->stream->id);
    bind_number(rows, 2, (int64_t)after_seq);
}

enum store_status walk_begin(struct store *store, struct walk *walk, const struct stream *stream,
                             uint64_t after_seq, uint64_t last_seq) {
    walk->stream = stream;
    walk->seq = after_seq;
    walk->last_seq = last_seq;
    walk->row.first = walk->row.last = walk->group.first = walk->group.last = 0;
    walk->row_again = walk->in_transaction = false;
    walk->band_row = 0;
    if (after_seq < stream->merged)
        begin_rows(store, walk, after_seq);
    if (!store->in_transaction && after_seq < last_seq) {
        walk->in_transaction = true;
        return sqlite_run(store, store->statements[STATEMENT_BEGIN_READ]);
    }
    return STORE_OK;
}

enum store_status walk_end(struct store *store, struct walk *walk, enum store_status status) {
    (void)sqlite3_reset(store->statements[STATEMENT_ENTRY_RUNS]);
    if (walk->in_transaction && !store->failed &&
        sqlite_run(store, store->statements[STATEMENT_COMMIT]) != STORE_OK)
        return STORE_FAILED;
    return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* ---- the stream's own rows ---- */

/* false: what the row says is impossible. */
static bool take_row(sqlite3_stmt *rows, uint64_t seq, struct walk_run *out) {
    const unsigned char *positions = sqlite3_column_blob(rows, 1);
    size_t count = (size_t)sqlite3_column_bytes(rows, 1) / RUN_ENTRY_BYTES;
    out->last = column_count(rows, 0);
    if (count == 0 || count > RUN_ENTRIES || out->last < seq || out->last < count)
        return false;
    out->first = out->last - count + 1;
    for (size_t i = 0; i < count; i++)
        out->positions[i] = run_get(positions, i);
    return true;
}

/* If a row is damaged there is none for `seq`, and the next entry is looked for anew. */
static enum store_status next_row(struct store *store, struct walk *walk, uint64_t seq) {
    sqlite3_stmt *rows = store->statements[STATEMENT_ENTRY_RUNS];
    bool is_damaged;
    if (walk->row_again)
        begin_rows(store, walk, seq - 1);
    enum step step = sqlite_step_damaged(store, rows, &is_damaged);
    walk->row_again = is_damaged;
    walk->row.first = walk->row.last = NONE;
    if (step == STEP_ROW && !take_row(rows, seq, &walk->row))
        walk->row_again = true;
    if (walk->row_again) {
        walk->row.first = NONE;
        walk->row.last = seq;
    }
    return step == STEP_FAILED ? STORE_FAILED : STORE_OK;
}

/* ---- the band's rows ---- */

static uint32_t band_rows(const struct store *store, const struct walk *walk) {
    return view_band(store->view, view_band_of(walk->stream->id))->rows;
}

/* The next group of the stream in the row that was last read; false: there is none. */
static bool next_in_row(struct walk *walk, struct walk_run *out) {
    struct group group;
    size_t place = (size_t)(walk->stream->id - 1) % BAND_STREAMS;
    while (group_read(walk->groups.bytes, walk->groups.length, &walk->band_at, &group)) {
        if (group.place == place) {
            out->first = group.first;
            out->last = group.first + group.count - 1;
            memcpy(out->positions, group.positions, group.count * sizeof *group.positions);
            return true;
        }
    }
    return false;
}

static enum store_status read_row(struct store *store, struct walk *walk) {
    walk->band_at = 0;
    return sqlite_band_read(store, view_band_of(walk->stream->id), walk->band_row, &walk->groups);
}

static enum store_status find_row(struct store *store, struct walk *walk, uint64_t seq) {
    return sqlite_band_find(store, walk->stream, seq, &walk->band_row) == STORE_OK
               ? read_row(store, walk)
               : STORE_FAILED;
}

static enum store_status next_group(struct store *store, struct walk *walk, uint64_t seq) {
    uint32_t rows = band_rows(store, walk);
    enum store_status status = STORE_OK;
    if (walk->band_row == 0 && rows > 0)
        status = find_row(store, walk, seq);
    while (status == STORE_OK && walk->band_row > 0 && walk->band_row <= rows) {
        while (next_in_row(walk, &walk->group))
            if (walk->group.last >= seq)
                return STORE_OK;
        walk->band_row++;
        status = walk->band_row <= rows ? read_row(store, walk) : STORE_OK;
    }
    walk->group.first = walk->group.last = NONE;
    return status;
}

/* ---- both ---- */

static bool has(const struct walk_run *run, uint64_t seq) {
    return run->first <= seq && seq <= run->last;
}

static enum store_status find_merged(struct store *store, struct walk *walk, uint64_t seq,
                                     int64_t *position) {
    *position = 0;
    if (walk->row.last < seq && next_row(store, walk, seq) != STORE_OK)
        return STORE_FAILED;
    if (has(&walk->row, seq)) {
        *position = walk->row.positions[seq - walk->row.first];
        return STORE_OK;
    }
    if (walk->group.last < seq && next_group(store, walk, seq) != STORE_OK)
        return STORE_FAILED;
    if (has(&walk->group, seq))
        *position = walk->group.positions[seq - walk->group.first];
    return STORE_OK;
}

enum store_status walk_next(struct store *store, struct walk *walk, int64_t *position) {
    if (walk->seq >= walk->last_seq)
        return STORE_NOT_FOUND;
    uint64_t seq = walk->seq + 1;
    if (seq > walk->stream->merged)
        *position = view_position(walk->stream, seq);
    else if (find_merged(store, walk, seq, position) != STORE_OK)
        return STORE_FAILED;
    walk->seq = seq;
    return STORE_OK;
}
