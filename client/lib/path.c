/* Files of this machine. An existing part file is used only if it is a plain file of this user with
 * no second name, and links are not followed, because others may be able to write to the folder.
 * link() gives the final name, because it never replaces anything. */
#define _GNU_SOURCE /* sync_file_range; flock, which also keeps transfers of one process apart */
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The most bytes that file systems allow in a file's name. */
#define NAME_BYTES_AT_MOST 255
/* What the part file's name needs besides the target's: ".", ".part-" and 16 digits. */
#define PART_ADDS        (1 + 6 + 16)
#define PART_HASH_DIGITS 8 /* bytes of the hash, two digits each */
/* How much at a time the disk is asked to begin with. */
#define WRITE_OUT_BYTES (UINT64_C(4) * 1024 * 1024)
/* How often opening is tried: somebody may finish the same part file between our open and our
 * lock. */
#define OPEN_TRIES 8

static zchat_code io_fault(struct fault *fault, const char *what, const char *path) {
    return fault_set(fault, ZCHAT_IO, "%s %s failed: %s", what, path, strerror(errno));
}

const char *path_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* ---- read ---- */

static void state_of(const struct stat *status, struct path_state *state) {
    state->bytes = (uint64_t)status->st_size;
    state->changed = status->st_mtim;
    state->device = status->st_dev;
    state->inode = status->st_ino;
}

/* Whether there is something behind the end: 0 nothing, 1 something, -1 it can't be read. */
static ssize_t read_behind(int fd, uint64_t bytes) {
    char more;
    ssize_t got;
    do {
        got = pread(fd, &more, 1, (off_t)bytes);
    } while (got < 0 && errno == EINTR);
    return got;
}

/* Reads, because files in /proc say that they are empty. */
bool path_ends(int fd, uint64_t bytes) {
    return read_behind(fd, bytes) == 0;
}

zchat_code path_open(const char *path, int *fd, struct path_state *state, struct fault *fault) {
    struct stat status;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0)
        return io_fault(fault, "opening", path);
    zchat_code code = ZCHAT_OK;
    if (fstat(*fd, &status) != 0) {
        code = io_fault(fault, "looking at", path);
    } else if (!S_ISREG(status.st_mode)) {
        code = fault_set(fault, ZCHAT_IO, "%s is %s", path,
                         S_ISDIR(status.st_mode) ? "a folder, no file" : "no regular file");
    }
    ssize_t behind = code == ZCHAT_OK ? read_behind(*fd, (uint64_t)status.st_size) : 0;
    if (behind < 0) {
        code = io_fault(fault, "reading", path);
    } else if (behind > 0) {
        code = fault_set(fault, ZCHAT_IO,
                         "%s goes on behind the %ju bytes that it says it has; send a copy of it",
                         path, (uintmax_t)status.st_size);
    }
    if (code != ZCHAT_OK) {
        close(*fd);
        *fd = -1;
        return code;
    }
    state_of(&status, state);
    return ZCHAT_OK;
}

bool path_is_same(int fd, const struct path_state *state) {
    struct stat status;
    struct path_state now;
    if (fstat(fd, &status) != 0)
        return false;
    state_of(&status, &now);
    return now.bytes == state->bytes && now.changed.tv_sec == state->changed.tv_sec &&
           now.changed.tv_nsec == state->changed.tv_nsec;
}

bool path_read(int fd, void *bytes, size_t count, uint64_t offset) {
    unsigned char *at = bytes;
    while (count > 0) {
        ssize_t got = pread(fd, at, count, (off_t)offset);
        if (got == 0) {
            errno = 0;
            return false;
        }
        if (got < 0 && errno != EINTR)
            return false;
        if (got > 0) {
            at += got;
            offset += (uint64_t)got;
            count -= (size_t)got;
        }
    }
    return true;
}

/* ---- written ---- */

/* Whether the path is /dev/stdout or the like. */
static bool is_descriptor(const char *path) {
    const char proc[] = {'/', 'p', 'r', 'o', 'c', '/'};
    char to[sizeof proc];
    return readlink(path, to, sizeof to) == (ssize_t)sizeof to && memcmp(to, proc, sizeof to) == 0;
}

zchat_code path_check_target(const char *path, bool force, struct fault *fault) {
    struct stat status;
    const char *name = path_name(path);
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return fault_set(fault, ZCHAT_IO, "\"%s\" is no file's name", path);
    if (lstat(path, &status) != 0)
        return errno == ENOENT ? ZCHAT_OK : io_fault(fault, "looking at", path);
    if (S_ISLNK(status.st_mode) && is_descriptor(path))
        return fault_set(fault, ZCHAT_IO, "%s leads to an open file, and is not replaced", path);
    if (S_ISLNK(status.st_mode) && stat(path, &status) != 0)
        status.st_mode = S_IFREG; /* a dangling link: the link itself is there */
    if (!S_ISREG(status.st_mode)) {
        return fault_set(fault, ZCHAT_IO, "%s is %s, and is not replaced", path,
                         S_ISDIR(status.st_mode) ? "a folder" : "a device, pipe or socket");
    }
    return force ? ZCHAT_OK : fault_set(fault, ZCHAT_CONFLICT, "%s exists already", path);
}

