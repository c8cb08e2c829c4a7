/* A thread that brings the write-ahead log to the disk, while the store's thread goes on with the
 * next transaction. One sync at a time. */
#ifndef SYNCER_H
#define SYNCER_H

#include <sqlite3.h>

struct syncer;

/* NULL: see *reason. */
struct syncer *syncer_new(const char **reason);
/* Waits for a sync that runs. */
void syncer_free(struct syncer *syncer);

/* Begins to sync the file. It stays open until syncer_end. */
void syncer_begin(struct syncer *syncer, sqlite3_file *file);
/* Readable when the sync has ended, until syncer_end. */
int syncer_fd(const struct syncer *syncer);
/* Waits for its end. SQLITE_OK: what was written before syncer_begin is on the disk. */
int syncer_end(struct syncer *syncer);

#endif
