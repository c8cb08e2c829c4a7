/* See reserve.h. The log's file is opened once more to allocate room in it: SQLite has no locks on
 * it that closing it could drop. posix_fallocate fails for each way of being full: no blocks, a
 * quota (EDQUOT), the file size limit of the process (EFBIG). */
#include "reserve.h"

#include "limits.h"
#include "room.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* From SQLite's file format. */
#define FRAME_BYTES   (4096 + 24)
#define SHM_BYTES     32768
#define SHM_FRAMES    4096
#define SHM_FRAMES_NO 34 /* the index' first part has so many fewer */

#define STEP_BYTES (1024 * 1024)
/* What small changes need: a smaller rest of the reserve is of no use. */
#define REST_BYTES (256 * 1024)

struct reserve {
    char *log_path;        /* owned */
    int log;               /* owned; -1: not opened yet */
    char *spare_path;      /* owned: of the file that keeps the room between two runs */
    uint64_t bytes;        /* wanted behind the log's end */
    uint64_t allocated;    /* for the log's file, as far as is known */
    uint64_t room_refused; /* free on the disk when it last refused */
    int shm_parts;         /* parts of the index that are there */
    bool whole;
};

static char *path_with(const char *path, const char *suffix) {
    size_t bytes = strlen(path) + strlen(suffix) + 1;
    char *out = malloc(bytes);
    if (out)
        (void)snprintf(out, bytes, "%s%s", path, suffix);
    return out;
}

/* If the disk is small, or the limit for a file is low, less is kept. */
static uint64_t bytes_wanted(const char *path) {
    uint64_t bytes = disk_all_bytes(path) / RESERVE_SHARE;
    struct rlimit limit;
    if (bytes > RESERVE_BYTES_MAX)
        bytes = RESERVE_BYTES_MAX;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        bytes > limit.rlim_cur / RESERVE_SHARE)
        bytes = limit.rlim_cur / RESERVE_SHARE;
    return bytes > RESERVE_BYTES_MIN ? bytes : RESERVE_BYTES_MIN;
}

static void close_log(struct reserve *reserve) {
    if (reserve->log >= 0)
        (void)close(reserve->log);
    reserve->log = -1;
}

static void release(struct reserve *reserve) {
    close_log(reserve);
    free(reserve->log_path);
    free(reserve->spare_path);
    free(reserve);
}

struct reserve *reserve_new(const char *path) {
    struct reserve *reserve = calloc(1, sizeof *reserve);
    if (!reserve)
        return NULL;
    reserve->log = -1;
    reserve->log_path = path_with(path, "-wal");
    reserve->spare_path = path_with(path, "-reserve");
    if (!reserve->log_path || !reserve->spare_path) {
        release(reserve);
        return NULL;
    }
    reserve->bytes = bytes_wanted(path);
    (void)unlink(reserve->spare_path); /* if it is there */
    return reserve;
}

/* Opens a file for a moment. */
static int open_file(const char *path, int flags) {
    return open(path, O_RDWR | O_CLOEXEC | flags, 0600);
}

static bool make_spare(const struct reserve *reserve) {
    int file = open_file(reserve->spare_path, O_CREAT);
    bool made = file >= 0 && posix_fallocate(file, 0, (off_t)reserve->bytes) == 0;
    if (file >= 0)
        (void)close(file); /* nothing was written */
    return made;
}

void reserve_free(struct reserve *reserve) {
    if (!reserve)
        return;
    close_log(reserve); /* a removed file keeps its room while it is open */
    /* If the log is still there, it holds the reserve; so does another process's log. */
    if (access(reserve->log_path, F_OK) != 0 && !make_spare(reserve))
        (void)unlink(reserve->spare_path);
    release(reserve);
}

static uint64_t log_bytes(uint64_t pages) {
    return pages * FRAME_BYTES;
}

/* How many bytes are allocated to the file, holes not counted. */
static uint64_t allocated_bytes(int file) {
    struct stat status;
    return fstat(file, &status) == 0 && status.st_size > 0 &&
                   (uint64_t)status.st_blocks * 512 >= (uint64_t)status.st_size
               ? (uint64_t)status.st_size
               : 0;
}

