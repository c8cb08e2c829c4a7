/* Each file has two images, as written and as synced, and the list of sectors in which they differ.
 * A sector is lost or kept as a whole, in its last state; a write to one never harms another
 * (SQLite's "powersafe overwrite", which it assumes of real disks as well). */
#include "crashvfs.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 512

struct image {
    unsigned char *bytes; /* owned; zero from `size` to `max` */
    size_t size;
    size_t max;
    bool exists;
};

struct file {
    struct file *next;     /* owned */
    char path[PATH_BYTES]; /* "": temporary, gone when it is closed */
    struct image written;
    struct image synced;
    bool *is_dirty; /* owned: for each sector of `written.max` */
    size_t *dirty;  /* owned: the sectors, in the order of their first write */
    size_t dirty_count;
};

struct crashvfs {
    sqlite3_vfs vfs;
    struct file *files; /* owned */
    uint64_t random;
    unsigned epoch; /* how many crashes there were */
    uint64_t count[CRASHVFS_CALLS];
    uint64_t fail_at[CRASHVFS_CALLS]; /* 0: never */
    int fail_code[CRASHVFS_CALLS];
};

struct handle {
    sqlite3_file base;
    struct crashvfs *vfs; /* borrowed: outlives its files */
    struct file *file;    /* borrowed: from the disk */
    unsigned epoch;
    bool syncs_folder; /* a new journal: its first sync makes the folder's entries durable, too */
};

