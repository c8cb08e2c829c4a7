/* See wal_fill.h. A transaction that writes more than a step without a sync pays for the filling
 * only once, because it has one sync for all. */
#include "wal_fill.h"

#include <stdatomic.h>
#include <string.h>

#define SUFFIX       "-wal"
#define HEADER_BYTES 32 /* from SQLite's file format */

struct wal_fill {
    sqlite3_file base;
    sqlite3_file *real;
    sqlite3_int64 filled; /* everything before it was filled, or is a live frame */
    atomic_bool synced;   /* since it was last filled; another thread may sync */
};

static struct wal_fill *fill_of(sqlite3_file *file) {
    return (struct wal_fill *)(void *)file;
}

static sqlite3_file *real_of(sqlite3_file *file) {
    return fill_of(file)->real;
}

/* ---- filling ---- */

/* If the write fails, the file is as it would be without the filling. */
static void fill(struct wal_fill *file, sqlite3_int64 from, sqlite3_int64 to) {
    static const unsigned char zeros[65536];
    int code = SQLITE_OK;
    for (sqlite3_int64 at = from; code == SQLITE_OK && at < to; at += (sqlite3_int64)sizeof zeros) {
        sqlite3_int64 left = to - at;
        int bytes = left < (sqlite3_int64)sizeof zeros ? (int)left : (int)sizeof zeros;
        code = file->real->pMethods->xWrite(file->real, zeros, bytes, at);
    }
}

static void fill_behind(struct wal_fill *file, sqlite3_int64 end) {
    file->filled = end;
    if (atomic_exchange(&file->synced, false)) {
        file->filled = (end / WAL_FILL_STEP + 1) * WAL_FILL_STEP;
        fill(file, end, file->filled);
    }
}

/* ---- the methods ---- */

static int file_close(sqlite3_file *file) {
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *out, int bytes, sqlite3_int64 offset) {
    return real_of(file)->pMethods->xRead(real_of(file), out, bytes, offset);
}

static int file_write(sqlite3_file *base, const void *data, int bytes, sqlite3_int64 offset) {
    struct wal_fill *file = fill_of(base);
    int code = file->real->pMethods->xWrite(file->real, data, bytes, offset);
    if (code == SQLITE_OK && offset >= HEADER_BYTES && offset + bytes > file->filled)
        fill_behind(file, offset + bytes);
    return code;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size) {
    struct wal_fill *file = fill_of(base);
    file->filled = size < file->filled ? size : file->filled;
    return file->real->pMethods->xTruncate(file->real, size);
}

static int file_sync(sqlite3_file *base, int flags) {
    struct wal_fill *file = fill_of(base);
    int code = file->real->pMethods->xSync(file->real, flags);
    atomic_store(&file->synced, true);
    return code;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *out) {
    return real_of(file)->pMethods->xFileSize(real_of(file), out);
}

static int file_lock(sqlite3_file *file, int lock) {
    return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int file_unlock(sqlite3_file *file, int lock) {
    return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static int file_check_reserved(sqlite3_file *file, int *out) {
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int file_control(sqlite3_file *file, int operation, void *arg) {
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, arg);
}

static int file_sector_size(sqlite3_file *file) {
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_characteristics(sqlite3_file *file) {
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

/* Version 1: a log is not mapped and has no shared memory. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
};

/* ---- opening ---- */

/* The flags alone don't tell: other files beside the store are opened like logs, too. */
bool wal_fill_is_for(const char *path, int flags) {
    size_t bytes = !path ? 0 : strlen(path);
    return (flags & SQLITE_OPEN_WAL) != 0 && bytes >= strlen(SUFFIX) &&
           strcmp(path + bytes - strlen(SUFFIX), SUFFIX) == 0;
}

size_t wal_fill_bytes(void) {
    return sizeof(struct wal_fill);
}

int wal_fill_open(sqlite3_vfs *real, const char *path, sqlite3_file *out, int flags,
                  int *out_flags) {
    struct wal_fill *file = fill_of(out);
    *file = (struct wal_fill){.real = (sqlite3_file *)(void *)(file + 1)};
    atomic_init(&file->synced, true);
    int code = real->xOpen(real, path, file->real, flags, out_flags);
    if (file->real->pMethods)
        out->pMethods = &methods;
    return code;
}
