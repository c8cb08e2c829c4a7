/* See syncer.h. The file is synced through SQLite's methods, so that it works with any VFS of the
 * store. */
#include "syncer.h"

#include "background.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum state { IDLE, WANTED, ENDED, STOPPED };

struct syncer {
    int fd;                    /* owned: an eventfd */
    int64_t (*clock_us)(void); /* NULL: there is none */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    enum state state;
    sqlite3_file *file; /* borrowed: from the store */
    int code;
    int quick; /* how many syncs in a row were quick, up to the number that matters */
};

static void tell(const struct syncer *syncer) {
    const uint64_t one = 1;
    ssize_t written = write(syncer->fd, &one, sizeof one);
    assert(written == (ssize_t)sizeof one); /* the counter was 0, so this can't fail */
    (void)written;
}

static int64_t now_us(const struct syncer *syncer) {
    return !syncer->clock_us ? 0 : syncer->clock_us();
}

static int sync_file(const struct syncer *syncer, sqlite3_file *file, bool *quick) {
    int64_t begun_us = now_us(syncer);
    int code = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
    *quick = syncer->clock_us && now_us(syncer) - begun_us <= SYNCER_QUICK_US;
    return code;
}

static void note(struct syncer *syncer, bool quick) {
    int count = syncer->quick < SYNCER_QUICK_COUNT ? syncer->quick + 1 : syncer->quick;
    syncer->quick = quick ? count : 0;
}

static void *run(void *arg) {
    struct syncer *syncer = arg;
    (void)pthread_mutex_lock(&syncer->mutex);
    while (syncer->state != STOPPED) {
        if (syncer->state != WANTED) {
            (void)pthread_cond_wait(&syncer->changed, &syncer->mutex);
            continue;
        }
        sqlite3_file *file = syncer->file;
        (void)pthread_mutex_unlock(&syncer->mutex);
        bool quick;
        int code = sync_file(syncer, file, &quick);
        (void)pthread_mutex_lock(&syncer->mutex);
        note(syncer, quick);
        syncer->code = code;
        syncer->state = syncer->state == STOPPED ? STOPPED : ENDED;
        (void)pthread_cond_broadcast(&syncer->changed);
        tell(syncer);
    }
    (void)pthread_mutex_unlock(&syncer->mutex);
    return NULL;
}

struct syncer *syncer_new(int64_t (*clock_us)(void), const char **reason) {
    struct syncer *syncer = calloc(1, sizeof *syncer);
    *reason = "out of memory";
    if (!syncer)
        return NULL;
    syncer->clock_us = clock_us;
    (void)pthread_mutex_init(&syncer->mutex, NULL);
    (void)pthread_cond_init(&syncer->changed, NULL);
    syncer->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int code = syncer->fd < 0 ? errno : background_start(&syncer->thread, run, syncer);
    if (code != 0) {
        *reason = strerror(code);
        if (syncer->fd >= 0)
            (void)close(syncer->fd);
        free(syncer);
        return NULL;
    }
    return syncer;
}

static void set_state(struct syncer *syncer, enum state state) {
    syncer->state = state;
    (void)pthread_cond_broadcast(&syncer->changed);
}

void syncer_free(struct syncer *syncer) {
    if (!syncer)
        return;
    (void)pthread_mutex_lock(&syncer->mutex);
    set_state(syncer, STOPPED);
    (void)pthread_mutex_unlock(&syncer->mutex);
    (void)pthread_join(syncer->thread, NULL);
    (void)pthread_cond_destroy(&syncer->changed);
    (void)pthread_mutex_destroy(&syncer->mutex);
    (void)close(syncer->fd);
    free(syncer);
}

void syncer_begin(struct syncer *syncer, sqlite3_file *file) {
    (void)pthread_mutex_lock(&syncer->mutex);
    assert(syncer->state == IDLE);
    syncer->file = file;
    set_state(syncer, WANTED);
    (void)pthread_mutex_unlock(&syncer->mutex);
}

int syncer_fd(const struct syncer *syncer) {
    return syncer->fd;
}

int syncer_end(struct syncer *syncer) {
    uint64_t count;
    (void)pthread_mutex_lock(&syncer->mutex);
    while (syncer->state != ENDED)
        (void)pthread_cond_wait(&syncer->changed, &syncer->mutex);
    syncer->state = IDLE;
    int code = syncer->code;
    ssize_t taken = read(syncer->fd, &count, sizeof count);
    (void)pthread_mutex_unlock(&syncer->mutex);
    assert(taken == (ssize_t)sizeof count);
    (void)taken;
    return code;
}

/* Needs no lock: the thread touches nothing while no sync is under way. */
bool syncer_is_quick(const struct syncer *syncer) {
    assert(syncer->state == IDLE);
    return syncer->quick >= SYNCER_QUICK_COUNT;
}

int syncer_here(struct syncer *syncer, sqlite3_file *file) {
    bool quick;
    assert(syncer->state == IDLE);
    int code = sync_file(syncer, file, &quick);
    note(syncer, quick);
    return code;
}
