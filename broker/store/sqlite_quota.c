/* Quotas of unread messages. While fewer entries than the smaller limit are unread, whoever sent
 * them, nothing can be exceeded and nothing is counted; only beyond that the stream gets a tally,
 * counted once from the store. Moving the cursor takes what was read out of it, or drops it where
 * counting anew is cheaper: so a reader can't make it be counted over and over. */
#include "sqlite_store.h"
#include "tally.h"

static uint64_t smaller_limit(const struct store *store) {
    return store->unread_per_sender_max < store->unread_max ? store->unread_per_sender_max
                                                            : store->unread_max;
}

struct count {
    struct tally *tally;
    int64_t owner;
};

static bool count_in(void *arg, int64_t author) {
    struct count *count = arg;
    return author == count->owner || tally_add(count->tally, author);
}

static bool count_out(void *arg, int64_t author) {
    struct count *count = arg;
    if (author != count->owner) {
        tally_take(count->tally, author);
    }
    return true;
}

static enum store_status begin_tally(struct store *store, struct stream *stream) {
    stream->tally = tally_new();
    if (stream->tally == NULL) {
        return sqlite_no_memory(store);
    }
    struct count count = {.tally = stream->tally, .owner = stream->id};
    return sqlite_authors(store, stream, stream->cursor, stream->head, count_in, &count);
}

enum store_status sqlite_quota_check(struct store *store, struct stream *stream, int64_t sender) {
    if (stream->head - stream->cursor < smaller_limit(store)) {
        return STORE_OK;
    }
    if (stream->tally == NULL && begin_tally(store, stream) != STORE_OK) {
        return STORE_FAILED;
    }
    if (tally_total(stream->tally) >= store->unread_max) {
        return STORE_QUOTA_INBOX;
    }
    return tally_of(stream->tally, sender) >= store->unread_per_sender_max ? STORE_QUOTA_SENDER
                                                                           : STORE_OK;
}

enum store_status sqlite_quota_received(struct store *store, struct stream *stream,
                                        int64_t sender) {
    if (stream->tally != NULL && !tally_add(stream->tally, sender)) {
        return sqlite_no_memory(store);
    }
    return STORE_OK;
}

enum store_status sqlite_quota_read(struct store *store, struct stream *stream, uint64_t from) {
    uint64_t read = stream->cursor - from;
    uint64_t unread = stream->head - stream->cursor;
    if (stream->tally == NULL) {
        return STORE_OK;
    }
    if (unread < smaller_limit(store) || unread < read) {
        tally_free(stream->tally);
        stream->tally = NULL;
        return STORE_OK;
    }
    struct count count = {.tally = stream->tally, .owner = stream->id};
    return sqlite_authors(store, stream, from, stream->cursor, count_out, &count);
}