/* Writes folder/.NAME.part-HASH; a long name is cut. */
static bool part_of(const char *path, const unsigned char *hash, char part[FOLDER_PATH_BYTES]) {
    const char *name = path_name(path);
    char digits[2 * PART_HASH_DIGITS + 1];
    for (size_t i = 0; i < PART_HASH_DIGITS; i++)
        sprintf(digits + 2 * i, "%02x", hash[i]);
    int written = snprintf(part, FOLDER_PATH_BYTES, "%.*s.%.*s.part-%s", (int)(name - path), path,
                           NAME_BYTES_AT_MOST - PART_ADDS, name, digits);
    return written >= 0 && written < FOLDER_PATH_BYTES;
}

static zchat_code check_part(int fd, const char *part, const char *path, uint64_t *bytes,
                             bool *gone, struct fault *fault) {
    struct stat status;
    struct stat named;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK
                   ? fault_set(fault, ZCHAT_CONFLICT,
                               "another download of the same file to %s is under way", path)
                   : io_fault(fault, "locking the part of", path);
    }
    if (fstat(fd, &status) != 0)
        return io_fault(fault, "looking at the part of", path);
    *gone =
        lstat(part, &named) != 0 || named.st_ino != status.st_ino || named.st_dev != status.st_dev;
    if (!*gone && (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || status.st_nlink != 1))
        return fault_set(fault, ZCHAT_IO, "%s is not a plain file of yours: remove it", part);
    *bytes = (uint64_t)status.st_size;
    return ZCHAT_OK;
}

zchat_code path_open_part(const char *path, const unsigned char hash[HASH_BYTES],
                          char part[FOLDER_PATH_BYTES], int *fd, uint64_t *bytes,
                          struct fault *fault) {
    if (!part_of(path, hash, part))
        return fault_set(fault, ZCHAT_IO, "the path %s is too long", path);
    bool gone = true;
    for (int i = 0; i < OPEN_TRIES && gone; i++) {
        *fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0666);
        if (*fd < 0)
            return io_fault(fault, "writing", path);
        gone = false;
        zchat_code code = check_part(*fd, part, path, bytes, &gone, fault);
        if (code == ZCHAT_OK && !gone)
            return ZCHAT_OK;
        close(*fd);
        *fd = -1;
        if (code != ZCHAT_OK)
            return code;
    }
    return fault_set(fault, ZCHAT_IO, "the part of %s vanishes again and again", path);
}

/* Waits for a full, non-blocking pipe, because the bytes have to go in order. */
static bool wait_for_room(int fd) {
    struct pollfd item = {.fd = fd, .events = POLLOUT};
    return poll(&item, 1, -1) >= 0 || errno == EINTR;
}

bool path_write(int fd, const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    while (count > 0) {
        ssize_t written = write(fd, at, count);
        if (written < 0 && errno == EAGAIN) {
            if (!wait_for_room(fd))
                return false;
        } else if (written < 0 && errno != EINTR) {
            return false;
        } else if (written > 0) {
            at += written;
            count -= (size_t)written;
        }
    }
    return true;
}

/* This is only a hint: if it fails, path_publish does the work or reports the failure. */
void path_write_out(int fd, uint64_t end, size_t count) {
    uint64_t from = (end - count) / WRITE_OUT_BYTES, to = end / WRITE_OUT_BYTES;
    if (to > from) {
        (void)sync_file_range(fd, (off64_t)(from * WRITE_OUT_BYTES),
                              (off64_t)((to - from) * WRITE_OUT_BYTES), SYNC_FILE_RANGE_WRITE);
    }
}

/* ---- published ---- */

/* For a file system without links: an empty file of ours takes the name, and is then replaced. */
static bool take_name(const char *part, const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return false;
    close(fd);
    return rename(part, path) == 0;
}

static bool give_name(const char *part, const char *path, bool force) {
    if (force)
        return rename(part, path) == 0;
    if (link(part, path) == 0)
        return unlink(part) == 0;
    return (errno == EPERM || errno == ENOTSUP || errno == ENOSYS) && take_name(part, path);
}

/* Syncs the folder, so that the new name stays. */
static bool sync_folder(const char *path) {
    char folder[FOLDER_PATH_BYTES];
    size_t bytes = (size_t)(path_name(path) - path);
    if (bytes >= sizeof folder) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(folder, path, bytes);
    strcpy(folder + bytes, ".");
    int fd = open(folder, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES; /* it may be writable but not readable */
    bool done = fsync(fd) == 0 || errno == EINVAL;
    close(fd);
    return done;
}

zchat_code path_publish(int fd, const char *part, const char *path, bool force,
                        struct fault *fault) {
    if (fsync(fd) != 0)
        return io_fault(fault, "writing", path);
    if (!give_name(part, path, force)) {
        return errno == EEXIST ? fault_set(fault, ZCHAT_CONFLICT, "%s exists already", path)
                               : io_fault(fault, "making", path);
    }
    return sync_folder(path) ? ZCHAT_OK : io_fault(fault, "writing the folder of", path);
}
