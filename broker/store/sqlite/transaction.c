/* The store's transactions and its maintenance, and what every operation shares: stepping a
 * statement. */
#include "log.h"
#include "words.h"

#include <assert.h>
#include <errno.h>
#include <sys/stat.h>

const struct statement_text transaction_statements[] = {
    {STATEMENT_BEGIN, "BEGIN IMMEDIATE"},
    {STATEMENT_COMMIT, "COMMIT"},
    {STATEMENT_META_GET, "SELECT value FROM meta WHERE name = ?1"},
    {STATEMENT_META_SET, "UPDATE meta SET value = ?2 WHERE name = ?1"},
    {STATEMENT_META_NEXT, "UPDATE meta SET value = value + 1 WHERE name = ?1 RETURNING value"},
    {STATEMENT_META_PUT, "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)"},
    {0},
};

#define PAGE_BYTES 4096
#define FEW_PAGES  64 /* any rest of the reserve has as many */
/* A turn with at most so many entries may be synced at once: if more came in a turn, more will come
 * while it is synced. */
#define FEW_ENTRIES 4

static enum step step_of(struct store *store, sqlite3_stmt *statement, int code) {
    if (code == SQLITE_ROW)
        return STEP_ROW;
    if (code == SQLITE_DONE)
        return STEP_DONE;
    if (store->forgives_damage && (code & 0xff) == SQLITE_CORRUPT)
        store->met_damage = true;
    else
        (void)sqlite_fail(store, sqlite3_stmt_readonly(statement) ? "read" : "write");
    (void)sqlite3_reset(statement); /* returns the same error again */
    return STEP_FAILED;
}

enum step sqlite_step(struct store *store, sqlite3_stmt *statement) {
    return step_of(store, statement, sqlite3_step(statement));
}

enum step sqlite_step_damaged(struct store *store, sqlite3_stmt *statement, bool *is_damaged) {
    int code = sqlite3_step(statement);
    *is_damaged = (code & 0xff) == SQLITE_CORRUPT;
    return *is_damaged ? STEP_DONE : step_of(store, statement, code);
}

enum store_status sqlite_run(struct store *store, sqlite3_stmt *statement) {
    enum step step;
    do {
        step = sqlite_step(store, statement);
    } while (step == STEP_ROW);
    (void)sqlite3_reset(statement);
    return step == STEP_FAILED ? STORE_FAILED : STORE_OK;
}

enum store_status sqlite_number(struct store *store, sqlite3_stmt *statement, int64_t *out) {
    enum step step = sqlite_step(store, statement);
    if (step == STEP_FAILED)
        return STORE_FAILED;
    if (step == STEP_ROW) {
        *out = sqlite3_column_int64(statement, 0);
        /* A statement that writes has its effect only when it is stepped to the end. */
        if (!sqlite3_stmt_readonly(statement) && sqlite_step(store, statement) == STEP_FAILED)
            return STORE_FAILED;
    }
    (void)sqlite3_reset(statement);
    return step == STEP_ROW ? STORE_OK : STORE_NOT_FOUND;
}

enum store_status sqlite_meta(struct store *store, const char *name, int64_t *out) {
    sqlite3_stmt *get = store->statements[STATEMENT_META_GET];
    bind_text(get, 1, name);
    enum store_status status = sqlite_number(store, get, out);
    return status == STORE_NOT_FOUND
               ? sqlite_fail_because(store, "read", "a row of meta is missing")
               : status;
}

enum store_status sqlite_meta_set(struct store *store, const char *name, int64_t value) {
    sqlite3_stmt *set = store->statements[STATEMENT_META_SET];
    bind_text(set, 1, name);
    bind_number(set, 2, value);
    return sqlite_run(store, set);
}

enum store_status sqlite_meta_next(struct store *store, const char *name, int64_t *out) {
    sqlite3_stmt *next = store->statements[STATEMENT_META_NEXT];
    bind_text(next, 1, name);
    enum store_status status = sqlite_number(store, next, out);
    return status == STORE_NOT_FOUND
               ? sqlite_fail_because(store, "read", "a row of meta is missing")
               : status;
}

/* How many pages the log will have before the next transaction. */
static int log_pages(const struct store *store) {
    return store->wal_begins ? 0 : store->wal_pages;
}

