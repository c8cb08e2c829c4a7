/* See records.h. Threads, posts and files go through the store's own operations, which check them;
 * messages are appended as they are, whatever quotas and blocks say today. Places of what was lost
 * are entries that are gone. */
#include "import.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A transaction is committed at so many records or bytes. */
#define ROWS_MAX  4096
#define BYTES_MAX ((size_t)8 * 1024 * 1024)

enum store_status import_refuse(struct store_import *import, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(import->fault, IMPORT_FAULT_BYTES, format, arguments);
    va_end(arguments);
    return STORE_MISMATCH;
}

enum store_status import_refuse_status(struct store_import *import, enum store_status status) {
    switch (status) {
    case STORE_OK:
    case STORE_FAILED:
    case STORE_FULL:
    case STORE_MISMATCH:
        return status;
    case STORE_NO_ROOM:
        return STORE_FULL;
    case STORE_EXISTS:
        return import_refuse(import, "it is there already");
    case STORE_ID_REUSED:
        return import_refuse(import, "its id names something else already");
    case STORE_SELF:
        return import_refuse(import, "nobody can block themselves");
    case STORE_NOT_OWNER:
        return import_refuse(import, "the post is another user's");
    case STORE_POST_DELETED:
        return import_refuse(import, "the post was deleted before");
    case STORE_TOO_MANY:
        return import_refuse(import, "the account has as many as it may have");
    default:
        return import_refuse(import, "what it names is not there");
    }
}

enum store_status import_account(struct store_import *import, const char *name, int64_t *account) {
    const struct person *person;
    enum store_status status = sqlite_person_named(import->store, name, &person);
    if (status == STORE_OK)
        *account = person->account;
    return status == STORE_NOT_FOUND
               ? import_refuse(import, "there is no account %s before it", name)
               : status;
}

enum store_status import_thread(struct store_import *import, const unsigned char id[ID_BYTES],
                                uint64_t seq) {
    enum store_status status = store_thread_find_id(import->store, id, &import->thread);
    char text[ID_TEXT_BYTES];
    if (status == STORE_NOT_FOUND) {
        id_format(id, text);
        return import_refuse(import, "there is no thread %s before it", text);
    }
    if (status == STORE_OK && seq != 0 && seq != import->thread.head + 1) {
        return import_refuse(import, "its seq is %llu, where the thread's next one is %llu",
                             (unsigned long long)seq, (unsigned long long)import->thread.head + 1);
    }
    return status;
}

static enum store_status check_id(struct store_import *import, const unsigned char id[ID_BYTES]) {
    return import_refuse_status(import, sqlite_id_free(import->store, id));
}

/* ---- accounts ---- */

static enum store_status set_devices(struct store_import *import, int64_t account,
                                     uint64_t devices) {
    bind_number(import->set_devices, 1, account);
    bind_number(import->set_devices, 2, (int64_t)devices);
    return sqlite_run(import->store, import->set_devices);
}

static enum store_status take_account(struct store_import *import, const struct record *record) {
    struct store *store = import->store;
    int64_t account = 0;
    enum store_status status =
        store_account_add(store, record->user, record->password_hash, record->admin, NULL, NULL,
                          record->time_us, &account);
    if (status == STORE_OK && record->locked)
        status = store_account_set_locked(store, record->user, true);
    if (status == STORE_OK && record->no_receipts)
        status = store_account_set_receipts(store, record->user, false);
    if (status == STORE_OK && record->number > 0)
        status = set_devices(import, account, record->number);
    if (status == STORE_OK && record->later_us > 0)
        status = store_presence_end(store, account, record->later_us);
    return import_refuse_status(import, status);
}

