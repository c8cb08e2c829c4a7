/* Accounts. Their details are always read from the store, because `zchatd user` may change them
 * beside a running broker; only names and numbers, which never change, are kept in memory. */
#include "inside.h"

#include <string.h>

/* When an account was last seen, from presence p: an open session counts until the last sign of
 * life. */
#define LAST_SEEN                                                                                  \
    "CASE p.online WHEN 1 THEN max(p.last_seen_us, (SELECT value FROM meta WHERE name = "          \
    "'alive_us')) ELSE coalesce(p.last_seen_us, 0) END"
#define ACCOUNT_COLUMNS                                                                            \
    "SELECT a.id, a.name, a.password_hash, a.admin, a.locked, a.receipts, "                        \
    "a.created_us, " LAST_SEEN " FROM account a LEFT JOIN presence p ON p.account = a.id"

const struct statement_text account_statements[] = {
    {STATEMENT_ACCOUNT_ADD, "INSERT INTO account (id, name, password_hash, admin, created_us) "
                            "VALUES (?1, ?2, ?3, ?4, ?5)"},
    {STATEMENT_ACCOUNT_COUNTED, "UPDATE meta SET value = value + 1 WHERE name = 'accounts'"},
    {STATEMENT_ACCOUNT_ID, "SELECT id FROM account WHERE name = ?1"},
    {STATEMENT_ACCOUNT_NAME, "SELECT name FROM account WHERE id = ?1"},
    {STATEMENT_ACCOUNT_NAMES, "SELECT id, name FROM account"},
    {STATEMENT_ACCOUNT_BY_NAME, ACCOUNT_COLUMNS " WHERE a.name = ?1"},
    {STATEMENT_ACCOUNT_BY_ID, ACCOUNT_COLUMNS " WHERE a.id = ?1"},
    {STATEMENT_ACCOUNT_LIST, ACCOUNT_COLUMNS " ORDER BY a.name"},
    {STATEMENT_ACCOUNT_PASSWORD, "UPDATE account SET password_hash = ?2 WHERE id = ?1 AND "
                                 "(?3 IS NULL OR password_hash = ?3)"},
    {STATEMENT_ACCOUNT_ADMIN, "UPDATE account SET admin = ?2 WHERE name = ?1"},
    {STATEMENT_ACCOUNT_LOCKED, "UPDATE account SET locked = ?2 WHERE name = ?1"},
    {STATEMENT_ACCOUNT_RECEIPTS, "UPDATE account SET receipts = ?2 WHERE name = ?1"},
    {0},
};

static enum store_status remember(struct store *store, int64_t account, const char *name,
                                  const struct person **out) {
    *out = directory_add(store->directory, account, name);
    return !*out ? sqlite_no_memory(store) : STORE_OK;
}

enum store_status sqlite_person_named(struct store *store, const char *name,
                                      const struct person **out) {
    *out = directory_by_name(store->directory, name);
    if (*out)
        return STORE_OK;
    sqlite3_stmt *find = store->statements[STATEMENT_ACCOUNT_ID];
    int64_t account = 0;
    bind_text(find, 1, name);
    enum store_status status = sqlite_number(store, find, &account);
    return status == STORE_OK ? remember(store, account, name, out) : status;
}

enum store_status sqlite_person(struct store *store, int64_t account, const struct person **out) {
    *out = directory_by_account(store->directory, account);
    if (*out)
        return STORE_OK;
    sqlite3_stmt *find = store->statements[STATEMENT_ACCOUNT_NAME];
    bind_number(find, 1, account);
    enum step step = sqlite_step(store, find);
    char name[NAME_BYTES] = "";
    if (step == STEP_ROW)
        column_text(find, 0, name, sizeof name);
    (void)sqlite3_reset(find);
    if (step != STEP_ROW)
        return step == STEP_FAILED ? STORE_FAILED : STORE_NOT_FOUND;
    return remember(store, account, name, out);
}

enum store_status sqlite_people_load(struct store *store) {
    sqlite3_stmt *all = store->statements[STATEMENT_ACCOUNT_NAMES];
    enum store_status status = STORE_OK;
    enum step step = STEP_DONE;
    while (status == STORE_OK && (step = sqlite_step(store, all)) == STEP_ROW) {
        const struct person *person;
        char name[NAME_BYTES];
        column_text(all, 1, name, sizeof name);
        status = remember(store, sqlite3_column_int64(all, 0), name, &person);
    }
    (void)sqlite3_reset(all);
    return step == STEP_FAILED ? STORE_FAILED : status;
}

static void read_account(sqlite3_stmt *row, struct store_account *out) {
    *out = (struct store_account){
        .account = sqlite3_column_int64(row, 0),
        .admin = sqlite3_column_int(row, 3) != 0,
        .locked = sqlite3_column_int(row, 4) != 0,
        .receipts = sqlite3_column_int(row, 5) != 0,
        .created_us = sqlite3_column_int64(row, 6),
        .last_seen_us = sqlite3_column_int64(row, 7),
    };
    column_text(row, 1, out->name, sizeof out->name);
    column_text(row, 2, out->password_hash, sizeof out->password_hash);
}

