/* Presence as far as it must outlive the process. What the last broker left open is closed by the
 * first of these operations, not when the store opens: `zchatd user` opens it, too, while a broker
 * runs, and calls none of them. */
#include "inside.h"

enum store_status sqlite_presence_close(struct store *store) {
    if (store->failed)
        return STORE_FAILED;
    if (!store->presence_closed && sqlite_may_note(store)) {
        if (sqlite_run(store, store->statements[STATEMENT_PRESENCE_CLOSE]) != STORE_OK)
            return STORE_FAILED;
        store->presence_closed = true;
    }
    return store->failed ? STORE_FAILED : STORE_OK;
}

enum store_status store_presence_begin(struct store *store, int64_t account, int64_t now_us) {
    return store->failed ? STORE_FAILED : sqlite_note_presence(store, account, true, now_us);
}

enum store_status store_presence_end(struct store *store, int64_t account, int64_t now_us) {
    return store->failed ? STORE_FAILED : sqlite_note_presence(store, account, false, now_us);
}

enum store_status store_alive(struct store *store, int64_t now_us) {
    store->head_due = true;
    int64_t accounts = 0;
    if (sqlite_presence_close(store) != STORE_OK || store_notes_write(store) != STORE_OK ||
        (sqlite_may_note(store) && sqlite_meta_set(store, "alive_us", now_us) != STORE_OK) ||
        store->failed || sqlite_meta(store, "accounts", &accounts) != STORE_OK)
        return STORE_FAILED;
    store->accounts = (uint64_t)accounts; /* `zchatd user` may have added some */
    return STORE_OK;
}

enum store_status store_presence_since(
    struct store *store, int64_t from_us, const struct store_seen *place,
    bool (*each)(void *arg, int64_t account, const char *name, int64_t last_seen_us), void *arg) {
    if (sqlite_presence_close(store) != STORE_OK || store_notes_write(store) != STORE_OK)
        return STORE_FAILED;
    sqlite3_stmt *since = store->statements[STATEMENT_PRESENCE_SINCE];
    bind_number(since, 1, from_us);
    bind_number(since, 2, place->last_seen_us);
    bind_text(since, 3, place->name);
    enum step step;
    while ((step = sqlite_step(store, since)) == STEP_ROW) {
        char name[NAME_BYTES];
        column_text(since, 1, name, sizeof name);
        if (!each(arg, sqlite3_column_int64(since, 0), name, sqlite3_column_int64(since, 2)))
            break;
    }
    (void)sqlite3_reset(since);
    return step == STEP_FAILED ? STORE_FAILED : STORE_OK;
}
