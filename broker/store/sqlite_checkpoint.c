/* Checkpoints copy the write-ahead log into the database, which takes tens of milliseconds: so a
 * thread with a connection of its own does the bulk of it, and only the short rest, between two
 * transactions, the thread of the store. Then nothing is left in the log and the next transaction
 * writes it from its beginning. An exclusive store has no thread and does it all itself. */
#include "sqlite_store.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The second round copies what came during the first one, so that the rest is short. */
#define ROUNDS 2

enum state { IDLE, WANTED, RUNNING, FINISHED, STOPPED };

struct checkpoint {
    sqlite3 *db; /* owned: used by the thread alone while it runs */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    enum state state;
    int code; /* the first error, SQLITE_OK: none */
};

/* An error that says something about the disk; a lock of another process does not. */
static bool is_fault(int code) {
    int primary = code & 0xff;
    return primary != SQLITE_OK && primary != SQLITE_BUSY && primary != SQLITE_LOCKED;
}

static int copy(sqlite3 *db) {
    int code = SQLITE_OK;
    for (int i = 0; i < ROUNDS && code == SQLITE_OK; i++) {
        code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    return is_fault(code) ? sqlite3_extended_errcode(db) : SQLITE_OK;
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
        int code = copy(checkpoint->db);
        (void)pthread_mutex_lock(&checkpoint->mutex);
        checkpoint->code = checkpoint->code == SQLITE_OK ? code : checkpoint->code;
        checkpoint->state = checkpoint->state == STOPPED ? STOPPED : FINISHED;
    }
    (void)pthread_mutex_unlock(&checkpoint->mutex);
    return NULL;
}

struct checkpoint *checkpoint_new(const char *path, const char *vfs, const char **reason) {
    *reason = "out of memory";
    struct checkpoint *checkpoint = calloc(1, sizeof *checkpoint);
    if (checkpoint == NULL) {
        return NULL;
    }
    (void)pthread_mutex_init(&checkpoint->mutex, NULL);
    (void)pthread_cond_init(&checkpoint->changed, NULL);
    int code = sqlite_connect(path, vfs, &checkpoint->db);
    if (code == SQLITE_OK) {
        code = sqlite3_exec(checkpoint->db, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
    }
    if (code != SQLITE_OK) {
        *reason = sqlite3_errstr(code);
    } else if ((code = pthread_create(&checkpoint->thread, NULL, run, checkpoint)) != 0) {
        *reason = strerror(code);
    }
    if (code != 0) {
        (void)sqlite3_close(checkpoint->db);
        free(checkpoint);
        return NULL;
    }
    return checkpoint;
}

void checkpoint_free(struct checkpoint *checkpoint) {
    if (checkpoint == NULL) {
        return;
    }
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

/* Changes the state where it is `from`. */
static bool advance(struct checkpoint *checkpoint, enum state from, enum state to, int *code) {
    (void)pthread_mutex_lock(&checkpoint->mutex);
    bool advances = checkpoint->state == from;
    if (advances) {
        checkpoint->state = to;
        (void)pthread_cond_signal(&checkpoint->changed);
    }
    *code = checkpoint->code;
    (void)pthread_mutex_unlock(&checkpoint->mutex);
    return advances;
}

void sqlite_checkpoint_begin(struct store *store) {
    int code;
    if (store->checkpoint != NULL && store->wal_pages >= store->wal_pages_trigger) {
        (void)advance(store->checkpoint, IDLE, WANTED, &code); /* _finish looks at the code */
    }
}

static bool is_due(struct store *store, int *code) {
    *code = SQLITE_OK;
    return store->checkpoint != NULL ? advance(store->checkpoint, FINISHED, IDLE, code)
                                     : store->wal_pages >= store->wal_pages_trigger;
}

enum store_status sqlite_checkpoint_finish(struct store *store) {
    assert(!store->in_transaction);
    int code;
    if (!is_due(store, &code)) {
        return STORE_OK;
    }
    if (code != SQLITE_OK) {
        return sqlite_fail_because(store, "checkpoint", sqlite3_errstr(code));
    }
    /* Where a reader of another process holds the log, it grows on for as long again. */
    store->wal_pages_trigger += store->wal_pages;
    code = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return is_fault(code) ? sqlite_fail(store, "checkpoint") : STORE_OK;
}
