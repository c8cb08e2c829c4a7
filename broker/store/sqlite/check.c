/* See store_check.h. The database is read through the VFS that verifies its pages, in one read
 * transaction: nothing that a broker does meanwhile reaches the pages that are looked at. */
#include "store_check.h"

#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often a page is read: one that a broker is just writing may be read half old and half new. */
#define READS_MAX 5

void check_tell(struct checking *checking, uint64_t *count, const char *format, ...) {
    char text[STORE_ERROR_BYTES];
    va_list arguments;
    checking->check->damages++;
    if (++*count > STORE_CHECK_TOLD_MAX)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    checking->check->damage(checking->check->arg, text);
}

void check_progress(const struct checking *checking, const char *what, uint64_t done,
                    uint64_t all) {
    checking->check->progress(checking->check->arg, what, done, all);
}

sqlite3_stmt *check_prepare(struct checking *checking, const char *sql) {
    sqlite3_stmt *statement = NULL;
    return sqlite3_prepare_v2(checking->store->db, sql, -1, &statement, NULL) == SQLITE_OK
               ? statement
               : NULL;
}

bool check_end(struct checking *checking, const char *what, sqlite3_stmt *statement, int code) {
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        check_tell(checking, &checking->read_damages, "%s can't be read to the end: %s", what,
                   sqlite3_errmsg(checking->store->db));
    }
    (void)sqlite3_finalize(statement);
    return code == SQLITE_DONE;
}

int64_t check_number(struct checking *checking, const char *sql) {
    sqlite3_stmt *statement = check_prepare(checking, sql);
    int64_t out =
        statement && sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_finalize(statement);
    return out;
}

/* ---- pages ---- */

static void mark_page(void *arg, uint32_t page) {
    struct checking *checking = arg;
    if (page <= checking->pages)
        checking->in_log[page / 8] |= (unsigned char)(1 << page % 8);
}

static bool is_in_log(const struct checking *checking, uint32_t page) {
    return checking->in_log[page / 8] & 1 << page % 8;
}

static int read_page(sqlite3_file *file, unsigned char *bytes, int page_bytes, uint32_t page) {
    int code = SQLITE_CORRUPT;
    for (int i = 0; i < READS_MAX && (code & 0xff) == SQLITE_CORRUPT; i++) {
        code =
            file->pMethods->xRead(file, bytes, page_bytes, (sqlite3_int64)(page - 1) * page_bytes);
    }
    return code;
}

static void check_page(struct checking *checking, sqlite3_file *file, unsigned char *bytes,
                       uint32_t page) {
    int code = read_page(file, bytes, checking->page_bytes, page);
    if ((code & 0xff) == SQLITE_CORRUPT) {
        check_tell(checking, &checking->page_damages, "page %u of %s is damaged", (unsigned)page,
                   checking->check->path);
    } else if (code != SQLITE_OK) {
        check_tell(checking, &checking->page_damages, "page %u of %s can't be read: %s",
                   (unsigned)page, checking->check->path, sqlite3_errstr(code));
    } else {
        checking->check->pages++;
    }
}

/* A page whose newest state is in the write-ahead log may contain anything in the database's
 * file. */
