/* See backup_maker.h. The thread gives way to the loop, but not to everybody: while it copies the
 * database, the write-ahead log can't begin anew. */
#include "backup_maker.h"

#include "core/memory.h"
#include "data.h"
#include "disk/background.h"
#include "log.h"
#include "store_backup.h"
#include "transfer/export.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define SUFFIX "-backup"
#define NICE   10
/* How much is asked of the disk ahead of what is read, so that reading does not wait for it. */
#define AHEAD_BYTES (4 * 1024 * 1024)

struct backup_maker {
    char store[DATA_PATH_BYTES];
    char file[DATA_PATH_BYTES];
    pthread_t thread;
    bool running; /* the thread is to be joined */
    atomic_bool ending;
    int ended; /* owned: an eventfd */
    int made;  /* owned: the backup; -1: none is there */
    bool as_export;
    struct store_backup backup;
    enum store_status status;
};

static bool goes_on(void *arg, const char *what, uint64_t done, uint64_t all) {
    struct backup_maker *maker = arg;
    (void)what;
    (void)done;
    (void)all;
    return !maker->ending;
}

static void *run(void *arg) {
    struct backup_maker *maker = arg;
    const uint64_t one = 1;
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* on Linux of this thread alone */
    maker->status =
        maker->as_export ? transfer_export(&maker->backup) : store_backup(&maker->backup);
    while (write(maker->ended, &one, sizeof one) < 0 && errno == EINTR) {
    }
    return NULL;
}

struct backup_maker *backup_maker_new(const char *folder) {
    struct backup_maker *maker = memory_new(sizeof *maker);
    maker->made = -1;
    maker->ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (maker->ended < 0 || !data_path(folder, DATA_STORE, maker->store, sizeof maker->store) ||
        !data_path(folder, DATA_STORE SUFFIX, maker->file, sizeof maker->file)) {
        backup_maker_free(maker);
        return NULL;
    }
    (void)unlink(maker->file); /* left by a killed broker */
    return maker;
}

static bool make_file(struct backup_maker *maker) {
    int file = open(maker->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        log_reason(LOG_LEVEL_WARN, "backup_failed", strerror(errno));
        return false;
    }
    (void)close(file); /* it is empty */
    return true;
}

bool backup_maker_begin(struct backup_maker *maker, bool as_export, int64_t time_us) {
    if (!make_file(maker))
        return false;
    maker->ending = false;
    maker->as_export = as_export;
    maker->backup = (struct store_backup){.copying = {.progress = goes_on, .arg = maker},
                                          .path = maker->store,
                                          .file = maker->file,
                                          .time_us = time_us};
    int code = background_start(&maker->thread, run, maker);
    maker->running = code == 0;
    if (!maker->running) {
        log_reason(LOG_LEVEL_WARN, "backup_failed", strerror(code));
        (void)unlink(maker->file);
    }
    return maker->running;
}

int backup_maker_fd(const struct backup_maker *maker) {
    return maker->ended;
}

static void fill(const struct backup_maker *maker, struct core_backup *made) {
    const struct store_backup *backup = &maker->backup;
    *made = (struct core_backup){.status = maker->status,
                                 .bytes = backup->bytes,
                                 .time_us = backup->time_us,
                                 .damaged = backup->pieces_damaged};
    memcpy(made->hash, backup->hash, sizeof made->hash);
    (void)snprintf(made->error, sizeof made->error, "%.190s", backup->copying.error);
}

bool backup_maker_take(struct backup_maker *maker, struct core_backup *made) {
    uint64_t count;
    if (read(maker->ended, &count, sizeof count) != (ssize_t)sizeof count)
        return false;
    (void)pthread_join(maker->thread, NULL);
    maker->running = false;
    if (maker->status == STORE_OK)
        maker->made = open(maker->file, O_RDONLY | O_CLOEXEC);
    if (maker->status == STORE_OK && maker->made < 0) {
        maker->status = STORE_FAILED;
        (void)snprintf(maker->backup.copying.error, sizeof maker->backup.copying.error,
                       "the backup can't be opened: %s", strerror(errno));
    }
    fill(maker, made);
    if (maker->made < 0)
        (void)unlink(maker->file);
    return true;
}

bool backup_maker_read(struct backup_maker *maker, uint64_t offset, unsigned char *bytes,
                       size_t length, size_t *count) {
    ssize_t got;
    *count = 0;
    if (maker->made < 0 || offset >= maker->backup.bytes)
        return maker->made >= 0;
    (void)posix_fadvise(maker->made, (off_t)(offset + length), AHEAD_BYTES, POSIX_FADV_WILLNEED);
    while (*count < length &&
           (got = pread(maker->made, bytes + *count, length - *count, (off_t)(offset + *count)))) {
        if (got < 0 && errno != EINTR)
            return false;
        *count += got > 0 ? (size_t)got : 0;
    }
    return true;
}

void backup_maker_drop(struct backup_maker *maker) {
    maker->ending = true;
    if (maker->made < 0)
        return;
    (void)close(maker->made);
    maker->made = -1;
    (void)unlink(maker->file);
}

void backup_maker_stop(struct backup_maker *maker) {
    backup_maker_drop(maker);
    if (maker->running) {
        (void)pthread_join(maker->thread, NULL);
        maker->running = false;
        (void)unlink(maker->file);
    }
}

void backup_maker_free(struct backup_maker *maker) {
    if (!maker)
        return;
    backup_maker_stop(maker);
    if (maker->ended >= 0)
        (void)close(maker->ended);
    free(maker);
}
