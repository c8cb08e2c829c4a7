/* Files: found, listed, read, and removed. upload.c takes uploads. */
#include "thread.h"

#include <string.h>

const struct statement_text file_statements[] = {
    {STATEMENT_FILE_ALIKE,
     "SELECT name FROM file WHERE stream = ?3 AND look = ?1 AND folded < ?2 UNION ALL "
     "SELECT name FROM file WHERE stream = ?3 AND look = ?1 AND folded > ?2 LIMIT 1"},
    {STATEMENT_FILE_BY_ID, FILE_COLUMNS " WHERE id = ?1"},
    {STATEMENT_FILE_BY_NAME, FILE_COLUMNS " WHERE stream = ?1 AND name = ?2"},
    {STATEMENT_FILE_BY_NUMBER, FILE_COLUMNS " WHERE file = ?1"},
    {STATEMENT_FILE_READ, FILE_COLUMNS " WHERE stream = ?1 AND seq > 0 AND seq > ?2 ORDER BY seq"},
    {STATEMENT_FILE_REMOVE, "DELETE FROM file WHERE file = ?1"},
    {0},
};

/* ---- rows ---- */

/* An empty hash: the uploader has not told it yet. */
static bool read_hash(sqlite3_stmt *row, struct file *out) {
    out->announced = sqlite3_column_bytes(row, 6) > 0;
    return out->announced ? column_blob(row, 6, out->file.hash, HASH_BYTES) : out->file.seq == 0;
}

enum store_status sqlite_file_row(struct store *store, sqlite3_stmt *row, struct file *out) {
    const struct person *uploader;
    *out = (struct file){
        .stream = sqlite3_column_int64(row, 2),
        .uploader = sqlite3_column_int64(row, 4),
        .file = {.file = sqlite3_column_int64(row, 0),
                 .size = column_count(row, 5),
                 .received = column_count(row, 7),
                 .seq = column_count(row, 8),
                 .time_us = sqlite3_column_int64(row, 9)},
    };
    column_text(row, 3, out->file.name, sizeof out->file.name);
    enum store_status status = sqlite_person(store, out->uploader, &uploader);
    if (status == STORE_NOT_FOUND || !column_blob(row, 1, out->file.id, ID_BYTES) ||
        !read_hash(row, out))
        return sqlite_fail_because(store, "read", "a file's row is damaged");
    if (status == STORE_OK)
        memcpy(out->file.user, uploader->name, sizeof out->file.user);
    return status;
}

enum store_status sqlite_file_one(struct store *store, sqlite3_stmt *find, struct file *out) {
    enum step step = sqlite_step(store, find);
    enum store_status status = step == STEP_ROW    ? sqlite_file_row(store, find, out)
                               : step == STEP_DONE ? STORE_NOT_FOUND
                                                   : STORE_FAILED;
    (void)sqlite3_reset(find);
    return status;
}

static enum store_status one_standing(struct store *store, sqlite3_stmt *find, struct file *out) {
    enum store_status status = sqlite_file_one(store, find, out);
    return status == STORE_OK && sqlite_rubbish_is(store, out->stream) ? STORE_NOT_FOUND : status;
}

enum store_status sqlite_file_numbered(struct store *store, int64_t file, struct file *out) {
    sqlite3_stmt *find = store->statements[STATEMENT_FILE_BY_NUMBER];
    bind_number(find, 1, file);
    return one_standing(store, find, out);
}

enum store_status sqlite_file_identified(struct store *store, const unsigned char id[ID_BYTES],
                                         struct file *out) {
    sqlite3_stmt *find = store->statements[STATEMENT_FILE_BY_ID];
    bind_blob(find, 1, id, ID_BYTES);
    return one_standing(store, find, out);
}

enum store_status sqlite_file_named(struct store *store, int64_t stream, const char *name,
                                    struct file *out) {
    sqlite3_stmt *find = store->statements[STATEMENT_FILE_BY_NAME];
    bind_number(find, 1, stream);
    bind_text(find, 2, name);
    return sqlite_file_one(store, find, out);
}

enum store_status sqlite_file_remove(struct store *store, const struct file *file) {
    sqlite3_stmt *remove = store->statements[STATEMENT_FILE_REMOVE];
    bind_number(remove, 1, file->file.file);
    if (sqlite_run(store, remove) != STORE_OK ||
        sqlite_give_file(store, file->uploader, file->file.size) != STORE_OK ||
        (file->file.received > 0 && sqlite_rubbish_file(store, file->file.file) != STORE_OK))
        return STORE_FAILED;
    store->files_bytes -= file->file.size;
    store->files_awaited -= file->file.size - file->file.received;
    return STORE_OK;
}

enum store_status sqlite_file_free_id(struct store *store, const unsigned char id[ID_BYTES]) {
    sqlite3_stmt *find = store->statements[STATEMENT_FILE_BY_ID];
    struct file file;
    bind_blob(find, 1, id, ID_BYTES);
    enum store_status status = sqlite_file_one(store, find, &file);
    if (status == STORE_OK)
        status = sqlite_file_remove(store, &file);
    return status == STORE_NOT_FOUND ? STORE_OK : status;
}

/* ---- operations ---- */

enum store_status store_file_find(struct store *store, const char *title, const char *name,
                                  struct store_file *out) {
    struct store_thread thread;
    struct file file;
    enum store_status status = store_thread_find(store, title, &thread);
    if (status == STORE_OK)
        status = sqlite_file_named(store, thread.stream, name, &file);
    if (status == STORE_OK && file.file.seq == 0)
        status = STORE_NOT_FOUND;
    if (status == STORE_OK)
        *out = file.file;
    return status;
}

enum store_status store_file_alike(struct store *store, const char *title, const char *name,
                                   char other[FILE_NAME_BYTES]) {
    struct store_thread thread;
    enum store_status status = store_thread_find(store, title, &thread);
    if (status != STORE_OK)
        return status;
    struct title look;
    title_look(name, &look);
    sqlite3_stmt *find = store->statements[STATEMENT_FILE_ALIKE];
    sqlite_bind_look(find, 1, &look);
    bind_number(find, 3, thread.stream);
    return sqlite_alike(store, find, other);
}

enum store_status store_file_read(struct store *store, int64_t file, uint64_t offset, void *bytes,
                                  size_t length, size_t *count) {
    struct file found;
    enum store_status status =
        store->failed ? STORE_FAILED : sqlite_file_numbered(store, file, &found);
    if (status != STORE_OK)
        return status;
    uint64_t left = offset < found.file.received ? found.file.received - offset : 0;
    *count = left < length ? (size_t)left : length;
    return sqlite_piece_read(store, file, offset, bytes, *count, count);
}

enum store_status store_file_list(struct store *store, const char *title, uint64_t after_seq,
                                  bool (*each)(void *arg, const struct store_file *), void *arg) {
    struct store_thread thread;
    enum store_status status = store_thread_find(store, title, &thread);
    if (status != STORE_OK)
        return status;
    sqlite3_stmt *list = store->statements[STATEMENT_FILE_READ];
    bind_number(list, 1, thread.stream);
    bind_number(list, 2, (int64_t)after_seq);
    enum step step = STEP_DONE;
    while (status == STORE_OK && (step = sqlite_step(store, list)) == STEP_ROW) {
        struct file file;
        status = sqlite_file_row(store, list, &file);
        if (status == STORE_OK && !each(arg, &file.file))
            break;
    }
    (void)sqlite3_reset(list);
    return step == STEP_FAILED ? STORE_FAILED : status;
}
