/* Reads a write-ahead log of SQLite without SQLite, as its documentation describes the file, to
 * find out what is there before SQLite opens it and goes on from there. Changes nothing. */
#ifndef WAL_SCAN_H
#define WAL_SCAN_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum wal_header {
    WAL_MISSING, /* no file, or an empty one */
    WAL_INVALID, /* SQLite treats the log as empty */
    WAL_VALID,
};

struct wal_scan {
    enum wal_header header;
    uint32_t salts[2];   /* the first grows by one each time the log begins anew */
    uint32_t page_bytes; /* of a valid header, as the next two */
    uint32_t frames;     /* up to the end of the last whole transaction: SQLite uses these */
    uint32_t whole;      /* with the right checksums; those after `frames` were never committed */
};

/* Scans the log of a database. If `each` is not NULL it gets the page number of each frame. Returns
 * SQLite's code: an error if the file can't be read. */
int wal_scan(const char *vfs, const char *database, struct wal_scan *out,
             void (*each)(void *arg, uint32_t page), void *arg);

/* Reads the salts in the header of an open log; 0 if it has no header yet. Returns SQLite's code.
 */
int wal_read_salts(sqlite3_file *log, uint32_t salts[2]);

#endif
