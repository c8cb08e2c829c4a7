/* Copies an old database into the new one, and compares both: see upgrade.h. */
#ifndef SQLITE_REPACK_H
#define SQLITE_REPACK_H

#include "index_row.h"
#include "log.h"

#define REPACK_ROWS        20000 /* of a transaction */
#define REPACK_PLACE_BYTES (ID_BYTES + RUN_ENTRY_BYTES)
#define REPACK_RUN_PLACES  (ID_RUN_BYTES / REPACK_PLACE_BYTES)

/* An upgrade under way. */
struct upgrade {
    struct store *store; /* its db: main is the old one, locked, and `new` the new one */
    const struct store_options *options;
    char *old;     /* owned: its path, without symbolic links */
    char *path;    /* owned: the new one's */
    char *backup;  /* owned */
    int64_t last;  /* the log's last position */
    uint64_t done; /* how much is done, for the progress */
    uint64_t of;
    bool resumed; /* the new one is an earlier start's */
};

/* ---- repack.c ---- */

/* Finds the log's end, and how much there is to do. */
enum store_status sqlite_repack_count(struct upgrade *upgrade);
/* Copies what the new database does not have yet, in transactions of some thousand rows. */
enum store_status sqlite_repack(struct upgrade *upgrade);

/* Counts that so much more is done. FAILED: the upgrade has to end. */
enum store_status repack_tell(struct upgrade *upgrade, uint64_t more);

/* These take SQL that sqlite3_mprintf made, and free it. */
enum store_status repack_prepare(struct upgrade *upgrade, char *sql, sqlite3_stmt **out);
enum store_status repack_number(struct upgrade *upgrade, char *sql, int64_t *out);

/* A table that is copied as it is. */
struct repack_table {
    char *name;    /* owned, as all */
    char *columns; /* that both have */
    char *key;
    char *key_back; /* the same, each column descending */
};
typedef enum store_status (*repack_each)(struct upgrade *upgrade, const struct repack_table *table);
/* Calls `each` for all tables but log and meta, while it returns OK. */
enum store_status repack_for_tables(struct upgrade *upgrade, repack_each each);

/* The old log's columns, in the order that repack_entry expects. */
#define REPACK_ENTRIES                                                                             \
    "SELECT pos, kind, id, time_us, author, stream_a, seq_a, stream_b, seq_b, delivered, body"     \
    " FROM main.log"
/* Reads a row of these columns. false: it breaks the rules of its version, and can't be packed. */
bool repack_entry(sqlite3_stmt *row, struct log_entry *out);
/* Makes a place in a run of the index from a row (id, pos). */
void repack_put_place(unsigned char *place, sqlite3_stmt *row);

/* ---- repack_check.c ---- */

/* Whether the new database has all that the old one has: OK, MISMATCH. */
enum store_status sqlite_repack_check(struct upgrade *upgrade);

#endif
