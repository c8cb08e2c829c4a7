/* Files beside a database, opened through the VFS that the database has, or will have. */
#ifndef BESIDE_H
#define BESIDE_H

#include <sqlite3.h>
#include <stdbool.h>

/* Opens the file whose name is the database's with that suffix. Like a log, it has the database's
 * mode and no locks, and its first sync also syncs its name in the folder. If there is none and
 * `create` is not set, *out is NULL. Returns SQLite's code; if *out is not NULL, beside_close must
 * follow. */
int beside_open(sqlite3_file **out, const char *vfs, const char *database, const char *suffix,
                bool create);
void beside_close(sqlite3_file *file);

#endif
