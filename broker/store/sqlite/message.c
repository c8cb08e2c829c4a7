/* Appending a message: an entry of the log, and its place in two streams of the view. */
#include "log.h"
#include "walk.h"

#include <string.h>

struct append {
    const struct store_message_new *message; /* borrowed: from the caller */
    struct stream *author;                   /* borrowed: from the view */
    struct stream *recipient;                /* borrowed: from the view */
    int64_t original;                        /* position in the log; 0: it is about none */
};

/* What is said of the original may change: only its author may, to whom it was sent, while it
 * stands. */
static enum store_status check_original(struct store *store, const struct append *append,
                                        const struct log_entry *entry) {
    int64_t author = append->author->id, last;
    bool gone;
    if (!log_is_message(entry->kind) || (entry->author != author && entry->stream != author))
        return STORE_NO_MESSAGE;
    if (entry->author != author)
        return STORE_NOT_OWNER;
    if (entry->stream != append->recipient->id)
        return STORE_OTHER_PERSON;
    if (entry->kind != LOG_MESSAGE)
        return STORE_NO_ORIGINAL;
    enum store_status status = sqlite_amended_find(store, append->original, &last, &gone);
    return status == STORE_NOT_FOUND    ? STORE_OK
           : status == STORE_OK && gone ? STORE_RETRACTED
                                        : status;
}

static enum store_status find_original(struct store *store, struct append *append) {
    struct log_entry entry;
    enum store_status status =
        sqlite_log_find(store, append->message->original, &append->original, &entry);
    return status == STORE_OK          ? check_original(store, append, &entry)
           : status == STORE_NOT_FOUND ? STORE_NO_MESSAGE
                                       : status;
}

static enum store_status check(struct store *store, struct append *append) {
    int64_t author = append->author->id;
    int64_t recipient = append->recipient->id;
    if (blocks_is(store->blocks, author, recipient))
        return STORE_BLOCKED;
    if (blocks_is(store->blocks, recipient, author))
        return STORE_BLOCKED_BY;
    enum store_status status = append->message->about ? find_original(store, append) : STORE_OK;
    if (status != STORE_OK)
        return status;
    return append->message->only_again ? STORE_NOT_STORED
                                       : sqlite_quota_check(store, append->recipient, author);
}

static int kind_of(const struct store_message_new *message) {
    return message->about == STORE_CORRECTS   ? LOG_CORRECTED
           : message->about == STORE_RETRACTS ? LOG_RETRACTED
                                              : LOG_MESSAGE;
}

static bool is_about_same(const struct log_entry *entry, const struct store_message_new *message) {
    return entry->kind == kind_of(message) &&
           (!message->about || memcmp(entry->original_id, message->original, ID_BYTES) == 0);
}

static bool is_same(const struct log_entry *entry, const struct append *append) {
    const struct store_message_new *message = append->message;
    return is_about_same(entry, message) && !entry->text_damaged &&
           entry->author == append->author->id && entry->stream == append->recipient->id &&
           entry->text_bytes == message->text_bytes &&
           memcmp(entry->text, message->text, message->text_bytes) == 0;
}

/* What is stored under the message's id: OK (the same), ID_REUSED, NOT_FOUND. */
static enum store_status find_again(struct store *store, const struct append *append,
                                    struct store_message_stored *out) {
    struct log_entry entry;
    int64_t position;
    enum store_status status = sqlite_log_find(store, append->message->id, &position, &entry);
    if (status != STORE_OK)
        return status;
    if (!is_same(&entry, append))
        return STORE_ID_REUSED;
    *out = (struct store_message_stored){
        .again = true,
        .recipient = entry.stream,
        .time_us = entry.time_us,
        .author_seq = entry.second,
        .recipient_seq = entry.seq,
        .delivered = entry.delivered,
    };
    return STORE_OK;
}

