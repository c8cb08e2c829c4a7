/* See store_backup.h. The database is copied within one read transaction, page by page, by SQLite
 * itself: so the pages are those of one moment. They are written through the VFS that makes their
 * checksums. The list of pieces is copied in the same transaction; the pieces themselves need none,
 * because they are held. At the end the file is read once more for its hash. */
#define _DEFAULT_SOURCE /* explicit_bzero */
#include "copying.h"
#include "disk/backup_file.h"
#include "disk/room.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGES_EACH  512
#define INDEX_EACH  1024
#define BYTES_SPARE (UINT64_C(16) * 1024 * 1024) /* of the disk */
/* The first version whose slots may have checksums. */
#define VERSION_WITH_SUMS 8
#define TEXT_OF(x)        TEXT_OF_(x)
#define TEXT_OF_(x)       #x

struct making {
    struct store_backup *backup;
    struct store_copying *copying;
    struct store *store; /* owned: the one that is copied */
    sqlite3 *to;         /* owned */
    int file;            /* owned; -1: not open yet */
    bool same_disk;      /* the store is on the disk that the file is on */
    struct slots *slots; /* owned */
    uint64_t unsynced;   /* bytes */
    struct backup_trailer trailer;
    unsigned char block[COPYING_BLOCK];
};

/* ---- the disk ---- */

static uint64_t room(const struct making *making) {
    return making->same_disk ? disk_room(making->backup->file)
                             : disk_free_bytes(making->backup->file);
}

static enum store_status want_room(struct making *making, uint64_t bytes) {
    uint64_t free = room(making);
    return free >= bytes ? STORE_OK
                         : copying_fail(making->copying, STORE_FULL,
                                        "the disk of %s has no room for the backup: it takes "
                                        "%llu MiB more, and %llu MiB may be used",
                                        making->backup->file, (unsigned long long)(bytes >> 20) + 1,
                                        (unsigned long long)(free >> 20));
}

/* Called when so many bytes were written. */
static enum store_status pace(struct making *making, int file, uint64_t bytes) {
    making->unsynced += bytes;
    if (making->unsynced < COPYING_SYNC_BYTES)
        return STORE_OK;
    making->unsynced = 0;
    if (fdatasync(file) != 0)
        return copying_fail_file(making->copying, "written", making->backup->file, errno);
    return want_room(making, BYTES_SPARE);
}

static enum store_status write_bytes(struct making *making, const void *bytes, size_t length,
                                     uint64_t at) {
    int reason = backup_write(making->file, bytes, length, at);
    return reason == 0
               ? pace(making, making->file, length)
               : copying_fail_file(making->copying, "written", making->backup->file, reason);
}

/* ---- the store that is copied ---- */

static int64_t number(struct making *making, const char *sql) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(making->store->db, sql, -1, &statement, NULL);
    int64_t out = 0;
    if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        out = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    if (code != SQLITE_ROW)
        (void)sqlite_fail(making->store, "read");
    return out;
}

static enum store_status fail_store(struct making *making) {
    uint32_t pages[PAGE_CHECK_PAGES_MAX];
    size_t count = 0;
    bool is_damaged = page_check_damaged(making->store->pages, pages, &count) > 0;
    return copying_fail_store(making->copying, making->store,
                              is_damaged ? STORE_DAMAGED : STORE_FAILED);
}

static enum store_status begin(struct making *making) {
    struct store *store = making->store;
    if (sqlite_head_look(store) != STORE_OK)
        return fail_store(making);
    if (sqlite_connect(store->path, page_check_name(store->pages), &store->db) != SQLITE_OK ||
        sqlite3_exec(store->db,
                     "PRAGMA query_only = 1; PRAGMA cache_size = -2048; BEGIN;"
                     "SELECT count(*) FROM sqlite_schema",
                     NULL, NULL, NULL) != SQLITE_OK) {
        (void)sqlite_fail(store, "read");
        return fail_store(making);
    }
    return STORE_OK;
}

static enum store_status refuse_unfit(struct making *making) {
    char loss[STORE_ERROR_BYTES / 2];
    int version = 0;
    if (sqlite_version(making->store, &version) != STORE_OK)
        return fail_store(making);
    if (sqlite_head_lost(making->store, loss, sizeof loss)) {
        return copying_fail(making->copying, STORE_DAMAGED, "the store %s lost something: %s",
                            making->store->path, loss);
    }
    if (version < VERSION_WITH_SUMS || !page_check_is_on(making->store->pages)) {
        return copying_fail(making->copying, STORE_FAILED,
                            "an earlier version made the store %s: start zchatd once, or copy the "
                            "folder while no broker runs",
                            making->store->path);
    }
    return STORE_OK;
}

