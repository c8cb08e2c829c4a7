/* What the parts of store_check share. */
#ifndef SQLITE_CHECK_H
#define SQLITE_CHECK_H

#include "inside.h"
#include "store_check.h"

struct checking {
    struct store_check *check; /* borrowed: from the caller */
    struct store *store;       /* owned: not opened as a store is; in a read transaction */
    sqlite3 *now;              /* owned: outside of that transaction */
    struct slots *slots;       /* owned */
    unsigned char *in_log;     /* owned: a bit for each page */
    uint32_t pages;
    int page_bytes;
    bool knows_rubbish; /* the store notes what removals left */
    uint64_t page_damages, read_damages, structure_damages, piece_damages, log_damages,
        hash_damages, rubbish_damages;
};

/* Reports a damage, unless many of its kind were reported already. */
void check_tell(struct checking *checking, uint64_t *count, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void check_progress(const struct checking *checking, const char *what, uint64_t done, uint64_t all);
/* NULL: it can't be prepared. */
sqlite3_stmt *check_prepare(struct checking *checking, const char *sql);
/* The number that a query gives; 0 if it gives none. */
int64_t check_number(struct checking *checking, const char *sql);
/* Ends the statement. false: its last step failed, which is reported. */
bool check_end(struct checking *checking, const char *what, sqlite3_stmt *statement, int code);

/* ---- check_log.c ---- */

/* Checks the log: each entry, that positions have no hole, and the tables that find entries. */
void sqlite_check_log(struct checking *checking);

/* ---- check_rubbish.c ---- */

void sqlite_check_rubbish(struct checking *checking);

#endif
