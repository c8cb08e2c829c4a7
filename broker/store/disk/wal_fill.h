/* The file of the write-ahead log, filled with zeros a step ahead of the log's end.
 *
 * Syncing a file that grew, or whose blocks were allocated and never written, writes what the file
 * system knows of the file as well (and its journal, if it has one); syncing bytes that were
 * written over brings little but these bytes to the disk. Readers of a log stop at the first frame
 * whose salts and checksum are not the log's: zeros behind its end are as harmless as the old
 * frames that a log leaves there which begins anew.
 *
 * What makes it safe: frames are written by the one connection that has the writer's lock, and in
 * order; within its transaction it goes back to frames of its own alone. So what lies behind a
 * frame that is the furthest so far is nobody's. This holds for frames only: behind a header that
 * begins the log anew are frames that a crash may need, until that header is on the disk. */
#ifndef WAL_FILL_H
#define WAL_FILL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

/* So many bytes are filled at a time. Some sixty small commits: what they save is many times what
 * writing this costs. */
#define WAL_FILL_STEP ((sqlite3_int64)256 * 1024)

/* Whether a VFS that is asked to open this should let wal_fill_open do it. */
bool wal_fill_is_for(const char *path, int flags);
/* What it needs of memory, before what the real VFS does. */
size_t wal_fill_bytes(void);
/* Opens the file through the real VFS, as that one's xOpen. */
int wal_fill_open(sqlite3_vfs *real, const char *path, sqlite3_file *out, int flags,
                  int *out_flags);

#endif
