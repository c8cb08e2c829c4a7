/* The file of the write-ahead log, filled with zeros a step ahead of the log's end.
 *
 * Syncing a file that grew, or whose blocks were allocated but never written, also writes the file
 * system's own data about the file (and its journal, if it has one); syncing bytes that were
 * overwritten writes little but these bytes. Readers of a log stop at the first frame whose salts
 * and checksum are not the log's, so zeros behind its end are as harmless as the old frames that
 * stay there when a log begins anew.
 *
 * What makes it safe: only the connection that has the writer's lock writes frames, in order, and
 * within its transaction it goes back only to frames of its own. So nobody uses what lies behind
 * the furthest frame so far. This is true only for frames: behind a header that begins the log anew
 * there are frames that a crash may need until that header is on the disk. */
#ifndef WAL_FILL_H
#define WAL_FILL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

/* How many bytes are filled at a time. That is enough for some sixty small commits, which save many
 * times what writing it costs. */
#define WAL_FILL_STEP ((sqlite3_int64)256 * 1024)

/* Whether a VFS that is asked to open this file should let wal_fill_open do it. */
bool wal_fill_is_for(const char *path, int flags);
/* How much memory it needs in a file's struct, in front of what the real VFS needs. */
size_t wal_fill_bytes(void);
/* Opens the file through the real VFS, with the same arguments as its xOpen. */
int wal_fill_open(sqlite3_vfs *real, const char *path, sqlite3_file *out, int flags,
                  int *out_flags);

#endif
