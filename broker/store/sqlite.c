/* The store's life: open, transaction, maintenance, close. What every operation shares is here too:
 * stepping a statement. */
#include "sqlite_log.h"
#include "sqlite_upgrade.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VIEW_ENTRIES    262144
#define SLICE_ENTRIES   1024
#define WAL_PAGES       8192      /* 32 MiB */
#define WAL_BYTES_KEPT  268435456 /* a longer file is cut when it begins anew */
#define CACHE_KIB       65536
#define PAGE_BYTES      4096
#define FEW_PAGES       64    /* are in any rest of the reserve */
#define BUSY_TIMEOUT_MS 10000 /* for `zchatd user` beside a broker */

#define TEXT_OF(x)  TEXT_OF_(x)
#define TEXT_OF_(x) #x

static enum step step_of(struct store *store, sqlite3_stmt *statement, int code) {
    if (code == SQLITE_ROW) {
        return STEP_ROW;
    }
    if (code == SQLITE_DONE) {
        return STEP_DONE;
    }
    (void)sqlite_fail(store, sqlite3_stmt_readonly(statement) ? "read" : "write");
    (void)sqlite3_reset(statement); /* says the same error once more */
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
    if (step == STEP_FAILED) {
        return STORE_FAILED;
    }
    if (step == STEP_ROW) {
        *out = sqlite3_column_int64(statement, 0);
        /* A statement that writes has its effect only when it is stepped to the end. */
        if (!sqlite3_stmt_readonly(statement) && sqlite_step(store, statement) == STEP_FAILED) {
            return STORE_FAILED;
        }
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

/* That the log will have before the next transaction. */
static int log_pages(const struct store *store) {
    return store->wal_begins ? 0 : store->wal_pages;
}

static bool hold_reserve(struct store *store, bool anew) {
    return reserve_hold(store->reserve, store->db, log_pages(store), anew);
}

/* Before a transaction: the checkpoint's rest, and the reserve, which is there or not until the
 * commit. */
static enum store_status prepare(struct store *store) {
    bool was_whole = !store_is_full(store);
    assert(store->in_turn); /* writing operations need store_begin */
    if (store->failed || sqlite_checkpoint_finish(store) != STORE_OK) {
        return STORE_FAILED;
    }
    if (store->reserve == NULL || hold_reserve(store, false)) {
        return STORE_OK;
    }
    /* What the log has may fit into the database: then the log begins anew. */
    if (was_whole) {
        sqlite_checkpoint_want(store);
        sqlite_checkpoint_begin(store);
    }
    return STORE_OK;
}

static enum store_status begin(struct store *store) {
    if (sqlite_run(store, store->statements[STATEMENT_BEGIN]) != STORE_OK) {
        return STORE_FAILED;
    }
    store->in_transaction = true;
    return sqlite_log_begin(store);
}

static bool has_rest(const struct store *store) {
    return !store_is_full(store) || reserve_has_rest(store->reserve, log_pages(store));
}

enum store_status sqlite_write(struct store *store) {
    if (store->in_transaction || store->failed) {
        return store->failed ? STORE_FAILED : STORE_OK;
    }
    if (prepare(store) != STORE_OK) {
        return STORE_FAILED;
    }
    return has_rest(store) ? begin(store) : STORE_FULL;
}

static uint64_t all_pages(struct store *store) {
    sqlite3_file *file = NULL;
    sqlite3_int64 bytes = 0;
    if (sqlite3_file_control(store->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
        file->pMethods->xFileSize(file, &bytes) != SQLITE_OK) {
        return UINT64_MAX;
    }
    return (uint64_t)bytes / PAGE_BYTES + (uint64_t)log_pages(store);
}

enum store_status sqlite_write_pages(struct store *store, uint64_t pages) {
    enum store_status status = sqlite_write(store);
    if (status != STORE_OK || store->reserve == NULL || pages < FEW_PAGES) {
        return status;
    }
    uint64_t all = all_pages(store), most = pages < all ? pages : all;
    return reserve_allows(store->reserve, (uint64_t)log_pages(store) + most) ? STORE_OK
                                                                             : STORE_FULL;
}

enum store_status sqlite_add(struct store *store) {
    if (!store->in_transaction && prepare(store) != STORE_OK) {
        return STORE_FAILED;
    }
    if (store->failed || store_is_full(store)) {
        return store->failed ? STORE_FAILED : STORE_FULL;
    }
    return store->in_transaction ? STORE_OK : begin(store);
}

bool sqlite_may_note(struct store *store) {
    return sqlite_add(store) == STORE_OK;
}

bool store_is_full(const struct store *store) {
    return store->reserve != NULL && !reserve_is_whole(store->reserve);
}

enum store_status store_look_for_room(struct store *store) {
    if (store->failed) {
        return STORE_FAILED;
    }
    sqlite_checkpoint_want(store);
    sqlite_checkpoint_begin(store);
    if (store->reserve == NULL || store->in_transaction) {
        return STORE_OK;
    }
    if (sqlite_checkpoint_finish(store) != STORE_OK) {
        return STORE_FAILED;
    }
    (void)hold_reserve(store, true);
    return STORE_OK;
}

enum store_status store_begin(struct store *store) {
    assert(!store->in_turn);
    store->in_turn = true;
    return store->failed ? STORE_FAILED : STORE_OK;
}

/* The log is SQLite's: it may be another file after a wipe. */
static enum store_status find_log(struct store *store, sqlite3_file **log) {
    int code = sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, log);
    return code == SQLITE_OK && *log != NULL && (*log)->pMethods != NULL
               ? STORE_OK
               : sqlite_fail_because(store, "sync", "the write-ahead log is missing");
}

static enum store_status begin_sync(struct store *store) {
    sqlite3_file *log = NULL;
    if (find_log(store, &log) != STORE_OK) {
        return STORE_FAILED;
    }
    syncer_begin(store->syncer, log);
    store->syncing = true;
    return STORE_OK;
}

static enum store_status end_sync(struct store *store, int code) {
    if (code != SQLITE_OK) {
        return sqlite_fail_code(store, "sync", code, sqlite3_errstr(code));
    }
    return sqlite_piece_stored(store) == STORE_OK ? sqlite_head_synced(store) : STORE_FAILED;
}

/* The slots' bytes first: the log may reach the disk by itself at any time. */
static enum store_status commit(struct store *store, bool *waits) {
    if (sqlite_log_commit(store) != STORE_OK || sqlite_piece_sync(store) != STORE_OK ||
        sqlite_run(store, store->statements[STATEMENT_COMMIT]) != STORE_OK ||
        sqlite_head_committed(store) != STORE_OK) {
        return STORE_FAILED;
    }
    slots_committed(store->slots);
    if (store->syncer == NULL) {
        return end_sync(store, SQLITE_OK);
    }
    *waits = begin_sync(store) == STORE_OK;
    return *waits ? STORE_OK : STORE_FAILED;
}

enum store_status store_commit_begin(struct store *store, bool *waits) {
    assert(store->in_turn && !store->syncing);
    bool wrote = store->in_transaction;
    if (wrote) {
        (void)store_notes_write(store); /* which fails the store, or does not */
    }
    store->in_turn = false;
    store->in_transaction = false;
    *waits = false;
    if (store->failed) {
        return STORE_FAILED;
    }
    return wrote ? commit(store, waits) : STORE_OK;
}

int store_commit_fd(const struct store *store) {
    return store->syncer != NULL ? syncer_fd(store->syncer) : -1;
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
    return sqlite_merge_waits(store) || sqlite_id_merge_waits(store);
}

static enum store_status merge_slices(struct store *store) {
    enum store_status status = STORE_OK;
    if (merge_waits(store) && sqlite_may_note(store)) {
        status = sqlite_merge_waits(store) ? sqlite_merge_slice(store) : STORE_OK;
        if (status == STORE_OK && sqlite_id_merge_waits(store)) {
            status = sqlite_id_merge_slice(store);
        }
    }
    store->view_appended = 0;
    return status;
}

enum store_status store_maintain(struct store *store, bool *more) {
    *more = false;
    if (store->failed) {
        return STORE_FAILED;
    }
    if (store->in_turn) {
        if (merge_slices(store) != STORE_OK) {
            return STORE_FAILED;
        }
        *more = merge_waits(store) && !store_is_full(store);
    }
    sqlite_checkpoint_begin(store);
    if (store->failed) {
        return STORE_FAILED;
    }
    return store->in_transaction ? STORE_OK : sqlite_checkpoint_finish(store);
}

/* ---- opening ---- */

static off_t bytes_of(const char *path, const char *suffix) {
    struct stat status;
    char *whole = sqlite3_mprintf("%s%s", path, suffix);
    off_t bytes = whole && stat(whole, &status) == 0 ? status.st_size : 0;
    sqlite3_free(whole);
    return bytes;
}

/* SQLite would take the log of a database that is missing, or cut to nothing, for garbage. */
static enum store_status refuse_remains(struct store *store) {
    bool remains = bytes_of(store->path, "-wal") > 0 || bytes_of(store->path, "-pieces") > 0 ||
                   bytes_of(store->path, STORE_NEW_SUFFIX) > 0;
    return remains && bytes_of(store->path, "") == 0
               ? sqlite_fail_because(store, "open",
                                     "it is missing or empty, and what belongs to it is there: "
                                     "bring it back from a backup, or remove the files with -wal, "
                                     "-pieces and " STORE_NEW_SUFFIX
                                     " behind its name for a new store")
               : STORE_OK;
}

/* Makes the file with its mode before SQLite does; it gives -wal and -shm the same. */
static enum store_status make_file(struct store *store) {
    if (!store->beside) {
        sqlite_upgrade_end(store->path);
    }
    if (refuse_remains(store) != STORE_OK) {
        return STORE_FAILED;
    }
    int file = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file >= 0) {
        return close(file) == 0 ? STORE_OK : sqlite_fail_because(store, "make", strerror(errno));
    }
    /* Never opened here where it exists: closing it would drop SQLite's locks in this process. */
    if (errno != EEXIST || chmod(store->path, 0600) != 0) {
        return sqlite_fail_because(store, "open", strerror(errno));
    }
    return STORE_OK;
}

int sqlite_connect(const char *path, const char *vfs, sqlite3 **db) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(path, db, flags, vfs);
    if (code == SQLITE_OK) {
        (void)sqlite3_extended_result_codes(*db, 1);
        code = sqlite3_busy_timeout(*db, BUSY_TIMEOUT_MS);
    }
    return code;
}

