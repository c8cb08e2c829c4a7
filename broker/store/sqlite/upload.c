/* Uploads. A row of the table file reserves name and room from the beginning. Bytes are added
 * behind those that are there, with the state of the hash so far. The last byte makes the file
 * appear in its thread; if the hash is not the announced one, all bytes are dropped. */
#include "thread.h"

#include <string.h>

const struct statement_text upload_statements[] = {
    {STATEMENT_FILE_NUMBER, "UPDATE file SET file = ?2 WHERE file = ?1"},
    {STATEMENT_FILE_ADD,
     "INSERT INTO file (file, id, stream, name, uploader, size, hash, received, hash_state, "
     "time_us, chunk_us, look, folded) "
     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9, ?9, ?10, ?11)"},
    {STATEMENT_FILE_STATE, "SELECT hash_state, hashed FROM file WHERE file = ?1"},
    {STATEMENT_FILE_TAKEN_OVER, "UPDATE file SET id = ?2, size = ?3, hash = ?4, time_us = ?5, "
                                "chunk_us = ?5 WHERE file = ?1"},
    {STATEMENT_FILE_HASH, "UPDATE file SET hash = ?2 WHERE file = ?1"},
    {STATEMENT_FILE_RECEIVED, "UPDATE file SET received = ?2, hash_state = ?3, hashed = ?4, "
                              "chunk_us = ?5 WHERE file = ?1"},
    {STATEMENT_FILE_COMPLETE, "UPDATE file SET received = size, hash_state = NULL, seq = ?2, "
                              "time_us = ?3, hash = ?4 WHERE file = ?1"},
    {STATEMENT_FILE_EXPIRED,
     FILE_COLUMNS " WHERE seq = 0 AND chunk_us < ?2 AND (received = 0 OR chunk_us < ?1) ORDER BY "
                  "chunk_us LIMIT 1"},
    {0},
};

/* How many one call of store_uploads_expire removes: each may have many bytes. */
#define EXPIRE_AT_ONCE 4
/* How many bytes are hashed again at a time. */
#define SLICE_BYTES ((size_t)65536)

/* ---- beginning ---- */

/* An unknown hash fits. */
static bool hash_fits(const struct file *file, const unsigned char *hash) {
    return !file->announced || !hash || memcmp(file->file.hash, hash, HASH_BYTES) == 0;
}

static bool is_same(const struct file *file, const struct store_upload *upload) {
    return file->file.size == upload->size && hash_fits(file, upload->hash);
}

static void bind_hash(sqlite3_stmt *statement, int parameter, const unsigned char *hash) {
    bind_blob(statement, parameter, hash ? (const void *)hash : "", hash ? HASH_BYTES : 0);
}

/* Whether the quota allows it; all other files have `others` bytes. */
static bool has_quota(const struct store_upload *upload, uint64_t others) {
    return upload->size <= PIECES_BYTES_MAX &&
           (upload->quota_bytes == 0 ||
            (others <= upload->quota_bytes && upload->size <= upload->quota_bytes - others));
}

/* Whether there is room for all that was begun, and for this one, too. If it has a reservation
 * already, that one is replaced. OK, NO_ROOM. */
static enum store_status check_room(struct store *store, const struct store_upload *upload,
                                    const struct store_file *own) {
    uint64_t others = store->files_bytes - (own ? own->size : 0);
    uint64_t room = slots_room(store->slots);
    uint64_t more = store->files_awaited - (own ? own->size - own->received : 0);
    bool fits = upload->size <= room && more <= room - upload->size;
    return fits && has_quota(upload, others) ? STORE_OK : STORE_NO_ROOM;
}

static enum store_status write_received(struct store *store, const struct file *file,
                                        const struct hash *hash, uint64_t hashed, int64_t now_us) {
    sqlite3_stmt *set = store->statements[STATEMENT_FILE_RECEIVED];
    bind_number(set, 1, file->file.file);
    bind_number(set, 2, (int64_t)file->file.received);
    bind_blob(set, 3, hash->state, HASH_STATE_BYTES);
    bind_number(set, 4, (int64_t)hashed);
    bind_number(set, 5, now_us);
    return sqlite_run(store, set);
}

/* The file gets another number; the bytes that it had become rubbish. */
static enum store_status leave_pieces(struct store *store, struct file *file) {
    sqlite3_stmt *set = store->statements[STATEMENT_FILE_NUMBER];
    int64_t number = file->file.file;
    if (sqlite_meta_next(store, "files", &file->file.file) != STORE_OK)
        return STORE_FAILED;
    bind_number(set, 1, number);
    bind_number(set, 2, file->file.file);
    return sqlite_run(store, set) == STORE_OK ? sqlite_rubbish_file(store, number) : STORE_FAILED;
}

