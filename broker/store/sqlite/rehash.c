/* See rehash.h. The old hash is verified on the way: a file whose bytes are wrong, or can't
 * be read, never gets a hash that fits the bytes that are there (schema/0011.sql). For an
 * unfinished upload the announced hash is forgotten, and its uploader will tell it again. Its
 * hash's state is made anew as far as its bytes can be read; whoever continues the upload finds the
 * damage. */
#include "rehash.h"

#include "thread.h"

#include <string.h>

#define SLICE_BYTES ((size_t)65536)
/* How many files are done between two checkpoints, so that the write-ahead log stays short. */
#define CHECKPOINT_FILES 1000
#define META             "rehashed"
#define TO_DO            "FROM file WHERE file > ?1 AND (length(hash) = 32 OR seq = 0)"

struct rehash {
    struct store *store;
    const struct store_options *options;
    sqlite3_stmt *next; /* owned, as are the others */
    sqlite3_stmt *complete;
    sqlite3_stmt *unfinished;
    uint64_t done; /* bytes and files */
    uint64_t of;
};

struct old_file {
    int64_t file;
    bool complete;
    uint64_t received;
    unsigned char hash[HASH_OLD_BYTES];
    char name[FILE_NAME_BYTES];
    char title[TITLE_BYTES];
    /* The result: */
    struct hash state;
    uint64_t hashed;
    bool whole; /* all bytes were read and, if the file is complete, fit the old hash */
};

static enum store_status tell(struct rehash *rehash, uint64_t more) {
    const struct store_options *options = rehash->options;
    rehash->done += more;
    return !options->rehashing ||
                   options->rehashing(options->progress_arg, rehash->done, rehash->of)
               ? STORE_OK
               : sqlite_fail_because(rehash->store, "migrate",
                                     "it was told to end; nothing is lost, and the next start goes "
                                     "on from there");
}

/* ---- one file ---- */

static enum store_status read_slices(struct rehash *rehash, struct old_file *file,
                                     struct hash *old) {
    unsigned char bytes[SLICE_BYTES];
    enum store_status status = STORE_OK;
    while (status == STORE_OK && file->hashed < file->received) {
        uint64_t left = file->received - file->hashed;
        size_t count = left < SLICE_BYTES ? (size_t)left : SLICE_BYTES;
        status = sqlite_piece_read(rehash->store, file->file, file->hashed, bytes, count, &count);
        if (status == STORE_OK) {
            hash_add(&file->state, bytes, count);
            hash_add(old, bytes, count);
            file->hashed += count;
            status = tell(rehash, count);
        }
    }
    return status;
}

static enum store_status hash_file(struct rehash *rehash, struct old_file *file) {
    struct hash old;
    unsigned char is[HASH_OLD_BYTES];
    hash_old_begin(&old);
    hash_begin(&file->state);
    enum store_status status = read_slices(rehash, file, &old);
    hash_old_end(&old, is);
    file->whole = status == STORE_OK && (!file->complete || memcmp(is, file->hash, sizeof is) == 0);
    return status == STORE_DAMAGED ? STORE_OK : status;
}

static void make_digest(struct old_file *file, unsigned char out[HASH_BYTES]) {
    if (file->whole) {
        hash_end(&file->state, out);
    } else {
        memset(out, 0, HASH_BYTES);
        memcpy(out, file->hash, HASH_OLD_BYTES);
    }
}

static enum store_status write_file(struct rehash *rehash, struct old_file *file) {
    unsigned char digest[HASH_BYTES];
    if (!file->complete) {
        bind_number(rehash->unfinished, 1, file->file);
        bind_blob(rehash->unfinished, 2, file->state.state, HASH_STATE_BYTES);
        bind_number(rehash->unfinished, 3, (int64_t)file->hashed);
        return sqlite_run(rehash->store, rehash->unfinished);
    }
    make_digest(file, digest);
    bind_number(rehash->complete, 1, file->file);
    bind_blob(rehash->complete, 2, digest, sizeof digest);
    return sqlite_run(rehash->store, rehash->complete);
}

static enum store_status execute(struct store *store, const char *sql) {
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? STORE_OK
               : sqlite_fail(store, "migrate");
}