static uint64_t random_next(struct crashvfs *vfs) {
    vfs->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = vfs->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool toss(struct crashvfs *vfs) {
    return (random_next(vfs) & 1) != 0;
}

/* ---- images ---- */

static bool image_reserve(struct image *image, size_t bytes) {
    if (bytes <= image->max)
        return true;
    size_t max = image->max == 0 ? 65536 : image->max;
    while (max < bytes)
        max *= 2;
    unsigned char *grown = realloc(image->bytes, max);
    if (!grown)
        return false;
    memset(grown + image->max, 0, max - image->max);
    image->bytes = grown;
    image->max = max;
    return true;
}

static void image_truncate(struct image *image, size_t size) {
    if (size < image->size) {
        memset(image->bytes + size, 0, image->size - size);
        image->size = size;
    }
}

/* Both images and the list of sectors grow together, so that nothing can fail in a crash. */
static bool file_reserve(struct file *file, size_t bytes) {
    if (bytes <= file->written.max)
        return true;
    size_t before = file->written.max / CRASHVFS_SECTOR_BYTES;
    if (!image_reserve(&file->written, bytes) || !image_reserve(&file->synced, bytes))
        return false;
    size_t sectors = file->written.max / CRASHVFS_SECTOR_BYTES;
    bool *is_dirty = realloc(file->is_dirty, sectors * sizeof *is_dirty);
    if (!is_dirty)
        return false;
    memset(is_dirty + before, 0, (sectors - before) * sizeof *is_dirty);
    file->is_dirty = is_dirty;
    size_t *dirty = realloc(file->dirty, sectors * sizeof *dirty);
    if (!dirty)
        return false;
    file->dirty = dirty;
    return true;
}

static void file_mark(struct file *file, size_t sector) {
    if (!file->is_dirty[sector]) {
        file->is_dirty[sector] = true;
        file->dirty[file->dirty_count++] = sector;
    }
}

/* Takes over one sector from an image into the other, and how far it reaches. */
static void copy_sector(struct image *to, const struct image *from, size_t sector) {
    size_t first = sector * CRASHVFS_SECTOR_BYTES;
    size_t end = first + CRASHVFS_SECTOR_BYTES;
    memcpy(to->bytes + first, from->bytes + first, CRASHVFS_SECTOR_BYTES);
    if (end > from->size)
        end = from->size;
    if (end > to->size)
        to->size = end;
}

static void file_clean(struct file *file) {
    for (size_t i = 0; i < file->dirty_count; i++)
        file->is_dirty[file->dirty[i]] = false;
    file->dirty_count = 0;
}

static void file_sync(struct file *file) {
    image_truncate(&file->synced, file->written.size);
    for (size_t i = 0; i < file->dirty_count; i++)
        copy_sector(&file->synced, &file->written, file->dirty[i]);
    file->synced.size = file->written.size;
    file->synced.exists = file->written.exists;
    file_clean(file);
}

/* Which files there are becomes durable, of new ones not yet what is in them. */
static void folder_sync(struct crashvfs *vfs) {
    for (struct file *file = vfs->files; file; file = file->next) {
        if (!file->written.exists)
            file_sync(file);
        file->synced.exists = file->written.exists;
    }
}

/* Brings the file to what the disk holds after the crash. */
static void file_crash(struct crashvfs *vfs, struct file *file, enum crashvfs_keep keep) {
    if (keep == CRASHVFS_KEEP_SOME) {
        if (file->written.exists != file->synced.exists && toss(vfs))
            file->synced.exists = file->written.exists;
        if (file->written.size < file->synced.size && toss(vfs))
            image_truncate(&file->synced, file->written.size);
        for (size_t i = 0; i < file->dirty_count; i++)
            if (toss(vfs))
                copy_sector(&file->synced, &file->written, file->dirty[i]);
    }
    if (!file->synced.exists)
        image_truncate(&file->synced, 0);
    file_clean(file);
    image_truncate(&file->written, 0);
    if (file->synced.size > 0)
        memcpy(file->written.bytes, file->synced.bytes, file->synced.size);
    file->written.size = file->synced.size;
    file->written.exists = file->synced.exists;
}

static void file_free(struct file *file) {
    free(file->written.bytes);
    free(file->synced.bytes);
    free(file->is_dirty);
    free(file->dirty);
    free(file);
}

static struct file *file_find(const struct crashvfs *vfs, const char *path) {
    struct file *file = vfs->files;
    while (file && strcmp(file->path, path) != 0)
        file = file->next;
    return file;
}

static struct file *file_add(struct crashvfs *vfs, const char *path) {
    struct file *file = calloc(1, sizeof *file);
    if (!file)
        return NULL;
    memcpy(file->path, path, strlen(path) + 1);
    file->next = vfs->files;
    vfs->files = file;
    return file;
}

static void file_remove(struct crashvfs *vfs, struct file *file) {
    struct file **at = &vfs->files;
    while (*at != file)
        at = &(*at)->next;
    *at = file->next;
    file_free(file);
}

/* ---- the methods of a file ---- */

static struct file *live(sqlite3_file *base) {
    struct handle *handle = (struct handle *)base;
    return handle->epoch == handle->vfs->epoch ? handle->file : NULL;
}

/* Counts a call; the code that it must fail with, or SQLITE_OK. */
static int count(sqlite3_file *base, enum crashvfs_call call) {
    struct crashvfs *vfs = ((struct handle *)base)->vfs;
    uint64_t number = ++vfs->count[call];
    bool fails = vfs->fail_at[call] != 0 && number >= vfs->fail_at[call];
    return fails ? vfs->fail_code[call] : SQLITE_OK;
}

static int file_close(sqlite3_file *base) {
    struct handle *handle = (struct handle *)base;
    if (handle->file->path[0] == '\0')
        file_remove(handle->vfs, handle->file);
    return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *out, int out_bytes, sqlite3_int64 offset) {
    struct file *file = live(base);
    if (!file)
        return SQLITE_IOERR_READ;
    size_t bytes = (size_t)out_bytes;
    size_t at = (size_t)offset;
    size_t there = at >= file->written.size ? 0 : file->written.size - at;
    if (there >= bytes) {
        memcpy(out, file->written.bytes + at, bytes);
        return SQLITE_OK;
    }
    memset(out, 0, bytes);
    if (there > 0)
        memcpy(out, file->written.bytes + at, there);
    return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *data, int data_bytes, sqlite3_int64 offset) {
    struct file *file = live(base);
    if (!file)
        return SQLITE_IOERR_WRITE;
    int code = count(base, CRASHVFS_WRITE);
    size_t at = (size_t)offset;
    size_t end = at + (size_t)data_bytes;
    if (code != SQLITE_OK)
        return code;
    if (!file_reserve(file, end))
        return SQLITE_NOMEM;
    memcpy(file->written.bytes + at, data, (size_t)data_bytes);
    for (size_t sector = at / CRASHVFS_SECTOR_BYTES; sector * CRASHVFS_SECTOR_BYTES < end; sector++)
        file_mark(file, sector);
    if (end > file->written.size)
        file->written.size = end;
    return SQLITE_OK;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size) {
    struct file *file = live(base);
    if (!file)
        return SQLITE_IOERR_TRUNCATE;
    size_t before = file->written.size;
    image_truncate(&file->written, (size_t)size);
    for (size_t sector = (size_t)size / CRASHVFS_SECTOR_BYTES;
         sector * CRASHVFS_SECTOR_BYTES < before; sector++)
        file_mark(file, sector);
    return SQLITE_OK;
}

static int file_sync_method(sqlite3_file *base, int flags) {
    (void)flags;
    struct file *file = live(base);
    if (!file)
        return SQLITE_IOERR_FSYNC;
    struct handle *handle = (struct handle *)base;
    int code = count(base, CRASHVFS_SYNC);
    if (code != SQLITE_OK)
        return code;
    file_sync(file);
    if (handle->syncs_folder) {
        folder_sync(handle->vfs);
        handle->syncs_folder = false;
    }
    return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *out) {
    struct file *file = live(base);
    if (!file)
        return SQLITE_IOERR_FSTAT;
    *out = (sqlite3_int64)file->written.size;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *base, int lock) {
    (void)base;
    (void)lock;
    return SQLITE_OK;
}

static int file_check_reserved(sqlite3_file *base, int *out) {
    (void)base;
    *out = 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int operation, void *arg) {
    (void)base;
    (void)operation;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *base) {
    (void)base;
    return CRASHVFS_SECTOR_BYTES;
}

static int file_characteristics(sqlite3_file *base) {
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1, /* no shared memory: exclusive locking mode only */
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync_method,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
};

/* ---- the methods of the disk ---- */

static int disk_open(sqlite3_vfs *base, const char *path, sqlite3_file *out, int flags,
                     int *out_flags) {
    struct crashvfs *vfs = base->pAppData;
    out->pMethods = NULL;
    struct file *file = !path ? NULL : file_find(vfs, path);
    if (!file)
        file = file_add(vfs, !path ? "" : path);
    if (!file)
        return SQLITE_NOMEM;
    if (!file->written.exists && (flags & SQLITE_OPEN_CREATE) == 0)
        return SQLITE_CANTOPEN;
    bool is_journal = (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)) != 0;
    *(struct handle *)out = (struct handle){.base = {.pMethods = &methods},
                                            .vfs = vfs,
                                            .file = file,
                                            .epoch = vfs->epoch,
                                            .syncs_folder = is_journal && !file->written.exists};
    file->written.exists = true;
    if (out_flags)
        *out_flags = flags;
    return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *base, const char *path, int sync_folder) {
    struct file *file = file_find(base->pAppData, path);
    if (!file || !file->written.exists)
        return SQLITE_IOERR_DELETE_NOENT;
    file->written.exists = false;
    size_t before = file->written.size;
    image_truncate(&file->written, 0);
    for (size_t sector = 0; sector * CRASHVFS_SECTOR_BYTES < before; sector++)
        file_mark(file, sector);
    if (sync_folder)
        folder_sync(base->pAppData);
    return SQLITE_OK;
}

