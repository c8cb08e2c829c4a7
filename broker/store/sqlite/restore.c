/* See store_backup.h. The backup is read once, from its beginning to its end. What is written has
 * other names, or is a file without which no store starts, until all of it is verified: the hash
 * over everything decides, and the checksums of pages and pieces tell where the damage is.
 *
 * While it lasts there is a file with pieces, and an empty database or none: a broker refuses to
 * start on that. */
#define _DEFAULT_SOURCE /* explicit_bzero */
#include "copying.h"
#include "disk/backup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES  4200
#define PLACE_BYTES 96

struct restoring {
    struct store_restore *restore;
    struct store_copying *copying;
    int from;     /* owned, as the next ones; -1: not open */
    int database; /* under its other name */
    int pieces;
    char path[PATH_BYTES]; /* of the database, under that name */
    char pieces_path[PATH_BYTES];
    struct backup_trailer trailer;
    struct hash hash;         /* of what was read so far */
    uint64_t at;              /* in the backup */
    uint64_t unsynced;        /* bytes */
    char damage[PLACE_BYTES]; /* where the first is; "": none was met */
    bool damaged_pieces;      /* only pieces */
    bool found_empty;         /* an empty database was there before */
    unsigned char key[BACKUP_KEY_MAX];
    unsigned char block[COPYING_BLOCK];
};

/* ---- files ---- */

static enum store_status read_next(struct restoring *restoring, size_t length) {
    int reason = backup_read(restoring->from, restoring->block, length, restoring->at);
    if (reason != 0)
        return copying_fail_file(restoring->copying, "read", restoring->restore->file, reason);
    hash_add(&restoring->hash, restoring->block, length);
    restoring->at += length;
    if (!copying_goes_on(restoring->copying, "restoring", restoring->at,
                         backup_trailer_at(&restoring->trailer)))
        return STORE_FAILED;
    return STORE_OK;
}

static enum store_status write_to(struct restoring *restoring, int file, size_t length,
                                  uint64_t at) {
    int reason = backup_write(file, restoring->block, length, at);
    restoring->unsynced += length;
    if (reason == 0 && restoring->unsynced >= COPYING_SYNC_BYTES) {
        restoring->unsynced = 0;
        reason = fdatasync(file) == 0 ? 0 : errno;
    }
    return reason == 0
               ? STORE_OK
               : copying_fail_file(restoring->copying, "written", restoring->restore->path, reason);
}

static enum store_status sync_folder(struct restoring *restoring) {
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s", restoring->restore->path);
    int folder = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = folder >= 0 && (fsync(folder) == 0 || errno == EINVAL);
    int reason = errno;
    if (folder >= 0)
        close(folder);
    return synced ? STORE_OK : copying_fail_file(restoring->copying, "synced", path, reason);
}

static void close_file(int file) {
    if (file >= 0)
        close(file);
}

static enum store_status make_file(struct restoring *restoring, const char *path, int *file) {
    *file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return *file >= 0 ? STORE_OK : copying_fail_file(restoring->copying, "made", path, errno);
}

/* ---- what is restored ---- */

static enum store_status fail_cut(struct restoring *restoring) {
    return copying_fail(restoring->copying, STORE_DAMAGED,
                        "%s is no backup of zchat, or its end is missing or damaged",
                        restoring->restore->file);
}

static enum store_status open_backup(struct restoring *restoring) {
    const char *file = restoring->restore->file;
    unsigned char bytes[BACKUP_TRAILER_BYTES];
    struct stat status;
    restoring->from = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (restoring->from < 0 && errno == ENOENT)
        return copying_fail(restoring->copying, STORE_NOT_FOUND, "there is no file %s", file);
    if (restoring->from < 0 || fstat(restoring->from, &status) != 0)
        return copying_fail_file(restoring->copying, "opened", file, errno);
    if (!S_ISREG(status.st_mode) || status.st_size < BACKUP_TRAILER_BYTES)
        return fail_cut(restoring);
    uint64_t trailer_at = (uint64_t)status.st_size - BACKUP_TRAILER_BYTES;
    int reason = backup_read(restoring->from, bytes, sizeof bytes, trailer_at);
    if (reason != 0)
        return copying_fail_file(restoring->copying, "read", file, reason);
    return backup_trailer_unpack(bytes, &restoring->trailer) &&
                   backup_trailer_at(&restoring->trailer) == trailer_at
               ? STORE_OK
               : fail_cut(restoring);
}

