/* Threads: made, found, listed, removed; and how everything that happens in them is written
 * down. */
#include "thread.h"

#include <stdio.h>
#include <string.h>

#define THREAD_COLUMNS                                                                             \
    "SELECT stream, id, title, creator, created_us, last_us, posts, uploads FROM thread"

const struct statement_text thread_statements[] = {
    {STATEMENT_ID_TAKEN,
     "SELECT EXISTS (SELECT 1 FROM thread WHERE id = ?1) OR EXISTS (SELECT 1 FROM file WHERE id = "
     "?1 AND stream NOT IN (SELECT stream FROM rubbish_thread)) OR EXISTS (SELECT 1 FROM "
     "removed_thread WHERE id = ?1)"},
    {STATEMENT_ID_OTHERS_LAST, "SELECT max(coalesce((SELECT max(id) FROM thread), x''), "
                               "coalesce((SELECT max(id) FROM file), x''), "
                               "coalesce((SELECT max(id) FROM removed_thread), x''))"},
    {STATEMENT_THREAD_ADD, "INSERT INTO thread (stream, id, title, creator, created_us, last_us, "
                           "look, folded) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7)"},
    {STATEMENT_THREAD_ALIKE, "SELECT title FROM thread WHERE look = ?1 AND folded < ?2 UNION ALL "
                             "SELECT title FROM thread WHERE look = ?1 AND folded > ?2 LIMIT 1"},
    {STATEMENT_THREAD_BY_TITLE, THREAD_COLUMNS " WHERE title = ?1"},
    {STATEMENT_THREAD_BY_ID, THREAD_COLUMNS " WHERE id = ?1"},
    {STATEMENT_THREAD_BY_STREAM, THREAD_COLUMNS " WHERE stream = ?1"},
    {STATEMENT_THREAD_LIST, THREAD_COLUMNS " WHERE title > ?1 ORDER BY title"},
    {STATEMENT_THREAD_CHANGED,
     "UPDATE thread SET posts = ?2, uploads = ?3, last_us = ?4 WHERE stream = ?1"},
    {STATEMENT_THREAD_KEEP_ID,
     "INSERT INTO removed_thread (id) SELECT id FROM thread WHERE stream = ?1"},
    {0},
};

/* ---- rows ---- */

static bool is_fresh(const struct fresh_thread *fresh, struct store_thread *out) {
    if (fresh)
        *out = fresh->thread;
    return fresh != NULL;
}

static enum store_status read_thread(struct store *store, sqlite3_stmt *row,
                                     struct store_thread *out) {
    if (is_fresh(fresh_thread(store->fresh, sqlite3_column_int64(row, 0)), out))
        return STORE_OK;
    *out = (struct store_thread){
        .stream = sqlite3_column_int64(row, 0),
        .created_us = sqlite3_column_int64(row, 4),
        .last_us = sqlite3_column_int64(row, 5),
        .posts = column_count(row, 6),
        .uploads = column_count(row, 7),
    };
    column_text(row, 2, out->title, sizeof out->title);
    const struct person *creator;
    struct stream *stream;
    enum store_status status = sqlite_person(store, sqlite3_column_int64(row, 3), &creator);
    if (status == STORE_OK)
        status = sqlite_stream(store, out->stream, &stream);
    if (status == STORE_NOT_FOUND || !column_blob(row, 1, out->id, ID_BYTES))
        return sqlite_fail_because(store, "read", "a thread is damaged");
    if (status == STORE_OK) {
        memcpy(out->creator, creator->name, sizeof out->creator);
        out->head = stream->head;
    }
    return status;
}

static enum store_status one_thread(struct store *store, sqlite3_stmt *find,
                                    struct store_thread *out) {
    enum step step = sqlite_step(store, find);
    enum store_status status = step == STEP_ROW    ? read_thread(store, find, out)
                               : step == STEP_DONE ? STORE_NOT_FOUND
                                                   : STORE_FAILED;
    (void)sqlite3_reset(find);
    return status;
}

enum store_status sqlite_thread_get(struct store *store, int64_t stream, struct store_thread *out) {
    if (is_fresh(fresh_thread(store->fresh, stream), out))
        return STORE_OK;
    sqlite3_stmt *find = store->statements[STATEMENT_THREAD_BY_STREAM];
    bind_number(find, 1, stream);
    return one_thread(store, find, out);
}

enum store_status store_thread_find(struct store *store, const char *title,
                                    struct store_thread *out) {
    if (store->failed)
        return STORE_FAILED;
    if (is_fresh(fresh_titled(store->fresh, title), out))
        return STORE_OK;
    sqlite3_stmt *find = store->statements[STATEMENT_THREAD_BY_TITLE];
    bind_text(find, 1, title);
    enum store_status status = one_thread(store, find, out);
    return status == STORE_NOT_FOUND ? STORE_NO_THREAD : status;
}