bool sqlite_hold_reserve(struct store *store, bool anew) {
    return reserve_hold(store->reserve, store->db, log_pages(store), anew);
}

/* Whether the store's file has no name any more: what is written to it is lost with this
 * process. */
static bool is_file_gone(const struct store *store) {
    struct stat status;
    int moved = 0;
    return sqlite3_file_control(store->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
           moved != 0 && (stat(store->path, &status) == 0 || errno == ENOENT || errno == ENOTDIR);
}

/* Done before a transaction: copies the checkpoint's rest, and holds the reserve, so that until the
 * commit it is there or is not. */
static enum store_status prepare(struct store *store) {
    bool was_whole = !store_is_full(store);
    assert(store->in_turn); /* writing operations need store_begin */
    if (!store->failed && is_file_gone(store)) {
        return sqlite_fail_because(store, "write",
                                   "the file was removed, moved or replaced while it was in use");
    }
    if (store->failed || sqlite_checkpoint_finish(store) != STORE_OK)
        return STORE_FAILED;
    if (!store->reserve || sqlite_hold_reserve(store, false))
        return STORE_OK;
    /* The log's contents may fit into the database: then the log begins anew. */
    if (was_whole) {
        sqlite_checkpoint_want(store);
        sqlite_checkpoint_begin(store);
    }
    return STORE_OK;
}

static enum store_status begin(struct store *store) {
    if (sqlite_run(store, store->statements[STATEMENT_BEGIN]) != STORE_OK)
        return STORE_FAILED;
    store->in_transaction = true;
    return sqlite_log_begin(store);
}

static bool has_rest(const struct store *store) {
    return !store_is_full(store) || reserve_has_rest(store->reserve, log_pages(store));
}

enum store_status sqlite_write(struct store *store) {
    if (store->in_transaction || store->failed)
        return store->failed ? STORE_FAILED : STORE_OK;
    if (prepare(store) != STORE_OK)
        return STORE_FAILED;
    return has_rest(store) ? begin(store) : STORE_FULL;
}

static uint64_t all_pages(struct store *store) {
    sqlite3_file *file = NULL;
    sqlite3_int64 bytes = 0;
    if (sqlite3_file_control(store->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
        file->pMethods->xFileSize(file, &bytes) != SQLITE_OK)
        return UINT64_MAX;
    return (uint64_t)bytes / PAGE_BYTES + (uint64_t)log_pages(store);
}

enum store_status sqlite_write_pages(struct store *store, uint64_t pages) {
    enum store_status status = sqlite_write(store);
    if (status != STORE_OK || !store->reserve || pages < FEW_PAGES)
        return status;
    uint64_t all = all_pages(store), most = pages < all ? pages : all;
    return reserve_allows(store->reserve, (uint64_t)log_pages(store) + most) ? STORE_OK
                                                                             : STORE_FULL;
}

enum store_status sqlite_add(struct store *store) {
    if (!store->in_transaction && prepare(store) != STORE_OK)
        return STORE_FAILED;
    if (store->failed || store_is_full(store))
        return store->failed ? STORE_FAILED : STORE_FULL;
    return store->in_transaction ? STORE_OK : begin(store);
}

bool sqlite_may_note(struct store *store) {
    return sqlite_add(store) == STORE_OK;
}

bool store_is_full(const struct store *store) {
    return store->reserve && !reserve_is_whole(store->reserve);
}

enum store_status store_look_for_room(struct store *store) {
    if (store->failed)
        return STORE_FAILED;
    store->rubbish_refused = false;
    sqlite_checkpoint_want(store);
    sqlite_checkpoint_begin(store);
    if (!store->reserve || store->in_transaction)
        return STORE_OK;
    if (sqlite_checkpoint_finish(store) != STORE_OK)
        return STORE_FAILED;
    (void)sqlite_hold_reserve(store, true);
    return STORE_OK;
}

enum store_status store_begin(struct store *store) {
    assert(!store->in_turn);
    store->in_turn = true;
    return store->failed ? STORE_FAILED : STORE_OK;
}

/* SQLite owns the log: after a wipe it may be another file. */
static enum store_status find_log(struct store *store, sqlite3_file **log) {
    int code = sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, log);
    return code == SQLITE_OK && *log && (*log)->pMethods
               ? STORE_OK
               : sqlite_fail_because(store, "sync", "the write-ahead log is missing");
}

static enum store_status end_sync(struct store *store, int code) {
    if (code != SQLITE_OK)
        return sqlite_fail_code(store, "sync", code, sqlite3_errstr(code));
    if (store->words)
        words_note(store->words, store->committed);
    return sqlite_piece_stored(store) == STORE_OK ? sqlite_head_synced(store) : STORE_FAILED;
}

/* The last commit of a killed process may not be on the disk yet; until it is, the slots that it
 * left are not free. */
enum store_status sqlite_sync_log(struct store *store) {
    sqlite3_file *log = NULL;
    if (find_log(store, &log) != STORE_OK)
        return STORE_FAILED;
    return end_sync(store, log->pMethods->xSync(log, SQLITE_SYNC_NORMAL));
}

/* While a checkpoint keeps the disk busy, a sync may take long for once. */
static bool syncs_here(struct store *store) {
    return store->last_position - store->log->begun <= FEW_ENTRIES &&
           syncer_is_quick(store->syncer) && !sqlite_checkpoint_runs(store);
}

static enum store_status begin_sync(struct store *store, bool *waits) {
    sqlite3_file *log = NULL;
    if (find_log(store, &log) != STORE_OK)
        return STORE_FAILED;
    *waits = store->syncing = !syncs_here(store);
    if (!*waits)
        return end_sync(store, syncer_here(store->syncer, log));
    syncer_begin(store->syncer, log);
    return STORE_OK;
}

/* The slots are synced first, because the log may reach the disk by itself at any time. */
static enum store_status commit(struct store *store, bool *waits) {
    if (sqlite_log_commit(store) != STORE_OK || sqlite_piece_sync(store) != STORE_OK ||
        sqlite_run(store, store->statements[STATEMENT_COMMIT]) != STORE_OK ||
        sqlite_head_committed(store) != STORE_OK)
        return STORE_FAILED;
    store->committed = store->last_position;
    slots_committed(store->slots);
    return !store->syncer ? end_sync(store, SQLITE_OK) : begin_sync(store, waits);
}

enum store_status store_commit_begin(struct store *store, bool *waits) {
    assert(store->in_turn && !store->syncing);
    bool wrote = store->in_transaction;
    if (wrote)
        (void)store_notes_write(store); /* if it failed, so did the store */
    store->in_turn = false;
    store->in_transaction = false;
    *waits = false;
    if (store->failed)
        return STORE_FAILED;
    return wrote ? commit(store, waits) : STORE_OK;
}

int store_commit_fd(const struct store *store) {
    return store->syncer ? syncer_fd(store->syncer) : -1;
}

enum store_status store_commit_end(struct store *store) {
    assert(store->syncing);
    store->syncing = false;
    return end_sync(store, syncer_end(store->syncer));
}

enum store_status store_commit(struct store *store) {
    bool waits;
    enum store_status status = store_commit_begin(store, &waits);
    return waits ? store_commit_end(store) : status;
}

static bool merge_waits(const struct store *store) {
    return sqlite_merge_waits(store) || sqlite_id_merge_waits(store) || sqlite_fresh_waits(store);
}

static enum store_status merge_slices(struct store *store) {
    enum store_status status = STORE_OK;
    if (merge_waits(store) && sqlite_may_note(store)) {
        status = sqlite_merge_waits(store) ? sqlite_merge_slice(store) : STORE_OK;
        if (status == STORE_OK && sqlite_id_merge_waits(store))
            status = sqlite_id_merge_slice(store);
        if (status == STORE_OK && sqlite_fresh_waits(store))
            status = sqlite_fresh_write(store);
    }
    store->view_appended = 0;
    return status;
}

bool store_has_rubbish(const struct store *store) {
    return sqlite_rubbish_waits(store);
}

enum store_status store_maintain(struct store *store, bool *more) {
    *more = false;
    if (store->failed)
        return STORE_FAILED;
    if (store->in_turn) {
        if (merge_slices(store) != STORE_OK || sqlite_rubbish_slice(store) != STORE_OK)
            return STORE_FAILED;
        *more = (merge_waits(store) && !store_is_full(store)) || sqlite_rubbish_waits(store);
    }
    sqlite_checkpoint_begin(store);
    if (store->failed)
        return STORE_FAILED;
    return store->in_transaction ? STORE_OK : sqlite_checkpoint_finish(store);
}
