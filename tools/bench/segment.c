/* See segment.h. */
#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define SEGMENT_BYTES ((size_t)16 * 1024 * 1024)

static bool fill(int fd) {
    static const char zeros[65536];
    for (size_t at = 0; at < SEGMENT_BYTES; at += sizeof zeros)
        if (pwrite(fd, zeros, sizeof zeros, (off_t)at) != (ssize_t)sizeof zeros)
            return false;
    return fsync(fd) == 0;
}

bool segment_open(struct segment *segment, const char *path) {
    segment->at = 0;
    segment->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return segment->fd >= 0 && fill(segment->fd);
}

void segment_close(struct segment *segment) {
    if (segment->fd >= 0)
        close(segment->fd);
    segment->fd = -1;
}

bool segment_write(struct segment *segment, const void *bytes, size_t count) {
    if (segment->at + count > SEGMENT_BYTES)
        segment->at = 0;
    if (pwrite(segment->fd, bytes, count, (off_t)segment->at) != (ssize_t)count)
        return false;
    segment->at += count;
    return fdatasync(segment->fd) == 0;
}
