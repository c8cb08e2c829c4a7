/* See page_check.h. SQLite reads a database in whole pages, except for its header of 100 bytes, and
 * writes only whole pages. The header tells whether there are checksums; a file that has them keeps
 * them, because SQLite never takes reserved bytes back. */
#include "page_check.h"

#include "wal_fill.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* From SQLite's file format. */
#define HEADER_BYTES   100
#define HEADER_RESERVE 20 /* the byte that tells how many bytes of each page are reserved */
#define PAGE_BYTES_MIN 512
#define PAGE_BYTES_MAX 65536
#define LOCKED_BYTE    0x40000000 /* in a page that is never used */

struct page_check {
    sqlite3_vfs vfs;
    sqlite3_vfs *real; /* borrowed */
    char name[40];
    atomic_bool is_on;
    pthread_mutex_t mutex; /* guards what follows: a checkpoint reads in its own thread */
    uint64_t damaged;
    uint32_t pages[PAGE_CHECK_PAGES_MAX];
    size_t pages_count;
};

/* A database file; the real file's struct is behind it in the same memory. */
struct checked {
    sqlite3_file base;
    struct page_check *check; /* borrowed */
    sqlite3_file *real;
    bool is_on;
    unsigned char *scratch; /* owned: a page on its way to the disk */
    size_t scratch_bytes;
};

static struct checked *checked_of(sqlite3_file *file) {
    return (struct checked *)(void *)file;
}

static sqlite3_file *real_of(sqlite3_file *file) {
    return checked_of(file)->real;
}

/* ---- pages ---- */

static void make_sum(const unsigned char *page, size_t bytes, uint32_t number,
                     unsigned char out[PAGE_CHECK_BYTES]) {
    XXH64_canonical_t sum;
    XXH64_canonicalFromHash(&sum, XXH3_64bits_withSeed(page, bytes - PAGE_CHECK_BYTES, number));
    memcpy(out, sum.digest, PAGE_CHECK_BYTES);
}

static bool is_page(int bytes, sqlite3_int64 offset) {
    return bytes >= PAGE_BYTES_MIN && bytes <= PAGE_BYTES_MAX && (bytes & (bytes - 1)) == 0 &&
           offset % bytes == 0;
}

static uint32_t number_of(int bytes, sqlite3_int64 offset) {
    return (uint32_t)(offset / bytes) + 1;
}

bool page_check_is_right(const unsigned char *page, size_t bytes, uint32_t number) {
    unsigned char sum[PAGE_CHECK_BYTES];
    make_sum(page, bytes, number, sum);
    return memcmp(sum, page + bytes - PAGE_CHECK_BYTES, PAGE_CHECK_BYTES) == 0;
}

bool page_check_is_locked(size_t bytes, uint32_t number) {
    return number == LOCKED_BYTE / bytes + 1;
}

static void look_at_header(struct checked *file, const unsigned char *header) {
    static const char magic[] = "SQLite format 3";
    if (!file->is_on && memcmp(header, magic, sizeof magic) == 0 &&
        header[HEADER_RESERVE] == PAGE_CHECK_BYTES) {
        file->is_on = true;
        atomic_store(&file->check->is_on, true);
    }
}

static void note_damage(struct page_check *check, uint32_t number) {
    (void)pthread_mutex_lock(&check->mutex);
    size_t at = 0;
    while (at < check->pages_count && check->pages[at] != number)
        at++;
    if (at == check->pages_count && at < PAGE_CHECK_PAGES_MAX)
        check->pages[check->pages_count++] = number;
    check->damaged++;
    (void)pthread_mutex_unlock(&check->mutex);
}

/* ---- the methods of a file ---- */

static int file_close(sqlite3_file *file) {
    free(checked_of(file)->scratch);
    return real_of(file)->pMethods->xClose(real_of(file));
}

