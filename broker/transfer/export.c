/* See export.h. As for other backups, what is written is synced bit by bit, so that the disk does
 * not keep the commits of the broker waiting for long, and the room that is kept for messages is
 * left alone. */
#include "export.h"

#include "disk/room.h"
#include "log.h"
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SYNC_BYTES  (UINT64_C(16) * 1024 * 1024)
#define BYTES_SPARE (UINT64_C(16) * 1024 * 1024) /* of the disk */

struct export {
    struct store_backup *backup; /* borrowed */
    struct hash hash;            /* of all that was written */
    uint64_t unsynced;           /* bytes */
    bool no_room;
    bool ended; /* it was told to end */
    struct writer writer;
};

static bool has_room(struct export *export) {
    export->no_room = disk_room(export->backup->file) < BYTES_SPARE;
    return !export->no_room;
}

/* Called when a line was put. */
static bool pace(struct export *export) {
    struct writer *writer = &export->writer;
    hash_add(&export->hash, writer->line.bytes, writer->line.length);
    export->backup->bytes += writer->line.length;
    export->unsynced += writer->line.length;
    if (export->unsynced < SYNC_BYTES)
        return true;
    export->unsynced = 0;
    if (writer_flush(writer) && fdatasync(fileno(writer->file)) != 0)
        writer->reason = errno;
    return writer->reason == 0 && has_room(export);
}

static bool put(void *arg, const struct record *record) {
    struct export *export = arg;
    struct store_copying *copying = &export->backup->copying;
    export->ended = !copying->progress(copying->arg, "records", export->writer.lines, 0);
    return !export->ended && writer_put(&export->writer, record) && pace(export);
}

static void log_damage(void *arg, const char *sentence) {
    (void)arg;
    log_reason(LOG_LEVEL_WARN, "export_damaged", sentence);
}

static void pass_progress(void *arg, const char *what, uint64_t done, uint64_t all) {
    (void)arg, (void)what, (void)done, (void)all;
}

static enum store_status fail(struct export *export, enum store_status status,
                              const char *sentence) {
    struct store_backup *backup = export->backup;
    (void)snprintf(backup->copying.error, sizeof backup->copying.error, "%s", sentence);
    return status;
}

static enum store_status fail_write(struct export *export, int reason) {
    struct store_backup *backup = export->backup;
    bool is_full = reason == ENOSPC || reason == EDQUOT || reason == EFBIG;
    (void)snprintf(backup->copying.error, sizeof backup->copying.error, "%s can't be written: %s",
                   backup->file, strerror(reason));
    return is_full ? STORE_FULL : STORE_FAILED;
}

/* What ended it first. */
static enum store_status judge(struct export *export, const struct store_export *done,
                               enum store_status status) {
    if (export->ended)
        return fail(export, STORE_FAILED, "it was told to end");
    if (export->no_room)
        return fail(export, STORE_FULL, "the disk has no room for the export");
    if (export->writer.too_long)
        return fail(export, STORE_FAILED, WRITER_TOO_LONG);
    if (export->writer.reason != 0)
        return fail_write(export, export->writer.reason);
    return status == STORE_OK ? STORE_OK : fail(export, status, done->error);
}

static enum store_status write_all(struct export *export) {
    struct store_export store = {.path = export->backup->path,
                                 .each = put,
                                 .damage = log_damage,
                                 .progress = pass_progress,
                                 .arg = export};
    struct writer *writer = &export->writer;
    enum store_status status = STORE_CHANGED;
    hash_begin(&export->hash);
    if (has_room(export) && writer_put_header(writer) && pace(export))
        status = store_export(&store);
    if (status == STORE_OK || status == STORE_DAMAGED)
        status = writer_put_end(writer) && pace(export) && writer_flush(writer) ? STORE_OK
                                                                                : STORE_CHANGED;
    hash_end(&export->hash, export->backup->hash);
    export->backup->pieces_damaged = store.damages;
    return judge(export, &store, status);
}

static FILE *open_file(const char *path) {
    int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (fd >= 0 && !file)
        close(fd);
    return file;
}

enum store_status transfer_export(struct store_backup *backup) {
    struct export *export = calloc(1, sizeof *export);
    if (!export) {
        (void)snprintf(backup->copying.error, sizeof backup->copying.error, "out of memory");
        return STORE_FAILED;
    }
    export->backup = backup;
    export->writer.file = open_file(backup->file);
    enum store_status status = export->writer.file ? write_all(export) : fail_write(export, errno);
    if (export->writer.file)
        (void)fclose(export->writer.file); /* it was flushed, or is of no use */
    free(export);
    return status;
}
