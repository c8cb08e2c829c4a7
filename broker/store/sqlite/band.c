#include "band.h"

#include <assert.h>
#include <string.h>

const struct statement_text band_statements[] = {
    {STATEMENT_STREAM_ALL, "SELECT id, merged_seq, read_seq, read_all FROM stream"},
    {STATEMENT_BAND_ALL, "SELECT band, rows, last_bytes, streams FROM band"},
    {STATEMENT_BAND_PUT,
     "INSERT OR REPLACE INTO band (band, rows, last_bytes, streams) VALUES (?1, ?2, ?3, ?4)"},
    {STATEMENT_BAND_ROW, "SELECT groups FROM band_row WHERE place = ?1"},
    {STATEMENT_BAND_ROW_PUT, "INSERT OR REPLACE INTO band_row (place, groups) VALUES (?1, ?2)"},
    {0},
};

/* ---- what is known of the streams ---- */

static enum store_status load_streams(struct store *store) {
    sqlite3_stmt *all = store->statements[STATEMENT_STREAM_ALL];
    enum store_status status = STORE_OK;
    enum step step = STEP_DONE;
    while (status == STORE_OK && (step = sqlite_step(store, all)) == STEP_ROW)
        if (!view_add(store->view, sqlite3_column_int64(all, 0), column_count(all, 1),
                      column_count(all, 2), sqlite3_column_int(all, 3) != 0))
            status = sqlite_no_memory(store);
    (void)sqlite3_reset(all);
    return step == STEP_FAILED ? STORE_FAILED : status;
}

static enum store_status load_band(struct store *store, sqlite3_stmt *row) {
    struct band *band = view_band_make(store->view, (size_t)column_count(row, 0));
    if (!band)
        return sqlite_no_memory(store);
    band->rows = (uint32_t)column_count(row, 1);
    band->last_row_bytes = (uint32_t)column_count(row, 2);
    return band_read(sqlite3_column_blob(row, 3), (size_t)sqlite3_column_bytes(row, 3), band)
               ? STORE_OK
               : sqlite_fail_because(store, "read", "a band of streams is damaged");
}

enum store_status sqlite_band_load(struct store *store) {
    sqlite3_stmt *all = store->statements[STATEMENT_BAND_ALL];
    enum store_status status = load_streams(store);
    enum step step = STEP_DONE;
    while (status == STORE_OK && (step = sqlite_step(store, all)) == STEP_ROW)
        status = load_band(store, all);
    (void)sqlite3_reset(all);
    return step == STEP_FAILED ? STORE_FAILED : status;
}

enum store_status sqlite_band_write(struct store *store, size_t number) {
    unsigned char streams[BAND_BYTES_MAX];
    const struct band *band = view_band(store->view, number);
    sqlite3_stmt *put = store->statements[STATEMENT_BAND_PUT];
    bind_number(put, 1, (int64_t)number);
    bind_number(put, 2, band->rows);
    bind_number(put, 3, band->last_row_bytes);
    bind_blob(put, 4, streams, band_write(streams, band));
    return sqlite_run(store, put);
}

/* ---- rows ---- */

enum store_status sqlite_band_read(struct store *store, size_t band, uint32_t row,
                                   struct band_groups *out) {
    sqlite3_stmt *get = store->statements[STATEMENT_BAND_ROW];
    bool is_damaged;
    bind_number(get, 1, BAND_PLACE(band, row));
    enum step step = sqlite_step_damaged(store, get, &is_damaged);
    out->length = step == STEP_ROW ? (size_t)sqlite3_column_bytes(get, 0) : 0;
    if (out->length > BAND_ROW_FULL)
        out->length = 0;
    if (out->length > 0)
        memcpy(out->bytes, sqlite3_column_blob(get, 0), out->length);
    (void)sqlite3_reset(get);
    return step == STEP_FAILED ? STORE_FAILED : STORE_OK;
}

static enum store_status put_row(struct store *store, size_t band, uint32_t row,
                                 const unsigned char *groups, size_t length) {
    sqlite3_stmt *put = store->statements[STATEMENT_BAND_ROW_PUT];
    bind_number(put, 1, BAND_PLACE(band, row));
    bind_blob(put, 2, groups, length);
    return sqlite_run(store, put);
}

/* Adds behind what is in the row already, which stays as it is even if it is damaged. */
static enum store_status add_behind(struct store *store, size_t number, struct band *band,
                                    const unsigned char *groups, size_t length) {
    struct band_groups row;
    if (sqlite_band_read(store, number, band->rows, &row) != STORE_OK)
        return STORE_FAILED;
    if (row.length == 0 || row.length + length > BAND_ROW_FULL) {
        row.length = 0;
        band->rows++;
    }
    memcpy(row.bytes + row.length, groups, length);
    band->last_row_bytes = (uint32_t)(row.length + length);
    return put_row(store, number, band->rows, row.bytes, row.length + length);
}

enum store_status sqlite_band_add(struct store *store, size_t number, const unsigned char *groups,
                                  size_t length) {
    struct band *band = view_band(store->view, number);
    assert(length <= BAND_ROW_FULL);
    if (band->rows > 0 && band->last_row_bytes + length <= BAND_ROW_FULL)
        return add_behind(store, number, band, groups, length);
    band->rows++;
    band->last_row_bytes = (uint32_t)length;
    return put_row(store, number, band->rows, groups, length);
}

/* ---- finding ---- */

/* The number of the stream's first entry in the row; 0: it has none. */
static uint64_t first_in(const struct band_groups *row, size_t place) {
    struct group group;
    size_t at = 0;
    while (group_read(row->bytes, row->length, &at, &group))
        if (group.place == place)
            return group.first;
    return 0;
}

/* The next row from *row on, before `end`, that has entries of the stream. */
static enum store_status next_with(struct store *store, const struct stream *stream, uint32_t *row,
                                   uint32_t end, uint64_t *first) {
    struct band_groups groups;
    size_t place = (size_t)(stream->id - 1) % BAND_STREAMS;
    for (*first = 0; *row < end; ++*row) {
        if (sqlite_band_read(store, view_band_of(stream->id), *row, &groups) != STORE_OK)
            return STORE_FAILED;
        *first = first_in(&groups, place);
        if (*first > 0)
            return STORE_OK;
    }
    return STORE_OK;
}

enum store_status sqlite_band_find(struct store *store, const struct stream *stream, uint64_t seq,
                                   uint32_t *row) {
    uint32_t low = 1, high = view_band(store->view, view_band_of(stream->id))->rows + 1;
    while (low + 1 < high) {
        uint32_t middle = low + (high - low) / 2, at = middle;
        uint64_t first;
        if (next_with(store, stream, &at, high, &first) != STORE_OK)
            return STORE_FAILED;
        if (first > 0 && first <= seq)
            low = at;
        else
            high = middle;
    }
    *row = low;
    return STORE_OK;
}