/* Allocates in steps if the disk has much room, and only what is wanted if it has little. */
static bool allocate(struct reserve *reserve, int file, uint64_t wanted) {
    uint64_t kept = reserve->bytes / 4; /* for the database, which a checkpoint makes grow */
    uint64_t left = disk_free_bytes(reserve->log_path), had = allocated_bytes(file);
    uint64_t target = (wanted / STEP_BYTES + 1) * STEP_BYTES;
    if (wanted > had && left < target - had + kept)
        target = wanted;
    reserve->allocated = had;
    if (wanted <= had)
        return true;
    if (left < target - had + kept || posix_fallocate(file, (off_t)had, (off_t)(target - had)) != 0)
        return false;
    reserve->allocated = target;
    return true;
}

/* The log's file is kept open: a process without descriptors must not think that its disk is
 * full. */
static bool hold_log(struct reserve *reserve, uint64_t wanted) {
    if (reserve->log < 0)
        reserve->log = open_file(reserve->log_path, 0);
    return reserve->log >= 0 && allocate(reserve, reserve->log, wanted);
}

/* Otherwise the index would grow in the middle of a commit, where an error leaves unknown what is
 * in the log. */
static bool hold_shm(struct reserve *reserve, sqlite3 *db, uint64_t wanted) {
    int last = (int)((wanted / FRAME_BYTES + SHM_FRAMES_NO) / SHM_FRAMES);
    sqlite3_file *file = NULL;
    if (last < reserve->shm_parts)
        return true;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
        file->pMethods->iVersion < 2)
        return false;
    for (int part = 0; part <= last; part++) {
        void volatile *memory;
        if (file->pMethods->xShmMap(file, part, SHM_BYTES, 1, &memory) != SQLITE_OK)
            return false;
    }
    reserve->shm_parts = last + 1;
    return true;
}

bool reserve_hold(struct reserve *reserve, sqlite3 *db, int pages, bool anew) {
    uint64_t wanted = log_bytes((uint64_t)pages) + reserve->bytes;
    if (wanted <= reserve->allocated) {
        reserve->whole = true;
        return true;
    }
    if (!reserve->whole && !anew && disk_free_bytes(reserve->log_path) <= reserve->room_refused)
        return false;
    reserve->whole = hold_shm(reserve, db, wanted) && hold_log(reserve, wanted);
    reserve->room_refused = reserve->whole ? 0 : disk_free_bytes(reserve->log_path);
    return reserve->whole;
}

bool reserve_is_whole(const struct reserve *reserve) {
    return reserve->whole;
}

bool reserve_has_rest(const struct reserve *reserve, int pages) {
    return log_bytes((uint64_t)pages) + REST_BYTES <= reserve->allocated;
}

bool reserve_allows(struct reserve *reserve, uint64_t pages) {
    return log_bytes(pages) <= reserve->allocated || hold_log(reserve, log_bytes(pages));
}

int reserve_pages(const struct reserve *reserve) {
    struct stat status;
    return stat(reserve->log_path, &status) == 0 ? (int)(status.st_size / FRAME_BYTES) : 0;
}

void reserve_forget(struct reserve *reserve) {
    reserve->allocated = 0;
}

/* ---- what SQLite's codes mean ---- */

static bool is_full_reason(int reason) {
    return reason == ENOSPC || reason == EDQUOT || reason == EFBIG;
}

/* SQLite knows only ENOSPC; the others are a write error with errno as the reason. */
bool reserve_is_full_error(sqlite3_file *file, int code) {
    int reason = 0;
    if ((code & 0xff) == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE)
        return true;
    if (code != SQLITE_IOERR_WRITE && code != SQLITE_IOERR_TRUNCATE)
        return false;
    return file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &reason) == SQLITE_OK &&
           is_full_reason(reason);
}

bool reserve_is_full_code(sqlite3 *db, int code) {
    sqlite3_file *file = NULL;
    return sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK &&
           file->pMethods && reserve_is_full_error(file, code);
}