static void look_at_disks(struct making *making) {
    struct stat store, file;
    making->same_disk = stat(making->backup->path, &store) == 0 &&
                        stat(making->backup->file, &file) == 0 && store.st_dev == file.st_dev;
}

static enum store_status measure(struct making *making) {
    struct backup_trailer *trailer = &making->trailer;
    trailer->page_bytes = (uint32_t)number(making, "PRAGMA page_size");
    trailer->pages = (uint64_t)number(making, "PRAGMA page_count");
    trailer->pieces = (uint64_t)number(making, "SELECT count(*) FROM piece_slot");
    trailer->position = number(making, "SELECT coalesce(max(last), 0) FROM log");
    trailer->time_us = making->backup->time_us;
    trailer->key_bytes = (uint32_t)making->backup->key_bytes;
    if (making->store->failed)
        return fail_store(making);
    look_at_disks(making);
    return want_room(making, backup_trailer_at(trailer) + BYTES_SPARE);
}

/* ---- the database ---- */

static enum store_status fail_to(struct making *making, int code) {
    const char *file = making->backup->file;
    int reason = sqlite3_system_errno(making->to);
    if (reserve_is_full_code(making->to, code))
        return copying_fail_file(making->copying, "written", file, ENOSPC);
    return copying_fail(making->copying, STORE_FAILED, "%s can't be written: %s%s%s", file,
                        sqlite3_errstr(code), reason == 0 ? "" : ": ",
                        reason == 0 ? "" : strerror(reason));
}

/* A first page that says that pages have checksums: the VFS has to know before others are
 * written. */
static enum store_status open_to(struct making *making) {
    int code =
        sqlite_connect(making->backup->file, page_check_name(making->store->pages), &making->to);
    if (code == SQLITE_OK)
        code = page_check_reserve(making->to);
    if (code == SQLITE_OK)
        code = sqlite3_exec(making->to,
                            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                            "PRAGMA cache_size = -2048; CREATE TABLE one (x)",
                            NULL, NULL, NULL);
    return code == SQLITE_OK ? STORE_OK : fail_to(making, code);
}

/* Damage of the store comes from reading; whatever else fails is most likely the file's. */
static enum store_status fail_copy(struct making *making, int code) {
    if ((code & 0xff) != SQLITE_CORRUPT)
        return fail_to(making, code);
    (void)sqlite_fail_code(making->store, "copy", code, sqlite3_errstr(code));
    return fail_store(making);
}

static enum store_status copy_pages(struct making *making, sqlite3_backup *copy) {
    uint64_t pages = making->trailer.pages;
    enum store_status status =
        copying_goes_on(making->copying, "database", 0, pages) ? STORE_OK : STORE_FAILED;
    int code = SQLITE_OK;
    while (status == STORE_OK && (code = sqlite3_backup_step(copy, PAGES_EACH)) == SQLITE_OK) {
        uint64_t left = (uint64_t)sqlite3_backup_remaining(copy);
        status = pace(making, making->file, (uint64_t)PAGES_EACH * making->trailer.page_bytes);
        if (status == STORE_OK &&
            !copying_goes_on(making->copying, "database", pages - left, pages))
            status = STORE_FAILED;
    }
    return status != STORE_OK || code == SQLITE_DONE ? status : fail_copy(making, code);
}

static enum store_status copy_database(struct making *making) {
    enum store_status status = open_to(making);
    sqlite3_backup *copy = NULL;
    if (status == STORE_OK) {
        copy = sqlite3_backup_init(making->to, "main", making->store->db, "main");
        status = copy ? copy_pages(making, copy) : fail_to(making, sqlite3_errcode(making->to));
    }
    (void)sqlite3_backup_finish(copy); /* reports a step's error once more */
    if (sqlite3_close(making->to) != SQLITE_OK && status == STORE_OK)
        status = fail_to(making, SQLITE_BUSY);
    making->to = NULL;
    /* SQLite never writes the page that it locks: the last one may be that one. */
    if (status == STORE_OK &&
        ftruncate(making->file, (off_t)backup_index_at(&making->trailer)) != 0)
        status = copying_fail_file(making->copying, "written", making->backup->file, errno);
    return status;
}

/* ---- the list of pieces ---- */

