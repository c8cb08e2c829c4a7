#include "log.h"

#include <stdlib.h>
#include <string.h>

const struct statement_text log_statements[] = {
    {STATEMENT_LOG_APPEND, "INSERT INTO log (last, count, entries) VALUES (?1, ?2, ?3)"},
    {STATEMENT_LOG_ROW,
     "SELECT last, count, entries FROM log WHERE last >= ?1 ORDER BY last LIMIT 1"},
    {STATEMENT_LOG_CHANGE, "UPDATE log SET entries = ?2 WHERE last = ?1"},
    {STATEMENT_LOG_LAST, "SELECT coalesce(max(last), 0) FROM log"},
    {0},
};

struct log *log_new(uint64_t seed) {
    struct log *log = calloc(1, sizeof *log);
    if (!log)
        return NULL;
    log->ids = ids_new(seed);
    if (!log->ids) {
        free(log);
        return NULL;
    }
    return log;
}

void log_free(struct log *log) {
    if (!log)
        return;
    ids_free(log->ids);
    free(log->bytes);
    free(log);
}

/* ---- writing ---- */

static enum store_status write_row(struct store *store) {
    struct log *log = store->log;
    sqlite3_stmt *add = store->statements[STATEMENT_LOG_APPEND];
    if (log->filling_bytes == 0)
        return STORE_OK;
    bind_number(add, 1, store->last_position);
    bind_number(add, 2, store->last_position - log->written);
    bind_blob(add, 3, log->filling, log->filling_bytes);
    if (sqlite_run(store, add) != STORE_OK)
        return STORE_FAILED;
    log->written = store->last_position;
    log->filling_bytes = 0;
    return STORE_OK;
}

enum store_status sqlite_log_begin(struct store *store) {
    int64_t last = store->last_position;
    store->log->begun = last;
    if (!store->beside &&
        sqlite_number(store, store->statements[STATEMENT_LOG_LAST], &last) != STORE_OK)
        return STORE_FAILED;
    return last == store->last_position
               ? STORE_OK
               : sqlite_fail_because(store, "write", "another process writes to it, too");
}

enum store_status sqlite_log_append(struct store *store, const struct log_entry *entry) {
    struct log *log = store->log;
    if (log->filling_bytes > 0 && log->filling_bytes + log_entry_bytes(entry) > LOG_ROW_FULL &&
        write_row(store) != STORE_OK)
        return STORE_FAILED;
    int64_t position = ++store->last_position;
    log->filling_bytes += log_entry_write(log->filling + log->filling_bytes, position, entry);
    return !entry->id || ids_add(log->ids, entry->id, position) ? STORE_OK
                                                                : sqlite_no_memory(store);
}

enum store_status sqlite_log_flush(struct store *store) {
    return write_row(store);
}

enum store_status sqlite_log_commit(struct store *store) {
    static const struct log_entry mark = {.kind = LOG_MARK};
    struct log *log = store->log;
    if (store->last_position == log->begun && !store->beside &&
        sqlite_log_append(store, &mark) != STORE_OK)
        return STORE_FAILED;
    return write_row(store);
}

/* ---- reading ---- */

static bool keep(struct log *log, const void *bytes, size_t length) {
    if (length > log->bytes_max) {
        unsigned char *larger = realloc(log->bytes, length);
        if (!larger)
            return false;
        log->bytes = larger;
        log->bytes_max = length;
    }
    if (length > 0)
        memcpy(log->bytes, bytes, length);
    return true;
}

struct log_row sqlite_log_row(sqlite3_stmt *row) {
    uint64_t count = column_count(row, 1);
    return (struct log_row){.first = sqlite3_column_int64(row, 0) - (int64_t)count + 1,
                            .count = (size_t)count,
                            .bytes = sqlite3_column_blob(row, 2),
                            .length = (size_t)sqlite3_column_bytes(row, 2)};
}

static enum store_status keep_row(struct store *store, sqlite3_stmt *statement) {
    struct log *log = store->log;
    struct log_row row = sqlite_log_row(statement);
    if (!keep(log, row.bytes, row.length))
        return sqlite_no_memory(store);
    log->row = row;
    log->row.bytes = log->bytes;
    return STORE_OK;
}

static bool is_within(const struct log_row *row, int64_t position) {
    return row->count > 0 && position >= row->first && position - row->first < (int64_t)row->count;
}

/* Reads a row from a page that is damaged somewhere, without regard to the page's checksum: each of
 * its entries has its own check. If it can't be read at all there is no row. */
static enum store_status salvage_row(struct store *store, sqlite3 *db, int64_t position) {
    sqlite3_stmt *find = NULL;
    enum store_status status = STORE_OK;
    const char *sql = sqlite3_sql(store->statements[STATEMENT_LOG_ROW]);
    if (sqlite3_prepare_v2(db, sql, -1, &find, NULL) == SQLITE_OK) {
        bind_number(find, 1, position);
        if (sqlite3_step(find) == SQLITE_ROW)
            status = keep_row(store, find);
        if (!is_within(&store->log->row, position))
            store->log->row.count = 0; /* of another position: this one's is unknown */
    }
    (void)sqlite3_finalize(find);
    return status;
}