/* Drops the bytes that came so far. */
static enum store_status start_anew(struct store *store, struct file *file, int64_t now_us) {
    struct hash hash;
    hash_begin(&hash);
    store->files_awaited += file->file.received;
    file->file.received = 0;
    return leave_pieces(store, file) == STORE_OK ? write_received(store, file, &hash, 0, now_us)
                                                 : STORE_FAILED;
}

static enum store_status insert(struct store *store, const struct store_upload *upload,
                                int64_t stream, struct store_file *out) {
    struct hash hash;
    struct file file;
    struct title look;
    int64_t number = 0;
    enum store_status status = sqlite_add(store);
    if (status == STORE_OK)
        status = sqlite_use_file(store, upload->account, upload->size);
    if (status == STORE_OK)
        status = sqlite_meta_next(store, "files", &number);
    if (status != STORE_OK)
        return status;
    hash_begin(&hash);
    sqlite3_stmt *add = store->statements[STATEMENT_FILE_ADD];
    store->log->others_known = false;
    bind_number(add, 1, number);
    bind_blob(add, 2, upload->id, ID_BYTES);
    bind_number(add, 3, stream);
    bind_text(add, 4, upload->name);
    bind_number(add, 5, upload->account);
    bind_number(add, 6, (int64_t)upload->size);
    bind_hash(add, 7, upload->hash);
    bind_blob(add, 8, hash.state, HASH_STATE_BYTES);
    bind_number(add, 9, upload->now_us);
    title_look(upload->name, &look);
    sqlite_bind_look(add, 10, &look);
    if (sqlite_file_free_id(store, upload->id) != STORE_OK || sqlite_run(store, add) != STORE_OK ||
        sqlite_file_numbered(store, number, &file) != STORE_OK)
        return STORE_FAILED;
    store->files_bytes += upload->size;
    store->files_awaited += upload->size;
    *out = file.file;
    return STORE_OK;
}

/* OK, QUOTA_ACCOUNT. */
static enum store_status change_size(struct store *store, const struct store_upload *upload,
                                     uint64_t was) {
    return sqlite_change_file(store, upload->account, (int64_t)(upload->size - was));
}

/* An uploader who lost the first id and comes back with another one gets their reservation, and
 * also what they sent already if it surely belongs to the same bytes. */
static enum store_status take_over(struct store *store, const struct store_upload *upload,
                                   struct file *file, struct store_file *out) {
    enum store_status status = check_room(store, upload, &file->file);
    if (status == STORE_OK)
        status = sqlite_add(store);
    if (status == STORE_OK)
        status = change_size(store, upload, file->file.size);
    if (status != STORE_OK)
        return status;
    store->files_bytes += upload->size - file->file.size;
    store->files_awaited += upload->size - file->file.size;
    bool keeps = file->announced && upload->hash && is_same(file, upload);
    sqlite3_stmt *set = store->statements[STATEMENT_FILE_TAKEN_OVER];
    store->log->others_known = false;
    bind_number(set, 1, file->file.file);
    bind_blob(set, 2, upload->id, ID_BYTES);
    bind_number(set, 3, (int64_t)upload->size);
    bind_hash(set, 4, upload->hash);
    bind_number(set, 5, upload->now_us);
    if (sqlite_file_free_id(store, upload->id) != STORE_OK || sqlite_run(store, set) != STORE_OK ||
        (!keeps && start_anew(store, file, upload->now_us) != STORE_OK) ||
        sqlite_file_numbered(store, file->file.file, file) != STORE_OK)
        return STORE_FAILED;
    *out = file->file;
    return STORE_OK;
}

/* The id is known; the hash may be new. */
static enum store_status begin_again(struct store *store, const struct file *file,
                                     const struct store_upload *upload, int64_t stream,
                                     struct store_file *out) {
    if (file->stream != stream || file->uploader != upload->account || !is_same(file, upload) ||
        strcmp(file->file.name, upload->name) != 0)
        return STORE_ID_REUSED;
    *out = file->file;
    if (file->announced || !upload->hash)
        return STORE_OK;
    sqlite3_stmt *set = store->statements[STATEMENT_FILE_HASH];
    bind_number(set, 1, file->file.file);
    bind_blob(set, 2, upload->hash, HASH_BYTES);
    memcpy(out->hash, upload->hash, HASH_BYTES);
    enum store_status status = sqlite_write(store);
    return status == STORE_OK ? sqlite_run(store, set) : status;
}

