/* The data folder is made for its owner alone, for keys and hashes are in it. The lock is a POSIX
 * record lock on FOLDER/lock: the kernel drops it with the process, however that ends, so no stale
 * lock is ever in the way. */
#include "data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

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
        if (path[i] != '/') {
            continue;
        }
        path[i] = '\0';
        if (!make_folder(path)) {
            return false;
        }
        path[i] = '/';
    }
    return make_folder(path);
}

/* Says who has the lock, or why it can't be had. */
static void explain(int fd, const char *folder, int reason, char *error, size_t error_bytes) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (reason != EACCES && reason != EAGAIN) {
        snprintf(error, error_bytes, "the data folder %s can't be locked: %s", folder,
                 strerror(reason));
    } else if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0) {
        snprintf(error, error_bytes, "the data folder %s is in use by process %ld (another broker)",
                 folder, (long)lock.l_pid);
    } else {
        snprintf(error, error_bytes, "the data folder %s is in use by another process", folder);
    }
}

bool data_make(const char *folder, char *error, size_t error_bytes) {
    bool made = make_folders(folder);
    if (!made) {
        snprintf(error, error_bytes, "the data folder %s can't be made: %s", folder,
                 strerror(errno));
    }
    return made;
}

int data_lock(const char *folder, char *error, size_t error_bytes) {
    char path[DATA_PATH_BYTES];
    if (!data_make(folder, error, error_bytes)) {
        return -1;
    }
    if (!data_path(folder, "lock", path, sizeof path)) {
        snprintf(error, error_bytes, "the data folder %s has too long a path", folder);
        return -1;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        snprintf(error, error_bytes, "the data folder %s can't be used: %s", folder,
                 strerror(errno));
        return -1;
    }
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_SETLK, &lock) != 0) {
        explain(fd, folder, errno, error, error_bytes);
        close(fd);
        return -1;
    }
    return fd;
}

void data_unlock(int lock) {
    if (lock >= 0) {
        close(lock);
    }
}
