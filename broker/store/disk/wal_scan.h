/* Reads a write-ahead log of SQLite by itself, as its documentation describes the file, so that
 * what is there can be known before SQLite opens it and goes on from it. Changes nothing. */
#ifndef WAL_SCAN_H
#define WAL_SCAN_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum wal_header {
    WAL_MISSING, /* no file, or an empty one */
    WAL_INVALID, /* SQLite takes the log for empty */
    WAL_VALID,
};

struct wal_scan {
    enum wal_header header;
    uint32_t salts[2];   /* the first grows by one each time the log begins anew */
    uint32_t page_bytes; /* as the next two: of a valid header */
    uint32_t frames; /* up to the end of the last transaction that is whole: SQLite uses these */
    uint32_t whole;  /* with the right checksums; those after `frames` never were committed */
};

/* Scans the log of a database. `each`, where it is not NULL, gets the number of each frame's page.
 * Returns SQLite's code: an error where the file can't be read. */
int wal_scan(const char *vfs, const char *database, struct wal_scan *out,
             void (*each)(void *arg, uint32_t page), void *arg);

/* The salts in the header of a log that is open; 0 where it has no header yet. Returns SQLite's
 * code.
 */
int wal_read_salts(sqlite3_file *log, uint32_t salts[2]);

#endif
