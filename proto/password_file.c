/* See password_file.h. No stdio: its buffer would keep the password. */
#include "password_file.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void wipe(void *memory, size_t bytes) {
    volatile unsigned char *byte = memory;
    while (bytes-- > 0)
        *byte++ = 0;
}

/* The first line's length without its end. The end of the source counts as a newline. */
static size_t line_length(const char *bytes, size_t byte_count) {
    const char *newline = memchr(bytes, '\n', byte_count);
    size_t length = newline ? (size_t)(newline - bytes) : byte_count;
    return length > 0 && bytes[length - 1] == '\r' ? length - 1 : length;
}

const char *password_take(const char *bytes, size_t byte_count, char password[PASSWORD_BYTES]) {
    size_t mark = text_mark_bytes(bytes, byte_count);
    bytes += mark;
    size_t length = line_length(bytes, byte_count - mark);
    password[0] = '\0';
    if (length == 0)
        return "has an empty first line; the password belongs there";
    if (memchr(bytes, '\0', length))
        return "has a NUL in its first line; a password is text";
    if (length > PASSWORD_BYTES_MAX)
        return "has a first line that is longer than a password may be";
    if (!text_is_utf8(bytes, length))
        return "does not begin with a line of UTF-8 text";
    memcpy(password, bytes, length);
    password[length] = '\0';
    return NULL;
}

/* Reads until there is a newline, the end of the file, or `room` bytes; -1 with errno. */
static ssize_t read_start(int fd, char *buffer, size_t room) {
    size_t used = 0;
    ssize_t got = 1;
    while (got != 0 && used < room && !memchr(buffer, '\n', used)) {
        got = read(fd, buffer + used, room - used);
        if (got < 0 && errno != EINTR)
            return -1;
        used += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)used;
}

bool password_read_file(const char *path, char password[PASSWORD_BYTES], char *error,
                        size_t error_bytes) {
    char buffer[PASSWORD_SOURCE_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t bytes = fd < 0 ? -1 : read_start(fd, buffer, sizeof buffer);
    int reason = errno;
    const char *fault = NULL;
    password[0] = '\0';
    if (fd >= 0)
        close(fd);
    if (bytes < 0) {
        snprintf(error, error_bytes, "the password file %s can't be read: %s", path,
                 strerror(reason));
        errno = reason;
        return false;
    }
    fault = password_take(buffer, (size_t)bytes, password);
    wipe(buffer, sizeof buffer);
    if (fault) {
        snprintf(error, error_bytes, "the password file %s %s", path, fault);
        errno = 0;
    }
    return !fault;
}