enum store_status store_upload_begin(struct store *store, const struct store_upload *upload,
                                     struct store_file *out) {
    struct store_thread thread;
    struct file file;
    enum store_status status = store_thread_find(store, upload->title, &thread);
    if (status != STORE_OK)
        return status;
    status = sqlite_file_identified(store, upload->id, &file);
    if (status == STORE_OK)
        return begin_again(store, &file, upload, thread.stream, out);
    if (status == STORE_FAILED || (status = sqlite_id_free(store, upload->id)) != STORE_OK)
        return status;
    status = sqlite_file_named(store, thread.stream, upload->name, &file);
    if (status == STORE_OK) {
        bool their_own = file.file.seq == 0 && file.uploader == upload->account;
        return their_own ? take_over(store, upload, &file, out) : STORE_EXISTS;
    }
    if (status == STORE_FAILED)
        return status;
    status = check_room(store, upload, NULL);
    return status == STORE_OK ? insert(store, upload, thread.stream, out) : status;
}

/* ---- chunks ---- */

static enum store_status read_state(struct store *store, const struct file *file, struct hash *hash,
                                    uint64_t *hashed) {
    sqlite3_stmt *find = store->statements[STATEMENT_FILE_STATE];
    bind_number(find, 1, file->file.file);
    enum step step = sqlite_step(store, find);
    bool found = step == STEP_ROW && column_blob(find, 0, hash->state, HASH_STATE_BYTES);
    *hashed = found ? (uint64_t)sqlite3_column_int64(find, 1) : 0;
    (void)sqlite3_reset(find);
    if (step != STEP_FAILED && (!found || *hashed > file->file.received))
        return sqlite_fail_because(store, "read", "an upload's row is damaged");
    return found ? STORE_OK : STORE_FAILED;
}

/* Gives the hasher those stored bytes that it lacks: usually none, and few after a restart. */
static enum store_status follow(struct store *store, const struct file *file) {
    struct hash hash;
    uint64_t offset;
    unsigned char bytes[SLICE_BYTES];
    if (hasher_follows(store->hasher, file->file.file, file->file.received))
        return STORE_OK;
    enum store_status status = read_state(store, file, &hash, &offset);
    if (status == STORE_OK && !hasher_begin(store->hasher, file->file.file, &hash, offset))
        return sqlite_no_memory(store);
    while (status == STORE_OK && offset < file->file.received) {
        uint64_t left = file->file.received - offset;
        size_t count = left < SLICE_BYTES ? (size_t)left : SLICE_BYTES;
        status = sqlite_piece_read(store, file->file.file, offset, bytes, count, &count);
        if (status == STORE_OK && !hasher_add(store->hasher, file->file.file, bytes, count))
            return sqlite_no_memory(store);
        offset += count;
    }
    return status;
}

/* Makes the file appear in its thread. */
static enum store_status complete(struct store *store, struct file *file, int64_t now_us,
                                  struct store_thread *thread) {
    struct log_entry entry = {.id = file->file.id,
                              .kind = LOG_UPLOADED,
                              .author = file->uploader,
                              .second = (uint64_t)file->file.file,
                              .text = "",
                              .time_us = now_us};
    thread->uploads++;
    if (sqlite_thread_append(store, thread, &entry) != STORE_OK)
        return STORE_FAILED;
    file->file.seq = thread->head;
    file->file.time_us = now_us;
    sqlite3_stmt *set = store->statements[STATEMENT_FILE_COMPLETE];
    bind_number(set, 1, file->file.file);
    bind_number(set, 2, (int64_t)file->file.seq);
    bind_number(set, 3, now_us);
    bind_blob(set, 4, file->file.hash, HASH_BYTES);
    return sqlite_run(store, set);
}