static void take_piece(sqlite3_stmt *row, unsigned char out[BACKUP_INDEX_BYTES]) {
    const void *sums = sqlite3_column_blob(row, 1);
    struct backup_piece piece = {.slot = sqlite3_column_int64(row, 0)};
    piece.has_sums = sums && sqlite3_column_bytes(row, 1) == (int)SLOT_SUMS_BYTES;
    if (piece.has_sums)
        memcpy(piece.sums, sums, sizeof piece.sums);
    backup_piece_pack(&piece, out);
}

static enum store_status write_index(struct making *making, sqlite3_stmt *all) {
    unsigned char *index = making->block;
    uint64_t at = backup_index_at(&making->trailer);
    enum store_status status = STORE_OK;
    int code = SQLITE_ROW;
    while (status == STORE_OK && code == SQLITE_ROW) {
        size_t count = 0;
        while (count < INDEX_EACH && (code = sqlite3_step(all)) == SQLITE_ROW)
            take_piece(all, index + count++ * BACKUP_INDEX_BYTES);
        status = write_bytes(making, index, count * BACKUP_INDEX_BYTES, at);
        at += count * BACKUP_INDEX_BYTES;
    }
    if (status == STORE_OK && (code != SQLITE_DONE || at != backup_pieces_at(&making->trailer))) {
        (void)sqlite_fail(making->store, "read the pieces of");
        status = fail_store(making);
    }
    return status;
}

static enum store_status copy_index(struct making *making) {
    sqlite3_stmt *all = NULL;
    if (sqlite3_prepare_v2(making->store->db, "SELECT slot, sums FROM piece_slot ORDER BY slot", -1,
                           &all, NULL) != SQLITE_OK) {
        (void)sqlite_fail(making->store, "read the pieces of");
        return fail_store(making);
    }
    enum store_status status = write_index(making, all);
    (void)sqlite3_finalize(all);
    return status;
}

/* ---- pieces ---- */

/* What can't be read is copied as zeros, so that the copy is damaged just there. */
static enum store_status read_damaged(struct making *making, int64_t slot) {
    making->trailer.pieces_damaged++;
    for (size_t at = 0; at < SLOT_BYTES; at += SLOT_PART_BYTES) {
        int code = slots_read(making->slots, slot, NULL, at, making->block + at, SLOT_PART_BYTES);
        if (code == SQLITE_NOMEM || code == SQLITE_IOERR_NOMEM)
            return copying_fail(making->copying, STORE_FAILED, "out of memory");
        if (code != SQLITE_OK)
            memset(making->block + at, 0, SLOT_PART_BYTES);
    }
    return STORE_OK;
}

static enum store_status copy_piece(struct making *making, uint64_t number) {
    unsigned char entry[BACKUP_INDEX_BYTES];
    struct backup_piece piece;
    uint64_t at = backup_index_at(&making->trailer) + number * BACKUP_INDEX_BYTES;
    int reason = backup_read(making->file, entry, sizeof entry, at);
    if (reason != 0)
        return copying_fail_file(making->copying, "read", making->backup->file, reason);
    if (!backup_piece_unpack(entry, &piece)) {
        return copying_fail(making->copying, STORE_DAMAGED,
                            "the table of pieces in the store %s is damaged", making->store->path);
    }
    int code = slots_read(making->slots, piece.slot, piece.has_sums ? piece.sums : NULL, 0,
                          making->block, SLOT_BYTES);
    enum store_status status = code == SQLITE_OK ? STORE_OK : read_damaged(making, piece.slot);
    return status == STORE_OK
               ? write_bytes(making, making->block, SLOT_BYTES,
                             backup_pieces_at(&making->trailer) + number * SLOT_BYTES)
               : status;
}

static enum store_status copy_pieces(struct making *making) {
    uint64_t pieces = making->trailer.pieces;
    enum store_status status = STORE_OK;
    for (uint64_t i = 0; i < pieces && status == STORE_OK; i++) {
        status = copy_piece(making, i);
        if (status == STORE_OK && !copying_goes_on(making->copying, "pieces of files", i, pieces))
            status = STORE_FAILED;
    }
    return status;
}

/* A missing file would be made by opening it. */
static enum store_status open_pieces(struct making *making) {
    char path[4096 + sizeof "-pieces"];
    if (making->trailer.pieces == 0)
        return STORE_OK;
    (void)snprintf(path, sizeof path, "%s-pieces", making->store->path);
    if (access(path, R_OK) != 0)
        return copying_fail_file(making->copying, "read", path, errno);
    int code = slots_open(&making->slots, making->store->db);
    return code == SQLITE_OK ? STORE_OK
                             : copying_fail(making->copying, STORE_FAILED, "%s can't be read: %s",
                                            path, sqlite3_errstr(code));
}