/* A device's number was given, and is free. */
static enum store_status check_device(struct store_import *import, int64_t account,
                                      const struct record *record) {
    struct store *store = import->store;
    sqlite3_stmt *by_number = store->statements[STATEMENT_DEVICE_KEY];
    int64_t given = 0, other;
    bind_number(import->get_devices, 1, account);
    if (sqlite_number(store, import->get_devices, &given) != STORE_OK)
        return STORE_FAILED;
    if (record->number == 0 || record->number > (uint64_t)given) {
        return import_refuse(import, "the account has given the numbers 1 to %lld to devices",
                             (long long)given);
    }
    bind_number(by_number, 1, account);
    bind_number(by_number, 2, (int64_t)record->number);
    enum step step = sqlite_step(store, by_number);
    (void)sqlite3_reset(by_number);
    if (step == STEP_FAILED)
        return STORE_FAILED;
    enum store_status status = sqlite_device_find(store, account, record->key, &other);
    if (step == STEP_ROW || status == STORE_OK)
        return import_refuse(import, "the account has a device of that number or key already");
    return status == STORE_NOT_FOUND ? sqlite_device_room(store, account) : status;
}

static enum store_status take_device(struct store_import *import, const struct record *record) {
    int64_t account = 0;
    sqlite3_stmt *add = import->store->statements[STATEMENT_DEVICE_ADD];
    enum store_status status = import_account(import, record->user, &account);
    if (status == STORE_OK)
        status = check_device(import, account, record);
    if (status == STORE_OK)
        status = sqlite_write(import->store);
    if (status != STORE_OK)
        return import_refuse_status(import, status);
    bind_number(add, 1, account);
    bind_number(add, 2, (int64_t)record->number);
    bind_blob(add, 3, record->key, KEY_BYTES);
    bind_text(add, 4, record->name);
    bind_number(add, 5, record->time_us);
    bind_number(add, 6, record->later_us);
    return sqlite_run(import->store, add);
}

static enum store_status take_block(struct store_import *import, const struct record *record) {
    int64_t account = 0, blocked;
    enum store_status status = import_account(import, record->user, &account);
    if (status == STORE_OK)
        status = store_block_add(import->store, account, record->other, record->time_us, &blocked);
    return import_refuse_status(import, status);
}

static enum store_status take_failure(struct store_import *import, const struct record *record) {
    struct store *store = import->store;
    sqlite3_stmt *get = store->statements[STATEMENT_FAILURE_GET];
    sqlite3_stmt *set = store->statements[STATEMENT_FAILURE_SET];
    int64_t known;
    bind_text(get, 1, record->name);
    enum store_status status = sqlite_number(store, get, &known);
    if (status != STORE_NOT_FOUND)
        return import_refuse_status(import, status == STORE_OK ? STORE_EXISTS : status);
    if (import->failures++ >= LOGIN_FAILURES_KEPT || record->number > UINT32_MAX)
        return import_refuse(import, "there are more than %d of them, or too many failures",
                             LOGIN_FAILURES_KEPT);
    status = sqlite_write(store);
    if (status != STORE_OK)
        return import_refuse_status(import, status);
    bind_text(set, 1, record->name);
    bind_number(set, 2, (int64_t)record->number);
    bind_number(set, 3, record->later_us);
    bind_number(set, 4, record->time_us);
    return sqlite_run(store, set);
}

/* ---- messages ---- */

/* The inbox of that account, whose next number is `seq`. */
static enum store_status find_inbox(struct store_import *import, const char *name, uint64_t seq,
                                    struct stream **out) {
    int64_t account = 0;
    enum store_status status = import_account(import, name, &account);
    if (status == STORE_OK)
        status = sqlite_stream(import->store, account, out);
    if (status == STORE_OK && seq != 0 && seq != (*out)->head + 1) {
        return import_refuse(import, "its number for %s is %llu, where the next one is %llu", name,
                             (unsigned long long)seq, (unsigned long long)(*out)->head + 1);
    }
    return import_refuse_status(import, status);
}

