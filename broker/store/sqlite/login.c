/* Logins: wrong passwords, counted for names rather than accounts so that nothing tells whether a
 * name exists, and what a right one leaves behind.
 *
 * A full disk keeps nobody out, and does not let anybody guess without being counted: what can't be
 * written then is counted in memory, which is looked at first, until the name is written again. */
#include "inside.h"

#include <stdlib.h>
#include <string.h>

const struct statement_text login_statements[] = {
    {STATEMENT_FAILURE_GET, "SELECT failures, locked_until_us FROM login_failure WHERE name = ?1"},
    {STATEMENT_FAILURE_SET,
     "INSERT INTO login_failure (name, failures, locked_until_us, changed_us) VALUES (?1, ?2, "
     "?3, ?4) ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, locked_until_us = "
     "excluded.locked_until_us, changed_us = excluded.changed_us"},
    {STATEMENT_FAILURE_REMOVE,
     "DELETE FROM login_failure WHERE name = (SELECT name FROM account WHERE id = ?1)"},
    {STATEMENT_FAILURE_FORGET, "DELETE FROM login_failure WHERE name = ?1"},
    {STATEMENT_FAILURE_COUNT, "SELECT count(*) FROM login_failure"},
    {STATEMENT_FAILURE_REMOVE_OLDEST,
     "DELETE FROM login_failure WHERE name IN (SELECT name FROM login_failure WHERE name <> ?1 "
     "ORDER BY changed_us, name LIMIT ?2)"},
    {0},
};

/* How many names' failures are kept in memory; the oldest is dropped first. Some names are longer
 * than an account's, because they say what they are for: "shutdown@" and the network of an
 * address. */
#define KEPT_MAX        256
#define KEPT_NAME_BYTES 96

struct failure {
    uint32_t failures;
    int64_t locked_until_us;
};

struct failures {
    struct {
        char name[KEPT_NAME_BYTES]; /* "": free */
        struct failure failure;
    } kept[KEPT_MAX];
    size_t next; /* the one to replace next */
};

/* Returns KEPT_MAX if it is not there. */
static size_t kept_find(const struct store *store, const char *name) {
    size_t at = !store->failures ? KEPT_MAX : 0;
    while (at < KEPT_MAX && strcmp(store->failures->kept[at].name, name) != 0)
        at++;
    return at;
}

static enum store_status kept_set(struct store *store, const char *name, struct failure failure) {
    if (!store->failures && !(store->failures = calloc(1, sizeof *store->failures)))
        return sqlite_no_memory(store);
    size_t at = kept_find(store, name);
    if (at == KEPT_MAX) {
        at = store->failures->next;
        store->failures->next = (at + 1) % KEPT_MAX;
    }
    (void)strncpy(store->failures->kept[at].name, name, KEPT_NAME_BYTES - 1);
    store->failures->kept[at].failure = failure;
    return STORE_OK;
}

static void kept_remove(struct store *store, const char *name) {
    size_t at = kept_find(store, name);
    if (at < KEPT_MAX)
        memset(&store->failures->kept[at], 0, sizeof store->failures->kept[at]);
}

static enum store_status failure_get(struct store *store, const char *name, struct failure *out) {
    size_t kept = kept_find(store, name);
    *out = (struct failure){0};
    if (kept < KEPT_MAX) {
        *out = store->failures->kept[kept].failure;
        return STORE_OK;
    }
    sqlite3_stmt *get = store->statements[STATEMENT_FAILURE_GET];
    bind_text(get, 1, name);
    enum step step = sqlite_step(store, get);
    if (step == STEP_ROW) {
        out->failures = (uint32_t)sqlite3_column_int(get, 0);
        out->locked_until_us = sqlite3_column_int64(get, 1);
    }
    (void)sqlite3_reset(get);
    return step == STEP_FAILED ? STORE_FAILED : STORE_OK;
}

enum store_status store_login_state(struct store *store, const char *name, int64_t now_us,
                                    uint32_t *failures, int64_t *locked_until_us) {
    struct failure failure;
    if (store->failed || failure_get(store, name, &failure) != STORE_OK)
        return STORE_FAILED;
    *failures = failure.failures;
    *locked_until_us = failure.locked_until_us > now_us ? failure.locked_until_us : 0;
    return STORE_OK;
}

/* Changes with times in the future were made before the clock was set back. They count as made now;
 * otherwise the newest would be taken for the oldest. */
