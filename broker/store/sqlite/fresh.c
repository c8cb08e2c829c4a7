/* How posts get from memory into their rows (post, post_block, thread, and what their authors
 * have): from its entry in the log on a post is in memory, also after a restart; then the rows of
 * all posts are written at once. `posted` in meta is the position in the log up to which that was
 * done, and changes in the same transaction, so at any moment each post has its rows or is in
 * memory. Everything else that changes those rows first writes what waits, so what is in memory of
 * a thread is always its end. */
#include "thread.h"

#include "limits.h"

const struct statement_text fresh_statements[] = {
    {STATEMENT_POST_BYTES, "SELECT post_bytes FROM account WHERE id = ?1"},
    {STATEMENT_POST_ADD, "INSERT INTO post (stream, seq, pos, text_pos) VALUES (?1, ?2, ?3, ?3)"},
    {0},
};

/* How many rows are written at once, which takes about a millisecond. */
#define FRESH_ROWS_MAX 512

/* ---- from the log ---- */

enum store_status sqlite_fresh_use(struct store *store, int64_t account, size_t text_bytes) {
    struct fresh_author *author = fresh_author(store->fresh, account);
    int64_t change = (int64_t)text_bytes + LOG_ROW_BYTES;
    int64_t bytes = author ? author->bytes : 0;
    uint64_t limit = store->quotas.post_bytes;
    if (!author) {
        sqlite3_stmt *get = store->statements[STATEMENT_POST_BYTES];
        bind_number(get, 1, account);
        enum store_status status = sqlite_number(store, get, &bytes);
        if (status != STORE_OK)
            return status == STORE_NOT_FOUND ? STORE_QUOTA_ACCOUNT : status;
    }
    if (limit > 0 && limit <= INT64_MAX && bytes + change > (int64_t)limit)
        return STORE_QUOTA_ACCOUNT;
    if (!author && !(author = fresh_author_add(store->fresh, account, bytes)))
        return sqlite_no_memory(store);
    author->bytes += change;
    return STORE_OK;
}

enum store_status sqlite_fresh_push(struct store *store, const struct store_thread *thread,
                                    int64_t position) {
    struct fresh *fresh = store->fresh;
    struct fresh_thread *of = fresh_thread(fresh, thread->stream);
    if (!of)
        of = fresh_thread_add(fresh, thread);
    return of && fresh_push(fresh, of, thread, position) ? STORE_OK : sqlite_no_memory(store);
}

/* Nothing is counted for an account that is not there. */
static enum store_status count_author(struct store *store, int64_t account, size_t text_bytes) {
    struct store_quotas quotas = store->quotas;
    store->quotas.post_bytes = 0;
    enum store_status status = sqlite_fresh_use(store, account, text_bytes);
    store->quotas = quotas;
    return status == STORE_FAILED ? status : STORE_OK;
}

enum store_status sqlite_fresh_replay(struct store *store, int64_t position,
                                      const struct log_entry *entry) {
    struct store_thread thread;
    if (entry->kind != LOG_POSTED || position <= store->posted)
        return STORE_OK;
    enum store_status status = sqlite_thread_get(store, entry->stream, &thread);
    if (status == STORE_NOT_FOUND)
        return sqlite_fail_because(store, "read", "a thread is missing");
    if (status != STORE_OK || count_author(store, entry->author, entry->text_bytes) != STORE_OK)
        return STORE_FAILED;
    thread.posts++;
    thread.last_us = entry->time_us;
    thread.head = entry->seq;
    return sqlite_fresh_push(store, &thread, position);
}

/* ---- into the rows ---- */

static enum store_status write_post(struct store *store, int64_t stream, uint64_t seq,
                                    int64_t position) {
    sqlite3_stmt *add = store->statements[STATEMENT_POST_ADD];
    bind_number(add, 1, stream);
    bind_number(add, 2, (int64_t)seq);
    bind_number(add, 3, position);
    return sqlite_run(store, add);
}

static enum store_status write_thread(struct store *store, const struct fresh_thread *of) {
    uint64_t first = fresh_first_seq(of);
    for (size_t i = 0; i < of->count; i++)
        if (write_post(store, of->thread.stream, first + i, of->positions[i]) != STORE_OK)
            return STORE_FAILED;
    return sqlite_number_came(store, of->thread.stream, first, of->thread.head) == STORE_OK
               ? sqlite_thread_write(store, &of->thread)
               : STORE_FAILED;
}

static enum store_status write_all(struct store *store) {
    enum store_status status = STORE_OK;
    const struct fresh_thread *of = fresh_threads(store->fresh);
    for (; of && status == STORE_OK; of = of->next)
        status = write_thread(store, of);
    const struct fresh_author *author = fresh_authors(store->fresh);
    for (; author && status == STORE_OK; author = author->next)
        status = sqlite_give_log(store, author->account, author->written - author->bytes);
    return status;
}

enum store_status sqlite_fresh_write(struct store *store) {
    if (fresh_count(store->fresh) == 0)
        return STORE_OK;
    if (write_all(store) != STORE_OK ||
        sqlite_meta_set(store, "posted", store->last_position) != STORE_OK)
        return STORE_FAILED;
    store->posted = store->last_position;
    return fresh_clear(store->fresh) ? STORE_OK : sqlite_no_memory(store);
}

uint64_t sqlite_fresh_pages(const struct store *store) {
    uint64_t pages = fresh_count(store->fresh) / 32;
    const struct fresh_thread *of = fresh_threads(store->fresh);
    for (; of; of = of->next)
        pages += 4; /* of post, post_block, thread, and one that has to be divided */
    const struct fresh_author *author = fresh_authors(store->fresh);
    for (; author; author = author->next)
        pages++;
    return pages;
}

bool sqlite_fresh_waits(const struct store *store) {
    return fresh_rows(store->fresh) >= FRESH_ROWS_MAX ||
           fresh_count(store->fresh) >= store->view_entries;
}
