/* See records.h. The store is opened as for verifying it (reader.c), with the memory that a
 * broker's store has, so that numbers and cursors are those that a broker would have. */
#include "export.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct record *export_record(struct exporting *exporting, enum record_kind kind) {
    exporting->record = (struct record){.kind = kind, .text = ""};
    return &exporting->record;
}

enum store_status export_hand_out(struct exporting *exporting) {
    const struct store_export *export = exporting->export;
    return export->each(export->arg, &exporting->record) ? STORE_OK : STORE_CHANGED;
}

void export_damage(struct exporting *exporting, const char *format, ...) {
    char sentence[STORE_ERROR_BYTES];
    va_list arguments;
    if (++exporting->export->damages > EXPORT_TOLD_MAX)
        return;
    va_start(arguments, format);
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    exporting->export->damage(exporting->export->arg, sentence);
}

/* ---- tables: each row is a record ---- */

static bool take_account(sqlite3_stmt *row, struct record *out) {
    column_text(row, 0, out->user, sizeof out->user);
    column_text(row, 1, out->password_hash, sizeof out->password_hash);
    out->admin = sqlite3_column_int(row, 2) != 0;
    out->locked = sqlite3_column_int(row, 3) != 0;
    out->time_us = sqlite3_column_int64(row, 4);
    out->later_us = sqlite3_column_int64(row, 5);
    out->number = column_count(row, 6);
    out->no_receipts = sqlite3_column_int(row, 7) == 0;
    return true;
}

static bool take_device(sqlite3_stmt *row, struct record *out) {
    column_text(row, 0, out->user, sizeof out->user);
    out->number = column_count(row, 1);
    column_text(row, 3, out->name, sizeof out->name);
    out->time_us = sqlite3_column_int64(row, 4);
    out->later_us = sqlite3_column_int64(row, 5);
    return column_blob(row, 2, out->key, sizeof out->key);
}

static bool take_thread(sqlite3_stmt *row, struct record *out) {
    column_text(row, 1, out->name, sizeof out->name);
    column_text(row, 2, out->user, sizeof out->user);
    out->time_us = sqlite3_column_int64(row, 3);
    return column_blob(row, 0, out->id, sizeof out->id);
}

static bool take_removed(sqlite3_stmt *row, struct record *out) {
    return column_blob(row, 0, out->id, sizeof out->id);
}

static bool take_follow(sqlite3_stmt *row, struct record *out) {
    column_text(row, 0, out->user, sizeof out->user);
    out->number = column_count(row, 2);
    return column_blob(row, 1, out->thread, sizeof out->thread);
}

static bool take_block(sqlite3_stmt *row, struct record *out) {
    column_text(row, 0, out->user, sizeof out->user);
    column_text(row, 1, out->other, sizeof out->other);
    out->time_us = sqlite3_column_int64(row, 2);
    return true;
}

static bool take_failure(sqlite3_stmt *row, struct record *out) {
    column_text(row, 0, out->name, sizeof out->name);
    out->number = column_count(row, 1);
    out->later_us = sqlite3_column_int64(row, 2);
    out->time_us = sqlite3_column_int64(row, 3);
    return true;
}

static bool take_topics(sqlite3_stmt *row, struct record *out) {
    out->number = column_count(row, 0);
    return true;
}

struct rows {
    enum record_kind kind;
    const char *what;
    bool (*take)(sqlite3_stmt *row, struct record *out); /* false: the row is damaged */
    const char *sql;
};

/* In the order of numbers, in which an import gives them again. Who is online counts as last seen
 * when the broker last said that it lives, as after a crash. */
static const struct rows before_log[] = {
    {RECORD_ACCOUNT, "accounts", take_account,
     "SELECT a.name, a.password_hash, a.admin, a.locked, a.created_us, CASE p.online WHEN 1 THEN "
     "max(p.last_seen_us, (SELECT value FROM meta WHERE name = 'alive_us')) ELSE "
     "coalesce(p.last_seen_us, 0) END, a.devices, a.receipts FROM account a LEFT JOIN presence p "
     "ON p.account = a.id ORDER BY a.id"},
    {RECORD_DEVICE, "devices", take_device,
     "SELECT a.name, d.device, d.key, d.label, d.trusted_us, d.used_us FROM device d CROSS JOIN "
     "account a ON a.id = d.account ORDER BY d.account, d.device"},
    {RECORD_THREAD, "threads", take_thread,
     "SELECT t.id, t.title, a.name, t.created_us FROM thread t CROSS JOIN account a ON a.id = "
     "t.creator ORDER BY t.stream"},
    {RECORD_REMOVED, "removed threads", take_removed, "SELECT id FROM removed_thread ORDER BY id"},
    {0},
};

static const struct rows behind_log[] = {
    {RECORD_FOLLOW, "followers", take_follow,
     "SELECT a.name, t.id, f.cursor FROM follow f CROSS JOIN account a ON a.id = f.account CROSS "
     "JOIN thread t ON t.stream = f.stream ORDER BY f.account, f.stream"},
    {RECORD_BLOCK, "blocks", take_block,
     "SELECT a.name, o.name, b.since_us FROM block b CROSS JOIN account a ON a.id = b.account "
     "CROSS JOIN account o ON o.id = b.blocked ORDER BY b.account, b.blocked"},
    {RECORD_FAILURE, "wrong passwords", take_failure,
     "SELECT name, failures, locked_until_us, changed_us FROM login_failure ORDER BY name"},
    {RECORD_TOPICS, "topics", take_topics,
     "SELECT value FROM meta WHERE name = 'topics_head' AND value > 0"},
    {0},
};