static enum store_status forget_oldest(struct store *store, const char *but_name, int64_t now_us) {
    int64_t count = 0;
    if (sqlite_number(store, store->statements[STATEMENT_FAILURE_COUNT], &count) != STORE_OK)
        return STORE_FAILED;
    if (count <= LOGIN_FAILURES_KEPT)
        return STORE_OK;
    sqlite3_stmt *clamp = store->statements[STATEMENT_FAILURE_CLAMP];
    bind_number(clamp, 1, now_us);
    if (sqlite_run(store, clamp) != STORE_OK)
        return STORE_FAILED;
    sqlite3_stmt *remove = store->statements[STATEMENT_FAILURE_REMOVE_OLDEST];
    bind_text(remove, 1, but_name);
    bind_number(remove, 2, count - LOGIN_FAILURES_KEPT);
    return sqlite_run(store, remove);
}

static enum store_status failure_set(struct store *store, const char *name, struct failure failure,
                                     int64_t now_us) {
    enum store_status status = sqlite_write(store);
    if (status != STORE_OK)
        return status == STORE_FULL ? kept_set(store, name, failure) : status;
    sqlite3_stmt *set = store->statements[STATEMENT_FAILURE_SET];
    bind_text(set, 1, name);
    bind_number(set, 2, failure.failures);
    bind_number(set, 3, failure.locked_until_us);
    bind_number(set, 4, now_us);
    if (sqlite_run(store, set) != STORE_OK)
        return STORE_FAILED;
    kept_remove(store, name);
    return forget_oldest(store, name, now_us);
}

enum store_status store_login_failed(struct store *store, const char *name, int64_t now_us,
                                     int64_t lock_us, int64_t *locked_until_us) {
    struct failure failure;
    if (store->failed || failure_get(store, name, &failure) != STORE_OK)
        return STORE_FAILED;
    /* During a lock nothing is counted: the attempt may have been made before the lock began. */
    if (failure.locked_until_us > now_us) {
        *locked_until_us = failure.locked_until_us;
        return STORE_OK;
    }
    failure.locked_until_us = 0;
    if (++failure.failures >= LOGIN_FAILURES_MAX)
        failure = (struct failure){.failures = 0, .locked_until_us = now_us + lock_us};
    *locked_until_us = failure.locked_until_us;
    return failure_set(store, name, failure, now_us);
}

enum store_status store_login_shorten(struct store *store, const char *name, int64_t now_us,
                                      int64_t locked_until_us) {
    return failure_set(store, name, (struct failure){.locked_until_us = locked_until_us}, now_us);
}

/* If it can't be written, the failures are forgotten in memory, which is looked at first. */
static enum store_status begin_forgetting(struct store *store, const char *name) {
    kept_remove(store, name);
    enum store_status status = sqlite_write(store);
    return status == STORE_FULL ? kept_set(store, name, (struct failure){0}) : status;
}

enum store_status store_login_forget(struct store *store, const char *name) {
    enum store_status status = begin_forgetting(store, name);
    if (status != STORE_OK || !store->in_transaction)
        return status;
    sqlite3_stmt *forget = store->statements[STATEMENT_FAILURE_FORGET];
    bind_text(forget, 1, name);
    return sqlite_run(store, forget);
}

static enum store_status forget_failures(struct store *store, int64_t account, const char *name) {
    sqlite3_stmt *remove = store->statements[STATEMENT_FAILURE_REMOVE];
    struct failure failure;
    enum store_status status = failure_get(store, name, &failure);
    bool none = failure.failures == 0 && failure.locked_until_us == 0;
    /* Failures in memory hide what the store may have. */
    if (status != STORE_OK || (none && kept_find(store, name) == KEPT_MAX))
        return status;
    status = begin_forgetting(store, name);
    if (status != STORE_OK || !store->in_transaction)
        return status;
    bind_number(remove, 1, account);
    return sqlite_run(store, remove);
}

enum store_status store_login_succeeded(struct store *store, int64_t account,
                                        const unsigned char key[KEY_BYTES], const char *label,
                                        bool by_password, bool trust, int64_t now_us,
                                        bool *trusted) {
    *trusted = false;
    if (store->failed)
        return STORE_FAILED;
    const struct person *person;
    enum store_status status = sqlite_person(store, account, &person);
    if (status != STORE_OK)
        return status;
    int64_t device = 0;
    enum store_status known = sqlite_device_find(store, account, key, &device);
    if (known == STORE_NOT_FOUND && trust)
        status = sqlite_device_room(store, account);
    if (known == STORE_FAILED || status != STORE_OK)
        return known == STORE_FAILED ? known : status;
    if (by_password && forget_failures(store, account, person->name) != STORE_OK)
        return STORE_FAILED;
    *trusted = known == STORE_OK || (trust && sqlite_may_note(store));
    if (known == STORE_OK)
        return sqlite_note_used(store, account, device, now_us);
    if (!*trusted)
        return store->failed ? STORE_FAILED : STORE_OK;
    return sqlite_device_add(store, account, key, label, now_us, now_us);
}