static int keep_wal_pages(void *arg, sqlite3 *db, const char *name, int pages) {
    (void)db;
    (void)name;
    struct store *store = arg;
    if (pages < store->wal_pages) {
        store->wal_pages_trigger = store->wal_pages_step;
        store->wal_copied = 0;
    }
    if (pages < store->wal_pages && store->reserve != NULL) {
        reserve_forget(store->reserve); /* SQLite may have cut a long log */
    }
    store->wal_pages = pages;
    store->wal_begins = false;
    return SQLITE_OK;
}

static enum store_status configure(struct store *store, bool exclusive) {
    static const char pragmas[] =
        "PRAGMA journal_mode = WAL;"
        "PRAGMA synchronous = FULL;"
        "PRAGMA foreign_keys = OFF;"
        "PRAGMA trusted_schema = OFF;"
        /* Debian's default overwrites all that is deleted: five times the work where a file goes.
         */
        "PRAGMA secure_delete = FAST;"
        "PRAGMA temp_store = MEMORY;"
        "PRAGMA cache_size = -" TEXT_OF(CACHE_KIB) ";"
                                                   "PRAGMA journal_size_limit = " TEXT_OF(
                                                       WAL_BYTES_KEPT);
    if ((exclusive && sqlite3_exec(store->db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL,
                                   NULL) != SQLITE_OK) ||
        sqlite3_exec(store->db, pragmas, NULL, NULL, NULL) != SQLITE_OK) {
        return sqlite_fail(store, "open");
    }
    /* Instead of SQLite's own hook, which would checkpoint within a commit. */
    (void)sqlite3_wal_hook(store->db, keep_wal_pages, store);
    store->wal_pages_trigger = store->wal_pages_step;
    return STORE_OK;
}