/* Gives the stream's next number to the last entry. The cursor comes later, as it is. */
static enum store_status push(struct store_import *import, struct stream *stream) {
    struct store *store = import->store;
    store->view_appended++;
    return view_push(store->view, stream, store->last_position, false) ? STORE_OK
                                                                       : sqlite_no_memory(store);
}

/* The message that this one is about, as the broker demands it; *original 0: it is about none. */
static enum store_status find_original(struct store_import *import, const struct record *record,
                                       const struct stream *from, const struct stream *to,
                                       int64_t *original) {
    struct log_entry entry;
    int64_t last;
    bool gone;
    *original = 0;
    if (record->kind == RECORD_MESSAGE)
        return STORE_OK;
    enum store_status status = sqlite_log_find(import->store, record->post, original, &entry);
    if (status == STORE_FAILED)
        return STORE_FAILED;
    if (status != STORE_OK || entry.kind != LOG_MESSAGE || entry.author != from->id ||
        entry.stream != to->id)
        return import_refuse(import, "the message that it is about is none of %s to %s before it",
                             record->user, record->other);
    status = sqlite_amended_find(import->store, *original, &last, &gone);
    if (status == STORE_OK && gone)
        return import_refuse(import, "the message that it is about was taken back before it");
    return status == STORE_FAILED ? STORE_FAILED : STORE_OK;
}

static int kind_of(const struct record *record) {
    return record->kind == RECORD_CORRECTION   ? LOG_CORRECTED
           : record->kind == RECORD_RETRACTION ? LOG_RETRACTED
                                               : LOG_MESSAGE;
}

static enum store_status append_message(struct store_import *import, const struct record *record,
                                        struct stream *from, struct stream *to, int64_t original) {
    enum store_status status =
        sqlite_log_append(import->store, &(struct log_entry){.kind = kind_of(record),
                                                             .delivered = record->delivered,
                                                             .id = record->id,
                                                             .time_us = record->time_us,
                                                             .author = from->id,
                                                             .stream = to->id,
                                                             .seq = record->seq,
                                                             .second = record->own_seq,
                                                             .original = original,
                                                             .original_id = record->post,
                                                             .text = record->text,
                                                             .text_bytes = record->text_bytes});
    if (status == STORE_OK && original > 0)
        status = sqlite_amended_note(import->store, original, record->kind == RECORD_RETRACTION);
    if (status == STORE_OK)
        status = push(import, to);
    import->store->messages++;
    return status == STORE_OK ? push(import, from) : status;
}

static enum store_status take_message(struct store_import *import, const struct record *record) {
    int64_t original = 0;
    struct stream *from = NULL, *to = NULL;
    enum store_status status = find_inbox(import, record->user, record->own_seq, &from);
    if (status == STORE_OK)
        status = find_inbox(import, record->other, record->seq, &to);
    if (status == STORE_OK && from == to)
        return import_refuse(import, "nobody can send to themselves");
    if (status == STORE_OK)
        status = check_id(import, record->id);
    if (status == STORE_OK)
        status = find_original(import, record, from, to, &original);
    if (status == STORE_OK)
        status = import_refuse_status(import, sqlite_add(import->store));
    return status == STORE_OK ? append_message(import, record, from, to, original) : status;
}

static enum store_status take_cursor(struct store_import *import, const struct record *record) {
    struct store *store = import->store;
    struct stream *stream = NULL;
    sqlite3_stmt *set = store->statements[STATEMENT_STREAM_CURSOR];
    enum store_status status = find_inbox(import, record->user, 0, &stream);
    if (status == STORE_OK && record->number > stream->head) {
        return import_refuse(import, "%s has read up to %llu, but the last number is %llu",
                             record->user, (unsigned long long)record->number,
                             (unsigned long long)stream->head);
    }
    if (status == STORE_OK && stream->cursor > 0)
        return import_refuse(import, "%s has a cursor already", record->user);
    if (status == STORE_OK)
        status = import_refuse_status(import, sqlite_write(store));
    if (status != STORE_OK)
        return status;
    stream->cursor = record->number;
    stream->cursor_follows = record->number == stream->head;
    bind_number(set, 1, stream->id);
    bind_number(set, 2, (int64_t)record->number);
    bind_number(set, 3, stream->cursor_follows);
    return sqlite_run(store, set);
}

