/* Quotas of unread messages, in number and in bytes. As long as the number of unread entries is
 * below half of the smaller limit, and they can't have half of the bytes allowed either, no quota
 * can be exceeded and nothing is counted. Only beyond that the stream gets a tally, counted once
 * from the store. When the cursor moves, what was read is taken out of the tally, or the tally is
 * dropped if counting anew is cheaper. So a reader can't cause counting over and over.
 *
 * A million may be unread, and nobody waits until they are counted: each new message counts the
 * next COUNT_AT_ONCE of them, and entries that are not counted yet refuse nothing. The counting
 * ends long before a limit is reached; except that, for every COUNT_AT_ONCE entries that were
 * unread at the start, one message may come beyond the limit.
 *
 * The most bytes that the unread entries can have is metered: the bytes that came since the last
 * moment at which the sum was known, but never more than the largest texts would have. None of this
 * is on the disk: for entries that were unread at the start the second bound is used, until they
 * are counted or read. A tally with less than a quarter is dropped again; so at least as much comes
 * between two counts. */
#include "inside.h"
#include "memory/tally.h"

/* A stream's meter is in these, so that it fits beside the rest. */
#define UNIT_BYTES 64
/* Takes some milliseconds if each entry is in a row of its own in the log. */
#define COUNT_AT_ONCE 1024

static uint64_t smaller(uint64_t one, uint64_t other) {
    return one < other ? one : other;
}

/* From so many entries, and from so many bytes on, a stream has a tally. */
static uint64_t tally_count(const struct store *store) {
    return smaller(store->unread_per_sender_max, store->unread_max) / 2;
}

static uint64_t tally_bytes(const struct store *store) {
    return smaller(store->unread_bytes_per_sender_max, store->unread_bytes_max) / 2;
}

static uint64_t cost_of(size_t text_bytes) {
    return INBOX_ENTRY_BYTES + text_bytes;
}

static uint64_t units_of(uint64_t bytes) {
    return (bytes + UNIT_BYTES - 1) / UNIT_BYTES;
}

static uint64_t unread_of(const struct stream *stream) {
    return stream->head - stream->cursor;
}

/* ---- the meter ---- */

static uint64_t most_bytes(const struct stream *stream) {
    uint64_t largest = unread_of(stream) * cost_of(TEXT_BYTES_MAX);
    return stream->is_metered ? smaller(largest, (uint64_t)stream->unread_units * UNIT_BYTES)
                              : largest;
}

static void meter_set(struct stream *stream, uint64_t bytes) {
    stream->unread_units = (uint32_t)smaller(units_of(bytes), UINT32_MAX);
    stream->is_metered = true;
}

static void meter_received(struct stream *stream, size_t text_bytes) {
    uint64_t cost = units_of(cost_of(text_bytes));
    if (unread_of(stream) == 1)
        meter_set(stream, cost * UNIT_BYTES);
    else if (stream->is_metered)
        stream->unread_units = (uint32_t)smaller(stream->unread_units + cost, UINT32_MAX);
}

/* ---- the tally ---- */

struct count {
    struct tally *tally;
    int64_t owner;
};

static bool count_in(void *arg, int64_t author, size_t text_bytes) {
    struct count *count = arg;
    return author == count->owner || tally_add(count->tally, author, cost_of(text_bytes));
}

static bool count_out(void *arg, int64_t author, size_t text_bytes) {
    struct count *count = arg;
    if (author != count->owner)
        tally_take(count->tally, author, cost_of(text_bytes));
    return true;
}

static bool begin_tally(struct stream *stream) {
    stream->tally = tally_new();
    if (!stream->tally)
        return false;
    *tally_span(stream->tally) = (struct tally_span){stream->cursor, stream->head};
    return true;
}

static bool is_whole(const struct stream *stream) {
    const struct tally_span *span = tally_span(stream->tally);
    return span->counted >= span->end;
}

static enum store_status count_some(struct store *store, struct stream *stream) {
    struct tally_span *span = tally_span(stream->tally);
    if (is_whole(stream))
        return STORE_OK;
    uint64_t from = span->counted, left = span->end - from;
    struct count count = {.tally = stream->tally, .owner = stream->id};
    span->counted += smaller(left, COUNT_AT_ONCE);
    return sqlite_authors(store, stream, from, span->counted, count_in, &count);
}

/* The entries after `from` up to `to` were read; some of them were counted. */
static enum store_status take_out(struct store *store, struct stream *stream, uint64_t from,
                                  uint64_t to) {
    struct tally_span *span = tally_span(stream->tally);
    struct count count = {.tally = stream->tally, .owner = stream->id};
    uint64_t counted = smaller(to, span->counted), behind = from > span->end ? from : span->end;
    enum store_status status = STORE_OK;
    if (from < counted)
        status = sqlite_authors(store, stream, from, counted, count_out, &count);
    if (status == STORE_OK && behind < to)
        status = sqlite_authors(store, stream, behind, to, count_out, &count);
    if (span->counted < to)
        span->counted = smaller(to, span->end);
    return status;
}

/* A partial count says nothing about the bytes: what was known of them before stays valid. */
static void drop_tally(struct stream *stream) {
    if (is_whole(stream))
        meter_set(stream, tally_total(stream->tally).bytes);
    tally_free(stream->tally);
    stream->tally = NULL;
}

/* Whether the tally shows that no quota is near. */
static bool tally_is_spare(const struct store *store, const struct stream *stream) {
    return is_whole(stream) && unread_of(stream) < tally_count(store) / 2 &&
           tally_total(stream->tally).bytes < tally_bytes(store) / 2;
}

static enum store_status check_tally(const struct store *store, const struct tally *tally,
                                     int64_t sender) {
    struct tally_sum all = tally_total(tally), theirs = tally_of(tally, sender);
    if (all.count >= store->unread_max || all.bytes >= store->unread_bytes_max)
        return STORE_QUOTA_INBOX;
    return theirs.count >= store->unread_per_sender_max ||
                   theirs.bytes >= store->unread_bytes_per_sender_max
               ? STORE_QUOTA_SENDER
               : STORE_OK;
}

enum store_status sqlite_quota_check(struct store *store, struct stream *stream, int64_t sender) {
    if (!stream->tally && unread_of(stream) < tally_count(store) &&
        most_bytes(stream) < tally_bytes(store))
        return STORE_OK;
    if (!stream->tally && !begin_tally(stream))
        return sqlite_no_memory(store);
    if (count_some(store, stream) != STORE_OK)
        return STORE_FAILED;
    enum store_status status = check_tally(store, stream->tally, sender);
    if (tally_is_spare(store, stream))
        drop_tally(stream);
    return status;
}

enum store_status sqlite_quota_received(struct store *store, struct stream *stream, int64_t sender,
                                        size_t text_bytes) {
    meter_received(stream, text_bytes);
    if (stream->tally && !tally_add(stream->tally, sender, cost_of(text_bytes)))
        return sqlite_no_memory(store);
    return STORE_OK;
}

/* If more was read than is left, counting anew is cheaper: what is left is less than half of what
 * was counted before. And if much was read, nobody waits for the counting. */
enum store_status sqlite_quota_read(struct store *store, struct stream *stream, uint64_t from) {
    uint64_t read = stream->cursor - from;
    if (!stream->tally)
        return STORE_OK;
    if (unread_of(stream) < read || read > COUNT_AT_ONCE) {
        drop_tally(stream);
        return STORE_OK;
    }
    enum store_status status = take_out(store, stream, from, stream->cursor);
    if (status == STORE_OK && tally_is_spare(store, stream))
        drop_tally(stream);
    return status;
}
