/* Files beside a database, opened through the VFS that the database has, or will have. */
#ifndef BESIDE_H
#define BESIDE_H

#include <sqlite3.h>
#include <stdbool.h>

/* Opens the file with that suffix behind the database's name: like a log, with the mode of the
 * database, without locks, and made known in its folder by the first sync. Where there is none and
 * not `create`, *out is NULL. Returns SQLite's code; *out wants beside_close where it is not NULL.
 */
int beside_open(sqlite3_file **out, const char *vfs, const char *database, const char *suffix,
                bool create);
void beside_close(sqlite3_file *file);

#endif
