/* Appending a message: one row of the log, and its entry in two streams of the view. The common
 * path is one statement; what a failing check or a known id needs besides is read only then. */
#include "sqlite_store.h"

#include <string.h>

struct append {
    const struct store_message_new *message; /* borrowed: from the caller */
    struct stream *author;                   /* borrowed: from the view */
    struct stream *recipient;                /* borrowed: from the view */
};

static enum store_status check(struct store *store, const struct append *append) {
    int64_t author = append->author->id;
    int64_t recipient = append->recipient->id;
    if (blocks_is(store->blocks, author, recipient)) {
        return STORE_BLOCKED;
    }
    if (blocks_is(store->blocks, recipient, author)) {
        return STORE_BLOCKED_BY;
    }
    return append->message->only_again ? STORE_NOT_FOUND
                                       : sqlite_quota_check(store, append->recipient, author);
}

static bool is_same(sqlite3_stmt *row, const struct append *append) {
    const struct store_message_new *message = append->message;
    const unsigned char *text = sqlite3_column_text(row, 6);
    return sqlite3_column_int(row, 0) == LOG_MESSAGE &&
           sqlite3_column_int64(row, 2) == append->author->id &&
           sqlite3_column_int64(row, 3) == append->recipient->id &&
           (size_t)sqlite3_column_bytes(row, 6) == message->text_bytes &&
           memcmp(text, message->text, message->text_bytes) == 0;
}

/* What is stored under the message's id: OK (the same), ID_REUSED, NOT_FOUND. */
static enum store_status find_again(struct store *store, const struct append *append,
                                    struct store_message_stored *out) {
    sqlite3_stmt *find = store->statements[STATEMENT_LOG_BY_ID];
    bind_blob(find, 1, append->message->id, ID_BYTES);
    enum step step = sqlite_step(store, find);
    enum store_status status = step == STEP_FAILED ? STORE_FAILED : STORE_NOT_FOUND;
    if (step == STEP_ROW) {
        status = is_same(find, append) ? STORE_OK : STORE_ID_REUSED;
    }
    if (status == STORE_OK) {
        *out = (struct store_message_stored){
            .again = true,
            .recipient = sqlite3_column_int64(find, 3),
            .time_us = sqlite3_column_int64(find, 1),
            .author_seq = column_count(find, 5),
            .recipient_seq = column_count(find, 4),
            .delivered = sqlite3_column_int(find, 7) != 0,
        };
    }
    (void)sqlite3_reset(find);
    return status;
}

/* *inserted: false where the id is there already. */
static enum store_status insert(struct store *store, const struct append *append, bool *inserted) {
    const struct store_message_new *message = append->message;
    sqlite3_stmt *add = store->statements[STATEMENT_LOG_APPEND];
    bind_number(add, 1, store->last_position + 1);
    bind_blob(add, 2, message->id, ID_BYTES);
    bind_number(add, 3, LOG_MESSAGE);
    bind_number(add, 4, message->time_us);
    bind_number(add, 5, append->author->id);
    bind_number(add, 6, append->recipient->id);
    bind_number(add, 7, (int64_t)append->recipient->head + 1);
    bind_number(add, 8, append->author->id);
    bind_number(add, 9, (int64_t)append->author->head + 1);
    bind_text_bytes(add, 10, message->text, message->text_bytes);
    bind_number(add, 11, message->delivered);
    enum store_status status = sqlite_run(store, add);
    *inserted = status == STORE_OK && sqlite3_changes(store->db) > 0;
    return status;
}

static enum store_status push(struct store *store, const struct append *append,
                              struct store_message_stored *out) {
    int64_t position = ++store->last_position;
    store->messages++;
    store->view_appended += 2;
    if (!view_push(store->view, append->recipient, position, false) ||
        !view_push(store->view, append->author, position, true)) {
        return sqlite_no_memory(store);
    }
    *out = (struct store_message_stored){
        .recipient = append->recipient->id,
        .time_us = append->message->time_us,
        .author_seq = append->author->head,
        .recipient_seq = append->recipient->head,
        .delivered = append->message->delivered,
    };
    return sqlite_quota_received(store, append->recipient, append->author->id);
}

static enum store_status find_streams(struct store *store, struct append *append) {
    const struct person *person;
    enum store_status status = sqlite_person_named(store, append->message->to, &person);
    if (status != STORE_OK) {
        return status;
    }
    if (person->account == append->message->author) {
        return STORE_SELF;
    }
    status = sqlite_stream(store, person->account, &append->recipient);
    return status == STORE_OK ? sqlite_stream(store, append->message->author, &append->author)
                              : status;
}

/* What was stored before is answered, whatever stands against it now. */
static enum store_status refuse(struct store *store, const struct append *append,
                                enum store_status status, struct store_message_stored *out) {
    enum store_status again =
        status == STORE_FAILED ? STORE_FAILED : find_again(store, append, out);
    return again == STORE_NOT_FOUND ? status : again;
}

enum store_status store_message_append(struct store *store, const struct store_message_new *message,
                                       struct store_message_stored *out) {
    if (store->failed) {
        return STORE_FAILED;
    }
    struct append append = {.message = message};
    enum store_status status = find_streams(store, &append);
    if (status != STORE_OK) {
        return status;
    }
    status = check(store, &append);
    if (status != STORE_OK) {
        return refuse(store, &append, status, out);
    }
    status = sqlite_add(store);
    if (status != STORE_OK) {
        return refuse(store, &append, status, out);
    }
    bool inserted;
    if (insert(store, &append, &inserted) != STORE_OK) {
        return STORE_FAILED;
    }
    return inserted ? push(store, &append, out) : find_again(store, &append, out);
}

uint64_t store_message_count(const struct store *store) {
    return store->messages;
}
