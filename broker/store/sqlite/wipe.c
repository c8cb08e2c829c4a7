/* Makes the store as new: SQLite replaces the database by an empty one in one transaction, whatever
 * its size; then the schema comes as into any new file. A crash in between leaves a file that the
 * next opening finds empty. */
#include "inside.h"

#include <assert.h>

static enum store_status empty(struct store *store) {
    int code = sqlite3_db_config(store->db, SQLITE_DBCONFIG_RESET_DATABASE, 1, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(store->db, "VACUUM", NULL, NULL, NULL);
    enum store_status status = code == SQLITE_OK ? STORE_OK : sqlite_fail(store, "wipe");
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_RESET_DATABASE, 0, NULL);
    return status;
}

/* Cuts both files. Where another process reads, the room is freed by a later checkpoint. */
static enum store_status cut(struct store *store) {
    int code = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    int primary = code & 0xff;
    return primary == SQLITE_OK || primary == SQLITE_BUSY || primary == SQLITE_LOCKED
               ? STORE_OK
               : sqlite_fail(store, "wipe");
}

enum store_status store_wipe(struct store *store) {
    assert(!store->in_turn);
    if (store->failed || sqlite_head_wipe(store) != STORE_OK || empty(store) != STORE_OK ||
        sqlite_migrate(store) != STORE_OK || cut(store) != STORE_OK)
        return STORE_FAILED;
    if (store->reserve)
        reserve_forget(store->reserve);
    sqlite_unload(store);
    sqlite_notes_forget(store);
    store->presence_closed = false;
    store->view_appended = 0;
    return sqlite_load(store) == STORE_OK ? sqlite_piece_trim(store) : STORE_FAILED;
}
