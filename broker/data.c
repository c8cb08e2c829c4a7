/* The data folder is readable only for its owner, because it holds keys and hashes.
 *
 * The lock is on the store itself: on its database, whatever folder leads there, and on the folder,
 * whatever becomes of the database's name. The kernel drops both when the process ends, however it
 * ends, so no stale lock is ever in the way. FOLDER/lock has a POSIX lock as well, because only
 * such a lock tells which process has it; that file may be missing. */
#define _GNU_SOURCE  /* F_OFD_SETLK: other than POSIX's, it outlives SQLite's closing of the file  \
                      */
#include "data.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* The byte of the database that is locked, far behind those that SQLite locks. */
#define LOCK_BYTE ((off_t)1 << 62)

bool data_path(const char *folder, const char *file, char *path, size_t path_bytes) {
    int bytes = snprintf(path, path_bytes, "%s/%s", folder, file);
    return bytes >= 0 && (size_t)bytes < path_bytes;
}

static bool make_folder(const char *path) {
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* Makes the folder and its parents; false with errno. */
static bool make_folders(const char *folder) {
    char path[DATA_PATH_BYTES];
    size_t bytes = strlen(folder);
    if (bytes >= sizeof path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(path, folder, bytes + 1);
    for (size_t i = 1; i < bytes; i++) {
        if (path[i] != '/')
            continue;
        path[i] = '\0';
        if (!make_folder(path))
            return false;
        path[i] = '/';
    }
    return make_folder(path);
}

bool data_make(const char *folder, char *error, size_t error_bytes) {
    bool made = make_folders(folder);
    if (!made) {
        snprintf(error, error_bytes, "the data folder %s can't be made: %s", folder,
                 strerror(errno));
    }
    return made;
}

/* Says who has the lock, if that is known. */
static void explain(const char *folder, int file, char *error, size_t error_bytes) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (file >= 0 && fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0) {
        snprintf(error, error_bytes, "the data folder %s is in use by process %ld (another broker)",
                 folder, (long)lock.l_pid);
    } else {
        snprintf(error, error_bytes, "the data folder %s is in use by another broker", folder);
    }
}

static bool is_taken(int reason) {
    return reason == EACCES || reason == EAGAIN;
}

static bool lock_folder(const char *folder, int *fd) {
    *fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Some network disks have no such locks on folders: there the lock on the store has to do. */
    return *fd >= 0 && (flock(*fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK);
}

static bool is_regular(int fd) {
    struct stat status;
    if (fstat(fd, &status) == 0 && !S_ISREG(status.st_mode)) {
        errno = EINVAL;
        return false;
    }
    return true;
}

static bool lock_store(const char *folder, int *fd) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_BYTE, .l_len = 1};
    char path[DATA_PATH_BYTES];
    if (!data_path(folder, DATA_STORE, path, sizeof path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    *fd = open(path, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
    return *fd >= 0 && is_regular(*fd) && fcntl(*fd, F_OFD_SETLK, &lock) == 0;
}

/* The lock that earlier versions take: false if one of them is running. */
static bool lock_file(const char *folder, int *fd) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[DATA_PATH_BYTES];
    if (data_path(folder, "lock", path, sizeof path))
        *fd = open(path, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
    return *fd < 0 || fcntl(*fd, F_SETLK, &lock) == 0 || !is_taken(errno);
}

bool data_lock(struct data_lock *lock, const char *folder, char *error, size_t error_bytes) {
    *lock = (struct data_lock){-1, -1, -1};
    if (!data_make(folder, error, error_bytes))
        return false;
    if (!lock_folder(folder, &lock->folder) || !lock_store(folder, &lock->store)) {
        int reason = errno;
        snprintf(error, error_bytes, "the data folder %s can't be used: %s%s", folder,
                 lock->folder >= 0 ? DATA_STORE ": " : "",
                 reason == EINVAL ? "it is no regular file" : strerror(reason));
        if (is_taken(reason)) {
            (void)lock_file(folder, &lock->file);
            explain(folder, lock->file, error, error_bytes);
        }
        data_unlock(lock);
        return false;
    }
    if (!lock_file(folder, &lock->file)) {
        explain(folder, lock->file, error, error_bytes);
        data_unlock(lock);
        return false;
    }
    return true;
}

static void close_one(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool is_still(int fd, const char *folder) {
    struct stat locked, named;
    char path[DATA_PATH_BYTES];
    return data_path(folder, DATA_STORE, path, sizeof path) && fstat(fd, &locked) == 0 &&
           stat(path, &named) == 0 && locked.st_dev == named.st_dev &&
           locked.st_ino == named.st_ino;
}

bool data_lock_moved(struct data_lock *lock, const char *folder, char *error, size_t error_bytes) {
    int fd = -1;
    if (is_still(lock->store, folder))
        return true;
    if (!lock_store(folder, &fd)) {
        snprintf(error, error_bytes, "the data folder %s can't be used: " DATA_STORE ": %s", folder,
                 is_taken(errno) ? "another broker has it" : strerror(errno));
        close_one(&fd);
        return false;
    }
    close_one(&lock->store);
    lock->store = fd;
    return true;
}

void data_unlock(struct data_lock *lock) {
    close_one(&lock->file);
    close_one(&lock->store);
    close_one(&lock->folder);
}

/* Whether both paths lead into one folder. */
static bool is_beside(const char *file, const char *other) {
    char path[DATA_PATH_BYTES], other_path[DATA_PATH_BYTES];
    struct stat one, two;
    if (snprintf(path, sizeof path, "%s", file) >= (int)sizeof path ||
        snprintf(other_path, sizeof other_path, "%s", other) >= (int)sizeof other_path)
        return false;
    return stat(dirname(path), &one) == 0 && stat(dirname(other_path), &two) == 0 &&
           one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

bool data_has(const char *folder, const char *file) {
    char store[DATA_PATH_BYTES];
    if (!data_path(folder, DATA_STORE, store, sizeof store))
        return false;
    char *real = realpath(store, NULL);
    bool has = is_beside(file, store) || (real && is_beside(file, real));
    free(real);
    return has;
}

long data_process(const char *folder) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[DATA_PATH_BYTES];
    int fd = data_path(folder, "lock", path, sizeof path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    bool held = fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    if (fd >= 0)
        close(fd);
    return held ? (long)lock.l_pid : 0;
}

int data_open_store(const char *folder) {
    char path[DATA_PATH_BYTES];
    bool fits = data_path(folder, DATA_STORE, path, sizeof path);
    return fits ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1; /* it may be a pipe */
}

bool data_is_held(int store) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_BYTE, .l_len = 1};
    return store >= 0 && fcntl(store, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}