/* The pieces' file has a byte from the beginning on: without its database no store starts. */
static enum store_status make_files(struct restoring *restoring) {
    enum store_status status = make_file(restoring, restoring->path, &restoring->database);
    if (status == STORE_OK)
        status = make_file(restoring, restoring->pieces_path, &restoring->pieces);
    if (status == STORE_OK && !restoring->found_empty) {
        int file = -1; /* SQLite gives what is beside a database its mode */
        status = make_file(restoring, restoring->restore->path, &file);
        close_file(file);
    }
    restoring->block[0] = 0;
    if (status == STORE_OK)
        status = write_to(restoring, restoring->pieces, 1, 0);
    if (status == STORE_OK && fsync(restoring->pieces) != 0)
        status = copying_fail_file(restoring->copying, "written", restoring->pieces_path, errno);
    return status == STORE_OK ? sync_folder(restoring) : status;
}

static void note_page(struct restoring *restoring, size_t at, uint32_t number) {
    size_t bytes = restoring->trailer.page_bytes;
    if (page_check_is_locked(bytes, number) ||
        page_check_is_right(restoring->block + at, bytes, number) ||
        (restoring->damage[0] != '\0' && !restoring->damaged_pieces))
        return;
    restoring->damaged_pieces = false;
    (void)snprintf(restoring->damage, sizeof restoring->damage, "page %u of its database",
                   (unsigned)number);
}

static enum store_status restore_database(struct restoring *restoring) {
    uint64_t end = backup_index_at(&restoring->trailer);
    size_t page = restoring->trailer.page_bytes;
    enum store_status status = STORE_OK;
    while (status == STORE_OK && restoring->at < end) {
        uint64_t at = restoring->at;
        size_t count = end - at < COPYING_BLOCK ? (size_t)(end - at) : COPYING_BLOCK;
        status = read_next(restoring, count);
        for (size_t i = 0; i < count && status == STORE_OK; i += page)
            note_page(restoring, i, (uint32_t)((at + i) / page) + 1);
        if (status == STORE_OK)
            status = write_to(restoring, restoring->database, count, at);
    }
    return status;
}

/* Only for the hash: each entry is read again with its piece. */
static enum store_status pass_index(struct restoring *restoring) {
    uint64_t end = backup_pieces_at(&restoring->trailer);
    enum store_status status = STORE_OK;
    while (status == STORE_OK && restoring->at < end) {
        uint64_t left = end - restoring->at;
        status = read_next(restoring, left < COPYING_BLOCK ? (size_t)left : COPYING_BLOCK);
    }
    return status;
}

static enum store_status fail_index(struct restoring *restoring, uint64_t number) {
    return copying_fail(restoring->copying, STORE_DAMAGED,
                        "%s is damaged: entry %llu of its list of pieces", restoring->restore->file,
                        (unsigned long long)number);
}

static void note_piece(struct restoring *restoring, const struct backup_piece *piece) {
    if (!piece->has_sums || slots_is_right(restoring->block, piece->sums) ||
        restoring->damage[0] != '\0')
        return;
    restoring->damaged_pieces = true;
    (void)snprintf(restoring->damage, sizeof restoring->damage, "the piece of slot %lld",
                   (long long)piece->slot);
}

