/* How much each account uses of what has a quota: columns of its row, which change in the same
 * transaction as the data. One statement checks and counts. */
#include "inside.h"

#include "limits.h"

#define USE(column)                                                                                \
    "UPDATE account SET " column " = max(" column " + ?2, 0) WHERE id = ?1 AND (?3 = 0 OR " column \
    " + ?2 <= ?3)"

const struct statement_text usage_statements[] = {
    {STATEMENT_USE_POSTS, USE("post_bytes")},
    {STATEMENT_USE_THREADS, USE("threads")},
    {STATEMENT_USE_FILES, USE("file_bytes")},
    {0},
};

void store_set_quotas(struct store *store, const struct store_quotas *quotas) {
    store->quotas = *quotas;
}

/* OK, QUOTA_ACCOUNT. A limit of 0 is no limit; giving back has no limit either. */
static enum store_status use(struct store *store, enum statement statement, int64_t account,
                             int64_t change, uint64_t limit) {
    sqlite3_stmt *set = store->statements[statement];
    bind_number(set, 1, account);
    bind_number(set, 2, change);
    bind_number(set, 3, change > 0 && limit <= INT64_MAX ? (int64_t)limit : 0);
    if (sqlite_run(store, set) != STORE_OK)
        return STORE_FAILED;
    return sqlite3_changes(store->db) > 0 ? STORE_OK : STORE_QUOTA_ACCOUNT;
}

enum store_status sqlite_use_log(struct store *store, int64_t account, size_t text_bytes) {
    return use(store, STATEMENT_USE_POSTS, account, (int64_t)text_bytes + LOG_ROW_BYTES,
               store->quotas.post_bytes);
}

/* An account that is not there gets nothing back. */
static enum store_status give(struct store *store, enum statement statement, int64_t account,
                              int64_t amount) {
    enum store_status status = use(store, statement, account, -amount, 0);
    return status == STORE_QUOTA_ACCOUNT ? STORE_OK : status;
}

enum store_status sqlite_use_log_always(struct store *store, int64_t account) {
    return give(store, STATEMENT_USE_POSTS, account, -LOG_ROW_BYTES);
}

enum store_status sqlite_give_log(struct store *store, int64_t account, int64_t bytes) {
    return give(store, STATEMENT_USE_POSTS, account, bytes);
}

enum store_status sqlite_use_thread(struct store *store, int64_t account) {
    return use(store, STATEMENT_USE_THREADS, account, 1, store->quotas.threads);
}

enum store_status sqlite_give_thread(struct store *store, int64_t account) {
    return give(store, STATEMENT_USE_THREADS, account, 1);
}

enum store_status sqlite_use_file(struct store *store, int64_t account, uint64_t bytes) {
    return use(store, STATEMENT_USE_FILES, account, (int64_t)bytes + FILE_ROW_BYTES,
               store->quotas.file_bytes);
}

enum store_status sqlite_give_file(struct store *store, int64_t account, uint64_t bytes) {
    return give(store, STATEMENT_USE_FILES, account, (int64_t)bytes + FILE_ROW_BYTES);
}

enum store_status sqlite_change_file(struct store *store, int64_t account, int64_t bytes) {
    return use(store, STATEMENT_USE_FILES, account, bytes, store->quotas.file_bytes);
}
