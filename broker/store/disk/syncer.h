/* Brings the write-ahead log to the disk, in a thread of its own while the store's thread goes on
 * with the next transaction; or in the caller's thread where it would only wait: handing a sync
 * over and being woken when it ends costs about as much as a short sync itself. One sync at a
 * time. */
#ifndef SYNCER_H
#define SYNCER_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* The disk is quick where so many syncs, one after the other, took at most that long: nobody who
 * is waiting meanwhile notices it, and on a slower one what the thread costs is little beside the
 * sync. A disk that is slow now and then makes the caller's thread wait once in so many. */
#define SYNCER_QUICK_US    1000
#define SYNCER_QUICK_COUNT 8

struct syncer;

/* clock_us NULL: it never finds that the disk is quick. NULL: see *reason. */
struct syncer *syncer_new(int64_t (*clock_us)(void), const char **reason);
/* Waits for a sync that runs. */
void syncer_free(struct syncer *syncer);

/* Begins to sync the file. It stays open until syncer_end. */
void syncer_begin(struct syncer *syncer, sqlite3_file *file);
/* Readable when the sync has ended, until syncer_end. */
int syncer_fd(const struct syncer *syncer);
/* Waits for its end. SQLITE_OK: what was written before syncer_begin is on the disk. */
int syncer_end(struct syncer *syncer);

/* Not between syncer_begin and syncer_end. */
bool syncer_is_quick(const struct syncer *syncer);
/* Syncs the file in the caller's thread. Returns as syncer_end. */
int syncer_here(struct syncer *syncer, sqlite3_file *file);

#endif
