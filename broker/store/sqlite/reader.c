/* A store that is only read, as it is at one moment, with or without a broker at work: for what
 * verifies and exports it. Nothing that a broker does meanwhile reaches the pages that are looked
 * at. */
#include "inside.h"

#include "disk/beside.h"

enum store_status sqlite_reader_begin(struct store *store) {
    static const char begin[] = "PRAGMA query_only = 1; PRAGMA cache_size = -65536; BEGIN;"
                                "SELECT count(*) FROM sqlite_schema";
    store->reads = true;
    if (sqlite_head_look(store) != STORE_OK)
        return STORE_FAILED;
    return sqlite_connect(store->path, page_check_name(store->pages), &store->db) == SQLITE_OK &&
                   sqlite3_exec(store->db, begin, NULL, NULL, NULL) == SQLITE_OK
               ? STORE_OK
               : sqlite_fail(store, "read");
}

/* Leaves the log as it is: closing may remove only a log that this process made itself. */
void sqlite_reader_end(struct store *store) {
    sqlite3 *db = store->db;
    head_close(store->head);
    store->head = NULL;
    if (db && store->log_found.header != WAL_MISSING)
        (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_close(db);
    store->db = NULL;
}

bool sqlite_reader_has_pieces(const struct store *store) {
    sqlite3_file *file = NULL;
    int code = beside_open(&file, page_check_name(store->pages), store->path, "-pieces", false);
    bool there = code == SQLITE_OK && file;
    beside_close(file);
    return there;
}
