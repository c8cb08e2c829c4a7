/* Who follows which thread, and how far they have read it. */
#include "thread.h"

#include <string.h>

const struct statement_text follow_statements[] = {
    {STATEMENT_FOLLOW_ADD, "INSERT INTO follow (account, stream, cursor) VALUES (?1, ?2, ?3)"},
    {STATEMENT_FOLLOW_GET, "SELECT cursor FROM follow WHERE account = ?1 AND stream = ?2"},
    {STATEMENT_FOLLOW_COUNT, "SELECT count(*) FROM follow f CROSS JOIN thread t ON t.stream = "
                             "f.stream WHERE f.account = ?1"},
    {STATEMENT_FOLLOW_MOVE, "UPDATE follow SET cursor = ?3 WHERE account = ?1 AND stream = ?2"},
    {STATEMENT_FOLLOW_LIST,
     "SELECT t.stream, t.id, t.title, f.cursor FROM follow f CROSS JOIN "
     "thread t ON t.stream = f.stream WHERE f.account = ?1 ORDER BY t.title"},
    {STATEMENT_FOLLOW_REMOVE, "DELETE FROM follow WHERE account = ?1 AND stream = ?2"},
    {0},
};

/* The account's cursor. OK, NOT_FOUND (the account does not follow the thread). */
static enum store_status find_cursor(struct store *store, int64_t account, int64_t stream,
                                     uint64_t *cursor) {
    sqlite3_stmt *get = store->statements[STATEMENT_FOLLOW_GET];
    int64_t found = 0;
    bind_number(get, 1, account);
    bind_number(get, 2, stream);
    enum store_status status = sqlite_number(store, get, &found);
    *cursor = (uint64_t)found;
    return status;
}

/* OK: the thread is there; *follows tells whether the account follows it. */
static enum store_status find(struct store *store, int64_t account, const char *title,
                              struct store_followed *out, bool *follows) {
    struct store_thread thread;
    uint64_t cursor;
    enum store_status status = store_thread_find(store, title, &thread);
    if (status != STORE_OK)
        return status;
    status = find_cursor(store, account, thread.stream, &cursor);
    if (status == STORE_FAILED)
        return status;
    *follows = status == STORE_OK;
    *out = (struct store_followed){
        .stream = thread.stream, .head = thread.head, .cursor = *follows ? cursor : thread.head};
    memcpy(out->id, thread.id, ID_BYTES);
    memcpy(out->title, thread.title, sizeof out->title);
    return STORE_OK;
}

enum store_status store_follow(struct store *store, int64_t account, const char *title,
                               struct store_followed *out) {
    bool follows = false;
    int64_t count = 0;
    enum store_status status = find(store, account, title, out, &follows);
    if (status != STORE_OK || follows)
        return status == STORE_OK ? STORE_EXISTS : status;
    sqlite3_stmt *counted = store->statements[STATEMENT_FOLLOW_COUNT];
    bind_number(counted, 1, account);
    if (sqlite_number(store, counted, &count) != STORE_OK)
        return STORE_FAILED;
    if (count >= FOLLOWED_MAX)
        return STORE_TOO_MANY;
    sqlite3_stmt *add = store->statements[STATEMENT_FOLLOW_ADD];
    status = sqlite_add(store);
    if (status != STORE_OK)
        return status;
    bind_number(add, 1, account);
    bind_number(add, 2, out->stream);
    bind_number(add, 3, (int64_t)out->cursor);
    return sqlite_run(store, add);
}

enum store_status store_unfollow(struct store *store, int64_t account, const char *title,
                                 struct store_followed *out) {
    bool follows = false;
    enum store_status status = find(store, account, title, out, &follows);
    if (status != STORE_OK || !follows)
        return status == STORE_OK ? STORE_NOT_FOLLOWED : status;
    sqlite3_stmt *remove = store->statements[STATEMENT_FOLLOW_REMOVE];
    status = sqlite_write(store);
    if (status != STORE_OK)
        return status;
    bind_number(remove, 1, account);
    bind_number(remove, 2, out->stream);
    return sqlite_run(store, remove);
}

/* Reads a row: stream, id, title, cursor. */
static enum store_status read_followed(struct store *store, sqlite3_stmt *row,
                                       struct store_followed *out) {
    struct stream *stream;
    *out = (struct store_followed){.stream = sqlite3_column_int64(row, 0),
                                   .cursor = column_count(row, 3)};
    column_text(row, 2, out->title, sizeof out->title);
    enum store_status status = sqlite_stream(store, out->stream, &stream);
    if (status == STORE_NOT_FOUND || !column_blob(row, 1, out->id, ID_BYTES))
        return sqlite_fail_because(store, "read", "a thread is damaged");
    out->head = status == STORE_OK ? stream->head : 0;
    return status;
}

enum store_status store_followed_list(struct store *store, int64_t account,
                                      void (*each)(void *arg, const struct store_followed *),
                                      void *arg) {
    enum store_status status = store->failed ? STORE_FAILED : STORE_OK;
    sqlite3_stmt *list = store->statements[STATEMENT_FOLLOW_LIST];
    enum step step = STEP_DONE;
    bind_number(list, 1, account);
    while (status == STORE_OK && (step = sqlite_step(store, list)) == STEP_ROW) {
        struct store_followed followed;
        status = read_followed(store, list, &followed);
        if (status == STORE_OK)
            each(arg, &followed);
    }
    (void)sqlite3_reset(list);
    return step == STEP_FAILED ? STORE_FAILED : status;
}

enum store_status store_followed_move(struct store *store, int64_t account, int64_t stream_id,
                                      uint64_t seq, uint64_t *cursor) {
    struct stream *stream;
    enum store_status status =
        store->failed ? STORE_FAILED : find_cursor(store, account, stream_id, cursor);
    if (status == STORE_OK)
        status = sqlite_stream(store, stream_id, &stream);
    if (status != STORE_OK || stream->is_removed)
        return status == STORE_FAILED ? status : STORE_NOT_FOLLOWED;
    uint64_t to = seq < stream->head ? seq : stream->head;
    if (to <= *cursor)
        return STORE_OK;
    sqlite3_stmt *move = store->statements[STATEMENT_FOLLOW_MOVE];
    status = sqlite_write(store);
    if (status != STORE_OK)
        return status;
    bind_number(move, 1, account);
    bind_number(move, 2, stream_id);
    bind_number(move, 3, (int64_t)to);
    *cursor = to;
    return sqlite_run(store, move);
}