static enum store_status restore_piece(struct restoring *restoring, uint64_t number,
                                       int64_t *last) {
    unsigned char entry[BACKUP_INDEX_BYTES];
    struct backup_piece piece;
    uint64_t at = backup_index_at(&restoring->trailer) + number * BACKUP_INDEX_BYTES;
    int reason = backup_read(restoring->from, entry, sizeof entry, at);
    if (reason != 0)
        return copying_fail_file(restoring->copying, "read", restoring->restore->file, reason);
    if (!backup_piece_unpack(entry, &piece) || piece.slot <= *last)
        return fail_index(restoring, number);
    *last = piece.slot;
    enum store_status status = read_next(restoring, SLOT_BYTES);
    if (status != STORE_OK)
        return status;
    note_piece(restoring, &piece);
    return write_to(restoring, restoring->pieces, SLOT_BYTES, (uint64_t)piece.slot * SLOT_BYTES);
}

static enum store_status restore_pieces(struct restoring *restoring) {
    enum store_status status = STORE_OK;
    int64_t last = -1;
    for (uint64_t i = 0; i < restoring->trailer.pieces && status == STORE_OK; i++)
        status = restore_piece(restoring, i, &last);
    return status;
}

/* ---- verified ---- */

static enum store_status take_key_bytes(struct restoring *restoring) {
    enum store_status status = read_next(restoring, restoring->trailer.key_bytes);
    memcpy(restoring->key, restoring->block, restoring->trailer.key_bytes);
    return status;
}

/* Pieces that were damaged in the store are so here; the hash tells these from others. */
static enum store_status verify(struct restoring *restoring) {
    unsigned char hash[HASH_BYTES];
    hash_end(&restoring->hash, hash);
    if (memcmp(hash, restoring->trailer.hash, sizeof hash) == 0)
        return STORE_OK;
    return copying_fail(restoring->copying, STORE_DAMAGED,
                        "%s is damaged: %s; nothing was restored: take another backup",
                        restoring->restore->file,
                        restoring->damage[0] == '\0' ? "its bytes are not those that were written"
                                                     : restoring->damage);
}

static enum store_status sync_files(struct restoring *restoring) {
    return fsync(restoring->database) == 0 && fsync(restoring->pieces) == 0
               ? STORE_OK
               : copying_fail_file(restoring->copying, "written", restoring->restore->path, errno);
}

static enum store_status refuse_newer(struct restoring *restoring) {
    struct store *store = copying_store(restoring->path, NULL);
    enum store_status status = STORE_FAILED;
    int version = 0;
    if (!store)
        return copying_fail(restoring->copying, STORE_FAILED, "out of memory");
    if (sqlite_connect(store->path, page_check_name(store->pages), &store->db) != SQLITE_OK)
        (void)sqlite_fail(store, "open");
    else
        status = sqlite_version(store, &version);
    if (status != STORE_OK)
        status = copying_fail_store(restoring->copying, store, STORE_FAILED);
    (void)sqlite3_close(store->db);
    copying_store_free(store);
    return status;
}

static enum store_status write_head(struct restoring *restoring) {
    struct head *head = NULL;
    struct head_mark mark;
    enum head_state state;
    int code = head_open(&head, NULL, restoring->restore->path, &state, &mark);
    mark = (struct head_mark){.position = restoring->trailer.position, .checked = true};
    if (code == SQLITE_OK)
        code = head_write(head, &mark);
    if (code == SQLITE_OK)
        code = head_sync(head);
    head_close(head);
    return code == SQLITE_OK
               ? STORE_OK
               : copying_fail(restoring->copying, code == SQLITE_FULL ? STORE_FULL : STORE_FAILED,
                              "%s-head can't be written: %s", restoring->restore->path,
                              sqlite3_errstr(code));
}

static enum store_status hand_key(struct restoring *restoring) {
    struct store_restore *restore = restoring->restore;
    struct store_copying *copying = restoring->copying;
    return restore->take_key(restore->key_arg, restoring->key, restoring->trailer.key_bytes,
                             copying->error, sizeof copying->error)
               ? STORE_OK
               : STORE_FAILED;
}

