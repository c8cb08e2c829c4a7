/* Reading an inbox back from its newest entry, one conversation or all. Nothing finds the entries
 * of one conversation, so that each is looked at; what one call looks at is bounded. */
#include "log.h"
#include "walk.h"

/* Entries whose positions are found at once. */
#define WINDOW 128
/* Bytes of texts after which a call ends: as much as some turns answer. */
#define BYTES_MAX ((size_t)2 * 1024 * 1024)

struct back {
    struct store *store;
    const struct stream *stream;         /* borrowed: from the view */
    const struct store_history *history; /* borrowed: from the caller */
    bool (*each)(void *arg, const struct store_message *);
    void *arg;
    int64_t other;   /* account; 0: everybody */
    uint64_t before; /* from here on everything was looked at */
    size_t taken;
    size_t rows;
    size_t bytes;
    bool full; /* of the page or the call: there may be more */
    bool over; /* what is before is older than what is asked for */
};

static bool in_conversation(const struct back *back, const struct log_entry *entry) {
    return back->other == 0 || entry->author == back->other || entry->stream == back->other;
}

/* What can't be read at all is of no conversation, and of no time. */
static bool fits(const struct back *back, const struct log_entry *entry) {
    const struct store_history *history = back->history;
    if (!log_is_message(entry->kind))
        return back->other == 0 && history->since_us == 0 && history->until_us == 0;
    return in_conversation(back, entry) &&
           (history->until_us == 0 || entry->time_us < history->until_us);
}

static enum store_status take(struct back *back, const struct log_entry *entry, uint64_t seq) {
    struct store_message message;
    if (sqlite_message_of(back->store, entry, seq, &message) != STORE_OK)
        return STORE_FAILED;
    back->full = !back->each(back->arg, &message);
    back->taken += !back->full;
    return STORE_OK;
}

static bool is_older(const struct back *back, const struct log_entry *entry) {
    return log_is_message(entry->kind) && entry->time_us < back->history->since_us;
}

static enum store_status look(struct back *back, int64_t position, uint64_t seq) {
    struct log_entry entry;
    if (sqlite_log_read(back->store, position, &entry) != STORE_OK)
        return STORE_FAILED;
    size_t bytes = entry.text_bytes;
    back->rows++;
    back->over = is_older(back, &entry);
    if (!back->over && fits(back, &entry) && take(back, &entry, seq) != STORE_OK)
        return STORE_FAILED;
    if (back->full || back->over)
        return STORE_OK;
    back->before = seq;
    back->bytes += bytes;
    back->full = back->taken == back->history->limit || back->rows >= back->history->rows_max ||
                 back->bytes >= BYTES_MAX;
    return STORE_OK;
}

static bool goes_on(const struct back *back) {
    return back->before > 1 && !back->full && !back->over;
}

/* The positions of the entries before, in order, and then these from the last one on. */
static enum store_status look_window(struct back *back) {
    int64_t positions[WINDOW];
    struct walk walk;
    uint64_t after = back->before - 1 > WINDOW ? back->before - 1 - WINDOW : 0;
    size_t count = (size_t)(back->before - 1 - after);
    enum store_status status =
        walk_begin(back->store, &walk, back->stream, after, back->before - 1);
    for (size_t i = 0; i < count && status == STORE_OK; i++)
        status = walk_next(back->store, &walk, &positions[i]);
    for (size_t i = count; i > 0 && status == STORE_OK && goes_on(back); i--)
        status = look(back, positions[i - 1], after + i);
    return walk_end(back->store, &walk, status);
}

/* ---- times ---- */

static enum store_status read_at(struct back *back, uint64_t seq, struct log_entry *entry) {
    struct walk walk;
    int64_t position = 0;
    enum store_status status = walk_begin(back->store, &walk, back->stream, seq - 1, seq);
    if (status == STORE_OK)
        status = walk_next(back->store, &walk, &position);
    if (status == STORE_OK)
        status = sqlite_log_read(back->store, position, entry);
    back->rows++;
    return walk_end(back->store, &walk, status);
}

/* Passes over what is later than asked for, by halves. What can't be read has no time: then no more
 * than what was passed over by then is. */
static enum store_status pass_later(struct back *back) {
    int64_t until_us = back->history->until_us;
    uint64_t low = 1, high = back->before;
    while (until_us > 0 && low < high) {
        /* the last one first: mostly there is nothing to pass over any more */
        uint64_t middle = high == back->before ? high - 1 : low + (high - low) / 2;
        struct log_entry entry;
        if (read_at(back, middle, &entry) != STORE_OK)
            return STORE_FAILED;
        if (!log_is_message(entry.kind))
            break;
        if (entry.time_us < until_us)
            low = middle + 1;
        else
            high = middle;
    }
    back->before = high;
    return STORE_OK;
}

/* ---- the operation ---- */

static enum store_status begin(struct back *back) {
    const struct store_history *history = back->history;
    struct stream *stream;
    const struct person *person;
    enum store_status status = sqlite_stream(back->store, history->account, &stream);
    if (status != STORE_OK)
        return status;
    back->stream = stream;
    back->before = stream->head + 1;
    if (history->before_seq > 0 && history->before_seq < back->before)
        back->before = history->before_seq;
    if (!history->with)
        return STORE_OK;
    status = sqlite_person_named(back->store, history->with, &person);
    if (status == STORE_OK)
        back->other = person->account;
    return status == STORE_OK && back->other == history->account ? STORE_SELF : status;
}

enum store_status store_inbox_read_back(struct store *store, const struct store_history *history,
                                        bool (*each)(void *arg, const struct store_message *),
                                        void *arg, uint64_t *before_seq, size_t *rows) {
    struct back back = {.store = store, .history = history, .each = each, .arg = arg};
    enum store_status status = store->failed ? STORE_FAILED : begin(&back);
    back.full = history->limit == 0;
    if (status == STORE_OK)
        status = pass_later(&back);
    while (status == STORE_OK && goes_on(&back))
        status = look_window(&back);
    *before_seq = back.before > 1 && !back.over ? back.before : 0;
    *rows = back.rows;
    return status;
}
