/* Reading inboxes: first the part of the stream in the table entry, then the part in memory. The
 * stream's `merged` divides them; rows of entry beyond it can't be, as both change together. */
#include "sqlite_store.h"

enum store_status sqlite_stream(struct store *store, int64_t id, struct stream **out) {
    *out = view_find(store->view, id);
    if (*out != NULL) {
        return STORE_OK;
    }
    sqlite3_stmt *get = store->statements[STATEMENT_STREAM_GET];
    bind_number(get, 1, id);
    enum step step = sqlite_step(store, get);
    if (step == STEP_ROW) {
        *out = view_add(store->view, id, column_count(get, 0), column_count(get, 1),
                        sqlite3_column_int(get, 2) != 0);
    }
    (void)sqlite3_reset(get);
    if (step != STEP_ROW) {
        return step == STEP_FAILED ? STORE_FAILED : STORE_NOT_FOUND;
    }
    return *out == NULL ? sqlite_no_memory(store) : STORE_OK;
}

struct page {
    size_t left;
    bool (*each)(void *arg, const struct store_message *);
    void *arg;
    bool ended; /* by the limit, or by `each` */
};

/* A row: seq, id, time, author, recipient, text. */
static enum store_status hand_out(struct store *store, sqlite3_stmt *row, struct page *page) {
    const struct person *from;
    const struct person *to;
    struct store_message message = {
        .seq = column_count(row, 0),
        .time_us = sqlite3_column_int64(row, 2),
        .text = (const char *)sqlite3_column_text(row, 5),
        .text_bytes = (size_t)sqlite3_column_bytes(row, 5),
    };
    enum store_status status = sqlite_person(store, sqlite3_column_int64(row, 3), &from);
    if (status == STORE_OK) {
        status = sqlite_person(store, sqlite3_column_int64(row, 4), &to);
    }
    if (status == STORE_FAILED) {
        return status;
    }
    if (status != STORE_OK || message.text == NULL || !column_blob(row, 1, message.id, ID_BYTES)) {
        return sqlite_fail_because(store, "read", "a message in the log is damaged");
    }
    message.from = from->name;
    message.to = to->name;
    page->ended = !page->each(page->arg, &message) || --page->left == 0;
    return STORE_OK;
}

static enum store_status read_merged(struct store *store, const struct stream *stream,
                                     uint64_t after_seq, struct page *page) {
    sqlite3_stmt *rows = store->statements[STATEMENT_ENTRY_MESSAGES];
    bind_number(rows, 1, stream->id);
    bind_number(rows, 2, (int64_t)after_seq);
    bind_number(rows, 3, (int64_t)stream->merged);
    enum store_status status = STORE_OK;
    enum step step = STEP_DONE;
    while (status == STORE_OK && !page->ended && (step = sqlite_step(store, rows)) == STEP_ROW) {
        status = hand_out(store, rows, page);
    }
    (void)sqlite3_reset(rows);
    return step == STEP_FAILED ? STORE_FAILED : status;
}

static enum store_status read_recent(struct store *store, const struct stream *stream, uint64_t seq,
                                     struct page *page) {
    sqlite3_stmt *find = store->statements[STATEMENT_LOG_MESSAGE];
    bind_number(find, 1, view_position(stream, seq));
    bind_number(find, 2, (int64_t)seq);
    enum step step = sqlite_step(store, find);
    enum store_status status = STORE_FAILED;
    if (step == STEP_ROW) {
        status = hand_out(store, find, page);
    } else if (step == STEP_DONE) {
        status = sqlite_fail_because(store, "read", "a message is missing in the log");
    }
    (void)sqlite3_reset(find);
    return status;
}

enum store_status store_inbox_read(struct store *store, int64_t account, uint64_t after_seq,
                                   size_t limit,
                                   bool (*each)(void *arg, const struct store_message *),
                                   void *arg) {
    struct page page = {.left = limit, .each = each, .arg = arg, .ended = limit == 0};
    struct stream *stream;
    enum store_status status =
        store->failed ? STORE_FAILED : sqlite_stream(store, account, &stream);
    if (status == STORE_OK && after_seq < stream->merged) {
        status = read_merged(store, stream, after_seq, &page);
        after_seq = stream->merged;
    }
    while (status == STORE_OK && !page.ended && after_seq < stream->head) {
        status = read_recent(store, stream, ++after_seq, &page);
    }
    return status;
}

static enum store_status authors_merged(struct store *store, const struct stream *stream,
                                        uint64_t after_seq, uint64_t last_seq,
                                        bool (*each)(void *arg, int64_t author), void *arg) {
    sqlite3_stmt *rows = store->statements[STATEMENT_ENTRY_AUTHORS];
    bind_number(rows, 1, stream->id);
    bind_number(rows, 2, (int64_t)after_seq);
    bind_number(rows, 3, (int64_t)last_seq);
    bool fits = true;
    enum step step = STEP_DONE;
    while (fits && (step = sqlite_step(store, rows)) == STEP_ROW) {
        fits = each(arg, sqlite3_column_int64(rows, 0));
    }
    (void)sqlite3_reset(rows);
    return step == STEP_FAILED ? STORE_FAILED : fits ? STORE_OK : sqlite_no_memory(store);
}

enum store_status sqlite_authors(struct store *store, const struct stream *stream,
                                 uint64_t after_seq, uint64_t last_seq,
                                 bool (*each)(void *arg, int64_t author), void *arg) {
    if (after_seq < stream->merged) {
        uint64_t last = last_seq < stream->merged ? last_seq : stream->merged;
        if (authors_merged(store, stream, after_seq, last, each, arg) != STORE_OK) {
            return STORE_FAILED;
        }
        after_seq = last;
    }
    sqlite3_stmt *find = store->statements[STATEMENT_LOG_AUTHOR];
    for (uint64_t seq = after_seq + 1; seq <= last_seq; seq++) {
        int64_t author = 0;
        bind_number(find, 1, view_position(stream, seq));
        if (sqlite_number(store, find, &author) != STORE_OK) {
            return sqlite_fail_because(store, "read", "a message is missing in the log");
        }
        if (!each(arg, author)) {
            return sqlite_no_memory(store);
        }
    }
    return STORE_OK;
}

enum store_status store_inbox_state(struct store *store, int64_t account, uint64_t *head,
                                    uint64_t *cursor) {
    struct stream *stream;
    enum store_status status =
        store->failed ? STORE_FAILED : sqlite_stream(store, account, &stream);
    if (status == STORE_OK) {
        *head = stream->head;
        *cursor = stream->cursor;
    }
    return status;
}

enum store_status store_cursor_move(struct store *store, int64_t account, uint64_t seq,
                                    uint64_t *cursor) {
    struct stream *stream;
    enum store_status status =
        store->failed ? STORE_FAILED : sqlite_stream(store, account, &stream);
    if (status != STORE_OK) {
        return status;
    }
    uint64_t from = stream->cursor;
    uint64_t to = seq < stream->head ? seq : stream->head;
    *cursor = to > from ? to : from;
    if (to <= from) {
        return STORE_OK;
    }
    sqlite3_stmt *set = store->statements[STATEMENT_STREAM_CURSOR];
    if (sqlite_write(store) != STORE_OK) {
        return STORE_FAILED;
    }
    bind_number(set, 1, account);
    bind_number(set, 2, (int64_t)to);
    bind_number(set, 3, to == stream->head);
    if (sqlite_run(store, set) != STORE_OK) {
        return STORE_FAILED;
    }
    stream->cursor = to;
    stream->cursor_follows = to == stream->head;
    return sqlite_quota_read(store, stream, from);
}