enum store_status store_thread_find_id(struct store *store, const unsigned char id[ID_BYTES],
                                       struct store_thread *out) {
    if (store->failed)
        return STORE_FAILED;
    sqlite3_stmt *find = store->statements[STATEMENT_THREAD_BY_ID];
    bind_blob(find, 1, id, ID_BYTES);
    return one_thread(store, find, out);
}

enum store_status store_thread_list(struct store *store, const char *after_title, size_t limit,
                                    bool (*each)(void *arg, const struct store_thread *),
                                    void *arg) {
    if (store->failed)
        return STORE_FAILED;
    sqlite3_stmt *list = store->statements[STATEMENT_THREAD_LIST];
    bind_text(list, 1, after_title);
    enum store_status status = STORE_OK;
    enum step step = STEP_DONE;
    bool goes_on = true;
    while (goes_on && limit-- > 0 && status == STORE_OK &&
           (step = sqlite_step(store, list)) == STEP_ROW) {
        struct store_thread thread;
        status = read_thread(store, list, &thread);
        goes_on = status == STORE_OK && each(arg, &thread);
    }
    (void)sqlite3_reset(list);
    return step == STEP_FAILED ? STORE_FAILED : status;
}

/* ---- looks ---- */

/* A text that is too long to have a look (no title is) looks only like itself. */
void title_look(const char *text, struct title *out) {
    if (!unicode_look(text, out->look))
        (void)snprintf(out->look, sizeof out->look, "%s", text);
    if (!unicode_fold(text, out->folded))
        (void)snprintf(out->folded, sizeof out->folded, "%s", text);
}

void sqlite_bind_look(sqlite3_stmt *statement, int parameter, const struct title *title) {
    bind_text(statement, parameter, title->look);
    bind_text(statement, parameter + 1, title->folded);
}

enum store_status sqlite_alike(struct store *store, sqlite3_stmt *find, char other[TITLE_BYTES]) {
    enum step step = sqlite_step(store, find);
    if (step == STEP_ROW)
        column_text(find, 0, other, TITLE_BYTES);
    (void)sqlite3_reset(find);
    return step == STEP_ROW ? STORE_OK : step == STEP_DONE ? STORE_NOT_FOUND : STORE_FAILED;
}

enum store_status store_thread_alike(struct store *store, const char *title,
                                     char other[TITLE_BYTES]) {
    if (store->failed)
        return STORE_FAILED;
    struct title look;
    title_look(title, &look);
    sqlite3_stmt *find = store->statements[STATEMENT_THREAD_ALIKE];
    sqlite_bind_look(find, 1, &look);
    return sqlite_alike(store, find, other);
}

/* ---- creating ---- */

static enum store_status load_others(struct store *store) {
    struct log *log = store->log;
    sqlite3_stmt *last = store->statements[STATEMENT_ID_OTHERS_LAST];
    enum step step = sqlite_step(store, last);
    log->others_known = step == STEP_ROW && column_blob(last, 0, log->others_last, ID_BYTES);
    (void)sqlite3_reset(last);
    return step == STEP_FAILED ? STORE_FAILED : STORE_OK;
}

/* Ids grow, so nearly every new id is greater than the last one, which needs no lookup. */
enum store_status sqlite_id_free_beside_log(struct store *store, const unsigned char id[ID_BYTES]) {
    struct log *log = store->log;
    int64_t is_taken = 0;
    if (!log->others_known && load_others(store) != STORE_OK)
        return STORE_FAILED;
    if (log->others_known && memcmp(id, log->others_last, ID_BYTES) > 0)
        return STORE_OK;
    sqlite3_stmt *taken = store->statements[STATEMENT_ID_TAKEN];
    bind_blob(taken, 1, id, ID_BYTES);
    enum store_status status = sqlite_number(store, taken, &is_taken);
    return status == STORE_OK && is_taken != 0 ? STORE_ID_REUSED : status;
}

enum store_status sqlite_id_free(struct store *store, const unsigned char id[ID_BYTES]) {
    struct log_entry entry;
    int64_t position;
    enum store_status status = sqlite_log_find(store, id, &position, &entry);
    if (status != STORE_NOT_FOUND)
        return status == STORE_OK ? STORE_ID_REUSED : status;
    return sqlite_id_free_beside_log(store, id);
}

/* NO_THREAD: the thread may be made. OK: the same call made it already. EXISTS, ID_REUSED. */
static enum store_status check_new(struct store *store, const unsigned char id[ID_BYTES],
                                   const char *title, int64_t creator, struct store_thread *out) {
    const struct person *person;
    struct store_thread thread;
    enum store_status status = store_thread_find_id(store, id, &thread);
    if (status == STORE_OK) {
        status = sqlite_person(store, creator, &person);
        bool same = status == STORE_OK && strcmp(thread.title, title) == 0 &&
                    strcmp(thread.creator, person->name) == 0;
        *out = same ? thread : *out;
        return status == STORE_FAILED ? status : same ? STORE_OK : STORE_ID_REUSED;
    }
    if (status == STORE_NOT_FOUND && (status = sqlite_id_free(store, id)) == STORE_OK &&
        (status = store_thread_find(store, title, &thread)) == STORE_OK)
        status = STORE_EXISTS;
    return status;
}