static void check_each_page(struct checking *checking) {
    sqlite3_file *file = NULL;
    unsigned char *bytes = malloc((size_t)checking->page_bytes);
    (void)sqlite3_file_control(checking->store->db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    for (uint32_t page = 1; bytes && page <= checking->pages; page++) {
        if (!page_check_is_locked((size_t)checking->page_bytes, page) && !is_in_log(checking, page))
            check_page(checking, file, bytes, page);
        check_progress(checking, "pages", page, checking->pages);
    }
    free(bytes);
}

static void check_pages(struct checking *checking) {
    struct wal_scan log;
    checking->in_log = calloc(1, checking->pages / 8 + 1);
    if (!checking->in_log)
        return;
    int code = wal_scan(page_check_name(checking->store->pages), checking->check->path, &log,
                        mark_page, checking);
    if (code != SQLITE_OK) {
        check_tell(checking, &checking->read_damages, "the write-ahead log can't be read: %s",
                   sqlite3_errstr(code));
    } else if (page_check_is_on(checking->store->pages)) {
        check_each_page(checking);
    } else if (checking->store->mark.checked) {
        check_tell(checking, &checking->page_damages,
                   "the header of %s is damaged: it denies the checksums of the pages",
                   checking->check->path);
    }
    free(checking->in_log);
}

/* ---- the database ---- */

static int keep_alive(void *arg) {
    struct checking *checking = arg;
    check_progress(checking, "structure", 0, 0);
    return 0;
}

static void check_structure(struct checking *checking) {
    sqlite3_stmt *all = check_prepare(checking, "PRAGMA integrity_check");
    int code = SQLITE_DONE;
    sqlite3_progress_handler(checking->store->db, 1000000, keep_alive, checking);
    while (all && (code = sqlite3_step(all)) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(all, 0);
        if (line && strcmp(line, "ok") != 0)
            check_tell(checking, &checking->structure_damages, "database: %s", line);
    }
    sqlite3_progress_handler(checking->store->db, 0, NULL, NULL);
    (void)check_end(checking, "the database", all, !all ? SQLITE_CORRUPT : code);
}

/* ---- pieces ---- */

struct piece {
    int64_t place;
    int64_t slot;
    bool has_sums;
    unsigned char sums[SLOT_SUMS_BYTES];
};

static void take_piece(sqlite3_stmt *row, struct piece *out) {
    const void *sums = sqlite3_column_blob(row, 2);
    *out =
        (struct piece){.place = sqlite3_column_int64(row, 0), .slot = sqlite3_column_int64(row, 1)};
    if (sums && sqlite3_column_bytes(row, 2) == (int)SLOT_SUMS_BYTES) {
        out->has_sums = true;
        memcpy(out->sums, sums, sizeof out->sums);
    }
}

/* Asked outside of the transaction: a broker may have removed the piece, and used its slot
 * again. */
static bool is_still_there(const struct checking *checking, const struct piece *piece) {
    sqlite3_stmt *get = NULL;
    bool there = true;
    if (checking->now &&
        sqlite3_prepare_v2(checking->now, "SELECT slot FROM piece_slot WHERE place = ?1", -1, &get,
                           NULL) == SQLITE_OK) {
        (void)sqlite3_bind_int64(get, 1, piece->place);
        there = sqlite3_step(get) == SQLITE_ROW && sqlite3_column_int64(get, 0) == piece->slot;
    }
    (void)sqlite3_finalize(get);
    return there;
}

static void check_piece(struct checking *checking, const struct piece *piece,
                        unsigned char bytes[SLOT_BYTES]) {
    int code = piece->slot < 0
                   ? SQLITE_CORRUPT
                   : slots_read(checking->slots, piece->slot, piece->has_sums ? piece->sums : NULL,
                                0, bytes, SLOT_BYTES);
    checking->check->pieces++;
    checking->check->pieces_unchecked += piece->has_sums ? 0 : 1;
    if (code != SQLITE_OK && is_still_there(checking, piece)) {
        check_tell(checking, &checking->piece_damages,
                   "piece %lld of file %lld is damaged (slot %lld of %s-pieces)%s%s",
                   (long long)(piece->place & 0xfffff), (long long)(piece->place >> 20),
                   (long long)piece->slot, checking->check->path,
                   (code & 0xff) == SQLITE_CORRUPT ? "" : ": ",
                   (code & 0xff) == SQLITE_CORRUPT ? "" : sqlite3_errstr(code));
    }
}

static sqlite3_stmt *all_pieces(struct checking *checking) {
    sqlite3_stmt *all =
        check_prepare(checking, "SELECT place, slot, sums FROM piece_slot ORDER BY slot");
    if (!all) /* an older store */
        all = check_prepare(checking, "SELECT place, slot, NULL FROM piece_slot ORDER BY slot");
    return all;
}

static void check_all_pieces(struct checking *checking, unsigned char bytes[SLOT_BYTES]) {
    sqlite3_stmt *all = all_pieces(checking);
    int64_t last = -1;
    int code = SQLITE_DONE;
    while (all && (code = sqlite3_step(all)) == SQLITE_ROW) {
        struct piece piece;
        take_piece(all, &piece);
        if (piece.slot == last) {
            check_tell(checking, &checking->piece_damages,
                       "slot %lld of %s-pieces is of two pieces", (long long)piece.slot,
                       checking->check->path);
        }
        last = piece.slot;
        check_piece(checking, &piece, bytes);
        check_progress(checking, "pieces of files", checking->check->pieces, 0);
    }
    (void)check_end(checking, "the table of pieces", all, code);
}

/* Opens the file with the slots if it is there, and does not make it. */
static void check_pieces(struct checking *checking) {
    unsigned char *bytes = malloc(SLOT_BYTES);
    sqlite3_stmt *any = check_prepare(checking, "SELECT 1 FROM piece_slot LIMIT 1");
    bool wanted = any && sqlite3_step(any) == SQLITE_ROW;
    (void)sqlite3_finalize(any);
    if (wanted && !sqlite_reader_has_pieces(checking->store)) {
        check_tell(checking, &checking->piece_damages,
                   "%s-pieces, with pieces of files, is missing", checking->check->path);
    } else if (wanted && bytes) {
        if (slots_open(&checking->slots, checking->store->db) == SQLITE_OK)
            check_all_pieces(checking, bytes);
        slots_close(checking->slots);
    }
    free(bytes);
}

/* Reports files that were found damaged when they got another kind of hash (schema/0011.sql). */
static void check_hashes(struct checking *checking) {
    static const char damaged[] = "SELECT file, name FROM file WHERE seq > 0 AND length(hash) = 64 "
                                  "AND substr(hash, 33) = zeroblob(32)";
    static const char standing[] = "SELECT file, name FROM file WHERE seq > 0 AND length(hash) = "
                                   "64 AND substr(hash, 33) = zeroblob(32) AND stream NOT IN "
                                   "(SELECT stream FROM rubbish_thread)";
    sqlite3_stmt *all = check_prepare(checking, checking->knows_rubbish ? standing : damaged);
    int code = SQLITE_DONE;
    while (all && (code = sqlite3_step(all)) == SQLITE_ROW) {
        check_tell(checking, &checking->hash_damages,
                   "file %lld (%s) has not the bytes that were uploaded, or lacks some: upload it "
                   "again under another name",
                   (long long)sqlite3_column_int64(all, 0),
                   (const char *)sqlite3_column_text(all, 1));
    }
    (void)check_end(checking, "the table of files", all, code);
}

/* ---- the whole ---- */

/* Whether the store's version writes a head. */
static bool wants_head(struct checking *checking) {
    return check_number(checking, "PRAGMA user_version") >= SQLITE_VERSION_WITH_HEAD;
}

static void check_head(struct checking *checking) {
    char loss[STORE_ERROR_BYTES / 2];
    if (checking->store->head_found == HEAD_DAMAGED ||
        (checking->store->head_found == HEAD_MISSING && wants_head(checking))) {
        check_tell(checking, &checking->read_damages,
                   "%s-head, which notes how far the log went, %s", checking->check->path,
                   checking->store->head_found == HEAD_DAMAGED ? "is damaged" : "is missing");
    }
    if (sqlite_head_lost(checking->store, loss, sizeof loss))
        check_tell(checking, &checking->read_damages, "%s", loss);
}

static void check_opened(struct checking *checking) {
    const char *vfs = page_check_name(checking->store->pages);
    check_head(checking);
    checking->knows_rubbish =
        check_number(checking, "SELECT count(*) FROM sqlite_schema WHERE name = 'rubbish_file'") >
        0;
    checking->pages = (uint32_t)check_number(checking, "PRAGMA page_count");
    checking->page_bytes = (int)check_number(checking, "PRAGMA page_size");
    (void)sqlite_connect(checking->check->path, vfs, &checking->now);
    check_pages(checking);
    check_structure(checking);
    sqlite_check_log(checking);
    check_pieces(checking);
    check_hashes(checking);
    sqlite_check_rubbish(checking);
    (void)sqlite3_close(checking->now);
}

static enum store_status check_store(struct checking *checking) {
    struct store *store = checking->store;
    enum store_status status = sqlite_reader_begin(store);
    if (status == STORE_OK)
        check_opened(checking);
    else
        check_tell(checking, &checking->read_damages, "%s", store_error(store));
    sqlite_reader_end(store);
    return status != STORE_OK             ? STORE_FAILED
           : checking->check->damages > 0 ? STORE_DAMAGED
                                          : STORE_OK;
}

enum store_status store_check(struct store_check *check) {
    struct store *store = calloc(1, sizeof *store);
    struct checking checking = {.check = check, .store = store};
    enum store_status status = STORE_FAILED;
    if (!check->vfs && access(check->path, F_OK) != 0) {
        free(store);
        return STORE_NOT_FOUND;
    }
    if (store) {
        store->path = strdup(check->path);
        store->pages = page_check_new(check->vfs);
        if (store->path && store->pages)
            status = check_store(&checking);
        page_check_free(store->pages);
        free(store->path);
    }
    free(store);
    return status;
}
