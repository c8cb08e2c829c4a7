/* Opening a store, closing it, and making it as new: its file, its settings, its memory and its
 * threads. */
#include "log.h"
#include "rehash.h"
#include "upgrade.h"
#include "words.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct statement_text open_statements[] = {
    {STATEMENT_BLOCK_ALL, "SELECT account, blocked FROM block"},
    {STATEMENT_FILE_AWAITED, "SELECT coalesce(sum(size - received), 0) FROM file WHERE seq = 0"},
    {STATEMENT_FILE_BYTES, "SELECT coalesce(sum(size), 0) FROM file"},
    {0},
};

/* How many entries are in memory before a pass begins: 130 for each band if there are a million
 * accounts, which is worth the page that is written for them. There are never more than these plus
 * what one turn brings, because each slice merges twice what arrived; and a start reads the log for
 * at most three times as many. */
#define VIEW_ENTRIES    524288
#define SLICE_ENTRIES   8192 /* about 1 ms for many streams, if there is no clock */
#define MERGE_US        1000
#define WAL_PAGES       8192      /* 32 MiB */
#define WAL_BYTES_KEPT  268435456 /* a longer file is cut when the log begins anew */
#define CACHE_KIB       65536
#define BUSY_TIMEOUT_MS 10000 /* for `zchatd user` beside a broker */

#define TEXT_OF(x)  TEXT_OF_(x)
#define TEXT_OF_(x) #x

static off_t bytes_of(const char *path, const char *suffix) {
    struct stat status;
    char *whole = sqlite3_mprintf("%s%s", path, suffix);
    off_t bytes = whole && stat(whole, &status) == 0 ? status.st_size : 0;
    sqlite3_free(whole);
    return bytes;
}

