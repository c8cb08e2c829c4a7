/* The files of store_import: they go the way of uploads, so that room, names and hashes are checked
 * as they are there. */
#include "import.h"

#include <stdio.h>
#include <string.h>

/* Gives the next bytes; the last ones complete a complete file. */
static enum store_status give(struct store_import *import, const void *bytes, size_t length) {
    struct importing_file *of = &import->file;
    struct store_file file;
    struct store_thread thread;
    struct hash whole;
    unsigned char is[HASH_BYTES];
    bool done = false;
    hash_add(&of->hash, bytes, length);
    whole = of->hash;
    hash_end(&whole, is);
    /* A damaged file is completed with the hash that its bytes have. */
    const unsigned char *hash = of->damaged ? is : of->has_hash ? of->told : NULL;
    enum store_status status =
        store_upload_chunk(import->store, of->id, of->account, of->came, bytes, length,
                           of->complete ? hash : NULL, of->time_us, &file, &done, &thread);
    of->came += length;
    if (status == STORE_MISMATCH)
        return import_refuse(import, "the file's bytes are not those of its hash");
    if (status == STORE_OK && done && file.seq != of->seq) {
        return import_refuse(import, "the file's seq is %llu, where the thread's next one is %llu",
                             (unsigned long long)of->seq, (unsigned long long)file.seq);
    }
    return import_refuse_status(import, status);
}

/* No bytes have the hash that a damaged file keeps. */
static enum store_status mark_damaged(struct store_import *import) {
    sqlite3_stmt *set = import->store->statements[STATEMENT_FILE_HASH];
    bind_number(set, 1, import->file.file);
    bind_blob(set, 2, import->file.told, HASH_BYTES);
    return sqlite_run(import->store, set);
}

/* Also of an upload of which no byte has come. */
static enum store_status set_chunk(struct store_import *import) {
    bind_number(import->set_chunk, 1, import->file.file);
    bind_number(import->set_chunk, 2, import->file.time_us);
    return sqlite_run(import->store, import->set_chunk);
}

static enum store_status close_if_whole(struct store_import *import) {
    struct importing_file *of = &import->file;
    if (of->came < of->wanted)
        return STORE_OK;
    of->open = false;
    if (!of->complete)
        return set_chunk(import);
    return of->damaged ? mark_damaged(import) : STORE_OK;
}

static enum store_status check_sizes(struct store_import *import, const struct record *record) {
    if (record->size > INT64_MAX / 2)
        return import_refuse(import, "its size is too large");
    if (record->kind == RECORD_UPLOAD &&
        (record->received > record->size || (record->size > 0 && record->received == record->size)))
        return import_refuse(import, "an unfinished file lacks at least its last byte");
    return STORE_OK;
}

static bool is_zero(const unsigned char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static enum store_status begin(struct store_import *import, const struct record *record,
                               int64_t account) {
    struct store_file file;
    bool complete = record->kind == RECORD_FILE;
    bool has_hash = complete || !is_zero(record->hash, HASH_BYTES);
    const struct store_upload upload = {.id = record->id,
                                        .title = import->thread.title,
                                        .name = record->name,
                                        .account = account,
                                        .size = record->size,
                                        .hash = has_hash && !record->damaged ? record->hash : NULL,
                                        .now_us = record->time_us};
    enum store_status status = store_upload_begin(import->store, &upload, &file);
    if (status == STORE_OK && file.received > 0)
        status = STORE_EXISTS;
    if (status != STORE_OK)
        return import_refuse_status(import, status);
    import->file = (struct importing_file){
        .open = true,
        .complete = complete,
        .damaged = record->damaged,
        .has_hash = has_hash,
        .file = file.file,
        .account = account,
        .time_us = complete ? record->time_us : record->later_us,
        .wanted = complete ? record->size : record->received,
        .seq = record->seq,
    };
    hash_begin(&import->file.hash);
    memcpy(import->file.id, record->id, ID_BYTES);
    memcpy(import->file.told, record->hash, HASH_BYTES);
    return STORE_OK;
}

/* A file without bytes is complete at once. */
static enum store_status begin_bytes(struct store_import *import, const struct record *record) {
    enum store_status status = STORE_OK;
    if (record->kind == RECORD_FILE && record->size == 0)
        status = give(import, "", 0);
    return status == STORE_OK ? close_if_whole(import) : status;
}

enum store_status import_file(struct store_import *import, const struct record *record) {
    int64_t account = 0;
    enum store_status status = check_sizes(import, record);
    if (status == STORE_OK)
        status = import_account(import, record->user, &account);
    if (status == STORE_OK)
        status = import_thread(import, record->thread, record->seq);
    if (status == STORE_OK)
        status = import_refuse_status(import, sqlite_id_free(import->store, record->id));
    if (status == STORE_OK)
        status = begin(import, record, account);
    return status == STORE_OK ? begin_bytes(import, record) : status;
}

enum store_status import_piece(struct store_import *import, const struct record *record) {
    struct importing_file *of = &import->file;
    if (!of->open || memcmp(of->id, record->id, ID_BYTES) != 0)
        return import_refuse(import, "no file of that id wants bytes here");
    if (record->number != of->came) {
        return import_refuse(import, "the file's next byte is number %llu, not %llu",
                             (unsigned long long)of->came, (unsigned long long)record->number);
    }
    uint64_t left = of->wanted - of->came;
    uint64_t next = left < RECORD_PIECE_BYTES ? left : RECORD_PIECE_BYTES;
    if (record->text_bytes != next) {
        return import_refuse(import, "a piece of %llu bytes is wanted, and this one has %zu",
                             (unsigned long long)next, record->text_bytes);
    }
    enum store_status status = give(import, record->text, record->text_bytes);
    return status == STORE_OK ? close_if_whole(import) : status;
}

enum store_status import_file_end(struct store_import *import) {
    const struct importing_file *of = &import->file;
    return of->open
               ? import_refuse(import, "bytes of a file are missing before it: %llu of %llu came",
                               (unsigned long long)of->came, (unsigned long long)of->wanted)
               : STORE_OK;
}
