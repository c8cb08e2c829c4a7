/* The present numbers of posts: found by the counts of post_block and, within one block, by the
 * posts themselves. */
#include "thread.h"

const struct statement_text number_statements[] = {
    {STATEMENT_POST_NUMBER,
     "SELECT (SELECT coalesce(sum(posts), 0) FROM post_block WHERE stream = ?1 AND block < ?2) "
     "+ "
     "(SELECT count(*) FROM post WHERE stream = ?1 AND seq BETWEEN ?3 AND ?4)"},
    {STATEMENT_POST_NTH, "SELECT pos FROM post WHERE stream = ?1 AND seq >= ?2 ORDER BY seq LIMIT "
                         "1 OFFSET ?3"},
    {STATEMENT_POST_BLOCK_ADD,
     "INSERT INTO post_block (stream, block, posts) VALUES (?1, ?2, ?3) ON CONFLICT (stream, "
     "block) DO UPDATE SET posts = posts + excluded.posts"},
    {STATEMENT_POST_BLOCK_LIST,
     "SELECT block, posts FROM post_block WHERE stream = ?1 ORDER BY block"},
    {STATEMENT_POST_BLOCK_REMOVE_BEFORE, "DELETE FROM post_block WHERE stream = ?1 AND block < ?2"},
    {0},
};

/* The schema has this number, too: it never changes. */
#define BLOCK_SEQS 256

enum store_status sqlite_number_of(struct store *store, int64_t stream, uint64_t seq,
                                   uint64_t *number) {
    sqlite3_stmt *count = store->statements[STATEMENT_POST_NUMBER];
    uint64_t block = seq / BLOCK_SEQS;
    int64_t found = 0;
    bind_number(count, 1, stream);
    bind_number(count, 2, (int64_t)block);
    bind_number(count, 3, (int64_t)(block * BLOCK_SEQS));
    bind_number(count, 4, (int64_t)seq);
    enum store_status status = sqlite_number(store, count, &found);
    const struct fresh_thread *fresh = fresh_thread(store->fresh, stream);
    *number = (uint64_t)found + (fresh ? fresh_up_to(fresh, seq) : 0);
    return status;
}

/* Finds the block that has the post; *before: how many posts the blocks before it have. OK,
 * NOT_FOUND. */
static enum store_status find_block(struct store *store, int64_t stream, uint64_t number,
                                    uint64_t *block, uint64_t *before) {
    sqlite3_stmt *list = store->statements[STATEMENT_POST_BLOCK_LIST];
    enum store_status status = STORE_NOT_FOUND;
    enum step step = STEP_DONE;
    *before = 0;
    bind_number(list, 1, stream);
    while (status == STORE_NOT_FOUND && (step = sqlite_step(store, list)) == STEP_ROW) {
        uint64_t posts = column_count(list, 1);
        if (number - *before <= posts) {
            *block = column_count(list, 0);
            status = STORE_OK;
        } else {
            *before += posts;
        }
    }
    (void)sqlite3_reset(list);
    return step == STEP_FAILED ? STORE_FAILED : status;
}

/* Looks among the posts that have no rows yet: OK, NOT_FOUND. */
static enum store_status find_fresh(const struct store *store, int64_t stream, uint64_t number,
                                    int64_t *position) {
    const struct fresh_thread *fresh = fresh_thread(store->fresh, stream);
    uint64_t before = fresh ? fresh->thread.posts - fresh->count : 0;
    if (!fresh || number <= before || number > fresh->thread.posts)
        return STORE_NOT_FOUND;
    *position = fresh->positions[number - before - 1];
    return STORE_OK;
}

enum store_status sqlite_number_find(struct store *store, int64_t stream, uint64_t number,
                                     int64_t *position) {
    if (find_fresh(store, stream, number, position) == STORE_OK)
        return STORE_OK;
    uint64_t block = 0;
    uint64_t before = 0;
    enum store_status status =
        number == 0 ? STORE_NOT_FOUND : find_block(store, stream, number, &block, &before);
    if (status != STORE_OK)
        return status;
    sqlite3_stmt *nth = store->statements[STATEMENT_POST_NTH];
    bind_number(nth, 1, stream);
    bind_number(nth, 2, (int64_t)(block * BLOCK_SEQS));
    bind_number(nth, 3, (int64_t)(number - before - 1));
    return sqlite_number(store, nth, position);
}

static enum store_status count(struct store *store, int64_t stream, uint64_t block,
                               int64_t change) {
    sqlite3_stmt *add = store->statements[STATEMENT_POST_BLOCK_ADD];
    bind_number(add, 1, stream);
    bind_number(add, 2, (int64_t)block);
    bind_number(add, 3, change);
    return sqlite_run(store, add);
}

enum store_status sqlite_number_came(struct store *store, int64_t stream, uint64_t first_seq,
                                     uint64_t last_seq) {
    for (uint64_t seq = first_seq; seq <= last_seq;) {
        uint64_t next = (seq / BLOCK_SEQS + 1) * BLOCK_SEQS;
        uint64_t end = next <= last_seq ? next : last_seq + 1;
        if (count(store, stream, seq / BLOCK_SEQS, (int64_t)(end - seq)) != STORE_OK)
            return STORE_FAILED;
        seq = end;
    }
    return STORE_OK;
}

enum store_status sqlite_number_went(struct store *store, int64_t stream, uint64_t seq) {
    return count(store, stream, seq / BLOCK_SEQS, -1);
}

enum store_status sqlite_number_forget(struct store *store, int64_t stream, uint64_t seq) {
    sqlite3_stmt *remove = store->statements[STATEMENT_POST_BLOCK_REMOVE_BEFORE];
    bind_number(remove, 1, stream);
    bind_number(remove, 2, (int64_t)((seq + 1) / BLOCK_SEQS));
    return sqlite_run(store, remove);
}