static enum store_status insert(struct store *store, const unsigned char id[ID_BYTES],
                                const char *title, int64_t creator, int64_t now_us,
                                struct store_thread *out) {
    int64_t stream = 0;
    struct title look;
    sqlite3_stmt *add = store->statements[STATEMENT_THREAD_ADD];
    enum store_status status = sqlite_add(store);
    if (status == STORE_OK)
        status = sqlite_use_thread(store, creator);
    if (status == STORE_OK)
        status = sqlite_stream_add(store, STREAM_THREAD, &stream);
    if (status != STORE_OK)
        return status;
    bind_number(add, 1, stream);
    bind_blob(add, 2, id, ID_BYTES);
    bind_text(add, 3, title);
    bind_number(add, 4, creator);
    bind_number(add, 5, now_us);
    title_look(title, &look);
    sqlite_bind_look(add, 6, &look);
    store->log->others_known = false;
    return sqlite_run(store, add) == STORE_OK ? sqlite_thread_get(store, stream, out)
                                              : STORE_FAILED;
}

enum store_status store_thread_create(struct store *store, const unsigned char id[ID_BYTES],
                                      const char *title, int64_t creator, int64_t now_us,
                                      struct store_thread *out) {
    enum store_status status = check_new(store, id, title, creator, out);
    return status == STORE_NO_THREAD ? insert(store, id, title, creator, now_us, out) : status;
}

/* ---- what happens in one ---- */

enum store_status sqlite_thread_write(struct store *store, const struct store_thread *thread) {
    sqlite3_stmt *changed = store->statements[STATEMENT_THREAD_CHANGED];
    bind_number(changed, 1, thread->stream);
    bind_number(changed, 2, (int64_t)thread->posts);
    bind_number(changed, 3, (int64_t)thread->uploads);
    bind_number(changed, 4, thread->last_us);
    return sqlite_run(store, changed);
}

enum store_status sqlite_thread_append(struct store *store, struct store_thread *thread,
                                       struct log_entry *entry) {
    struct stream *stream;
    if (sqlite_stream(store, thread->stream, &stream) != STORE_OK)
        return STORE_FAILED;
    entry->stream = thread->stream;
    entry->seq = stream->head + 1;
    if (sqlite_log_append(store, entry) != STORE_OK)
        return STORE_FAILED;
    store->view_appended++;
    if (!view_push(store->view, stream, store->last_position, false))
        return sqlite_no_memory(store);
    thread->head = stream->head;
    thread->last_us = entry->time_us;
    if (entry->kind == LOG_POSTED)
        return sqlite_fresh_push(store, thread, store->last_position);
    return sqlite_fresh_write(store) == STORE_OK ? sqlite_thread_write(store, thread)
                                                 : STORE_FAILED;
}

/* ---- removing ---- */

/* The pages of a few single rows, with their indexes. */
#define FEW_PAGES 16

static enum store_status check_removal(struct store *store, const struct store_thread *thread,
                                       int64_t account, bool admin) {
    const struct person *person;
    enum store_status status = sqlite_person(store, account, &person);
    if (status == STORE_FAILED || admin)
        return status == STORE_FAILED ? status : STORE_OK;
    return status == STORE_OK && strcmp(person->name, thread->creator) == 0 ? STORE_OK
                                                                            : STORE_NOT_OWNER;
}

/* Its id stays: it names no other thread. */
static enum store_status remove_row(struct store *store, const struct store_thread *thread,
                                    struct stream *stream) {
    const struct person *creator;
    sqlite3_stmt *keep = store->statements[STATEMENT_THREAD_KEEP_ID];
    bind_number(keep, 1, stream->id);
    return sqlite_person_named(store, thread->creator, &creator) == STORE_OK &&
                   sqlite_give_thread(store, creator->account) == STORE_OK &&
                   sqlite_run(store, keep) == STORE_OK
               ? sqlite_rubbish_thread(store, stream)
               : STORE_FAILED;
}

enum store_status store_thread_remove(struct store *store, const char *title, int64_t account,
                                      bool admin, struct store_thread *out) {
    struct stream *stream;
    enum store_status status = store_thread_find(store, title, out);
    if (status == STORE_OK)
        status = check_removal(store, out, account, admin);
    if (status == STORE_OK)
        status = sqlite_stream(store, out->stream, &stream);
    if (status == STORE_OK)
        status = sqlite_write_pages(store, FEW_PAGES + sqlite_fresh_pages(store));
    if (status == STORE_OK)
        status = sqlite_fresh_write(store);
    return status == STORE_OK ? remove_row(store, out, stream) : status;
}