/* If the database is missing, or cut to nothing, SQLite would take its log for garbage. */
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
    if (!store->beside)
        sqlite_upgrade_end(store->path);
    if (refuse_remains(store) != STORE_OK)
        return STORE_FAILED;
    int file = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file >= 0)
        return close(file) == 0 ? STORE_OK : sqlite_fail_because(store, "make", strerror(errno));
    /* An existing file is never opened here: closing it would drop SQLite's locks in this
     * process. */
    if (errno != EEXIST || chmod(store->path, 0600) != 0)
        return sqlite_fail_because(store, "open", strerror(errno));
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
    if (pages < store->wal_pages && store->reserve)
        reserve_forget(store->reserve); /* SQLite may have cut a long log */
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
        /* Debian's default overwrites everything deleted, which is five times the work when a file
         * is removed. */
        "PRAGMA secure_delete = FAST;"
        "PRAGMA temp_store = MEMORY;"
        "PRAGMA cache_size = -" TEXT_OF(CACHE_KIB) ";"
                                                   "PRAGMA journal_size_limit = " TEXT_OF(
                                                       WAL_BYTES_KEPT);
    if ((exclusive && sqlite3_exec(store->db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL,
                                   NULL) != SQLITE_OK) ||
        sqlite3_exec(store->db, pragmas, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_fail(store, "open");
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
    store->fresh = fresh_new(seed);
    if (!store->view || !store->log || !store->directory || !store->blocks || !store->fresh)
        return sqlite_no_memory(store);
    return STORE_OK;
}

static enum store_status load_blocks(struct store *store) {
    sqlite3_stmt *all = store->statements[STATEMENT_BLOCK_ALL];
    enum step step;
    while ((step = sqlite_step(store, all)) == STEP_ROW)
        if (!blocks_add(store->blocks, sqlite3_column_int64(all, 0), sqlite3_column_int64(all, 1)))
            return sqlite_no_memory(store);
    (void)sqlite3_reset(all);
    return step == STEP_FAILED ? STORE_FAILED : STORE_OK;
}

enum store_status sqlite_load(struct store *store) {
    int64_t accounts = 0;
    int64_t files_bytes = 0;
    int64_t files_awaited = 0;
    if (make_memory(store) != STORE_OK || sqlite_meta(store, "accounts", &accounts) != STORE_OK ||
        sqlite_meta(store, "posted", &store->posted) != STORE_OK ||
        sqlite_number(store, store->statements[STATEMENT_FILE_BYTES], &files_bytes) != STORE_OK ||
        sqlite_number(store, store->statements[STATEMENT_FILE_AWAITED], &files_awaited) != STORE_OK)
        return STORE_FAILED;
    store->accounts = (uint64_t)accounts;
    store->files_bytes = (uint64_t)files_bytes;
    store->files_awaited = (uint64_t)files_awaited;
    if (load_blocks(store) != STORE_OK || sqlite_piece_load(store) != STORE_OK ||
        (!store->beside && sqlite_people_load(store) != STORE_OK))
        return STORE_FAILED;
    return sqlite_replay(store);
}

void sqlite_unload(struct store *store) {
    slots_close(store->slots);
    fresh_free(store->fresh);
    blocks_free(store->blocks);
    directory_free(store->directory);
    view_free(store->view);
    log_free(store->log);
    store->slots = NULL;
    store->log = NULL;
    store->fresh = NULL;
    store->blocks = NULL;
    store->directory = NULL;
    store->view = NULL;
}

/* From then on the syncer does what synchronous = FULL did with each commit; NORMAL still syncs
 * what keeps the order of log and database on the disk. */
static enum store_status start_threads(struct store *store) {
    const char *reason = NULL;
    store->checkpoint = checkpoint_new(store->path, page_check_name(store->pages), &reason);
    store->syncer = store->checkpoint ? syncer_new(store->clock_us, &reason) : NULL;
    if (!store->syncer)
        return sqlite_fail_because(store, "start the threads of", reason);
    return sqlite3_exec(store->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL) == SQLITE_OK
               ? STORE_OK
               : sqlite_fail(store, "open");
}

/* A store that can't be searched serves all the same. */
static void open_words(struct store *store) {
    const char *reason;
    store->words =
        words_new(store->path, page_check_name(store->pages), store->last_position, &reason);
    if (!store->words && !store->remark[0])
        (void)snprintf(store->remark, sizeof store->remark,
                       "the index of words can't be opened, so that nothing can be searched: %s",
                       reason);
}

/* The length of a log that a killed process left is known only after it was copied. A full disk is
 * no failure here. */
static enum store_status take_reserve(struct store *store) {
    int pages = 0, copied = 0;
    int code =
        sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
    if (sqlite_checkpoint_is_fault(store->db, code))
        return sqlite_fail(store, "checkpoint");
    if (code != SQLITE_OK || pages > copied)
        store->wal_pages = code == SQLITE_OK ? pages : reserve_pages(store->reserve);
    (void)sqlite_hold_reserve(store, true);
    return STORE_OK;
}

int sqlite_connect_checked(struct store *store, const char *path, sqlite3 **db) {
    int code = sqlite_connect(path, page_check_name(store->pages), db);
    return code == SQLITE_OK ? page_check_reserve(*db) : code;
}

/* Opens the connection, and upgrades an earlier version's store first. */
static enum store_status connect_store(struct store *store, const struct store_options *options) {
    if (sqlite_connect_checked(store, store->path, &store->db) != SQLITE_OK)
        return sqlite_fail(store, "open");
    if (!options->vfs && sqlite_upgrade(store, options) != STORE_OK)
        return STORE_FAILED;
    store->head_new = !store->db;
    return store->db || sqlite_connect_checked(store, store->path, &store->db) == SQLITE_OK
               ? STORE_OK
               : sqlite_fail(store, "open");
}

static enum store_status open_file(struct store *store, const struct store_options *options) {
    if (!options->vfs && make_file(store) != STORE_OK)
        return STORE_FAILED;
    if (!options->vfs && !options->exclusive) {
        store->reserve = reserve_new(store->path);
        if (!store->reserve)
            return sqlite_no_memory(store);
    }
    store->pages = page_check_new(options->vfs);
    if (!store->pages)
        return sqlite_no_memory(store);
    if (sqlite_head_look(store) != STORE_OK || connect_store(store, options) != STORE_OK)
        return STORE_FAILED;
    if (configure(store, options->exclusive) != STORE_OK)
        return STORE_FAILED;
    sqlite_log_mend(store);
    if (sqlite_head_check(store, options->accept_loss) != STORE_OK)
        return STORE_FAILED;
    if (store->reserve && take_reserve(store) != STORE_OK)
        return STORE_FAILED;
    if (sqlite_migrate(store) != STORE_OK)
        return STORE_FAILED;
    if (statement_prepare_all(store->db, store->statements) != SQLITE_OK)
        return sqlite_fail(store, "prepare the statements of");
    if (sqlite_load(store) != STORE_OK || sqlite_rehash(store, options) != STORE_OK ||
        sqlite_sync_log(store) != STORE_OK || sqlite_head_begin(store) != STORE_OK)
        return STORE_FAILED;
    store->hasher = hasher_new(!options->exclusive);
    if (!store->hasher)
        return sqlite_no_memory(store);
    if (options->exclusive)
        return STORE_OK;
    if (start_threads(store) != STORE_OK)
        return STORE_FAILED;
    if (options->searched)
        open_words(store);
    return STORE_OK;
}

enum store_status store_open(struct store **out, const struct store_options *options) {
    /* SQLite's counting of memory takes a lock for each allocation. This has to come before any
     * other call to SQLite: once SQLite is running it is refused, which does no harm. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    struct store *store = *out = calloc(1, sizeof *store);
    if (!store)
        return STORE_FAILED;
    store->beside = options->beside;
    store->view_entries = options->view_entries > 0 ? options->view_entries : VIEW_ENTRIES;
    store->slice_entries = options->slice_entries > 0 ? options->slice_entries : SLICE_ENTRIES;
    store->slice_us = options->slice_us > 0 ? options->slice_us : MERGE_US;
    store->clock_us = options->clock_us;
    store->wal_pages_step = options->wal_pages > 0 ? options->wal_pages : WAL_PAGES;
    store->unread_max = options->unread_max > 0 ? options->unread_max : INBOX_UNREAD_MAX;
    store->unread_per_sender_max = options->unread_per_sender_max > 0
                                       ? options->unread_per_sender_max
                                       : INBOX_UNREAD_PER_SENDER_MAX;
    store->unread_bytes_max =
        options->unread_bytes_max > 0 ? options->unread_bytes_max : INBOX_UNREAD_BYTES_MAX;
    store->unread_bytes_per_sender_max = options->unread_bytes_per_sender_max > 0
                                             ? options->unread_bytes_per_sender_max
                                             : INBOX_UNREAD_BYTES_PER_SENDER_MAX;
    store->path = strdup(options->path);
    if (!store->path)
        return sqlite_no_memory(store);
    return open_file(store, options);
}

#define META_IDENTITY "server_key"

enum store_status store_identity(struct store *store, int64_t *mark, bool *served) {
    sqlite3_stmt *get = store->statements[STATEMENT_META_GET];
    int64_t alive_us = 0;
    *mark = 0;
    if (store->failed || sqlite_meta(store, "alive_us", &alive_us) != STORE_OK)
        return STORE_FAILED;
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
    if (!store)
        return;
    words_free(store->words);
    checkpoint_free(store->checkpoint);
    syncer_free(store->syncer);
    hasher_free(store->hasher);
    statement_finalize_all(store->statements);
    sqlite_head_end(store);
    sqlite_unload(store);
    int code = sqlite3_close(store->db);
    assert(code == SQLITE_OK); /* SQLITE_BUSY: we forgot to finalize a statement */
    (void)code;
    page_check_free(store->pages);
    reserve_free(store->reserve);
    free(store->failures);
    sqlite_notes_forget(store);
    free(store->path);
    free(store);
}

/* ---- wiping ----
 *
 * Makes the store as new: SQLite replaces the database by an empty one in one transaction, whatever
 * its size; then the schema is made as in any new file. A crash in between leaves a file that the
 * next opening finds empty. */

static enum store_status empty(struct store *store) {
    int code = sqlite3_db_config(store->db, SQLITE_DBCONFIG_RESET_DATABASE, 1, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(store->db, "VACUUM", NULL, NULL, NULL);
    enum store_status status = code == SQLITE_OK ? STORE_OK : sqlite_fail(store, "wipe");
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_RESET_DATABASE, 0, NULL);
    return status;
}

/* Cuts both files. If another process is reading, a later checkpoint frees the room. */
static enum store_status cut(struct store *store) {
    int code = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    int primary = code & 0xff;
    return primary == SQLITE_OK || primary == SQLITE_BUSY || primary == SQLITE_LOCKED
               ? STORE_OK
               : sqlite_fail(store, "wipe");
}

enum store_status store_wipe(struct store *store) {
    assert(!store->in_turn);
    bool searched = store->words != NULL;
    words_free(store->words);
    store->words = NULL;
    words_remove(store->path);
    if (store->failed || sqlite_head_wipe(store) != STORE_OK || empty(store) != STORE_OK ||
        sqlite_migrate(store) != STORE_OK || cut(store) != STORE_OK)
        return STORE_FAILED;
    if (store->reserve)
        reserve_forget(store->reserve);
    sqlite_unload(store);
    sqlite_notes_forget(store);
    store->presence_closed = false;
    store->view_appended = 0;
    if (sqlite_load(store) != STORE_OK)
        return STORE_FAILED;
    if (searched)
        open_words(store);
    return sqlite_piece_trim(store);
}