/* ---- threads ---- */

static enum store_status take_thread(struct store_import *import, const struct record *record) {
    int64_t account = 0;
    enum store_status status = import_account(import, record->user, &account);
    if (status == STORE_OK)
        status = check_id(import, record->id);
    if (status == STORE_OK)
        status = import_refuse_status(
            import, store_thread_create(import->store, record->id, record->name, account,
                                        record->time_us, &import->thread));
    return status;
}

static enum store_status take_removed(struct store_import *import, const struct record *record) {
    struct store *store = import->store;
    enum store_status status = check_id(import, record->id);
    if (status == STORE_OK)
        status = import_refuse_status(import, sqlite_write(store));
    if (status != STORE_OK)
        return status;
    store->log->others_known = false;
    bind_blob(import->add_removed, 1, record->id, ID_BYTES);
    return sqlite_run(store, import->add_removed);
}

/* A post, an edit or a deletion. */
static enum store_status take_post(struct store_import *import, const struct record *record) {
    int64_t account = 0;
    struct store_post_changed changed;
    enum store_status status = import_account(import, record->user, &account);
    if (status == STORE_OK)
        status = import_thread(import, record->thread, record->seq);
    if (status == STORE_OK)
        status = check_id(import, record->id);
    if (status != STORE_OK)
        return status;
    struct store_post_change change = {.id = record->id,
                                       .title = import->thread.title,
                                       .account = account,
                                       .post = record->kind == RECORD_POST ? NULL : record->post,
                                       .text = record->text,
                                       .text_bytes = record->text_bytes,
                                       .now_us = record->time_us};
    enum store_status (*operation)(struct store *, const struct store_post_change *,
                                   struct store_post_changed *) =
        record->kind == RECORD_POST   ? store_post_add
        : record->kind == RECORD_EDIT ? store_post_edit
                                      : store_post_delete;
    return import_refuse_status(import, operation(import->store, &change, &changed));
}

/* An entry without a post or file of its own. */
static enum store_status append_entry(struct store_import *import, const struct record *record,
                                      struct log_entry *entry) {
    int64_t account = 0;
    enum store_status status = import_account(import, record->user, &account);
    if (status == STORE_OK)
        status = import_thread(import, record->thread, record->seq);
    if (status == STORE_OK)
        status = check_id(import, record->id);
    if (status == STORE_OK)
        status = import_refuse_status(import, sqlite_add(import->store));
    if (status == STORE_OK && entry->kind == LOG_FILE_DELETED)
        status = sqlite_use_log_always(import->store, account);
    entry->id = record->id;
    entry->author = account;
    entry->time_us = record->time_us;
    return status == STORE_OK ? sqlite_thread_append(import->store, &import->thread, entry)
                              : status;
}

static enum store_status take_gone_file(struct store_import *import, const struct record *record) {
    return append_entry(import, record, &(struct log_entry){.kind = LOG_UPLOADED, .text = ""});
}

static enum store_status take_file_deletion(struct store_import *import,
                                            const struct record *record) {
    struct log_entry uploaded;
    int64_t position = 0;
    enum store_status status = sqlite_log_find(import->store, record->post, &position, &uploaded);
    if (status == STORE_NOT_FOUND || (status == STORE_OK && uploaded.kind != LOG_UPLOADED))
        return import_refuse(import, "no file of that id was uploaded before");
    return status == STORE_OK
               ? append_entry(import, record,
                              &(struct log_entry){.kind = LOG_FILE_DELETED,
                                                  .second = (uint64_t)position,
                                                  .text = record->name,
                                                  .text_bytes = strlen(record->name)})
               : status;
}