static enum store_status salvage(struct store *store, int64_t position) {
    sqlite3 *db = NULL;
    enum store_status status = STORE_OK;
    bool is_on_disk = store->reserve || store->reads;
    if (is_on_disk && sqlite_connect(store->path, NULL, &db) == SQLITE_OK)
        status = salvage_row(store, db, position);
    (void)sqlite3_close(db);
    return status;
}

/* Reads the row with the position, if there is one. */
static enum store_status load_row(struct store *store, int64_t position) {
    sqlite3_stmt *find = store->statements[STATEMENT_LOG_ROW];
    bool is_damaged = false;
    if (is_within(&store->log->row, position))
        return STORE_OK;
    store->log->row.count = 0;
    bind_number(find, 1, position);
    enum step step = sqlite_step_damaged(store, find, &is_damaged);
    enum store_status status = step == STEP_ROW      ? keep_row(store, find)
                               : step == STEP_FAILED ? STORE_FAILED
                                                     : STORE_OK;
    (void)sqlite3_reset(find);
    return is_damaged ? salvage(store, position) : status;
}

static void read_filling(struct store *store, int64_t position, struct log_entry *out) {
    struct log *log = store->log;
    struct log_row row = {.first = log->written + 1,
                          .count = (size_t)(store->last_position - log->written),
                          .bytes = log->filling,
                          .length = log->filling_bytes};
    log_row_read(&row, position, out);
}

enum store_status sqlite_log_read(struct store *store, int64_t position, struct log_entry *out) {
    struct log *log = store->log;
    *out = (struct log_entry){.kind = LOG_LOST};
    if (position > log->written) {
        if (position <= store->last_position)
            read_filling(store, position, out);
        return STORE_OK;
    }
    if (position < 1)
        return STORE_OK;
    if (load_row(store, position) != STORE_OK)
        return STORE_FAILED;
    if (is_within(&log->row, position))
        log_row_read(&log->row, position, out);
    else if (log->row.count > 0)
        out->kind = LOG_GONE; /* between two rows: an earlier version removed it */
    return STORE_OK;
}

/* The page with the log's end will be written to. If it is damaged somewhere, it is written again
 * as it is, so that its checksum is right; the checks of its entries still tell which of them are
 * damaged. */
static void rewrite_end(struct store *store) {
    static const char rewrite[] = /* SQLite would not write a page that does not change */
        "BEGIN IMMEDIATE;"
        "UPDATE log SET count = count + 1 WHERE last = (SELECT max(last) FROM log);"
        "UPDATE log SET count = count - 1 WHERE last = (SELECT max(last) FROM log);"
        "COMMIT";
    sqlite3 *db = NULL;
    if (store->reserve && sqlite_connect(store->path, NULL, &db) == SQLITE_OK)
        (void)sqlite3_exec(db, rewrite, NULL, NULL, NULL); /* if it fails, the page stays damaged */
    (void)sqlite3_close(db);
}

void sqlite_log_mend(struct store *store) {
    sqlite3_stmt *find = NULL;
    bool is_damaged =
        sqlite3_prepare_v2(store->db, "SELECT max(last) FROM log", -1, &find, NULL) == SQLITE_OK &&
        (sqlite3_step(find) & 0xff) == SQLITE_CORRUPT;
    (void)sqlite3_finalize(find);
    if (is_damaged && !store->beside)
        rewrite_end(store);
}

enum store_status sqlite_log_load(struct store *store) {
    sqlite3_stmt *find = store->statements[STATEMENT_LOG_LAST];
    if (sqlite_number(store, find, &store->last_position) != STORE_OK)
        return STORE_FAILED;
    store->log->written = store->last_position;
    return STORE_OK;
}

void sqlite_log_forget(struct store *store) {
    store->log->row.count = 0;
}

/* ---- removing ---- */

static enum store_status write_changed(struct store *store) {
    struct log_row *row = &store->log->row;
    sqlite3_stmt *change = store->statements[STATEMENT_LOG_CHANGE];
    bind_number(change, 1, row->first + (int64_t)row->count - 1);
    bind_blob(change, 2, row->bytes, row->length);
    return sqlite_run(store, change);
}

enum store_status sqlite_log_remove(struct store *store, int64_t position) {
    static const struct log_entry gone = {.kind = LOG_GONE};
    struct log *log = store->log;
    unsigned char written[LOG_ENTRY_BYTES_GONE];
    size_t at, length;
    if ((position > log->written && write_row(store) != STORE_OK) ||
        load_row(store, position) != STORE_OK)
        return STORE_FAILED;
    if (!is_within(&log->row, position) || !log_row_find(&log->row, position, &at, &length))
        return STORE_OK; /* a damaged entry can't be told from others: it stays */
    size_t gone_bytes = log_entry_write(written, position, &gone);
    memmove(log->bytes + at + gone_bytes, log->bytes + at + length, log->row.length - at - length);
    memcpy(log->bytes + at, written, gone_bytes);
    log->row.length -= length - gone_bytes;
    return write_changed(store);
}
