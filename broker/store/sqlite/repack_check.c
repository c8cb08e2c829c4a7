/* Reads all of the new database and compares it with the old one. */
#include "repack.h"

#include <string.h>

/* ---- tables ---- */

static bool same_value(sqlite3_stmt *a, sqlite3_stmt *b, int column) {
    int type = sqlite3_column_type(a, column);
    if (type != sqlite3_column_type(b, column))
        return false;
    if (type == SQLITE_INTEGER || type == SQLITE_NULL)
        return sqlite3_column_int64(a, column) == sqlite3_column_int64(b, column);
    const void *bytes = sqlite3_column_blob(a, column), *other = sqlite3_column_blob(b, column);
    int count = sqlite3_column_bytes(a, column);
    return count == sqlite3_column_bytes(b, column) &&
           (count == 0 || (bytes && other && memcmp(bytes, other, (size_t)count) == 0));
}

static bool same_row(sqlite3_stmt *a, sqlite3_stmt *b) {
    bool same = true;
    for (int i = 0; same && i < sqlite3_column_count(a); i++)
        same = same_value(a, b, i);
    return same;
}

/* Compares row by row, and reports progress now and then. */
static enum store_status compare_copies(struct upgrade *upgrade, sqlite3_stmt *old,
                                        sqlite3_stmt *new) {
    uint64_t rows = 0;
    for (;;) {
        enum step a = sqlite_step(upgrade->store, old), b = sqlite_step(upgrade->store, new);
        if (a == STEP_FAILED || b == STEP_FAILED)
            return STORE_FAILED;
        if (a != b || (a == STEP_ROW && !same_row(old, new)))
            return STORE_MISMATCH;
        if (a == STEP_DONE)
            return repack_tell(upgrade, rows % REPACK_ROWS);
        if (++rows % REPACK_ROWS == 0 && repack_tell(upgrade, REPACK_ROWS) != STORE_OK)
            return STORE_FAILED;
    }
}

/* ---- the log ---- */

/* The rows of the new log, entry by entry. */
struct unpacking {
    sqlite3_stmt *rows; /* borrowed */
    struct log_row row;
    int64_t position; /* of the last entry returned */
};

/* Reads a row of last, count, entries. */
static struct log_row row_of(sqlite3_stmt *row) {
    uint64_t count = column_count(row, 1);
    return (struct log_row){.first = sqlite3_column_int64(row, 0) - (int64_t)count + 1,
                            .count = (size_t)count,
                            .bytes = sqlite3_column_blob(row, 2),
                            .length = (size_t)sqlite3_column_bytes(row, 2)};
}

static enum step next_entry(struct upgrade *upgrade, struct unpacking *unpacking,
                            struct log_entry *out) {
    struct log_row *row = &unpacking->row;
    unpacking->position++;
    if (row->count == 0 || unpacking->position >= row->first + (int64_t)row->count) {
        enum step step = sqlite_step(upgrade->store, unpacking->rows);
        if (step != STEP_ROW)
            return step;
        *row = row_of(unpacking->rows);
        unpacking->position = row->first;
    }
    log_row_read(row, unpacking->position, out);
    return STEP_ROW;
}

static bool same_entry(const struct log_entry *a, const struct log_entry *b) {
    return a->kind == b->kind && a->id && b->id && memcmp(a->id, b->id, ID_BYTES) == 0 &&
           a->time_us == b->time_us && a->author == b->author && a->stream == b->stream &&
           a->seq == b->seq && a->second == b->second && a->delivered == b->delivered &&
           !b->text_damaged && a->text_bytes == b->text_bytes &&
           (a->text_bytes == 0 || memcmp(a->text, b->text, a->text_bytes) == 0);
}

