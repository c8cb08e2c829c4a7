/* A log as fast as the disk allows: a file that has all its blocks already, so that each write is
 * one pwrite and one fdatasync of data alone. At its end it begins again. */
#ifndef SEGMENT_H
#define SEGMENT_H

#include <stdbool.h>
#include <stddef.h>

struct segment {
    int fd; /* owned; -1: none */
    size_t at;
};

/* Makes the file; false: see errno. segment_close() anyway. */
bool segment_open(struct segment *segment, const char *path);
void segment_close(struct segment *segment);

/* They are on the disk when it returns. At most SEGMENT_WRITE_BYTES; false: see errno. */
#define SEGMENT_WRITE_BYTES ((size_t)4 * 1024 * 1024)
bool segment_write(struct segment *segment, const void *bytes, size_t count);

#endif
