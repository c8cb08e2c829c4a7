/* `zchatd export`: writes the store's records to a file or stdout. */
#include "control.h"
#include "inside.h"
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct out {
    struct transfer *transfer; /* borrowed */
    int control;               /* owned; -1: no broker keeps the bytes of removed files */
    bool made;                 /* the file was not there before */
    struct writer writer;      /* its file is owned, unless it is stdout */
};

static bool put(void *arg, const struct record *record) {
    struct out *out = arg;
    return writer_put(&out->writer, record);
}

static void show_damage(void *arg, const char *sentence) {
    const struct out *out = arg;
    (void)transfer_fail(out->transfer, TRANSFER_FAILED, "%s", sentence);
}

static void show_progress(void *arg, const char *what, uint64_t done, uint64_t all) {
    const struct out *out = arg;
    progress_show(&out->transfer->progress, what, done, all);
}

/* ---- the file ---- */

/* A regular file is never written over; a pipe or a device may be there. */
static bool open_file(struct out *out) {
    const char *path = out->transfer->file;
    struct stat status;
    if (!strcmp(path, "-")) {
        out->writer.file = stdout;
        return true;
    }
    bool there = stat(path, &status) == 0;
    if (there && S_ISREG(status.st_mode)) {
        errno = EEXIST;
        return false;
    }
    int flags = there ? O_WRONLY | O_CLOEXEC : O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    int fd = open(path, flags, 0600);
    out->made = fd >= 0 && !there;
    out->writer.file = fd >= 0 ? fdopen(fd, "w") : NULL;
    return out->writer.file != NULL;
}

/* Whether all of it is written; a regular file is on the disk then. */
static bool flush(struct out *out) {
    struct writer *writer = &out->writer;
    if (writer_flush(writer) && out->made && fsync(fileno(writer->file)) != 0)
        writer->reason = errno;
    return writer->reason == 0;
}

static void close_file(struct out *out, bool whole) {
    if (out->writer.file && out->writer.file != stdout)
        (void)fclose(out->writer.file);
    if (out->made && !whole)
        (void)unlink(out->transfer->file);
}

/* ---- the whole ---- */

static enum transfer_exit tell(struct out *out, const struct store_export *export,
                               enum store_status status) {
    struct transfer *transfer = out->transfer;
    if (out->writer.reason != 0) {
        return transfer_fail(transfer, TRANSFER_IO, "%s can't be written: %s",
                             out->writer.file != stdout ? transfer->file : "stdout",
                             strerror(out->writer.reason));
    }
    switch (status) {
    case STORE_OK:
        return TRANSFER_DONE;
    case STORE_DAMAGED:
        return transfer_fail(transfer, TRANSFER_FAILED,
                             "the store %s is damaged in %llu place%s; all else was exported",
                             export->path, (unsigned long long)export->damages,
                             export->damages == 1 ? "" : "s");
    case STORE_NOT_FOUND:
        return transfer_fail(transfer, TRANSFER_NONE,
                             "there is no store %s; name the broker's folder with --data DIR",
                             export->path);
    default:
        return transfer_fail(transfer, out->writer.too_long ? TRANSFER_FAILED : TRANSFER_IO, "%s",
                             out->writer.too_long ? WRITER_TOO_LONG : export->error);
    }
}

/* Asks a broker that serves the store to keep the bytes of removed files until `control` is closed.
 * If it does not, because it makes a backup or is of another version, bytes that are gone show by
 * their hash. */
static void hold_pieces(struct out *out) {
    struct order order = {.verb = ORDER_BACKUP_BEGIN};
    struct control_answer answer;
    long process;
    out->control = control_connect(out->transfer->folder, &process);
    if (out->control >= 0 && control_send(out->control, &order))
        (void)control_receive(out->control, &answer);
}

static enum transfer_exit write_all(struct out *out, const char *path) {
    struct store_export export = {
        .path = path, .each = put, .damage = show_damage, .progress = show_progress, .arg = out};
    hold_pieces(out);
    enum store_status status =
        writer_put_header(&out->writer) ? store_export(&export) : STORE_CHANGED;
    bool whole = status == STORE_OK || status == STORE_DAMAGED;
    if (whole && (!writer_put_end(&out->writer) || !flush(out)))
        whole = false;
    enum transfer_exit result = tell(out, &export, status);
    close_file(out, whole);
    if (out->control >= 0)
        close(out->control);
    return result;
}

enum transfer_exit transfer_out(struct transfer *transfer) {
    char path[DATA_PATH_BYTES];
    struct out *out = calloc(1, sizeof *out);
    if (!out)
        return transfer_fail(transfer, TRANSFER_FAILED, "no memory");
    out->transfer = transfer;
    enum transfer_exit result;
    if (!data_path(transfer->folder, DATA_STORE, path, sizeof path)) {
        result =
            transfer_fail(transfer, TRANSFER_INVALID, "the path of the data folder is too long");
    } else if (access(path, F_OK) != 0 && errno == ENOENT) {
        result =
            transfer_fail(transfer, TRANSFER_NONE,
                          "there is no store %s; name the broker's folder with --data DIR", path);
    } else if (data_has(transfer->folder, transfer->file) && strcmp(transfer->file, "-") != 0) {
        result = transfer_fail(transfer, TRANSFER_INVALID,
                               "%s would be in the data folder, among the broker's own files: name "
                               "a file elsewhere",
                               transfer->file);
    } else if (!open_file(out)) {
        result = transfer_fail(transfer, TRANSFER_IO, "%s can't be made: %s", transfer->file,
                               strerror(errno));
    } else {
        result = write_all(out, path);
    }
    free(out);
    return result;
}
