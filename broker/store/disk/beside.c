/* See beside.h. SQLite uses the name as long as the file is open, so it is kept behind the file in
 * the same memory. */
#include "beside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_file(sqlite3_vfs *vfs, sqlite3_file *file, const char *path, bool create) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL | (create ? SQLITE_OPEN_CREATE : 0);
    int there = 0;
    int code = create ? SQLITE_OK : vfs->xAccess(vfs, path, SQLITE_ACCESS_EXISTS, &there);
    if (code != SQLITE_OK || !(create || there))
        return code;
    return vfs->xOpen(vfs, path, file, flags, NULL);
}

int beside_open(sqlite3_file **out, const char *vfs_name, const char *database, const char *suffix,
                bool create) {
    *out = NULL;
    sqlite3_vfs *vfs = sqlite3_initialize() == SQLITE_OK ? sqlite3_vfs_find(vfs_name) : NULL;
    if (!vfs)
        return SQLITE_ERROR;
    size_t path_bytes = (size_t)vfs->mxPathname + 1 + strlen(suffix) + 1;
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile + path_bytes);
    if (!file)
        return SQLITE_NOMEM;
    char *path = (char *)file + vfs->szOsFile;
    int code = vfs->xFullPathname(vfs, database, vfs->mxPathname + 1, path);
    if ((code & 0xff) == SQLITE_OK) {
        strcat(path, suffix);
        code = open_file(vfs, file, path, create);
    }
    if (!file->pMethods) {
        free(file);
        return code;
    }
    *out = file;
    return code;
}

void beside_close(sqlite3_file *file) {
    if (file)
        (void)file->pMethods->xClose(file);
    free(file);
}
