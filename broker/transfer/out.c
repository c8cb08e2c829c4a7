/* `zchatd export`: the store's records, a line each, between a header and an end that tells how
 * many lines there are, so that a cut file is noticed. */
#include "control.h"
#include "inside.h"
#include "record_line.h"

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
    FILE *file;                /* owned, unless it is stdout */
    bool made;                 /* the file was not there before */
    int reason;                /* errno of a write that failed; 0: none did */
    bool too_long;
    uint64_t lines;
    struct line line;
};

static bool put(void *arg, const struct record *record) {
    struct out *out = arg;
    if (!record_write(&out->line, record)) {
        out->too_long = true;
        return false;
    }
    out->lines++;
    if (fwrite(out->line.bytes, 1, out->line.length, out->file) != out->line.length)
        out->reason = errno;
    return out->reason == 0;
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
        out->file = stdout;
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
    out->file = fd >= 0 ? fdopen(fd, "w") : NULL;
    return out->file != NULL;
}

/* Whether all of it is written; a regular file is on the disk then. */
static bool flush(struct out *out) {
    if (out->reason == 0 && (fflush(out->file) != 0 || ferror(out->file)))
        out->reason = errno;
    if (out->reason == 0 && out->made && fsync(fileno(out->file)) != 0)
        out->reason = errno;
    return out->reason == 0;
}

static void close_file(struct out *out, bool whole) {
    if (out->file && out->file != stdout)
        (void)fclose(out->file);
    if (out->made && !whole)
        (void)unlink(out->transfer->file);
}

/* ---- the whole ---- */

static bool put_header(struct out *out) {
    struct record header = {.kind = RECORD_HEADER, .name = RECORD_FORMAT, .number = RECORD_VERSION};
    return put(out, &header);
}

static bool put_end(struct out *out) {
    return put(out, &(struct record){.kind = RECORD_END, .number = out->lines + 1});
}

static enum transfer_exit tell(struct out *out, const struct store_export *export,
                               enum store_status status) {
    struct transfer *transfer = out->transfer;
    if (out->reason != 0) {
        return transfer_fail(transfer, TRANSFER_IO, "%s can't be written: %s",
                             out->file != stdout ? transfer->file : "stdout",
                             strerror(out->reason));
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
        return transfer_fail(transfer, out->too_long ? TRANSFER_FAILED : TRANSFER_IO, "%s",
                             out->too_long ? "something in the store is longer than it can be"
                                           : export->error);
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
    enum store_status status = put_header(out) ? store_export(&export) : STORE_CHANGED;
    bool whole = status == STORE_OK || status == STORE_DAMAGED;
    if (whole && (!put_end(out) || !flush(out)))
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
