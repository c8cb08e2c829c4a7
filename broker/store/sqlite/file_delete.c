/* Deleting a file from its thread: its row goes, an entry of the log says so, and its bytes become
 * rubbish. The entry of its upload stays, so that a stream's numbers have no holes. */
#include "thread.h"

#include <string.h>

/* The pages of a few single rows, with their indexes. */
#define FEW_PAGES 16

/* What was stored under the change's id. OK (the same), ID_REUSED. */
static enum store_status answer_again(struct store *store, const struct store_file_change *change,
                                      const struct log_entry *known,
                                      struct store_file_deleted *out) {
    struct log_entry uploaded;
    size_t name_bytes = strlen(change->name);
    if (known->kind != LOG_FILE_DELETED || known->author != change->account ||
        known->stream != out->thread.stream || known->text_damaged ||
        known->text_bytes != name_bytes || memcmp(known->text, change->name, name_bytes) != 0)
        return STORE_ID_REUSED;
    int64_t position = (int64_t)known->second;
    out->again = true;
    out->seq = known->seq;
    out->time_us = known->time_us;
    if (sqlite_log_read(store, position, &uploaded) != STORE_OK)
        return STORE_FAILED;
    if (uploaded.kind == LOG_UPLOADED)
        memcpy(out->id, uploaded.id, ID_BYTES);
    return STORE_OK;
}

/* OK, NOT_OWNER. */
static enum store_status check_right(struct store *store, const struct store_file_change *change,
                                     const struct store_thread *thread, const struct file *file) {
    const struct person *person;
    if (change->admin || file->uploader == change->account)
        return STORE_OK;
    enum store_status status = sqlite_person(store, change->account, &person);
    if (status == STORE_FAILED)
        return status;
    return status == STORE_OK && strcmp(person->name, thread->creator) == 0 ? STORE_OK
                                                                            : STORE_NOT_OWNER;
}

/* Finds the file, and the position of its upload in the log. OK, NOT_FOUND, NOT_OWNER. */
static enum store_status find(struct store *store, const struct store_file_change *change,
                              const struct store_thread *thread, struct file *file,
                              int64_t *position) {
    struct log_entry uploaded;
    enum store_status status = sqlite_file_named(store, thread->stream, change->name, file);
    if (status == STORE_OK && file->file.seq == 0)
        status = STORE_NOT_FOUND;
    if (status == STORE_OK)
        status = check_right(store, change, thread, file);
    if (status != STORE_OK)
        return status;
    status = sqlite_log_find(store, file->file.id, position, &uploaded);
    *position = status == STORE_OK ? *position : 0; /* its entry is damaged: it goes all the same */
    return status == STORE_FAILED ? status : STORE_OK;
}

static enum store_status append(struct store *store, const struct store_file_change *change,
                                int64_t position, struct store_file_deleted *out) {
    struct log_entry entry = {.id = change->id,
                              .kind = LOG_FILE_DELETED,
                              .author = change->account,
                              .second = (uint64_t)position,
                              .text = change->name,
                              .text_bytes = strlen(change->name),
                              .time_us = change->now_us};
    out->thread.uploads--;
    if (sqlite_thread_append(store, &out->thread, &entry) != STORE_OK)
        return STORE_FAILED;
    out->seq = out->thread.head;
    out->time_us = change->now_us;
    return STORE_OK;
}

enum store_status store_file_delete(struct store *store, const struct store_file_change *change,
                                    struct store_file_deleted *out) {
    struct log_entry known;
    struct file file;
    int64_t position = 0;
    *out = (struct store_file_deleted){0};
    enum store_status status = store_thread_find(store, change->title, &out->thread);
    if (status != STORE_OK)
        return status;
    status = sqlite_log_find(store, change->id, &position, &known);
    if (status == STORE_OK)
        return answer_again(store, change, &known, out);
    if (status == STORE_NOT_FOUND)
        status = sqlite_id_free_beside_log(store, change->id);
    if (status == STORE_OK)
        status = find(store, change, &out->thread, &file, &position);
    if (status == STORE_OK)
        status = sqlite_write_pages(store, FEW_PAGES + sqlite_fresh_pages(store));
    if (status == STORE_OK)
        status = sqlite_use_log_always(store, change->account);
    if (status != STORE_OK)
        return status;
    memcpy(out->id, file.file.id, ID_BYTES);
    return append(store, change, position, out) == STORE_OK ? sqlite_file_remove(store, &file)
                                                            : STORE_FAILED;
}