static enum store_status insert(struct store *store, const struct append *append) {
    const struct store_message_new *message = append->message;
    enum store_status status =
        sqlite_log_append(store, &(struct log_entry){.kind = kind_of(message),
                                                     .delivered = message->delivered,
                                                     .id = message->id,
                                                     .time_us = message->time_us,
                                                     .author = append->author->id,
                                                     .stream = append->recipient->id,
                                                     .seq = append->recipient->head + 1,
                                                     .second = append->author->head + 1,
                                                     .original = append->original,
                                                     .original_id = message->original,
                                                     .text = message->text,
                                                     .text_bytes = message->text_bytes});
    return status == STORE_OK && message->about
               ? sqlite_amended_note(store, append->original, message->about == STORE_RETRACTS)
               : status;
}

static enum store_status push(struct store *store, const struct append *append,
                              struct store_message_stored *out) {
    int64_t position = store->last_position;
    store->messages++;
    store->view_appended += 2;
    if (!view_push(store->view, append->recipient, position, false) ||
        !view_push(store->view, append->author, position, true))
        return sqlite_no_memory(store);
    *out = (struct store_message_stored){
        .recipient = append->recipient->id,
        .time_us = append->message->time_us,
        .author_seq = append->author->head,
        .recipient_seq = append->recipient->head,
        .delivered = append->message->delivered,
    };
    return sqlite_quota_received(store, append->recipient, append->author->id,
                                 append->message->text_bytes);
}

static enum store_status find_streams(struct store *store, struct append *append) {
    const struct person *person;
    enum store_status status = sqlite_person_named(store, append->message->to, &person);
    if (status != STORE_OK)
        return status;
    if (person->account == append->message->author)
        return STORE_SELF;
    status = sqlite_stream(store, person->account, &append->recipient);
    return status == STORE_OK ? sqlite_stream(store, append->message->author, &append->author)
                              : status;
}

enum store_status store_message_append(struct store *store, const struct store_message_new *message,
                                       struct store_message_stored *out) {
    if (store->failed)
        return STORE_FAILED;
    struct append append = {.message = message};
    enum store_status status = find_streams(store, &append);
    if (status != STORE_OK)
        return status;
    status = find_again(store, &append, out);
    if (status != STORE_NOT_FOUND)
        return status; /* whatever would refuse it now */
    status = check(store, &append);
    if (status == STORE_OK)
        status = sqlite_add(store);
    if (status != STORE_OK)
        return status;
    return insert(store, &append) == STORE_OK ? push(store, &append, out) : STORE_FAILED;
}

/* ---- what an author asks about ---- */

/* The entry at that place of the stream. */
static enum store_status entry_at(struct store *store, int64_t account, uint64_t seq,
                                  struct log_entry *out) {
    struct stream *stream;
    struct walk walk;
    int64_t position = 0;
    enum store_status status = sqlite_stream(store, account, &stream);
    if (status != STORE_OK)
        return status;
    if (seq == 0 || seq > stream->head)
        return STORE_NOT_FOUND;
    status = walk_begin(store, &walk, stream, seq - 1, seq);
    if (status == STORE_OK)
        status = walk_next(store, &walk, &position);
    bool found = status == STORE_OK && position > 0;
    status = walk_end(store, &walk, status);
    if (status != STORE_OK)
        return status;
    return found ? sqlite_log_read(store, position, out) : STORE_NOT_FOUND;
}

enum store_status store_message_sent(struct store *store, int64_t author, const unsigned char *id,
                                     uint64_t author_seq, struct store_message_sent *out) {
    struct log_entry entry;
    int64_t position;
    enum store_status status = store->failed ? STORE_FAILED
                               : id          ? sqlite_log_find(store, id, &position, &entry)
                                             : entry_at(store, author, author_seq, &entry);
    if (status == STORE_OK && (!log_is_message(entry.kind) || entry.author != author))
        status = STORE_NOT_FOUND;
    if (status != STORE_OK)
        return status;
    const struct person *to;
    *out = (struct store_message_sent){.recipient = entry.stream, .recipient_seq = entry.seq};
    memcpy(out->id, entry.id, ID_BYTES);
    status = sqlite_person(store, entry.stream, &to);
    if (status == STORE_OK)
        memcpy(out->to, to->name, sizeof out->to);
    return status;
}

uint64_t store_message_count(const struct store *store) {
    return store->messages;
}
