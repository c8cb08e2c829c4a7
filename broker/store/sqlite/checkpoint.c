/* Checkpoints copy the write-ahead log into the database, which takes tens of milliseconds. So a
 * thread with a connection of its own does most of it, in passes, until little is left; the store's
 * thread copies only that rest, between two transactions. Then all of the log is copied, and the
 * next transaction writes it from its beginning. An exclusive store has no such thread and does
 * everything itself. */
#include "disk/background.h"
#include "inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The rest is short if it is at most this share of the log, and so few pages that copying them does
 * not make a turn long. A log of LONG_STEPS steps has grown enough, though: there the number of
 * pages does not matter, because the disk gets no further. */
#define REST_SHARE 8
#define REST_PAGES 1024
#define LONG_STEPS 32

enum state { IDLE, WANTED, RUNNING, FINISHED, STOPPED };

struct checkpoint {
    sqlite3 *db; /* owned: only the thread uses it while it runs */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    enum state state;
    int code;   /* the first error, SQLITE_OK: none */
    int copied; /* pages of the log in the database after the last pass */
};

/* A lock of another process is no fault of the disk. Neither is a full disk: the database can't
 * grow now, but the log still has everything, and the next pass begins anew. */
bool sqlite_checkpoint_is_fault(sqlite3 *db, int code) {
    int primary = code & 0xff;
    return primary != SQLITE_OK && primary != SQLITE_BUSY && primary != SQLITE_LOCKED &&
           !reserve_is_full_code(db, code);
}

/* SQLite syncs the database only with the log's last page: without this, the sync of what a pass
 * copied would be left to the store's thread. */
static int sync_database(sqlite3 *db) {
    sqlite3_file *file = NULL;
    int code = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    return code == SQLITE_OK ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : code;
}

/* One pass. */
static int copy(sqlite3 *db, int *copied) {
    int code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, copied);
    if (code == SQLITE_OK)
        return sync_database(db);
    *copied = 0;
    return sqlite_checkpoint_is_fault(db, code) ? code : SQLITE_OK;
}

static void *run(void *arg) {
    struct checkpoint *checkpoint = arg;
    (void)pthread_mutex_lock(&checkpoint->mutex);
    while (checkpoint->state != STOPPED) {
        if (checkpoint->state != WANTED) {
            (void)pthread_cond_wait(&checkpoint->changed, &checkpoint->mutex);
            continue;
        }
        checkpoint->state = RUNNING;
        (void)pthread_mutex_unlock(&checkpoint->mutex);
        int copied = 0;
        int code = copy(checkpoint->db, &copied);
        (void)pthread_mutex_lock(&checkpoint->mutex);
        checkpoint->copied = copied;
        checkpoint->code = checkpoint->code == SQLITE_OK ? code : checkpoint->code;
        checkpoint->state = checkpoint->state == STOPPED ? STOPPED : FINISHED;
    }
    (void)pthread_mutex_unlock(&checkpoint->mutex);
    return NULL;
}

struct checkpoint *checkpoint_new(const char *path, const char *vfs, const char **reason) {
    *reason = "out of memory";
    struct checkpoint *checkpoint = calloc(1, sizeof *checkpoint);
    if (!checkpoint)
        return NULL;
    (void)pthread_mutex_init(&checkpoint->mutex, NULL);
    (void)pthread_cond_init(&checkpoint->changed, NULL);
    int code = sqlite_connect(path, vfs, &checkpoint->db);
    if (code == SQLITE_OK)
        code = sqlite3_exec(checkpoint->db, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        *reason = sqlite3_errstr(code);
    else if ((code = background_start(&checkpoint->thread, run, checkpoint)) != 0)
        *reason = strerror(code);
    if (code != 0) {
        (void)sqlite3_close(checkpoint->db);
        free(checkpoint);
        return NULL;
    }
    return checkpoint;
}

void checkpoint_free(struct checkpoint *checkpoint) {
    if (!checkpoint)
        return;
    (void)pthread_mutex_lock(&checkpoint->mutex);
    checkpoint->state = STOPPED;
    (void)pthread_cond_signal(&checkpoint->changed);
    (void)pthread_mutex_unlock(&checkpoint->mutex);
    (void)pthread_join(checkpoint->thread, NULL);
    (void)sqlite3_close(checkpoint->db);
    (void)pthread_cond_destroy(&checkpoint->changed);
    (void)pthread_mutex_destroy(&checkpoint->mutex);
    free(checkpoint);
}

void sqlite_checkpoint_begin(struct store *store) {
    struct checkpoint *checkpoint = store->checkpoint;
    if (!checkpoint || store->wal_pages < store->wal_pages_trigger)
        return;
    (void)pthread_mutex_lock(&checkpoint->mutex);
    if (checkpoint->state == IDLE) {
        checkpoint->state = WANTED;
        (void)pthread_cond_signal(&checkpoint->changed);
    }
    (void)pthread_mutex_unlock(&checkpoint->mutex);
}

bool sqlite_checkpoint_runs(struct store *store) {
    struct checkpoint *checkpoint = store->checkpoint;
    (void)pthread_mutex_lock(&checkpoint->mutex);
    bool runs = checkpoint->state == WANTED || checkpoint->state == RUNNING;
    (void)pthread_mutex_unlock(&checkpoint->mutex);
    return runs;
}

/* Whether a pass has ended since this was last asked. */
static bool take_pass(struct checkpoint *checkpoint, int *copied, int *code) {
    (void)pthread_mutex_lock(&checkpoint->mutex);
    bool ended = checkpoint->state == FINISHED;
    if (ended)
        checkpoint->state = IDLE;
    *copied = checkpoint->copied;
    *code = checkpoint->code;
    (void)pthread_mutex_unlock(&checkpoint->mutex);
    return ended;
}

/* Called after a pass. If a reader in another process holds the log, the log may grow to twice its
 * size before the next pass. */
static bool is_rest_short(struct store *store, int copied) {
    bool advanced = copied > store->wal_copied;
    int rest = store->wal_pages - copied;
    bool is_long = store->wal_pages / LONG_STEPS >= store->wal_pages_step;
    bool is_short = rest <= store->wal_pages / REST_SHARE && (rest <= REST_PAGES || is_long);
    store->wal_copied = copied;
    if (is_short || !advanced)
        store->wal_pages_trigger = 2 * store->wal_pages;
    return is_short;
}

enum store_status sqlite_checkpoint_finish(struct store *store) {
    assert(!store->in_transaction);
    int copied = store->wal_pages, code = SQLITE_OK;
    bool is_due = store->checkpoint ? take_pass(store->checkpoint, &copied, &code)
                                    : store->wal_pages >= store->wal_pages_trigger;
    if (code != SQLITE_OK)
        return sqlite_fail_code(store, "checkpoint", code, sqlite3_errstr(code));
    if (!is_due || !is_rest_short(store, copied))
        return STORE_OK;
    int pages = 0;
    code = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
    if (code == SQLITE_OK && pages == copied) {
        store->wal_begins = true;
        if (sqlite_head_copied(store) != STORE_OK)
            return STORE_FAILED;
    }
    return sqlite_checkpoint_is_fault(store->db, code) ? sqlite_fail(store, "checkpoint")
                                                       : STORE_OK;
}

void sqlite_checkpoint_want(struct store *store) {
    if (store->wal_pages > 0)
        store->wal_pages_trigger = 1;
}
