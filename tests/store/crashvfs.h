/* A disk for SQLite that lives in memory and can lose power: what was not synced is gone after
 * crashvfs_crash, or a part of it is, sector by sector. Writes and syncs can be made to fail. For
 * one connection at a time in exclusive locking mode (it has no shared memory), in one thread.
 * The same seed and the same calls give the same disk. */
#ifndef CRASHVFS_H
#define CRASHVFS_H

#include <stddef.h>
#include <stdint.h>

#define CRASHVFS_SECTOR_BYTES 512

struct crashvfs;

/* Makes an empty disk and registers it with SQLite under that name (borrowed: until
 * crashvfs_free). NULL: no memory. */
struct crashvfs *crashvfs_new(const char *name, uint64_t seed);
/* No file may be open anymore. */
void crashvfs_free(struct crashvfs *vfs);

enum crashvfs_keep {
    CRASHVFS_KEEP_SYNCED, /* exactly what was synced */
    CRASHVFS_KEEP_SOME,   /* and of the rest, each sector by the toss of a coin */
};

/* The power fails and comes back. Files open at that moment answer SQLITE_IOERR from now on and
 * change nothing anymore: close them. */
void crashvfs_crash(struct crashvfs *vfs, enum crashvfs_keep keep);

enum crashvfs_call { CRASHVFS_WRITE, CRASHVFS_SYNC };
#define CRASHVFS_CALLS (CRASHVFS_SYNC + 1)

/* The nth next call (1: the next one) of that kind, and each after it, fails with an SQLite code,
 * until crashvfs_mend. A failed call changes nothing on the disk. */
void crashvfs_fail(struct crashvfs *vfs, enum crashvfs_call call, uint64_t nth, int code);
void crashvfs_mend(struct crashvfs *vfs);
/* How many calls of that kind there were, failed ones included. */
uint64_t crashvfs_count(const struct crashvfs *vfs, enum crashvfs_call call);

/* Bytes of the file as it is now; 0 where there is none. */
size_t crashvfs_file_bytes(const struct crashvfs *vfs, const char *path);

#endif