/* SQLite takes what is behind the end for zeros, but it reads a whole page only where there should
 * be one, so a short read is damage. The code is not SQLITE_IOERR_DATA, after which SQLite would
 * roll the transaction back. */
static int file_read(sqlite3_file *base, void *out, int bytes, sqlite3_int64 offset) {
    struct checked *file = checked_of(base);
    int code = file->real->pMethods->xRead(file->real, out, bytes, offset);
    if (code == SQLITE_OK && offset == 0 && bytes >= HEADER_BYTES)
        look_at_header(file, out);
    if ((code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) || !file->is_on ||
        !is_page(bytes, offset))
        return code;
    uint32_t number = number_of(bytes, offset);
    if (code == SQLITE_OK && page_check_is_right(out, (size_t)bytes, number))
        return SQLITE_OK;
    note_damage(file->check, number);
    return PAGE_CHECK_DAMAGED;
}

static bool has_scratch(struct checked *file, size_t bytes) {
    if (file->scratch_bytes < bytes) {
        free(file->scratch);
        file->scratch = malloc(bytes);
        file->scratch_bytes = !file->scratch ? 0 : bytes;
    }
    return file->scratch != NULL;
}

static int file_write(sqlite3_file *base, const void *data, int bytes, sqlite3_int64 offset) {
    struct checked *file = checked_of(base);
    if (offset == 0 && bytes >= HEADER_BYTES)
        look_at_header(file, data);
    if (file->is_on && is_page(bytes, offset)) {
        size_t count = (size_t)bytes;
        if (!has_scratch(file, count))
            return SQLITE_IOERR_NOMEM;
        memcpy(file->scratch, data, count - PAGE_CHECK_BYTES);
        make_sum(file->scratch, count, number_of(bytes, offset),
                 file->scratch + count - PAGE_CHECK_BYTES);
        data = file->scratch;
    }
    return file->real->pMethods->xWrite(file->real, data, bytes, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags) {
    return real_of(file)->pMethods->xSync(real_of(file), flags);
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

/* Newer SQLites read parts of pages if a VFS allows it, and parts can't be verified. */
static int file_characteristics(sqlite3_file *file) {
    int all = real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
#ifdef SQLITE_IOCAP_SUBPAGE_READ
    all &= ~SQLITE_IOCAP_SUBPAGE_READ;
#endif
    return all;
}

static int file_shm_map(sqlite3_file *file, int part, int bytes, int extend,
                        void volatile **memory) {
    return real_of(file)->pMethods->xShmMap(real_of(file), part, bytes, extend, memory);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file) {
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int file_shm_unmap(sqlite3_file *file, int remove) {
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

#define METHODS_WITHOUT_SHM(version)                                                               \
    .iVersion = (version), .xClose = file_close, .xRead = file_read, .xWrite = file_write,         \
    .xTruncate = file_truncate, .xSync = file_sync, .xFileSize = file_size, .xLock = file_lock,    \
    .xUnlock = file_unlock, .xCheckReservedLock = file_check_reserved,                             \
    .xFileControl = file_control, .xSectorSize = file_sector_size,                                 \
    .xDeviceCharacteristics = file_characteristics

static const sqlite3_io_methods methods_without_shm = {METHODS_WITHOUT_SHM(1)};

/* Not version 3: mapped memory would be read without being verified. */
static const sqlite3_io_methods methods_with_shm = {
    METHODS_WITHOUT_SHM(2),          .xShmMap = file_shm_map,     .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier, .xShmUnmap = file_shm_unmap,
};

/* ---- the methods of the VFS ---- */

static struct page_check *check_of(sqlite3_vfs *vfs) {
    return vfs->pAppData;
}

static sqlite3_vfs *real_vfs(sqlite3_vfs *vfs) {
    return check_of(vfs)->real;
}

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *out, int flags,
                    int *out_flags) {
    struct page_check *check = check_of(vfs);
    if (wal_fill_is_for(path, flags))
        return wal_fill_open(check->real, path, out, flags, out_flags);
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
        return check->real->xOpen(check->real, path, out, flags, out_flags);
    struct checked *file = checked_of(out);
    *file = (struct checked){.check = check, .real = (sqlite3_file *)(void *)(file + 1)};
    int code = check->real->xOpen(check->real, path, file->real, flags, out_flags);
    if (file->real->pMethods) {
        out->pMethods =
            file->real->pMethods->iVersion > 1 ? &methods_with_shm : &methods_without_shm;
    }
    return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_folder) {
    return real_vfs(vfs)->xDelete(real_vfs(vfs), path, sync_folder);
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *out) {
    return real_vfs(vfs)->xAccess(real_vfs(vfs), path, flags, out);
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int bytes, char *out) {
    return real_vfs(vfs)->xFullPathname(real_vfs(vfs), path, bytes, out);
}

static int vfs_randomness(sqlite3_vfs *vfs, int bytes, char *out) {
    return real_vfs(vfs)->xRandomness(real_vfs(vfs), bytes, out);
}

static int vfs_sleep(sqlite3_vfs *vfs, int us) {
    return real_vfs(vfs)->xSleep(real_vfs(vfs), us);
}

static int vfs_time(sqlite3_vfs *vfs, double *days) {
    return real_vfs(vfs)->xCurrentTime(real_vfs(vfs), days);
}

static int vfs_last_error(sqlite3_vfs *vfs, int bytes, char *out) {
    return real_vfs(vfs)->xGetLastError(real_vfs(vfs), bytes, out);
}

/* Version 1: SQLite uses no other methods of a VFS if no extensions are loaded. */
static sqlite3_vfs vfs_over(struct page_check *check) {
    size_t bytes = sizeof(struct checked);
    bytes = wal_fill_bytes() > bytes ? wal_fill_bytes() : bytes;
    return (sqlite3_vfs){
        .iVersion = 1,
        .szOsFile = (int)bytes + check->real->szOsFile,
        .mxPathname = check->real->mxPathname,
        .zName = check->name,
        .pAppData = check,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_path,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_time,
        .xGetLastError = vfs_last_error,
    };
}

/* ---- the whole ---- */

struct page_check *page_check_new(const char *vfs) {
    sqlite3_vfs *real = sqlite3_initialize() == SQLITE_OK ? sqlite3_vfs_find(vfs) : NULL;
    struct page_check *check = !real ? NULL : calloc(1, sizeof *check);
    if (!check)
        return NULL;
    check->real = real;
    (void)snprintf(check->name, sizeof check->name, "page-check-%p", (void *)check);
    (void)pthread_mutex_init(&check->mutex, NULL);
    check->vfs = vfs_over(check);
    if (sqlite3_vfs_register(&check->vfs, 0) != SQLITE_OK) {
        page_check_free(check);
        return NULL;
    }
    return check;
}

void page_check_free(struct page_check *check) {
    if (!check)
        return;
    (void)sqlite3_vfs_unregister(&check->vfs);
    (void)pthread_mutex_destroy(&check->mutex);
    free(check);
}

const char *page_check_name(const struct page_check *check) {
    return check->name;
}

int page_check_reserve(sqlite3 *db) {
    int bytes = PAGE_CHECK_BYTES;
    return sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
}

bool page_check_is_on(const struct page_check *check) {
    return atomic_load(&check->is_on);
}

uint64_t page_check_damaged(const struct page_check *check, uint32_t pages[PAGE_CHECK_PAGES_MAX],
                            size_t *count) {
    pthread_mutex_t *mutex = (pthread_mutex_t *)(uintptr_t)&check->mutex;
    (void)pthread_mutex_lock(mutex);
    uint64_t damaged = check->damaged;
    *count = check->pages_count;
    memcpy(pages, check->pages, check->pages_count * sizeof *pages);
    (void)pthread_mutex_unlock(mutex);
    return damaged;
}
