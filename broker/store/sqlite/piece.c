/* The bytes of files, in pieces of one size, so that any byte is found at once and there are few
 * rows whatever the sizes of the chunks. A piece that comes whole, as nearly all do, goes to a slot
 * of the file beside the database. The others are in the database, where the first byte makes the
 * room and all bytes are written in place. */
#include "thread.h"

#include <assert.h>

const struct statement_text piece_statements[] = {
    {STATEMENT_PIECE_ADD, "INSERT INTO piece (place, bytes) VALUES (?1, ?2)"},
    {STATEMENT_PIECE_ADD_ZEROS, "INSERT INTO piece (place, bytes) VALUES (?1, zeroblob(?2))"},
    {STATEMENT_PIECE_REMOVE_SOME, "DELETE FROM piece WHERE place IN (SELECT place FROM piece WHERE "
                                  "place BETWEEN ?1 AND ?2 ORDER BY place LIMIT ?3)"},
    {STATEMENT_PIECE_SLOT_ADD, "INSERT INTO piece_slot (place, slot, sums) VALUES (?1, ?2, ?3)"},
    {STATEMENT_PIECE_SLOT_GET, "SELECT slot, sums FROM piece_slot WHERE place = ?1"},
    {STATEMENT_PIECE_SLOT_ALL, "SELECT slot FROM piece_slot"},
    {STATEMENT_PIECE_SLOT_REMOVE_SOME,
     "DELETE FROM piece_slot WHERE place IN (SELECT place FROM piece_slot WHERE place BETWEEN ?1 "
     "AND ?2 ORDER BY place LIMIT ?3) RETURNING slot"},
    {0},
};

/* The schema has these numbers, too: they never change. */
#define PIECE_BYTES (UINT64_C(256) * 1024)
#define FILE_PIECES (UINT64_C(1) << 20)

#define WAL_PAGES 512 /* 2 MiB, with pieces in it */

static_assert(PIECE_BYTES == SLOT_BYTES, "whole pieces fill slots");
static_assert(PIECE_BYTES * FILE_PIECES == PIECES_BYTES_MAX, "a file's pieces have no numbers");

static int64_t place_of(int64_t file, uint64_t offset) {
    return file * (int64_t)FILE_PIECES + (int64_t)(offset / PIECE_BYTES);
}

static size_t min_size(uint64_t a, uint64_t b) {
    return (size_t)(a < b ? a : b);
}

/* The length of the piece that has that byte. */
static size_t piece_bytes(const struct store_file *file, uint64_t offset) {
    return min_size(PIECE_BYTES, file->size - offset / PIECE_BYTES * PIECE_BYTES);
}

static enum store_status slots_fail(struct store *store, const char *doing, int code) {
    return sqlite_fail_code(store, doing, code, sqlite3_errstr(code));
}

/* ---- slots ---- */

/* If a step fails, the store has its error already. */
static int claim_all(struct store *store) {
    sqlite3_stmt *all = store->statements[STATEMENT_PIECE_SLOT_ALL];
    enum step step = STEP_DONE;
    int code = SQLITE_OK;
    while (code == SQLITE_OK && (step = sqlite_step(store, all)) == STEP_ROW)
        code = slots_claim(store->slots, sqlite3_column_int64(all, 0));
    (void)sqlite3_reset(all);
    return step == STEP_FAILED ? SQLITE_ERROR : code;
}

/* Who only reads does not make the file, and may see it cut: a broker may free slots that were in
 * use at the moment as of which it reads. */
static int open_slots(struct store *store) {
    if (store->reads)
        return sqlite_reader_has_pieces(store) ? slots_open(&store->slots, store->db) : SQLITE_OK;
    int code = slots_open(&store->slots, store->db);
    if (code == SQLITE_OK)
        code = claim_all(store);
    return code == SQLITE_OK ? slots_check(store->slots) : code;
}

enum store_status sqlite_piece_load(struct store *store) {
    int code = open_slots(store);
    if (code == SQLITE_CORRUPT) {
        return sqlite_fail_because(store, "open",
                                   "the file beside it with -pieces behind its name is missing, "
                                   "cut or of another time; bring back both from one backup");
    }
    return code == SQLITE_OK ? STORE_OK : slots_fail(store, "open the pieces beside", code);
}