static enum store_status take_follow(struct store_import *import, const struct record *record) {
    struct store *store = import->store;
    int64_t account = 0;
    struct store_followed followed;
    sqlite3_stmt *move = store->statements[STATEMENT_FOLLOW_MOVE];
    enum store_status status = import_account(import, record->user, &account);
    if (status == STORE_OK)
        status = import_thread(import, record->thread, 0);
    if (status == STORE_OK)
        status = import_refuse_status(
            import, store_follow(store, account, import->thread.title, &followed));
    if (status != STORE_OK)
        return status;
    if (record->number > followed.head) {
        return import_refuse(import, "its cursor is %llu, but the thread's last number is %llu",
                             (unsigned long long)record->number, (unsigned long long)followed.head);
    }
    bind_number(move, 1, account);
    bind_number(move, 2, followed.stream);
    bind_number(move, 3, (int64_t)record->number);
    return sqlite_run(store, move);
}

/* ---- what was lost ---- */

static enum store_status add_lost_post(struct store_import *import, const struct stream *stream) {
    struct store *store = import->store;
    sqlite3_stmt *add = store->statements[STATEMENT_POST_ADD];
    bind_number(add, 1, stream->id);
    bind_number(add, 2, (int64_t)stream->head);
    bind_number(add, 3, store->last_position);
    if (sqlite_run(store, add) != STORE_OK ||
        sqlite_number_came(store, stream->id, stream->head, stream->head) != STORE_OK)
        return STORE_FAILED;
    import->thread.posts++;
    return sqlite_thread_write(store, &import->thread);
}

static enum store_status take_lost(struct store_import *import, const struct record *record) {
    static const struct log_entry gone = {.kind = LOG_GONE};
    struct store *store = import->store;
    struct stream *stream = NULL;
    bool in_thread = record->user[0] == '\0';
    enum store_status status = in_thread ? import_thread(import, record->thread, record->seq)
                                         : find_inbox(import, record->user, record->seq, &stream);
    if (status == STORE_OK && in_thread)
        status = sqlite_stream(store, import->thread.stream, &stream);
    if (status == STORE_OK)
        status = import_refuse_status(import, sqlite_add(store));
    /* What is in memory of a thread are posts that follow each other. */
    if (status == STORE_OK)
        status = sqlite_fresh_write(store);
    if (status == STORE_OK)
        status = sqlite_log_append(store, &gone);
    if (status == STORE_OK)
        status = push(import, stream);
    return status == STORE_OK && in_thread && record->is_post ? add_lost_post(import, stream)
                                                              : status;
}

static enum store_status take_topics(struct store_import *import, const struct record *record) {
    if (import->has_topics)
        return import_refuse(import, "the numbers of topics were there already");
    import->has_topics = true;
    return import_refuse_status(import, store_topics_note(import->store, record->number));
}

/* ---- the whole ---- */

static enum store_status (*const by_kind[])(struct store_import *, const struct record *) = {
    [RECORD_ACCOUNT] = take_account,     [RECORD_DEVICE] = take_device,
    [RECORD_THREAD] = take_thread,       [RECORD_REMOVED] = take_removed,
    [RECORD_MESSAGE] = take_message,     [RECORD_CORRECTION] = take_message,
    [RECORD_RETRACTION] = take_message,  [RECORD_POST] = take_post,
    [RECORD_EDIT] = take_post,           [RECORD_DELETION] = take_post,
    [RECORD_FILE] = import_file,         [RECORD_UPLOAD] = import_file,
    [RECORD_PIECE] = import_piece,       [RECORD_LOST] = take_lost,
    [RECORD_FOLLOW] = take_follow,       [RECORD_BLOCK] = take_block,
    [RECORD_FAILURE] = take_failure,     [RECORD_CURSOR] = take_cursor,
    [RECORD_TOPICS] = take_topics,       [RECORD_FILE_DELETION] = take_file_deletion,
    [RECORD_FILE_GONE] = take_gone_file, [RECORD_END] = NULL,
};

