/* Reading inboxes, and streams as such: their heads and cursors. */
#include "log.h"
#include "walk.h"

#include <string.h>

const struct statement_text inbox_statements[] = {
    {STATEMENT_STREAM_ADD, "INSERT INTO stream (id, kind) VALUES (?1, ?2)"},
    {STATEMENT_STREAM_GET, "SELECT merged_seq, read_seq, read_all FROM stream WHERE id = ?1"},
    {STATEMENT_STREAM_CURSOR, "UPDATE stream SET read_seq = ?2, read_all = ?3 WHERE id = ?1"},
    {0},
};

/* A stream that is not in memory was made after the opening, by another process: it has its row,
 * but no entries. */
enum store_status sqlite_stream(struct store *store, int64_t id, struct stream **out) {
    *out = view_find(store->view, id);
    if (*out)
        return STORE_OK;
    sqlite3_stmt *get = store->statements[STATEMENT_STREAM_GET];
    bind_number(get, 1, id);
    enum step step = sqlite_step(store, get);
    if (step == STEP_ROW) {
        *out = view_add(store->view, id, column_count(get, 0), column_count(get, 1),
                        sqlite3_column_int(get, 2) != 0);
    }
    (void)sqlite3_reset(get);
    if (step != STEP_ROW)
        return step == STEP_FAILED ? STORE_FAILED : STORE_NOT_FOUND;
    return !*out ? sqlite_no_memory(store) : STORE_OK;
}

enum store_status sqlite_stream_add(struct store *store, int kind, int64_t *id) {
    sqlite3_stmt *add = store->statements[STATEMENT_STREAM_ADD];
    if (sqlite_meta_next(store, "streams", id) != STORE_OK)
        return STORE_FAILED;
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

static enum store_status find_people(struct store *store, const struct log_entry *entry,
                                     struct store_message *message) {
    const struct person *from;
    const struct person *to;
    enum store_status status = sqlite_person(store, entry->author, &from);
    if (status == STORE_OK)
        status = sqlite_person(store, entry->stream, &to);
    if (status == STORE_OK) {
        message->from = from->name;
        message->to = to->name;
    }
    return status;
}

void sqlite_original_of(const struct log_entry *entry, struct store_message *out) {
    out->about = entry->kind == LOG_CORRECTED   ? STORE_CORRECTS
                 : entry->kind == LOG_RETRACTED ? STORE_RETRACTS
                                                : STORE_ABOUT_NONE;
    if (entry->original_id)
        memcpy(out->original, entry->original_id, ID_BYTES);
}

/* Of a damaged entry as much is told as can be read. */
enum store_status sqlite_message_of(struct store *store, const struct log_entry *entry,
                                    uint64_t seq, struct store_message *out) {
    *out = (struct store_message){.seq = seq, .from = "", .to = "", .text = "", .damaged = true};
    enum store_status status =
        log_is_message(entry->kind) ? find_people(store, entry, out) : STORE_NOT_FOUND;
    if (status == STORE_OK) {
        out->time_us = entry->time_us;
        out->text = entry->text;
        out->text_bytes = entry->text_bytes;
        out->damaged = entry->text_damaged;
        memcpy(out->id, entry->id, ID_BYTES);
        sqlite_original_of(entry, out);
    }
    return status == STORE_NOT_FOUND ? STORE_OK : status;
}

static enum store_status hand_out(struct store *store, int64_t position, uint64_t seq,
                                  struct page *page) {
    struct log_entry entry;
    struct store_message message;
    if (sqlite_log_read(store, position, &entry) != STORE_OK ||
        sqlite_message_of(store, &entry, seq, &message) != STORE_OK)
        return STORE_FAILED;
    page->ended = !page->each(page->arg, &message) || --page->left == 0;
    return STORE_OK;
}

enum store_status store_inbox_read(struct store *store, int64_t account, uint64_t after_seq,
                                   size_t limit,
                                   bool (*each)(void *arg, const struct store_message *),
                                   void *arg) {
    struct page page = {.left = limit, .each = each, .arg = arg, .ended = limit == 0};
    struct stream *stream;
    enum store_status status =
        store->failed ? STORE_FAILED : sqlite_stream(store, account, &stream);
    if (status != STORE_OK)
        return status;
    struct walk walk;
    int64_t position = 0;
    status = walk_begin(store, &walk, stream, after_seq, stream->head);
    while (status == STORE_OK && !page.ended &&
           (status = walk_next(store, &walk, &position)) == STORE_OK)
        status = hand_out(store, position, walk.seq, &page);
    return walk_end(store, &walk, status);
}

enum store_status sqlite_authors(struct store *store, const struct stream *stream,
                                 uint64_t after_seq, uint64_t last_seq,
                                 bool (*each)(void *arg, int64_t author, size_t text_bytes),
                                 void *arg) {
    struct log_entry entry;
    struct walk walk;
    int64_t position = 0;
    enum store_status status = walk_begin(store, &walk, stream, after_seq, last_seq);
    while (status == STORE_OK && (status = walk_next(store, &walk, &position)) == STORE_OK) {
        status = sqlite_log_read(store, position, &entry);
        if (status == STORE_OK && !each(arg, entry.author, entry.text_bytes))
            status = sqlite_no_memory(store);
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
    if (status != STORE_OK)
        return status;
    uint64_t from = stream->cursor;
    uint64_t to = seq < stream->head ? seq : stream->head;
    *cursor = to > from ? to : from;
    if (to <= from)
        return STORE_OK;
    sqlite3_stmt *set = store->statements[STATEMENT_STREAM_CURSOR];
    status = sqlite_write(store);
    if (status != STORE_OK)
        return status;
    bind_number(set, 1, account);
    bind_number(set, 2, (int64_t)to);
    bind_number(set, 3, to == stream->head);
    if (sqlite_run(store, set) != STORE_OK)
        return STORE_FAILED;
    stream->cursor = to;
    stream->cursor_follows = to == stream->head;
    return sqlite_quota_read(store, stream, from);
}