static enum store_status export_rows(struct exporting *exporting, const struct rows *rows) {
    struct store *store = exporting->store;
    sqlite3_stmt *all = NULL;
    enum store_status status = STORE_OK;
    enum step step = STEP_DONE;
    uint64_t done = 0;
    if (sqlite3_prepare_v2(store->db, rows->sql, -1, &all, NULL) != SQLITE_OK)
        return sqlite_fail(store, "read");
    while (status == STORE_OK && (step = sqlite_step(store, all)) == STEP_ROW) {
        if (rows->take(all, export_record(exporting, rows->kind)))
            status = export_hand_out(exporting);
        else
            export_damage(exporting, "a row of the %s is damaged", rows->what);
        exporting->export->progress(exporting->export->arg, rows->what, ++done, 0);
    }
    (void)sqlite3_finalize(all);
    return step == STEP_FAILED ? STORE_FAILED : status;
}

static enum store_status export_tables(struct exporting *exporting, const struct rows *rows) {
    enum store_status status = STORE_OK;
    for (; status == STORE_OK && rows->sql; rows++)
        status = export_rows(exporting, rows);
    return status;
}

/* ---- cursors ---- */

static enum store_status export_cursor(struct exporting *exporting, sqlite3_stmt *row) {
    const struct stream *stream = view_find(exporting->store->view, sqlite3_column_int64(row, 0));
    if (!stream || stream->cursor == 0)
        return STORE_OK;
    struct record *record = export_record(exporting, RECORD_CURSOR);
    column_text(row, 1, record->user, sizeof record->user);
    record->number = stream->cursor < stream->head ? stream->cursor : stream->head;
    return export_hand_out(exporting);
}

static enum store_status export_cursors(struct exporting *exporting) {
    struct store *store = exporting->store;
    sqlite3_stmt *all = NULL;
    enum store_status status = STORE_OK;
    enum step step = STEP_DONE;
    if (sqlite3_prepare_v2(store->db, "SELECT id, name FROM account ORDER BY id", -1, &all, NULL) !=
        SQLITE_OK)
        return sqlite_fail(store, "read");
    while (status == STORE_OK && (step = sqlite_step(store, all)) == STEP_ROW)
        status = export_cursor(exporting, all);
    (void)sqlite3_finalize(all);
    return step == STEP_FAILED ? STORE_FAILED : status;
}

/* ---- the whole ---- */

static enum store_status check_version(struct store *store) {
    int version = 0;
    if (sqlite_version(store, &version) != STORE_OK)
        return STORE_FAILED;
    return version == sqlite_newest_version()
               ? STORE_OK
               : sqlite_fail_because(
                     store, "export",
                     "an earlier zchat made it: start zchatd on it once, which makes "
                     "it today's");
}

static enum store_status load(struct exporting *exporting) {
    struct store *store = exporting->store;
    char loss[STORE_ERROR_BYTES / 2];
    if (sqlite_reader_begin(store) != STORE_OK || check_version(store) != STORE_OK)
        return STORE_FAILED;
    if (sqlite_head_lost(store, loss, sizeof loss))
        export_damage(exporting, "%s", loss);
    if (statement_prepare_all(store->db, store->statements) != SQLITE_OK)
        return sqlite_fail(store, "prepare the statements of");
    if (sqlite_load(store) != STORE_OK ||
        sqlite_meta(store, "streams", &exporting->streams) != STORE_OK)
        return STORE_FAILED;
    exporting->shown = calloc((size_t)exporting->streams + 1, sizeof *exporting->shown);
    exporting->piece = malloc(RECORD_PIECE_BYTES);
    return exporting->shown && exporting->piece ? STORE_OK : sqlite_no_memory(store);
}

static enum store_status export_all(struct exporting *exporting) {
    enum store_status status = load(exporting);
    if (status == STORE_OK)
        status = export_tables(exporting, before_log);
    if (status == STORE_OK)
        status = export_log(exporting);
    if (status == STORE_OK)
        status = export_uploads(exporting);
    if (status == STORE_OK)
        status = export_tables(exporting, behind_log);
    return status == STORE_OK ? export_cursors(exporting) : status;
}

static void close_all(struct exporting *exporting) {
    struct store *store = exporting->store;
    statement_finalize_all(store->statements);
    sqlite_unload(store);
    sqlite_reader_end(store);
    page_check_free(store->pages);
    free(store->path);
    free(store);
    free(exporting->shown);
    free(exporting->piece);
}

enum store_status store_export(struct store_export *export) {
    struct exporting exporting = {.export = export, .store = calloc(1, sizeof *exporting.store)};
    enum store_status status = STORE_FAILED;
    (void)snprintf(export->error, sizeof export->error, "no memory to export the store");
    if (access(export->path, F_OK) != 0) {
        free(exporting.store);
        return STORE_NOT_FOUND;
    }
    if (!exporting.store)
        return STORE_FAILED;
    exporting.store->path = strdup(export->path);
    exporting.store->pages = page_check_new(NULL);
    if (exporting.store->path && exporting.store->pages) {
        status = export_all(&exporting);
        (void)snprintf(export->error, sizeof export->error, "%s", store_error(exporting.store));
    }
    close_all(&exporting);
    return status == STORE_OK && export->damages > 0 ? STORE_DAMAGED : status;
}
