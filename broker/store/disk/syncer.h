/* Syncs the write-ahead log, in a thread of its own while the store's thread goes on with the next
 * transaction; or in the caller's thread, if that would only wait: handing a sync over and being
 * woken when it ends costs about as much as a short sync. One sync at a time. */
#ifndef SYNCER_H
#define SYNCER_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* The disk counts as quick if so many syncs in a row took at most that long each: nobody who waits
 * meanwhile notices that time. On a slower disk the thread costs little compared with the sync. A
 * disk that is slow now and then makes the caller's thread wait for one slow sync in so many. */
#define SYNCER_QUICK_US    1000
#define SYNCER_QUICK_COUNT 8

struct syncer;

/* clock_us NULL: the disk never counts as quick. NULL: see *reason. */
struct syncer *syncer_new(int64_t (*clock_us)(void), const char **reason);
/* Waits for a sync that is running. */
void syncer_free(struct syncer *syncer);

/* Begins to sync the file. It stays open until syncer_end. */
void syncer_begin(struct syncer *syncer, sqlite3_file *file);
/* Readable when the sync has ended, until syncer_end. */
int syncer_fd(const struct syncer *syncer);
/* Waits for the sync's end. SQLITE_OK: what was written before syncer_begin is on the disk. */
int syncer_end(struct syncer *syncer);

/* Whether the disk is quick. Not called between syncer_begin and syncer_end. */
bool syncer_is_quick(const struct syncer *syncer);
/* Syncs the file in the caller's thread. Returns the same as syncer_end. */
int syncer_here(struct syncer *syncer, sqlite3_file *file);

#endif