enum store_status sqlite_piece_sync(struct store *store) {
    int code = slots_sync(store->slots);
    return code == SQLITE_OK ? STORE_OK : slots_fail(store, "sync the pieces beside", code);
}

enum store_status sqlite_piece_stored(struct store *store) {
    int code = slots_stored(store->slots);
    return code == SQLITE_OK ? STORE_OK : slots_fail(store, "cut the pieces beside", code);
}

enum store_status sqlite_piece_trim(struct store *store) {
    int code = slots_trim(store->slots);
    return code == SQLITE_OK ? sqlite_piece_sync(store)
                             : slots_fail(store, "cut the pieces beside", code);
}

static enum store_status add_slot(struct store *store, int64_t place, const unsigned char *bytes) {
    sqlite3_stmt *add = store->statements[STATEMENT_PIECE_SLOT_ADD];
    unsigned char sums[SLOT_SUMS_BYTES];
    int64_t slot;
    int code = slots_write(store->slots, bytes, &slot, sums);
    if (code == SQLITE_FULL)
        return STORE_NO_ROOM;
    if (code != SQLITE_OK)
        return slots_fail(store, "write the pieces beside", code);
    bind_number(add, 1, place);
    bind_number(add, 2, slot);
    bind_blob(add, 3, sums, sizeof sums);
    return sqlite_run(store, add);
}

/* Damage concerns only the piece. */
static enum store_status tell_read(struct store *store, int code, const char *doing) {
    return code == SQLITE_OK                 ? STORE_OK
           : (code & 0xff) == SQLITE_CORRUPT ? STORE_DAMAGED
                                             : slots_fail(store, doing, code);
}

/* Reads from the slot; the row has its number and checksums. */
static enum store_status read_slot(struct store *store, sqlite3_stmt *row, size_t at,
                                   unsigned char *bytes, size_t length) {
    const unsigned char *sums = sqlite3_column_blob(row, 1);
    int bytes_of_sums = sqlite3_column_bytes(row, 1);
    if (!store->slots || (sums && bytes_of_sums != (int)SLOT_SUMS_BYTES))
        return STORE_DAMAGED;
    return tell_read(
        store, slots_read(store->slots, sqlite3_column_int64(row, 0), sums, at, bytes, length),
        "read the pieces beside");
}

static void bind_pieces(sqlite3_stmt *statement, int64_t file, int64_t most) {
    bind_number(statement, 1, place_of(file, 0));
    bind_number(statement, 2, place_of(file + 1, 0) - 1);
    bind_number(statement, 3, most);
}

enum store_status sqlite_piece_leave_slots(struct store *store, int64_t file, int64_t most,
                                           size_t *count) {
    sqlite3_stmt *remove = store->statements[STATEMENT_PIECE_SLOT_REMOVE_SOME];
    enum step step;
    *count = 0;
    bind_pieces(remove, file, most);
    while ((step = sqlite_step(store, remove)) == STEP_ROW) {
        slots_leave(store->slots, sqlite3_column_int64(remove, 0));
        ++*count;
    }
    (void)sqlite3_reset(remove);
    return step == STEP_FAILED ? STORE_FAILED : STORE_OK;
}

/* ---- writing ---- */

static enum store_status add_whole(struct store *store, int64_t place, const unsigned char *bytes,
                                   size_t length) {
    sqlite3_stmt *add = store->statements[STATEMENT_PIECE_ADD];
    bind_number(add, 1, place);
    bind_blob(add, 2, bytes, length);
    return sqlite_run(store, add);
}

static enum store_status add_zeros(struct store *store, int64_t place, size_t length) {
    sqlite3_stmt *add = store->statements[STATEMENT_PIECE_ADD_ZEROS];
    bind_number(add, 1, place);
    bind_number(add, 2, (int64_t)length);
    return sqlite_run(store, add);
}