/* A message may have taken the id since the upload began: then the file's entry can't have it. */
static enum store_status check_log(struct store *store, const struct file *file) {
    struct log_entry entry;
    int64_t position;
    enum store_status status = sqlite_log_find(store, file->file.id, &position, &entry);
    return status == STORE_OK ? STORE_ID_REUSED : status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* Whether the last byte may come with that hash. */
static enum store_status check_last(struct store *store, struct file *file,
                                    const unsigned char *told) {
    if (!hash_fits(file, told) || (!file->announced && !told))
        return STORE_HASH_UNFIT;
    if (!file->announced)
        memcpy(file->file.hash, told, HASH_BYTES);
    return check_log(store, file);
}

static bool has_announced_hash(struct store *store, const struct file *file) {
    unsigned char is[HASH_BYTES];
    hasher_end(store->hasher, file->file.file, is);
    return memcmp(is, file->file.hash, HASH_BYTES) == 0;
}

static enum store_status keep_received(struct store *store, const struct file *file,
                                       int64_t now_us) {
    struct hash hash;
    uint64_t hashed;
    hasher_look(store->hasher, file->file.file, &hash, &hashed);
    return write_received(store, file, &hash, hashed, now_us);
}

/* Adds bytes behind those that are there. */
static enum store_status add(struct store *store, struct file *file, const void *bytes,
                             size_t length, const unsigned char *told, int64_t now_us,
                             struct store_thread *thread) {
    bool last = file->file.received + length == file->file.size;
    enum store_status status = last ? check_last(store, file, told) : STORE_OK;
    if (status == STORE_OK)
        status = sqlite_add(store);
    if (status == STORE_OK)
        status = follow(store, file);
    if (status == STORE_DAMAGED) /* what came before must be sent again */
        return start_anew(store, file, now_us) == STORE_OK ? STORE_MISMATCH : STORE_FAILED;
    if (status != STORE_OK)
        return status;
    if (!hasher_add(store->hasher, file->file.file, bytes, length))
        return sqlite_no_memory(store);
    status = sqlite_piece_write(store, file, bytes, length);
    if (status != STORE_OK)
        return status;
    if (last && !has_announced_hash(store, file))
        return start_anew(store, file, now_us) == STORE_OK ? STORE_MISMATCH : STORE_FAILED;
    file->file.received += length;
    store->files_awaited -= length;
    return last ? complete(store, file, now_us, thread) : keep_received(store, file, now_us);
}

/* OK, NOT_FOUND, NOT_OWNER. */
static enum store_status find_own(struct store *store, const unsigned char *id, int64_t account,
                                  struct file *file) {
    enum store_status status =
        store->failed ? STORE_FAILED : sqlite_file_identified(store, id, file);
    return status == STORE_OK && file->uploader != account ? STORE_NOT_OWNER : status;
}

static bool is_hole(const struct store_file *file, uint64_t offset, size_t length) {
    return offset > file->received || length > file->size - offset;
}

enum store_status store_upload_chunk(struct store *store, const unsigned char id[ID_BYTES],
                                     int64_t account, uint64_t offset, const void *bytes,
                                     size_t length, const unsigned char *hash, int64_t now_us,
                                     struct store_file *out, bool *done,
                                     struct store_thread *thread) {
    struct file file;
    *done = false;
    enum store_status status = find_own(store, id, account, &file);
    if (status == STORE_OK)
        status = sqlite_thread_get(store, file.stream, thread);
    if (status != STORE_OK)
        return status;
    if (file.file.seq == 0 && is_hole(&file.file, offset, length)) {
        *out = file.file;
        return STORE_WRONG_OFFSET;
    }
    bool complete = file.file.seq != 0;
    bool ends = file.file.size == 0; /* at once, if it has no bytes */
    size_t known = (size_t)(file.file.received - offset);
    if (!complete && (ends || length > known)) {
        const unsigned char *from = ends ? NULL : (const unsigned char *)bytes + known;
        status = add(store, &file, from, length - known, hash, now_us, thread);
    }
    *out = file.file;
    *done = !complete && file.file.seq != 0;
    return status;
}

/* ---- the end of those that are not completed ---- */

enum store_status store_upload_cancel(struct store *store, const unsigned char id[ID_BYTES],
                                      int64_t account) {
    struct file file;
    enum store_status status = find_own(store, id, account, &file);
    if (status == STORE_OK && file.file.seq != 0)
        status = STORE_NOT_FOUND;
    if (status != STORE_OK)
        return status;
    status = sqlite_write(store);
    return status == STORE_OK ? sqlite_file_remove(store, &file) : status;
}

enum store_status store_uploads_expire(struct store *store, int64_t before_us,
                                       int64_t empty_before_us, bool *more) {
    sqlite3_stmt *find = store->statements[STATEMENT_FILE_EXPIRED];
    enum store_status status = store->failed ? STORE_FAILED : STORE_OK;
    *more = true;
    for (size_t i = 0; i < EXPIRE_AT_ONCE && status == STORE_OK; i++) {
        struct file file;
        bind_number(find, 1, before_us);
        bind_number(find, 2, empty_before_us);
        status = sqlite_file_one(store, find, &file);
        if (status == STORE_OK && (status = sqlite_write(store)) == STORE_OK)
            status = sqlite_file_remove(store, &file);
    }
    *more = status == STORE_OK;
    return status == STORE_NOT_FOUND || status == STORE_FULL ? STORE_OK : status;
}