static enum store_status keep(struct rehash *rehash, struct old_file *file) {
    enum store_status status = execute(rehash->store, "BEGIN IMMEDIATE");
    if (status != STORE_OK)
        return status;
    status = write_file(rehash, file);
    if (status == STORE_OK)
        status = sqlite_meta_set(rehash->store, META, file->file);
    if (status == STORE_OK)
        return execute(rehash->store, "COMMIT");
    (void)sqlite3_exec(rehash->store->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

/* ---- all ---- */

static enum store_status prepare(struct rehash *rehash, const char *sql, sqlite3_stmt **out) {
    return sqlite3_prepare_v2(rehash->store->db, sql, -1, out, NULL) == SQLITE_OK
               ? STORE_OK
               : sqlite_fail(rehash->store, "migrate");
}

/* An unfinished upload that was begun with a new hash keeps that hash. */
static enum store_status prepare_all(struct rehash *rehash) {
    enum store_status status =
        prepare(rehash,
                "SELECT file, seq, received, hash, name, coalesce((SELECT title FROM thread WHERE "
                "thread.stream = file.stream), '') " TO_DO " ORDER BY file LIMIT 1",
                &rehash->next);
    if (status == STORE_OK)
        status = prepare(rehash, "UPDATE file SET hash = ?2 WHERE file = ?1", &rehash->complete);
    return status == STORE_OK
               ? prepare(rehash,
                         "UPDATE file SET hash = CASE length(hash) WHEN 64 THEN hash ELSE x'' END, "
                         "hash_state = ?2, hashed = ?3 WHERE file = ?1",
                         &rehash->unfinished)
               : status;
}

static enum store_status count(struct rehash *rehash, int64_t last) {
    sqlite3_stmt *sum = NULL;
    int64_t of = 0;
    enum store_status status =
        prepare(rehash, "SELECT coalesce(sum(received), 0) + count(*) " TO_DO, &sum);
    if (status == STORE_OK) {
        bind_number(sum, 1, last);
        status = sqlite_number(rehash->store, sum, &of);
    }
    (void)sqlite3_finalize(sum);
    rehash->of = (uint64_t)of;
    return status;
}

/* OK, NOT_FOUND. */
static enum store_status find_next(struct rehash *rehash, int64_t last, struct old_file *out) {
    sqlite3_stmt *row = rehash->next;
    *out = (struct old_file){.file = 0};
    bind_number(row, 1, last);
    enum step step = sqlite_step(rehash->store, row);
    if (step == STEP_ROW) {
        out->file = sqlite3_column_int64(row, 0);
        out->complete = sqlite3_column_int64(row, 1) != 0;
        out->received = column_count(row, 2);
        (void)column_blob(row, 3, out->hash, sizeof out->hash);
        column_text(row, 4, out->name, sizeof out->name);
        column_text(row, 5, out->title, sizeof out->title);
    }
    (void)sqlite3_reset(row);
    return step == STEP_ROW ? STORE_OK : step == STEP_DONE ? STORE_NOT_FOUND : STORE_FAILED;
}

static enum store_status do_one(struct rehash *rehash, struct old_file *file) {
    const struct store_options *options = rehash->options;
    enum store_status status = hash_file(rehash, file);
    if (status == STORE_OK)
        status = keep(rehash, file);
    if (status == STORE_OK && file->complete && !file->whole && options->damaged)
        options->damaged(options->progress_arg, file->title, file->name);
    return status == STORE_OK ? tell(rehash, file->received - file->hashed + 1) : status;
}

static enum store_status do_all(struct rehash *rehash, int64_t last) {
    struct old_file file;
    enum store_status status = prepare_all(rehash);
    if (status == STORE_OK)
        status = count(rehash, last);
    for (size_t i = 1; status == STORE_OK; i++) {
        status = find_next(rehash, last, &file);
        if (status == STORE_OK) {
            status = do_one(rehash, &file);
            last = file.file;
        }
        if (i % CHECKPOINT_FILES == 0) {
            (void)sqlite3_wal_checkpoint_v2(rehash->store->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                            NULL, NULL);
        }
    }
    return status == STORE_NOT_FOUND
               ? execute(rehash->store, "DELETE FROM meta WHERE name = '" META "'")
               : status;
}

/* No commit waits for the disk: work that a crash loses is done again. */
static enum store_status rehash_from(struct store *store, const struct store_options *options,
                                     int64_t last) {
    struct rehash rehash = {.store = store, .options = options};
    enum store_status status = execute(store, "PRAGMA synchronous = NORMAL");
    if (status == STORE_OK)
        status = do_all(&rehash, last);
    (void)sqlite3_finalize(rehash.next);
    (void)sqlite3_finalize(rehash.complete);
    (void)sqlite3_finalize(rehash.unfinished);
    return status == STORE_OK ? execute(store, "PRAGMA synchronous = FULL") : status;
}

enum store_status sqlite_rehash(struct store *store, const struct store_options *options) {
    sqlite3_stmt *get = store->statements[STATEMENT_META_GET];
    int64_t last = 0;
    bind_text(get, 1, META);
    enum store_status status = sqlite_number(store, get, &last);
    if (status != STORE_OK)
        return status == STORE_NOT_FOUND ? STORE_OK : status;
    return options->beside ? sqlite_fail_because(store, "open",
                                                 "an earlier zchat made it: start zchatd, which "
                                                 "brings it up to date, and then do this again")
                           : rehash_from(store, options, last);
}