/* Nothing may follow the last entry, except a mark if the old log has only the watermark there. */
static enum store_status compare_end(struct upgrade *upgrade, struct unpacking *unpacking,
                                     int64_t position) {
    struct log_entry entry;
    enum step step = next_entry(upgrade, unpacking, &entry);
    if (step == STEP_ROW && position < upgrade->last && entry.kind == LOG_MARK &&
        unpacking->position == upgrade->last) {
        position = upgrade->last;
        step = next_entry(upgrade, unpacking, &entry);
    }
    if (step == STEP_FAILED)
        return STORE_FAILED;
    return step == STEP_DONE && position == upgrade->last ? STORE_OK : STORE_MISMATCH;
}

static enum store_status compare_entry(struct upgrade *upgrade, sqlite3_stmt *old,
                                       struct unpacking *unpacking) {
    struct log_entry a, b;
    enum step step = next_entry(upgrade, unpacking, &b);
    if (step == STEP_FAILED)
        return STORE_FAILED;
    return step == STEP_ROW && unpacking->position == sqlite3_column_int64(old, 0) &&
                   repack_entry(old, &a) && same_entry(&a, &b)
               ? STORE_OK
               : STORE_MISMATCH;
}

static enum store_status compare_entries(struct upgrade *upgrade, sqlite3_stmt *old,
                                         sqlite3_stmt *new) {
    struct unpacking unpacking = {.rows = new};
    enum store_status status = STORE_OK;
    enum step step = STEP_DONE;
    int64_t told = 0, position = 0;
    while (status == STORE_OK && (step = sqlite_step(upgrade->store, old)) == STEP_ROW) {
        status = compare_entry(upgrade, old, &unpacking);
        position = sqlite3_column_int64(old, 0);
        if (status == STORE_OK && position - told >= REPACK_ROWS) {
            status = repack_tell(upgrade, (uint64_t)(position - told));
            told = position;
        }
    }
    if (step == STEP_FAILED || status != STORE_OK)
        return step == STEP_FAILED ? STORE_FAILED : status;
    return compare_end(upgrade, &unpacking, position);
}

/* ---- the index of ids ---- */

static enum store_status compare_run(struct upgrade *upgrade, sqlite3_stmt *old,
                                     sqlite3_stmt *run) {
    const unsigned char *places = sqlite3_column_blob(run, 1);
    size_t count = (size_t)sqlite3_column_bytes(run, 1) / REPACK_PLACE_BYTES;
    bool same = count > 0 && sqlite3_column_bytes(run, 1) % (int)REPACK_PLACE_BYTES == 0 &&
                sqlite3_column_bytes(run, 0) == ID_BYTES &&
                memcmp(sqlite3_column_blob(run, 0), places + (count - 1) * REPACK_PLACE_BYTES,
                       ID_BYTES) == 0;
    for (size_t i = 0; same && i < count; i++) {
        unsigned char place[REPACK_PLACE_BYTES];
        enum step step = sqlite_step(upgrade->store, old);
        if (step == STEP_FAILED)
            return STORE_FAILED;
        same = step == STEP_ROW && sqlite3_column_bytes(old, 0) == ID_BYTES;
        if (same) {
            repack_put_place(place, old);
            same = memcmp(place, places + i * REPACK_PLACE_BYTES, sizeof place) == 0;
        }
    }
    return same ? STORE_OK : STORE_MISMATCH;
}

static enum store_status compare_runs(struct upgrade *upgrade, sqlite3_stmt *old,
                                      sqlite3_stmt *runs) {
    enum store_status status = STORE_OK;
    enum step step = STEP_DONE;
    uint64_t rows = 0;
    while (status == STORE_OK && (step = sqlite_step(upgrade->store, runs)) == STEP_ROW) {
        status = compare_run(upgrade, old, runs);
        rows += REPACK_RUN_PLACES;
        if (status == STORE_OK && rows % REPACK_ROWS == 0)
            status = repack_tell(upgrade, REPACK_ROWS);
    }
    if (status == STORE_OK && step == STEP_DONE) {
        step = sqlite_step(upgrade->store, old);
        status = step == STEP_ROW ? STORE_MISMATCH : STORE_OK;
    }
    return step == STEP_FAILED ? STORE_FAILED : status;
}