static enum store_status write_into(struct store *store, int64_t place, size_t at,
                                    const unsigned char *bytes, size_t length) {
    sqlite3_blob *blob = NULL;
    int code = sqlite3_blob_open(store->db, "main", "piece", "bytes", place, 1, &blob);
    if (code == SQLITE_OK)
        code = sqlite3_blob_write(blob, bytes, (int)length, (int)at);
    enum store_status status = code == SQLITE_OK ? STORE_OK : sqlite_fail(store, "write");
    if (sqlite3_blob_close(blob) != SQLITE_OK)
        status = sqlite_fail(store, "write");
    return status;
}

/* Checkpoints a log with pieces early, unless that was tried already: the fsyncs for a long log
 * hold up the commits of messages. */
static void shorten_log(struct store *store) {
    if (store->wal_pages_trigger == store->wal_pages_step && store->wal_pages_step > WAL_PAGES)
        store->wal_pages_trigger = WAL_PAGES;
}

/* Writes the bytes of at most one piece. */
static enum store_status write_piece(struct store *store, const struct store_file *file,
                                     uint64_t offset, const unsigned char *bytes, size_t length) {
    int64_t place = place_of(file->file, offset);
    size_t at = (size_t)(offset % PIECE_BYTES);
    size_t whole = piece_bytes(file, offset);
    if (length == PIECE_BYTES)
        return add_slot(store, place, bytes);
    shorten_log(store);
    if (length == whole)
        return add_whole(store, place, bytes, length);
    if (at == 0 && add_zeros(store, place, whole) != STORE_OK)
        return STORE_FAILED;
    return write_into(store, place, at, bytes, length);
}

enum store_status sqlite_piece_write(struct store *store, const struct file *file,
                                     const unsigned char *bytes, size_t length) {
    uint64_t offset = file->file.received;
    enum store_status status = STORE_OK;
    while (length > 0 && status == STORE_OK) {
        size_t count = min_size(PIECE_BYTES - offset % PIECE_BYTES, length);
        status = write_piece(store, &file->file, offset, bytes, count);
        offset += count;
        bytes += count;
        length -= count;
    }
    return status;
}

/* ---- reading ---- */

static enum store_status read_blob(struct store *store, int64_t place, size_t at,
                                   unsigned char *bytes, size_t length) {
    sqlite3_blob *blob = NULL;
    int code = sqlite3_blob_open(store->db, "main", "piece", "bytes", place, 0, &blob);
    if (code == SQLITE_OK)
        code = sqlite3_blob_read(blob, bytes, (int)length, (int)at);
    int closed = sqlite3_blob_close(blob);
    return tell_read(store, code == SQLITE_OK ? closed : code, "read the pieces of");
}

static enum store_status read_piece(struct store *store, int64_t place, size_t at,
                                    unsigned char *bytes, size_t length) {
    sqlite3_stmt *get = store->statements[STATEMENT_PIECE_SLOT_GET];
    bind_number(get, 1, place);
    enum step step = sqlite_step(store, get);
    enum store_status status =
        step == STEP_ROW ? read_slot(store, get, at, bytes, length) : STORE_FAILED;
    (void)sqlite3_reset(get);
    return step == STEP_DONE ? read_blob(store, place, at, bytes, length) : status;
}

enum store_status sqlite_piece_read(struct store *store, int64_t file, uint64_t offset,
                                    unsigned char *bytes, size_t length, size_t *right) {
    *right = 0;
    while (*right < length) {
        size_t at = (size_t)(offset % PIECE_BYTES);
        size_t count = min_size(PIECE_BYTES - at, length - *right);
        enum store_status status =
            read_piece(store, place_of(file, offset), at, bytes + *right, count);
        if (status != STORE_OK)
            return status;
        offset += count;
        *right += count;
    }
    return STORE_OK;
}

enum store_status sqlite_piece_remove(struct store *store, int64_t file, int64_t most,
                                      size_t *count) {
    sqlite3_stmt *remove = store->statements[STATEMENT_PIECE_REMOVE_SOME];
    bind_pieces(remove, file, most);
    if (sqlite_run(store, remove) != STORE_OK)
        return STORE_FAILED;
    *count = (size_t)sqlite3_changes(store->db);
    return STORE_OK;
}
