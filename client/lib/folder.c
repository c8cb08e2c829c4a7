/* Files of the config folder. A secret that others can read is refused, because it is no secret. */
#include "folder.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static zchat_code io_fault(struct fault *fault, const char *what, const char *file) {
    return fault_set(fault, ZCHAT_IO, "%s %s failed: %s", what, file, strerror(errno));
}

static bool join(char out[FOLDER_PATH_BYTES], const char *path, const char *name) {
    int bytes = snprintf(out, FOLDER_PATH_BYTES, "%s/%s", path, name);
    return bytes >= 0 && bytes < FOLDER_PATH_BYTES;
}

bool folder_find(const char *given, char path[FOLDER_PATH_BYTES]) {
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    if (given) {
        int bytes = snprintf(path, FOLDER_PATH_BYTES, "%s", given);
        return bytes > 0 && bytes < FOLDER_PATH_BYTES;
    }
    if (config && config[0] == '/')
        return join(path, config, "zchat");
    return home && home[0] == '/' && join(path, home, ".config/zchat");
}

/* Like mkdir -p; existing folders are left as they are. */
static bool make(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool failed = mkdir(path, 0700) != 0 && errno != EEXIST;
        *slash = '/';
        if (failed)
            return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

zchat_code folder_open(const char *given, char path[FOLDER_PATH_BYTES], struct fault *fault) {
    if (!folder_find(given, path)) {
        return fault_set(fault, ZCHAT_IO,
                         "there is no place for the config folder: set HOME, or name a folder");
    }
    struct stat status;
    if (!make(path) || stat(path, &status) != 0)
        return io_fault(fault, "making the config folder", path);
    if (!S_ISDIR(status.st_mode))
        return fault_set(fault, ZCHAT_IO, "the config folder %s is no folder", path);
    return ZCHAT_OK;
}

bool folder_file(const char *path, const char *name, char file[FOLDER_PATH_BYTES]) {
    return join(file, path, name);
}

static bool write_all(int fd, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            bytes += written;
            count -= (size_t)written;
        }
    }
    return true;
}

zchat_code folder_write(const char *file, const void *bytes, size_t count,
                        char temporary[FOLDER_PATH_BYTES], struct fault *fault) {
    int length = snprintf(temporary, FOLDER_PATH_BYTES, "%s.%08x%08x", file, randombytes_random(),
                          randombytes_random());
    if (length < 0 || length >= FOLDER_PATH_BYTES) {
        errno = ENAMETOOLONG;
        return io_fault(fault, "writing", file);
    }
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return io_fault(fault, "writing", file);
    bool done = write_all(fd, bytes, count) && fsync(fd) == 0;
    int error = errno;
    if (close(fd) != 0 && done) {
        done = false;
        error = errno;
    }
    if (!done) {
        unlink(temporary);
        errno = error;
        return io_fault(fault, "writing", file);
    }
    return ZCHAT_OK;
}

/* A NUL would end it too early; a byte order mark, which some editors add, would be part of the
 * first line. */
static zchat_code take_text(const char *file, char *text, size_t bytes, struct fault *fault) {
    size_t mark = text_mark_bytes(text, bytes);
    if (memchr(text, '\0', bytes)) {
        return fault_set(fault, ZCHAT_IO, "the file %s has a NUL in it: restore or remove it",
                         file);
    }
    memmove(text, text + mark, bytes - mark);
    text[bytes - mark] = '\0';
    return ZCHAT_OK;
}

static zchat_code read_all(int fd, const char *file, char *text, size_t text_bytes,
                           struct fault *fault) {
    size_t used = 0;
    while (used < text_bytes) {
        ssize_t got = read(fd, text + used, text_bytes - used);
        if (got < 0 && errno != EINTR)
            return io_fault(fault, "reading", file);
        if (got == 0)
            return take_text(file, text, used, fault);
        used += got > 0 ? (size_t)got : 0;
    }
    return fault_set(fault, ZCHAT_IO, "the file %s is too large", file);
}

zchat_code folder_read(const char *file, char *text, size_t text_bytes, bool secret, bool *found,
                       struct fault *fault) {
    struct stat status;
    *found = false;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* opening a pipe would wait */
    if (fd < 0)
        return errno == ENOENT ? ZCHAT_OK : io_fault(fault, "opening", file);
    *found = true;
    zchat_code code;
    if (fstat(fd, &status) != 0) {
        code = io_fault(fault, "looking at", file);
    } else if (!S_ISREG(status.st_mode)) {
        code = fault_set(fault, ZCHAT_IO, "%s is %s, not a file: move it out of the way", file,
                         S_ISDIR(status.st_mode) ? "a folder" : "a device, pipe or socket");
    } else if (secret && (status.st_mode & 077) != 0) {
        code =
            fault_set(fault, ZCHAT_IO,
                      "others may read the secret key in %s; make it yours alone (chmod 600), or "
                      "remove it to get a new one",
                      file);
    } else {
        code = read_all(fd, file, text, text_bytes, fault);
    }
    close(fd);
    return code;
}