/* ---- the whole ---- */

static enum store_status compare_meta(struct upgrade *upgrade) {
    int64_t wrong = 0, ids = 0;
    static const char different[] =
        "SELECT (SELECT count(*) FROM main.meta o WHERE NOT EXISTS (SELECT 1 FROM new.meta n WHERE "
        "n.name = o.name AND n.value = o.value))";
    if (repack_number(upgrade, sqlite3_mprintf("%s", different), &wrong) != STORE_OK ||
        repack_number(upgrade, sqlite3_mprintf("SELECT value FROM new.meta WHERE name = 'ids'"),
                      &ids) != STORE_OK)
        return STORE_FAILED;
    return wrong == 0 && ids == upgrade->last ? STORE_OK : STORE_MISMATCH;
}

typedef enum store_status (*compare_rows)(struct upgrade *upgrade, sqlite3_stmt *old,
                                          sqlite3_stmt *new);

static enum store_status compare_by(struct upgrade *upgrade, char *of_old, char *of_new,
                                    compare_rows compare) {
    sqlite3_stmt *old = NULL, *new = NULL;
    enum store_status status = repack_prepare(upgrade, of_old, &old);
    enum store_status other = repack_prepare(upgrade, of_new, &new);
    if (status == STORE_OK && other == STORE_OK)
        status = compare(upgrade, old, new);
    (void)sqlite3_finalize(old);
    (void)sqlite3_finalize(new);
    return other == STORE_OK ? status : other;
}

static enum store_status compare_table(struct upgrade *upgrade, const struct repack_table *table) {
    static const char rows[] = "SELECT %s FROM %s.%s ORDER BY %s";
    const struct repack_table *t = table;
    return compare_by(upgrade, sqlite3_mprintf(rows, t->columns, "main", t->name, t->key),
                      sqlite3_mprintf(rows, t->columns, "new", t->name, t->key), compare_copies);
}

static enum store_status compare_log(struct upgrade *upgrade) {
    return compare_by(upgrade, sqlite3_mprintf(REPACK_ENTRIES " ORDER BY pos"),
                      sqlite3_mprintf("SELECT last, count, entries FROM new.log ORDER BY last"),
                      compare_entries);
}

static enum store_status compare_ids(struct upgrade *upgrade) {
    return compare_by(upgrade, sqlite3_mprintf("SELECT id, pos FROM main.log ORDER BY id"),
                      sqlite3_mprintf("SELECT last_id, places FROM new.id_run ORDER BY last_id"),
                      compare_runs);
}

/* Asks SQLite itself to check the new database: it has to answer "ok" in one row. */
static enum store_status quick_check(struct upgrade *upgrade) {
    sqlite3_stmt *check = NULL;
    enum store_status status =
        repack_prepare(upgrade, sqlite3_mprintf("PRAGMA new.quick_check(1)"), &check);
    enum step step = status == STORE_OK ? sqlite_step(upgrade->store, check) : STEP_FAILED;
    if (step == STEP_ROW) {
        const char *said = (const char *)sqlite3_column_text(check, 0);
        status = said && strcmp(said, "ok") == 0 ? STORE_OK : STORE_MISMATCH;
    }
    (void)sqlite3_finalize(check);
    return step == STEP_FAILED ? STORE_FAILED : status;
}

enum store_status sqlite_repack_check(struct upgrade *upgrade) {
    enum store_status status = compare_log(upgrade);
    if (status == STORE_OK)
        status = compare_ids(upgrade);
    if (status == STORE_OK)
        status = repack_for_tables(upgrade, compare_table);
    if (status == STORE_OK)
        status = compare_meta(upgrade);
    return status == STORE_OK ? quick_check(upgrade) : status;
}