static int disk_access(sqlite3_vfs *base, const char *path, int flags, int *out) {
    (void)flags;
    const struct file *file = file_find(base->pAppData, path);
    *out = file && file->written.exists;
    return SQLITE_OK;
}

static int disk_full_path(sqlite3_vfs *base, const char *path, int out_bytes, char *out) {
    (void)base;
    size_t bytes = strlen(path) + 1;
    if (bytes > (size_t)out_bytes || bytes > PATH_BYTES - sizeof "-journal")
        return SQLITE_CANTOPEN;
    memcpy(out, path, bytes);
    return SQLITE_OK;
}

static int disk_randomness(sqlite3_vfs *base, int bytes, char *out) {
    for (int i = 0; i < bytes; i++)
        out[i] = (char)(random_next(base->pAppData) & 0x7f);
    return bytes;
}

static int disk_sleep(sqlite3_vfs *base, int microseconds) {
    (void)base;
    return microseconds;
}

static int disk_time(sqlite3_vfs *base, double *julian_day) {
    (void)base;
    *julian_day = 2460000.5;
    return SQLITE_OK;
}

static int disk_last_error(sqlite3_vfs *base, int bytes, char *out) {
    (void)base;
    (void)bytes;
    (void)out;
    return 0;
}

struct crashvfs *crashvfs_new(const char *name, uint64_t seed) {
    struct crashvfs *vfs = calloc(1, sizeof *vfs);
    if (!vfs)
        return NULL;
    vfs->random = seed;
    vfs->vfs = (sqlite3_vfs){
        .iVersion = 1,
        .szOsFile = (int)sizeof(struct handle),
        .mxPathname = PATH_BYTES,
        .zName = name,
        .pAppData = vfs,
        .xOpen = disk_open,
        .xDelete = disk_delete,
        .xAccess = disk_access,
        .xFullPathname = disk_full_path,
        .xRandomness = disk_randomness,
        .xSleep = disk_sleep,
        .xCurrentTime = disk_time,
        .xGetLastError = disk_last_error,
    };
    if (sqlite3_vfs_register(&vfs->vfs, 0) != SQLITE_OK) {
        free(vfs);
        return NULL;
    }
    return vfs;
}

void crashvfs_free(struct crashvfs *vfs) {
    if (!vfs)
        return;
    (void)sqlite3_vfs_unregister(&vfs->vfs); /* fails only where it is not registered */
    while (vfs->files)
        file_remove(vfs, vfs->files);
    free(vfs);
}

void crashvfs_crash(struct crashvfs *vfs, enum crashvfs_keep keep) {
    vfs->epoch++;
    for (struct file *file = vfs->files; file; file = file->next)
        file_crash(vfs, file, keep);
}

void crashvfs_fail(struct crashvfs *vfs, enum crashvfs_call call, uint64_t nth, int code) {
    assert(nth > 0);
    vfs->fail_at[call] = vfs->count[call] + nth;
    vfs->fail_code[call] = code;
}

void crashvfs_mend(struct crashvfs *vfs) {
    memset(vfs->fail_at, 0, sizeof vfs->fail_at);
}

uint64_t crashvfs_count(const struct crashvfs *vfs, enum crashvfs_call call) {
    return vfs->count[call];
}

size_t crashvfs_file_bytes(const struct crashvfs *vfs, const char *path) {
    const struct file *file = file_find(vfs, path);
    return !file || !file->written.exists ? 0 : file->written.size;
}
