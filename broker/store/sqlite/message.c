/* Appending a message: an entry of the log, and its place in two streams of the view. */
#include "log.h"
#include "walk.h"

#include <string.h>

struct append {
    const struct store_message_new *message; /* borrowed: from the caller */
    struct stream *author;                   /* borrowed: from the view */
    struct stream *recipient;                /* borrowed: from the view */
};

static enum store_status check(struct store *store, const struct append *append) {
    int64_t author = append->author->id;
    int64_t recipient = append->recipient->id;
    if (blocks_is(store->blocks, author, recipient))
        return STORE_BLOCKED;
    if (blocks_is(store->blocks, recipient, author))
        return STORE_BLOCKED_BY;
    return append->message->only_again ? STORE_NOT_STORED
                                       : sqlite_quota_check(store, append->recipient, author);
}

static bool is_same(const struct log_entry *entry, const struct append *append) {
    const struct store_message_new *message = append->message;
    return entry->kind == LOG_MESSAGE && !entry->text_damaged &&
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
    return sqlite_log_append(store, &(struct log_entry){.kind = LOG_MESSAGE,
                                                        .delivered = message->delivered,
                                                        .id = message->id,
                                                        .time_us = message->time_us,
                                                        .author = append->author->id,
                                                        .stream = append->recipient->id,
                                                        .seq = append->recipient->head + 1,
                                                        .second = append->author->head + 1,
                                                        .text = message->text,
                                                        .text_bytes = message->text_bytes});
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
    if (status == STORE_OK && (entry.kind != LOG_MESSAGE || entry.author != author))
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
