/* The log: it is appended to, and read by position and by id. The table's key finds the row that
 * has an entry's position. As in inside.h, none of the functions asks sqlite_failed. */
#ifndef SQLITE_LOG_H
#define SQLITE_LOG_H

#include "inside.h"
#include "log_row.h"
#include "memory/ids.h"

struct log {
    int64_t written; /* entries up to here are in the table, later ones in `filling` */
    int64_t begun;   /* the last position when the transaction began */
    size_t filling_bytes;
    unsigned char filling[LOG_ROW_FULL + LOG_ENTRY_BYTES_MAX];
    struct log_row row;   /* the row that was last read; count 0: none. Its bytes are `bytes` */
    unsigned char *bytes; /* owned */
    size_t bytes_max;

    struct ids *ids;    /* owned: those not in the table yet */
    int64_t ids_merged; /* the ids up to this position are in the table */
    bool ids_any;       /* the table has some; the last of them: */
    unsigned char ids_last[ID_BYTES];
    unsigned char run[ID_RUN_BYTES];  /* the run that was last read */
    unsigned char run_from[ID_BYTES]; /* the run has the ids from this one */
    unsigned char run_last[ID_BYTES]; /* and this one */
    size_t run_count;                 /* 0: none was read */
    bool others_known;                /* the greatest id of threads and files is known: */
    unsigned char others_last[ID_BYTES];
};

/* ---- log.c ---- */

/* NULL: no memory. */
struct log *log_new(uint64_t seed);
void log_free(struct log *log);

/* Called after the opening: makes sure that a damaged byte in the page with the log's end does not
 * prevent reading and writing it. */
void sqlite_log_mend(struct store *store);
/* Finds the log's end. */
enum store_status sqlite_log_load(struct store *store);
/* The row of a statement with the columns last, count, entries. Its bytes belong to the
 * statement. */
struct log_row sqlite_log_row(sqlite3_stmt *row);
/* Called when a transaction begins. FAILED: another process appends to the log, too. */
enum store_status sqlite_log_begin(struct store *store);
/* Appends at store->last_position + 1. Wants sqlite_write. */
enum store_status sqlite_log_append(struct store *store, const struct log_entry *entry);
/* Everything that was appended is in the table; before the commit, with a mark if that is nothing.
 */
enum store_status sqlite_log_flush(struct store *store);
enum store_status sqlite_log_commit(struct store *store);
/* What was read last is not in the table any more. */
void sqlite_log_forget(struct store *store);
/* What `out` points to is valid until the next call. A damaged entry is OK, too: see log_row.h. */
enum store_status sqlite_log_read(struct store *store, int64_t position, struct log_entry *out);
/* Removes all of the entry but its place. */
enum store_status sqlite_log_remove(struct store *store, int64_t position);

/* ---- inbox.c ---- */

/* What an entry of the log tells as one of an inbox, where it is number `seq`; damaged where it is
 * not, or no longer, a message. What it points to is the entry's, and people's. */
enum store_status sqlite_message_of(struct store *store, const struct log_entry *entry,
                                    uint64_t seq, struct store_message *out);
/* Fills in what the entry says of an earlier message. */
void sqlite_original_of(const struct log_entry *entry, struct store_message *out);

/* ---- amended.c ---- */

/* What was said last of the original at that position: *last is the position of the entry, *gone
 * whether it was taken back. OK, NOT_FOUND: it stands as it was sent. */
enum store_status sqlite_amended_find(struct store *store, int64_t original, int64_t *last,
                                      bool *gone);
/* Notes that the log's last entry, of one of the kinds with an original, counts from now on. */
enum store_status sqlite_amended_note(struct store *store, int64_t original, bool gone);

/* ---- id.c ---- */

/* The log's entry with that id. OK, NOT_FOUND: there is none, or it is a removed thread's. */
enum store_status sqlite_log_find(struct store *store, const unsigned char id[ID_BYTES],
                                  int64_t *position, struct log_entry *out);
enum store_status sqlite_id_load(struct store *store);
/* Whether so many ids wait in memory that some should go into the table. */
bool sqlite_id_merge_waits(const struct store *store);
enum store_status sqlite_id_merge_slice(struct store *store);

#endif
