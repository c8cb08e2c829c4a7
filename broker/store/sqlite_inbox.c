/* Reading inboxes, and streams as such: their heads and cursors. */
#include "sqlite_store.h"
#include "sqlite_walk.h"

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

enum store_status sqlite_stream_add(struct store *store, int kind, int64_t *id) {
    sqlite3_stmt *add = store->statements[STATEMENT_STREAM_ADD];
    if (sqlite_meta_next(store, "streams", id) != STORE_OK) {
        return STORE_FAILED;
    }
    bind_number(add, 1, *id);
    bind_number(add, 2, kind);
    return sqlite_run(store, add);
}

/* ---- pages ---- */

struct page {
    size_t left;
    bool (*each)(void *arg, const struct store_message *);
    void *arg;
    bool ended; /* by the limit, or by `each` */
};

/* A row: id, time, author, recipient, text. */
static enum store_status hand_out(struct store *store, sqlite3_stmt *row, uint64_t seq,
                                  struct page *page) {
    const struct person *from;
    const struct person *to;
    struct store_message message = {
        .seq = seq,
        .time_us = sqlite3_column_int64(row, 1),
        .text = (const char *)sqlite3_column_text(row, 4),
        .text_bytes = (size_t)sqlite3_column_bytes(row, 4),
    };
    enum store_status status = sqlite_person(store, sqlite3_column_int64(row, 2), &from);
    if (status == STORE_OK) {
        status = sqlite_person(store, sqlite3_column_int64(row, 3), &to);
    }
    if (status == STORE_FAILED) {
        return status;
    }
    if (status != STORE_OK || message.text == NULL || !column_blob(row, 0, message.id, ID_BYTES)) {
        return sqlite_fail_because(store, "read", "a message in the log is damaged");
    }
    message.from = from->name;
    message.to = to->name;
    page->ended = !page->each(page->arg, &message) || --page->left == 0;
    return STORE_OK;
}

static enum store_status read_message(struct store *store, int64_t position, uint64_t seq,
                                      struct page *page) {
    sqlite3_stmt *find = store->statements[STATEMENT_LOG_MESSAGE];
    bind_number(find, 1, position);
    enum step step = sqlite_step(store, find);
    enum store_status status = STORE_FAILED;
    if (step == STEP_ROW) {
        status = hand_out(store, find, seq, page);
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
    if (status != STORE_OK) {
        return status;
    }
    struct walk walk;
    int64_t position = 0;
    status = walk_begin(store, &walk, stream, after_seq, stream->head);
    while (status == STORE_OK && !page.ended &&
           (status = walk_next(store, &walk, &position)) == STORE_OK) {
        status = read_message(store, position, walk.seq, &page);
    }
    return walk_end(store, &walk, status);
}

enum store_status sqlite_authors(struct store *store, const struct stream *stream,
                                 uint64_t after_seq, uint64_t last_seq,
                                 bool (*each)(void *arg, int64_t author), void *arg) {
    sqlite3_stmt *find = store->statements[STATEMENT_LOG_AUTHOR];
    struct walk walk;
    int64_t position = 0;
    enum store_status status = walk_begin(store, &walk, stream, after_seq, last_seq);
    while (status == STORE_OK && (status = walk_next(store, &walk, &position)) == STORE_OK) {
        int64_t author = 0;
        bind_number(find, 1, position);
        if (sqlite_number(store, find, &author) != STORE_OK) {
            status = sqlite_fail_because(store, "read", "a message is missing in the log");
        } else if (!each(arg, author)) {
            status = sqlite_no_memory(store);
        }
    }
    return walk_end(store, &walk, status);
}

/* ---- heads and cursors ---- */

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
    status = sqlite_write(store);
    if (status != STORE_OK) {
        return status;
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