static enum store_status make_memory(struct store *store) {
    uint64_t seed;
    sqlite3_randomness(sizeof seed, &seed);
    store->view = view_new();
    store->log = log_new(seed);
    store->directory = directory_new(seed);
    store->blocks = blocks_new();
    if (store->view == NULL || store->log == NULL || store->directory == NULL ||
        store->blocks == NULL) {
        return sqlite_no_memory(store);
    }
    return STORE_OK;
}

static enum store_status load_blocks(struct store *store) {
    sqlite3_stmt *all = store->statements[STATEMENT_BLOCK_ALL];
    enum step step;
    while ((step = sqlite_step(store, all)) == STEP_ROW) {
        if (!blocks_add(store->blocks, sqlite3_column_int64(all, 0),
                        sqlite3_column_int64(all, 1))) {
            return sqlite_no_memory(store);
        }
    }
    (void)sqlite3_reset(all);
    return step == STEP_FAILED ? STORE_FAILED : STORE_OK;
}

enum store_status sqlite_load(struct store *store) {
    int64_t accounts = 0;
    int64_t files_bytes = 0;
    int64_t files_awaited = 0;
    if (make_memory(store) != STORE_OK || sqlite_meta(store, "accounts", &accounts) != STORE_OK ||
        sqlite_number(store, store->statements[STATEMENT_FILE_BYTES], &files_bytes) != STORE_OK ||
        sqlite_number(store, store->statements[STATEMENT_FILE_AWAITED], &files_awaited) !=
            STORE_OK) {
        return STORE_FAILED;
    }
    store->accounts = (uint64_t)accounts;
    store->files_bytes = (uint64_t)files_bytes;
    store->files_awaited = (uint64_t)files_awaited;
    return load_blocks(store) == STORE_OK && sqlite_piece_load(store) == STORE_OK
               ? sqlite_replay(store)
               : STORE_FAILED;
}

