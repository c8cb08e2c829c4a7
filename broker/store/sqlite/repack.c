/* Copies an old database into the new one. The tables of the new one show how far that is: each is
 * filled in the order of its key, so what is missing comes behind its last row. */
#include "repack.h"

#include <string.h>

#define PIECES 400 /* in a transaction: each has up to 256 KiB */

_Static_assert(REPACK_ROWS % REPACK_RUN_PLACES == 0, "but for the last one all runs are whole");

static enum store_status execute(struct upgrade *upgrade, const char *sql) {
    int code = sqlite3_exec(upgrade->store->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? STORE_OK : sqlite_fail(upgrade->store, "migrate");
}

enum store_status repack_tell(struct upgrade *upgrade, uint64_t more) {
    const struct store_options *options = upgrade->options;
    uint64_t left = upgrade->of - upgrade->done;
    upgrade->done += more < left ? more : left;
    return !options->progress ||
                   options->progress(options->progress_arg, upgrade->done, upgrade->of)
               ? STORE_OK
               : sqlite_fail_because(upgrade->store, "migrate", "it was told to end");
}

enum store_status repack_prepare(struct upgrade *upgrade, char *sql, sqlite3_stmt **out) {
    struct store *store = upgrade->store;
    int code = sql ? sqlite3_prepare_v2(store->db, sql, -1, out, NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    return code == SQLITE_OK      ? STORE_OK
           : code == SQLITE_NOMEM ? sqlite_no_memory(store)
                                  : sqlite_fail(store, "migrate");
}

enum store_status repack_number(struct upgrade *upgrade, char *sql, int64_t *out) {
    sqlite3_stmt *query = NULL;
    enum store_status status = repack_prepare(upgrade, sql, &query);
    if (status == STORE_OK)
        status = sqlite_number(upgrade->store, query, out);
    (void)sqlite3_finalize(query);
    return status;
}

/* ---- tables that are copied as they are ---- */

/* The new database has a few tables of its own; only some rows of meta come from the old one. */
static const char table_at[] =
    "SELECT name, (SELECT group_concat(name, ', ') FROM pragma_table_info(t.name, 'new') WHERE name"
    " IN (SELECT name FROM pragma_table_info(t.name, 'main'))),"
    " (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_table_info(t.name, 'new')"
    " WHERE pk > 0 ORDER BY pk)),"
    " (SELECT group_concat(name || ' DESC', ', ') FROM (SELECT name FROM"
    " pragma_table_info(t.name, 'new') WHERE pk > 0 ORDER BY pk))"
    " FROM new.sqlite_schema t WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    " AND name NOT IN ('log', 'meta') AND name IN (SELECT name FROM main.sqlite_schema)"
    " ORDER BY name LIMIT 1 OFFSET ";

static char *column_copy(sqlite3_stmt *row, int column) {
    return sqlite3_mprintf("%s", (const char *)sqlite3_column_text(row, column));
}

static void table_release(struct repack_table *table) {
    sqlite3_free(table->name);
    sqlite3_free(table->columns);
    sqlite3_free(table->key);
    sqlite3_free(table->key_back);
}

/* Finds the `at`th of the tables. OK, NOT_FOUND. */
static enum store_status table_find(struct upgrade *upgrade, int at, struct repack_table *out) {
    sqlite3_stmt *find = NULL;
    *out = (struct repack_table){0};
    enum store_status status =
        repack_prepare(upgrade, sqlite3_mprintf("%s%d", table_at, at), &find);
    enum step step = status == STORE_OK ? sqlite_step(upgrade->store, find) : STEP_FAILED;
    if (step == STEP_ROW) {
        *out = (struct repack_table){column_copy(find, 0), column_copy(find, 1),
                                     column_copy(find, 2), column_copy(find, 3)};
    }
    (void)sqlite3_finalize(find);
    if (step == STEP_ROW && (!out->name || !out->columns || !out->key || !out->key_back))
        return sqlite_no_memory(upgrade->store);
    return step == STEP_ROW ? STORE_OK : step == STEP_DONE ? STORE_NOT_FOUND : STORE_FAILED;
}

enum store_status repack_for_tables(struct upgrade *upgrade, repack_each each) {
    enum store_status status = STORE_OK;
    for (int at = 0; status == STORE_OK; at++) {
        struct repack_table table;
        status = table_find(upgrade, at, &table);
        if (status == STORE_OK)
            status = each(upgrade, &table);
        else if (status == STORE_NOT_FOUND)
            return STORE_OK;
        table_release(&table);
    }
    return status;
}

static enum store_status count_rows(struct upgrade *upgrade, const struct repack_table *table) {
    int64_t rows = 0;
    enum store_status status =
        repack_number(upgrade, sqlite3_mprintf("SELECT count(*) FROM main.%s", table->name), &rows);
    upgrade->of += 2 * (uint64_t)rows;
    return status;
}

static enum store_status rows_of_new(struct upgrade *upgrade, const char *name, int64_t *out) {
    return repack_number(upgrade, sqlite3_mprintf("SELECT count(*) FROM new.%s", name), out);
}

/* Copies in one transaction; *rows: how many rows were copied. */
static enum store_status copy_some(struct upgrade *upgrade, const struct repack_table *table,
                                   bool any, int64_t *rows) {
    sqlite3_stmt *copy = NULL;
    const struct repack_table *t = table;
    char *behind = any ? sqlite3_mprintf("WHERE (%s) > (SELECT %s FROM new.%s ORDER BY %s LIMIT 1)",
                                         t->key, t->key, t->name, t->key_back)
                       : sqlite3_mprintf("");
    char *sql = !behind ? NULL
                        : sqlite3_mprintf("INSERT INTO new.%s (%s) SELECT %s FROM main.%s %s"
                                          " ORDER BY %s LIMIT %d",
                                          t->name, t->columns, t->columns, t->name, behind, t->key,
                                          strcmp(t->name, "piece") == 0 ? PIECES : REPACK_ROWS);
    sqlite3_free(behind);
    enum store_status status = repack_prepare(upgrade, sql, &copy);
    if (status == STORE_OK) {
        status = sqlite_run(upgrade->store, copy);
        *rows = sqlite3_changes(upgrade->store->db);
    }
    (void)sqlite3_finalize(copy);
    return status;
}

static enum store_status copy_table(struct upgrade *upgrade, const struct repack_table *table) {
    int64_t all = 0, rows = 0;
    enum store_status status = rows_of_new(upgrade, table->name, &all);
    if (status == STORE_OK)
        status = repack_tell(upgrade, (uint64_t)all);
    do {
        if (status == STORE_OK)
            status = copy_some(upgrade, table, all > 0, &rows);
        if (status == STORE_OK)
            status = repack_tell(upgrade, (uint64_t)rows);
        all += rows;
    } while (status == STORE_OK && rows > 0);
    return status;
}

/* ---- the log ---- */

/* A row that is being packed. */
struct packing {
    struct upgrade *upgrade;
    sqlite3_stmt *read; /* owned, as `add` */
    sqlite3_stmt *add;
    int64_t last; /* position of its last entry, or of the last entry before it */
    int64_t count;
    size_t length;
    unsigned char bytes[LOG_ROW_FULL + LOG_ENTRY_BYTES_MAX];
};

/* Checks the rules of version 6: the new log can't express entries that break them. */
bool repack_entry(sqlite3_stmt *row, struct log_entry *out) {
    *out = (struct log_entry){.kind = sqlite3_column_int(row, 1),
                              .id = sqlite3_column_blob(row, 2),
                              .time_us = sqlite3_column_int64(row, 3),
                              .author = sqlite3_column_int64(row, 4),
                              .stream = sqlite3_column_int64(row, 5),
                              .seq = column_count(row, 6),
                              .second = column_count(row, 8),
                              .delivered = sqlite3_column_int(row, 9) != 0,
                              .text = sqlite3_column_blob(row, 10),
                              .text_bytes = (size_t)sqlite3_column_bytes(row, 10)};
    bool right = sqlite3_column_int64(row, 0) > 0 && out->kind >= LOG_MESSAGE &&
                 out->kind <= LOG_UPLOADED && sqlite3_column_type(row, 2) == SQLITE_BLOB &&
                 sqlite3_column_bytes(row, 2) == ID_BYTES && out->text_bytes <= TEXT_BYTES_MAX;
    return right && (out->kind != LOG_MESSAGE || sqlite3_column_int64(row, 7) == out->author);
}

static enum store_status refuse_entry(struct upgrade *upgrade, int64_t position) {
    char reason[160];
    (void)sqlite3_snprintf(sizeof reason, reason,
                           "the log's entry %lld is damaged: bring the store back from a backup",
                           (long long)position);
    return sqlite_fail_because(upgrade->store, "migrate", reason);
}

static enum store_status write_row(struct packing *packing) {
    if (packing->count == 0)
        return STORE_OK;
    bind_number(packing->add, 1, packing->last);
    bind_number(packing->add, 2, packing->count);
    bind_blob(packing->add, 3, packing->bytes, packing->length);
    packing->count = 0;
    packing->length = 0;
    return sqlite_run(packing->upgrade->store, packing->add);
}

/* A gap in the positions begins another row. */
static enum store_status pack(struct packing *packing, int64_t position,
                              const struct log_entry *entry) {
    bool ends =
        position != packing->last + 1 || packing->length + log_entry_bytes(entry) > LOG_ROW_FULL;
    if (ends && write_row(packing) != STORE_OK)
        return STORE_FAILED;
    packing->length += log_entry_write(packing->bytes + packing->length, position, entry);
    packing->last = position;
    packing->count++;
    return STORE_OK;
}

static enum store_status pack_read(struct packing *packing, uint64_t *rows) {
    struct upgrade *upgrade = packing->upgrade;
    enum store_status status = STORE_OK;
    enum step step = STEP_DONE;
    bind_number(packing->read, 1, packing->last);
    while (status == STORE_OK && (step = sqlite_step(upgrade->store, packing->read)) == STEP_ROW) {
        struct log_entry entry;
        int64_t position = sqlite3_column_int64(packing->read, 0);
        status = repack_entry(packing->read, &entry) ? pack(packing, position, &entry)
                                                     : refuse_entry(upgrade, position);
        ++*rows;
    }
    (void)sqlite3_reset(packing->read);
    return step == STEP_FAILED ? STORE_FAILED : status;
}

/* One transaction. */
static enum store_status pack_some(struct packing *packing, uint64_t *more) {
    int64_t from = packing->last;
    uint64_t rows = 0;
    if (execute(packing->upgrade, "BEGIN") != STORE_OK || pack_read(packing, &rows) != STORE_OK ||
        write_row(packing) != STORE_OK || execute(packing->upgrade, "COMMIT") != STORE_OK)
        return STORE_FAILED;
    *more = rows > 0 ? (uint64_t)(packing->last - from) : 0;
    return STORE_OK;
}

/* If the old log ended with a removed thread, only its watermark tells the last position; no
 * position may be given again. */
static enum store_status pack_end(struct packing *packing) {
    static const struct log_entry mark = {.kind = LOG_MARK};
    if (packing->last == packing->upgrade->last)
        return STORE_OK;
    return pack(packing, packing->upgrade->last, &mark) == STORE_OK ? write_row(packing)
                                                                    : STORE_FAILED;
}

static enum store_status pack_all(struct packing *packing) {
    uint64_t more = (uint64_t)packing->last;
    enum store_status status;
    do {
        status = repack_tell(packing->upgrade, more);
        if (status == STORE_OK)
            status = pack_some(packing, &more);
    } while (status == STORE_OK && more > 0);
    return status == STORE_OK ? pack_end(packing) : status;
}

static enum store_status copy_log(struct upgrade *upgrade) {
    struct packing packing = {.upgrade = upgrade};
    static const char add[] = "INSERT INTO new.log (last, count, entries) VALUES (?1, ?2, ?3)";
    enum store_status status = repack_prepare(
        upgrade,
        sqlite3_mprintf(REPACK_ENTRIES " WHERE pos > ?1 ORDER BY pos LIMIT %d", REPACK_ROWS),
        &packing.read);
    if (status == STORE_OK)
        status = repack_prepare(upgrade, sqlite3_mprintf(add), &packing.add);
    if (status == STORE_OK) {
        status = repack_number(
            upgrade, sqlite3_mprintf("SELECT coalesce(max(last), 0) FROM new.log"), &packing.last);
    }
    if (status == STORE_OK)
        status = pack_all(&packing);
    (void)sqlite3_finalize(packing.read);
    (void)sqlite3_finalize(packing.add);
    return status;
}

/* ---- the index of ids ---- */

static enum store_status add_run(struct upgrade *upgrade, sqlite3_stmt *add,
                                 const unsigned char *run, size_t places) {
    if (places == 0)
        return STORE_OK;
    bind_blob(add, 1, run + (places - 1) * REPACK_PLACE_BYTES, ID_BYTES);
    bind_blob(add, 2, run, places * REPACK_PLACE_BYTES);
    return sqlite_run(upgrade->store, add);
}

/* A place is the id with its position. */
void repack_put_place(unsigned char *place, sqlite3_stmt *row) {
    memcpy(place, sqlite3_column_blob(row, 0), ID_BYTES);
    run_put(place + ID_BYTES, 0, sqlite3_column_int64(row, 1));
}

static enum store_status add_runs(struct upgrade *upgrade, sqlite3_stmt *read, sqlite3_stmt *add,
                                  uint64_t *rows) {
    unsigned char run[ID_RUN_BYTES];
    size_t places = 0;
    enum step step;
    *rows = 0;
    while ((step = sqlite_step(upgrade->store, read)) == STEP_ROW) {
        if (sqlite3_column_bytes(read, 0) != ID_BYTES)
            return refuse_entry(upgrade, sqlite3_column_int64(read, 1));
        repack_put_place(run + places++ * REPACK_PLACE_BYTES, read);
        ++*rows;
        if (places == REPACK_RUN_PLACES) {
            if (add_run(upgrade, add, run, places) != STORE_OK)
                return STORE_FAILED;
            places = 0;
        }
    }
    (void)sqlite3_reset(read);
    return step == STEP_DONE ? add_run(upgrade, add, run, places) : STORE_FAILED;
}

/* In one transaction, indexes the next ids behind the last one indexed. */
static enum store_status index_some(struct upgrade *upgrade, uint64_t *rows) {
    sqlite3_stmt *read = NULL, *add = NULL;
    enum store_status status = repack_prepare(
        upgrade,
        sqlite3_mprintf("SELECT id, pos FROM main.log WHERE id > coalesce((SELECT max(last_id) FROM"
                        " new.id_run), x'') ORDER BY id LIMIT %d",
                        REPACK_ROWS),
        &read);
    if (status == STORE_OK) {
        status = repack_prepare(
            upgrade, sqlite3_mprintf("INSERT INTO new.id_run (last_id, places) VALUES (?1, ?2)"),
            &add);
    }
    if (status == STORE_OK)
        status = execute(upgrade, "BEGIN");
    if (status == STORE_OK)
        status = add_runs(upgrade, read, add, rows);
    (void)sqlite3_finalize(read);
    (void)sqlite3_finalize(add);
    return status == STORE_OK ? execute(upgrade, "COMMIT") : status;
}

/* All runs but the last are whole: nothing follows a short one. */
static enum store_status copy_ids(struct upgrade *upgrade) {
    int64_t runs = 0;
    uint64_t rows;
    enum store_status status = rows_of_new(upgrade, "id_run", &runs);
    rows = (uint64_t)runs * REPACK_RUN_PLACES;
    do {
        if (status == STORE_OK)
            status = repack_tell(upgrade, rows);
        if (status == STORE_OK)
            status = index_some(upgrade, &rows);
    } while (status == STORE_OK && rows > 0);
    return status;
}

/* ---- meta ---- */

/* The rows of meta say that everything is in the tables, so they come last. */
static enum store_status copy_meta(struct upgrade *upgrade) {
    sqlite3_stmt *set = NULL;
    enum store_status status = execute(
        upgrade, "INSERT OR REPLACE INTO new.meta (name, value) SELECT name, value FROM main.meta");
    if (status == STORE_OK) {
        status = repack_prepare(
            upgrade, sqlite3_mprintf("UPDATE new.meta SET value = ?1 WHERE name = 'ids'"), &set);
    }
    if (status == STORE_OK) {
        bind_number(set, 1, upgrade->last);
        status = sqlite_run(upgrade->store, set);
    }
    (void)sqlite3_finalize(set);
    return status;
}

/* ---- the whole ---- */

enum store_status sqlite_repack_count(struct upgrade *upgrade) {
    static const char last[] = "SELECT max((SELECT coalesce(max(pos), 0) FROM main.log), "
                               "(SELECT value FROM main.meta WHERE name = 'watermark'))";
    if (repack_number(upgrade, sqlite3_mprintf("%s", last), &upgrade->last) != STORE_OK)
        return STORE_FAILED;
    upgrade->done = 0;
    upgrade->of = 4 * (uint64_t)upgrade->last; /* log and ids, each written and read */
    return repack_for_tables(upgrade, count_rows);
}

enum store_status sqlite_repack(struct upgrade *upgrade) {
    enum store_status status = repack_for_tables(upgrade, copy_table);
    if (status == STORE_OK)
        status = copy_log(upgrade);
    if (status == STORE_OK)
        status = copy_ids(upgrade);
    return status == STORE_OK ? copy_meta(upgrade) : status;
}