/* ---- the end of the file ---- */

static enum store_status hash_all(struct making *making, struct hash *hash) {
    uint64_t all = backup_trailer_at(&making->trailer);
    hash_begin(hash);
    for (uint64_t at = 0; at < all;) {
        size_t count = all - at < sizeof making->block ? (size_t)(all - at) : sizeof making->block;
        int reason = backup_read(making->file, making->block, count, at);
        if (reason != 0)
            return copying_fail_file(making->copying, "read", making->backup->file, reason);
        hash_add(hash, making->block, count);
        at += count;
        if (!copying_goes_on(making->copying, "checksum", at, all))
            return STORE_FAILED;
    }
    return STORE_OK;
}

static enum store_status write_trailer(struct making *making) {
    unsigned char bytes[BACKUP_TRAILER_BYTES];
    struct backup_trailer *trailer = &making->trailer;
    struct hash hash, before;
    enum store_status status = hash_all(making, &hash);
    if (status != STORE_OK)
        return status;
    before = hash;
    hash_end(&before, trailer->hash);
    backup_trailer_pack(trailer, bytes);
    status = write_bytes(making, bytes, sizeof bytes, backup_trailer_at(trailer));
    hash_add(&hash, bytes, sizeof bytes);
    hash_end(&hash, making->backup->hash);
    if (status == STORE_OK && fsync(making->file) != 0)
        status = copying_fail_file(making->copying, "written", making->backup->file, errno);
    return status;
}

/* ---- the whole ---- */

static enum store_status end_transaction(struct making *making) {
    if (sqlite3_exec(making->store->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
        return STORE_OK;
    (void)sqlite_fail(making->store, "read");
    return fail_store(making);
}

static enum store_status make(struct making *making) {
    static enum store_status (*const steps[])(struct making *) = {
        begin,      refuse_unfit, measure,         copy_database,
        copy_index, open_pieces,  end_transaction, copy_pieces,
    };
    enum store_status status = STORE_OK;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == STORE_OK; i++)
        status = steps[i](making);
    if (status == STORE_OK && making->trailer.key_bytes > 0)
        status = write_bytes(making, making->backup->key, making->backup->key_bytes,
                             backup_key_at(&making->trailer));
    return status == STORE_OK ? write_trailer(making) : status;
}

static void report(struct making *making) {
    struct store_backup *backup = making->backup;
    backup->bytes = backup_trailer_at(&making->trailer) + BACKUP_TRAILER_BYTES;
    backup->pages = making->trailer.pages;
    backup->pieces = making->trailer.pieces;
    backup->pieces_damaged = making->trailer.pieces_damaged;
    backup->position = making->trailer.position;
}

/* Leaves the log as it is: closing may remove only a log that this connection made itself. */
static void close_store(struct making *making) {
    sqlite3 *db = making->store->db;
    slots_close(making->slots);
    if (db && making->store->log_found.header != WAL_MISSING)
        (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_close(db);
    copying_store_free(making->store);
}

static bool is_there(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && status.st_size > 0;
}

enum store_status store_backup(struct store_backup *backup) {
    struct store_copying *copying = &backup->copying;
    enum store_status status = STORE_FAILED;
    copying->error[0] = '\0';
    if (!is_there(backup->path))
        return copying_fail(copying, STORE_NOT_FOUND, "there is no store %s", backup->path);
    struct making *making = calloc(1, sizeof *making);
    if (making) {
        making->backup = backup;
        making->copying = copying;
        making->store = copying_store(backup->path, NULL);
        making->file = open(backup->file, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    }
    if (!making || !making->store)
        (void)copying_fail(copying, STORE_FAILED, "out of memory");
    else if (making->file < 0)
        status = copying_fail_file(copying, "opened", backup->file, errno);
    else if ((status = make(making)) == STORE_OK)
        report(making);
    if (making && making->store)
        close_store(making);
    if (making && making->file >= 0)
        close(making->file);
    if (making)
        explicit_bzero(making->block, sizeof making->block); /* it had the key */
    free(making);
    return status;
}

enum store_status store_hold_pieces(struct store *store, bool hold) {
    if (store->failed)
        return STORE_FAILED;
    int code = slots_hold(store->slots, hold);
    return code == SQLITE_OK
               ? STORE_OK
               : sqlite_fail_code(store, "cut the pieces beside", code, sqlite3_errstr(code));
}