static enum store_status name_database(struct restoring *restoring) {
    enum store_status status = sync_folder(restoring);
    if (status == STORE_OK && rename(restoring->path, restoring->restore->path) != 0)
        status = copying_fail_file(restoring->copying, "made", restoring->restore->path, errno);
    if (status == STORE_OK && restoring->trailer.pieces == 0)
        (void)unlink(restoring->pieces_path); /* one byte that nothing names */
    if (status == STORE_OK && (status = sync_folder(restoring)) != STORE_OK)
        restoring->found_empty = false; /* it is to be removed: it is not empty any more */
    return status;
}

/* ---- the whole ---- */

/* What is there is never changed, whatever becomes of this. */
static enum store_status refuse_used(struct restoring *restoring) {
    static const char *const suffixes[] = {"", "-wal", "-pieces", "-head", STORE_RESTORING_SUFFIX};
    char name[PATH_BYTES];
    struct stat status;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", restoring->restore->path, suffixes[i]);
        bool there = lstat(name, &status) == 0;
        if (there && (i > 0 || status.st_size > 0))
            return copying_fail(restoring->copying, STORE_EXISTS, "%s is there already", name);
        restoring->found_empty = restoring->found_empty || there;
    }
    return STORE_OK;
}

static enum store_status restore_all(struct restoring *restoring) {
    static enum store_status (*const steps[])(struct restoring *) = {
        make_files, restore_database, pass_index, restore_pieces, take_key_bytes, verify,
        sync_files, refuse_newer,     write_head, hand_key,       name_database,
    };
    enum store_status status = STORE_OK;
    hash_begin(&restoring->hash);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == STORE_OK; i++)
        status = steps[i](restoring);
    return status;
}

static void report(struct restoring *restoring) {
    struct store_restore *restore = restoring->restore;
    restore->pages = restoring->trailer.pages;
    restore->pieces = restoring->trailer.pieces;
    restore->pieces_damaged = restoring->trailer.pieces_damaged;
    restore->position = restoring->trailer.position;
    restore->time_us = restoring->trailer.time_us;
}

void store_restore_undo(const char *path) {
    static const char *const suffixes[] = {
        "-pieces",
        "-head",
        STORE_RESTORING_SUFFIX "-wal",
        STORE_RESTORING_SUFFIX "-shm",
        STORE_RESTORING_SUFFIX,
    };
    char name[PATH_BYTES];
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (snprintf(name, sizeof name, "%s%s", path, suffixes[i]) < (int)sizeof name)
            (void)unlink(name);
}

enum store_status store_restore(struct store_restore *restore) {
    struct store_copying *copying = &restore->copying;
    copying->error[0] = '\0';
    struct restoring *restoring = calloc(1, sizeof *restoring);
    if (!restoring)
        return copying_fail(copying, STORE_FAILED, "out of memory");
    restoring->restore = restore;
    restoring->copying = copying;
    restoring->from = restoring->database = restoring->pieces = -1;
    (void)snprintf(restoring->path, PATH_BYTES, "%s" STORE_RESTORING_SUFFIX, restore->path);
    (void)snprintf(restoring->pieces_path, PATH_BYTES, "%s-pieces", restore->path);
    enum store_status status = open_backup(restoring);
    if (status == STORE_OK)
        status = refuse_used(restoring);
    if (status == STORE_OK && (status = restore_all(restoring)) != STORE_OK) {
        store_restore_undo(restore->path);
        if (!restoring->found_empty)
            (void)unlink(restore->path);
    }
    if (status == STORE_OK)
        report(restoring);
    close_file(restoring->from);
    close_file(restoring->database);
    close_file(restoring->pieces);
    explicit_bzero(restoring, sizeof *restoring); /* it had the key */
    free(restoring);
    return status;
}