static enum store_status commit(struct store_import *import) {
    bool more;
    if (!import->store->in_turn)
        return STORE_OK;
    import->rows = import->bytes = 0;
    return store_notes_write(import->store) == STORE_OK &&
                   store_maintain(import->store, &more) == STORE_OK &&
                   store_commit(import->store) == STORE_OK
               ? store_maintain(import->store, &more)
               : STORE_FAILED;
}

enum store_status store_import_take(struct store_import *import, const struct record *record,
                                    char fault[IMPORT_FAULT_BYTES]) {
    struct store *store = import->store;
    enum store_status status = STORE_OK;
    import->fault = fault;
    fault[0] = '\0';
    if (import->rows >= ROWS_MAX || import->bytes >= BYTES_MAX)
        status = commit(import);
    if (status == STORE_OK && !store->in_turn)
        status = store_begin(store);
    if (status == STORE_OK && record->kind != RECORD_PIECE)
        status = import_file_end(import);
    if (status == STORE_OK)
        status = by_kind[record->kind] ? by_kind[record->kind](import, record)
                                       : import_refuse(import, "it is no record of a store");
    import->rows++;
    import->bytes += record->text_bytes;
    return status;
}

/* Entries that are gone are in no log from which the next opening could take them, so all go into
 * the tables now. */
static enum store_status merge_all(struct store_import *import) {
    struct store *store = import->store;
    enum store_status status = commit(import);
    do {
        if (status == STORE_OK)
            status = store_begin(store);
        if (status == STORE_OK)
            status = sqlite_merge_slice(store);
        if (status == STORE_OK)
            status = store_commit(store);
    } while (status == STORE_OK && (view_pass_runs(store->view) || view_count(store->view) > 0));
    return status;
}

enum store_status store_import_end(struct store_import *import, char fault[IMPORT_FAULT_BYTES]) {
    import->fault = fault;
    fault[0] = '\0';
    enum store_status status = import_file_end(import);
    return status == STORE_OK ? merge_all(import) : status;
}

static bool prepare(struct store_import *import, const char *sql, sqlite3_stmt **out) {
    return sqlite3_prepare_v2(import->store->db, sql, -1, out, NULL) == SQLITE_OK;
}

/* Aligned, because the state of a hash has to be. */
static struct store_import *new_import(void) {
    size_t alignment = _Alignof(struct store_import);
    struct store_import *import = aligned_alloc(alignment, sizeof *import);
    if (import)
        memset(import, 0, sizeof *import);
    return import;
}

enum store_status store_import_open(struct store_import **out, const char *path) {
    struct store_import *import = *out = new_import();
    if (!import)
        return STORE_FAILED;
    enum store_status status =
        store_open(&import->store, &(struct store_options){.path = path, .wal_pages = 4096});
    if (status != STORE_OK)
        return status;
    return prepare(import, "UPDATE account SET devices = ?2 WHERE id = ?1", &import->set_devices) &&
                   prepare(import, "SELECT devices FROM account WHERE id = ?1",
                           &import->get_devices) &&
                   prepare(import, "INSERT INTO removed_thread (id) VALUES (?1)",
                           &import->add_removed) &&
                   prepare(import, "UPDATE file SET chunk_us = ?2 WHERE file = ?1",
                           &import->set_chunk)
               ? STORE_OK
               : sqlite_fail(import->store, "prepare the statements of");
}

const char *store_import_error(const struct store_import *import) {
    return store_error(import ? import->store : NULL);
}

void store_import_close(struct store_import *import) {
    if (!import)
        return;
    (void)sqlite3_finalize(import->set_devices);
    (void)sqlite3_finalize(import->get_devices);
    (void)sqlite3_finalize(import->add_removed);
    (void)sqlite3_finalize(import->set_chunk);
    store_close(import->store);
    free(import);
}