void sqlite_unload(struct store *store) {
    slots_close(store->slots);
    blocks_free(store->blocks);
    directory_free(store->directory);
    view_free(store->view);
    log_free(store->log);
    store->slots = NULL;
    store->log = NULL;
    store->blocks = NULL;
    store->directory = NULL;
    store->view = NULL;
}

/* From then on the syncer does what synchronous = FULL did with each commit; what NORMAL still
 * brings to the disk is the order in which log and database are written. */
static enum store_status start_threads(struct store *store) {
    const char *reason = NULL;
    store->checkpoint = checkpoint_new(store->path, page_check_name(store->pages), &reason);
    store->syncer = store->checkpoint != NULL ? syncer_new(&reason) : NULL;
    if (store->syncer == NULL) {
        return sqlite_fail_because(store, "start the threads of", reason);
    }
    return sqlite3_exec(store->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL) == SQLITE_OK
               ? STORE_OK
               : sqlite_fail(store, "open");
}

/* What a killed process committed last may not be on the disk yet: before it is, the slots that it
 * left are not free. */
static enum store_status sync_log(struct store *store) {
    sqlite3_file *log = NULL;
    if (find_log(store, &log) != STORE_OK) {
        return STORE_FAILED;
    }
    return end_sync(store, log->pMethods->xSync(log, SQLITE_SYNC_NORMAL));
}

/* How long the log is that a killed process left is known once it was copied. A full disk is no
 * failure here. */
static enum store_status take_reserve(struct store *store) {
    int pages = 0, copied = 0;
    int code =
        sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
    if (sqlite_checkpoint_is_fault(store->db, code)) {
        return sqlite_fail(store, "checkpoint");
    }
    if (code != SQLITE_OK || pages > copied) {
        store->wal_pages = code == SQLITE_OK ? pages : reserve_pages(store->reserve);
    }
    (void)hold_reserve(store, true);
    return STORE_OK;
}

int sqlite_connect_checked(struct store *store, const char *path, sqlite3 **db) {
    int code = sqlite_connect(path, page_check_name(store->pages), db);
    return code == SQLITE_OK ? page_check_reserve(*db) : code;
}

/* The connection, to a store that is not an earlier version's. */
static enum store_status connect_store(struct store *store, const struct store_options *options) {
    if (sqlite_connect_checked(store, store->path, &store->db) != SQLITE_OK) {
        return sqlite_fail(store, "open");
    }
    if (options->vfs == NULL && sqlite_upgrade(store, options) != STORE_OK) {
        return STORE_FAILED;
    }
    store->head_new = store->db == NULL;
    return store->db != NULL || sqlite_connect_checked(store, store->path, &store->db) == SQLITE_OK
               ? STORE_OK
               : sqlite_fail(store, "open");
}