static enum store_status one_account(struct store *store, sqlite3_stmt *find,
                                     struct store_account *out) {
    enum step step = sqlite_step(store, find);
    if (step == STEP_ROW)
        read_account(find, out);
    (void)sqlite3_reset(find);
    return step == STEP_ROW ? STORE_OK : step == STEP_DONE ? STORE_NOT_FOUND : STORE_FAILED;
}

enum store_status store_account_find(struct store *store, const char *name,
                                     struct store_account *out) {
    if (store->failed)
        return STORE_FAILED;
    sqlite3_stmt *find = store->statements[STATEMENT_ACCOUNT_BY_NAME];
    bind_text(find, 1, name);
    return one_account(store, find, out);
}

enum store_status store_account_get(struct store *store, int64_t account,
                                    struct store_account *out) {
    if (store->failed)
        return STORE_FAILED;
    sqlite3_stmt *find = store->statements[STATEMENT_ACCOUNT_BY_ID];
    bind_number(find, 1, account);
    return one_account(store, find, out);
}

enum store_status store_account_list(struct store *store,
                                     void (*each)(void *arg, const struct store_account *),
                                     void *arg) {
    if (store->failed)
        return STORE_FAILED;
    sqlite3_stmt *list = store->statements[STATEMENT_ACCOUNT_LIST];
    enum step step;
    while ((step = sqlite_step(store, list)) == STEP_ROW) {
        struct store_account account;
        read_account(list, &account);
        each(arg, &account);
    }
    (void)sqlite3_reset(list);
    return step == STEP_FAILED ? STORE_FAILED : STORE_OK;
}

/* The inbox' stream is made first, because its number becomes the account's. */
static enum store_status insert(struct store *store, const char *name, const char *password_hash,
                                bool admin, int64_t now_us, int64_t *account) {
    if (sqlite_stream_add(store, STREAM_INBOX, account) != STORE_OK)
        return STORE_FAILED;
    sqlite3_stmt *add = store->statements[STATEMENT_ACCOUNT_ADD];
    bind_number(add, 1, *account);
    bind_text(add, 2, name);
    bind_text(add, 3, !password_hash ? "" : password_hash);
    bind_number(add, 4, admin);
    bind_number(add, 5, now_us);
    if (sqlite_run(store, add) != STORE_OK)
        return STORE_FAILED;
    return sqlite_run(store, store->statements[STATEMENT_ACCOUNT_COUNTED]);
}

enum store_status store_account_add(struct store *store, const char *name,
                                    const char *password_hash, bool admin, const unsigned char *key,
                                    const char *label, int64_t now_us, int64_t *account) {
    const struct person *person;
    enum store_status status = sqlite_add(store);
    if (status != STORE_OK)
        return status;
    status = sqlite_person_named(store, name, &person);
    if (status != STORE_NOT_FOUND)
        return status == STORE_OK ? STORE_EXISTS : status;
    int64_t accounts = 0;
    if (insert(store, name, password_hash, admin, now_us, account) != STORE_OK ||
        sqlite_meta(store, "accounts", &accounts) != STORE_OK ||
        remember(store, *account, name, &person) != STORE_OK)
        return STORE_FAILED;
    store->accounts = (uint64_t)accounts;
    return !key ? STORE_OK : sqlite_device_add(store, *account, key, label, now_us, 0);
}

enum store_status store_account_set_password(struct store *store, int64_t account, const char *was,
                                             const char *password_hash) {
    enum store_status status = sqlite_write(store);
    if (status != STORE_OK)
        return status;
    sqlite3_stmt *set = store->statements[STATEMENT_ACCOUNT_PASSWORD];
    bind_number(set, 1, account);
    bind_text(set, 2, !password_hash ? "" : password_hash);
    if (!was)
        bind_null(set, 3);
    else
        bind_text(set, 3, was);
    if (sqlite_run(store, set) != STORE_OK)
        return STORE_FAILED;
    return sqlite3_changes(store->db) > 0 ? STORE_OK : !was ? STORE_NOT_FOUND : STORE_CHANGED;
}

static enum store_status set_flag(struct store *store, enum statement statement, const char *name,
                                  bool value) {
    enum store_status status = sqlite_write(store);
    if (status != STORE_OK)
        return status;
    sqlite3_stmt *set = store->statements[statement];
    bind_text(set, 1, name);
    bind_number(set, 2, value);
    if (sqlite_run(store, set) != STORE_OK)
        return STORE_FAILED;
    return sqlite3_changes(store->db) > 0 ? STORE_OK : STORE_NOT_FOUND;
}

enum store_status store_account_set_locked(struct store *store, const char *name, bool locked) {
    return set_flag(store, STATEMENT_ACCOUNT_LOCKED, name, locked);
}

enum store_status store_account_set_admin(struct store *store, const char *name, bool admin) {
    return set_flag(store, STATEMENT_ACCOUNT_ADMIN, name, admin);
}

enum store_status store_account_set_receipts(struct store *store, const char *name, bool receipts) {
    return set_flag(store, STATEMENT_ACCOUNT_RECEIPTS, name, receipts);
}

uint64_t store_account_count(const struct store *store) {
    return store->accounts;
}
