/* Blocks: stored in a table, and all of them kept in memory, where they are looked up. */
#include "inside.h"

const struct statement_text block_statements[] = {
    {STATEMENT_BLOCK_ADD, "INSERT INTO block (account, blocked, since_us) VALUES (?1, ?2, ?3)"},
    {STATEMENT_BLOCK_REMOVE, "DELETE FROM block WHERE account = ?1 AND blocked = ?2"},
    {STATEMENT_BLOCK_LIST, "SELECT a.name FROM block b JOIN account a ON a.id = b.blocked "
                           "WHERE b.account = ?1 ORDER BY a.name"},
    {0},
};

/* Finds the user whom a command about blocks names. OK, NOT_FOUND. */
static enum store_status other_of(struct store *store, const char *name, int64_t *other) {
    const struct person *person;
    enum store_status status =
        store->failed ? STORE_FAILED : sqlite_person_named(store, name, &person);
    if (status == STORE_OK)
        *other = person->account;
    return status;
}

enum store_status store_block_add(struct store *store, int64_t account, const char *name,
                                  int64_t now_us, int64_t *blocked) {
    enum store_status status = other_of(store, name, blocked);
    if (status != STORE_OK)
        return status;
    if (*blocked == account)
        return STORE_SELF;
    if (blocks_is(store->blocks, account, *blocked))
        return STORE_EXISTS;
    if (blocks_given(store->blocks, account) >= BLOCKS_MAX)
        return STORE_TOO_MANY;
    sqlite3_stmt *add = store->statements[STATEMENT_BLOCK_ADD];
    status = sqlite_write(store);
    if (status != STORE_OK)
        return status;
    bind_number(add, 1, account);
    bind_number(add, 2, *blocked);
    bind_number(add, 3, now_us);
    if (sqlite_run(store, add) != STORE_OK)
        return STORE_FAILED;
    return blocks_add(store->blocks, account, *blocked) ? STORE_OK : sqlite_no_memory(store);
}

enum store_status store_block_remove(struct store *store, int64_t account, const char *name) {
    int64_t blocked = 0;
    enum store_status status = other_of(store, name, &blocked);
    if (status != STORE_OK)
        return status;
    if (!blocks_is(store->blocks, account, blocked))
        return STORE_NOT_BLOCKED;
    sqlite3_stmt *remove = store->statements[STATEMENT_BLOCK_REMOVE];
    status = sqlite_write(store);
    if (status != STORE_OK)
        return status;
    bind_number(remove, 1, account);
    bind_number(remove, 2, blocked);
    if (sqlite_run(store, remove) != STORE_OK)
        return STORE_FAILED;
    blocks_remove(store->blocks, account, blocked);
    return STORE_OK;
}

enum store_status store_block_list(struct store *store, int64_t account,
                                   void (*each)(void *arg, const char *name), void *arg) {
    if (store->failed)
        return STORE_FAILED;
    sqlite3_stmt *list = store->statements[STATEMENT_BLOCK_LIST];
    bind_number(list, 1, account);
    enum step step;
    while ((step = sqlite_step(store, list)) == STEP_ROW) {
        char name[NAME_BYTES];
        column_text(list, 0, name, sizeof name);
        each(arg, name);
    }
    (void)sqlite3_reset(list);
    return step == STEP_FAILED ? STORE_FAILED : STORE_OK;
}

bool store_block_is(const struct store *store, int64_t account, int64_t other) {
    return blocks_is(store->blocks, account, other);
}

bool store_block_any(const struct store *store, int64_t account) {
    return blocks_any(store->blocks, account);
}