static enum store_status open_file(struct store *store, const struct store_options *options) {
    if (options->vfs == NULL && make_file(store) != STORE_OK) {
        return STORE_FAILED;
    }
    if (options->vfs == NULL && !options->exclusive) {
        store->reserve = reserve_new(store->path);
        if (store->reserve == NULL) {
            return sqlite_no_memory(store);
        }
    }
    store->pages = page_check_new(options->vfs);
    if (store->pages == NULL) {
        return sqlite_no_memory(store);
    }
    if (sqlite_head_look(store) != STORE_OK || connect_store(store, options) != STORE_OK) {
        return STORE_FAILED;
    }
    if (configure(store, options->exclusive) != STORE_OK ||
        sqlite_head_check(store, options->accept_loss) != STORE_OK) {
        return STORE_FAILED;
    }
    if (store->reserve != NULL && take_reserve(store) != STORE_OK) {
        return STORE_FAILED;
    }
    if (sqlite_migrate(store) != STORE_OK) {
        return STORE_FAILED;
    }
    if (statement_prepare_all(store->db, store->statements) != SQLITE_OK) {
        return sqlite_fail(store, "prepare the statements of");
    }
    if (sqlite_load(store) != STORE_OK || sync_log(store) != STORE_OK ||
        sqlite_head_begin(store) != STORE_OK) {
        return STORE_FAILED;
    }
    store->hasher = hasher_new(!options->exclusive);
    if (store->hasher == NULL) {
        return sqlite_no_memory(store);
    }
    return options->exclusive ? STORE_OK : start_threads(store);
}

enum store_status store_open(struct store **out, const struct store_options *options) {
    /* SQLite's counting of memory takes a lock for each allocation. Before anything else is asked
     * of it: once it runs this is refused, without harm. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    struct store *store = *out = calloc(1, sizeof *store);
    if (store == NULL) {
        return STORE_FAILED;
    }
    store->beside = options->beside;
    store->view_entries = options->view_entries > 0 ? options->view_entries : VIEW_ENTRIES;
    store->slice_entries = options->slice_entries > 0 ? options->slice_entries : SLICE_ENTRIES;
    store->wal_pages_step = options->wal_pages > 0 ? options->wal_pages : WAL_PAGES;
    store->unread_max = options->unread_max > 0 ? options->unread_max : INBOX_UNREAD_MAX;
    store->unread_per_sender_max = options->unread_per_sender_max > 0
                                       ? options->unread_per_sender_max
                                       : INBOX_UNREAD_PER_SENDER_MAX;
    store->path = strdup(options->path);
    if (store->path == NULL) {
        return sqlite_no_memory(store);
    }
    return open_file(store, options);
}

#define META_IDENTITY "server_key"

enum store_status store_identity(struct store *store, int64_t *mark, bool *served) {
    sqlite3_stmt *get = store->statements[STATEMENT_META_GET];
    int64_t alive_us = 0;
    *mark = 0;
    if (store->failed || sqlite_meta(store, "alive_us", &alive_us) != STORE_OK) {
        return STORE_FAILED;
    }
    *served = alive_us != 0;
    bind_text(get, 1, META_IDENTITY);
    enum store_status status = sqlite_number(store, get, mark);
    return status == STORE_NOT_FOUND ? STORE_OK : status;
}

enum store_status store_identity_note(struct store *store, int64_t mark) {
    enum store_status status = store_begin(store);
    if (status == STORE_OK && sqlite_may_note(store)) {
        sqlite3_stmt *put = store->statements[STATEMENT_META_PUT];
        bind_text(put, 1, META_IDENTITY);
        bind_number(put, 2, mark);
        status = sqlite_run(store, put);
    }
    return status == STORE_OK ? store_commit(store) : status;
}

void store_close(struct store *store) {
    if (store == NULL) {
        return;
    }
    checkpoint_free(store->checkpoint);
    syncer_free(store->syncer);
    hasher_free(store->hasher);
    statement_finalize_all(store->statements);
    sqlite_head_end(store);
    sqlite_unload(store);
    int code = sqlite3_close(store->db);
    assert(code == SQLITE_OK); /* SQLITE_BUSY would be a statement of ours that was forgotten */
    (void)code;
    page_check_free(store->pages);
    reserve_free(store->reserve);
    free(store->failures);
    sqlite_notes_forget(store);
    free(store->path);
    free(store);
}
