/* The disk: temporary folders, and how fast what is on it can be acknowledged. */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A new folder below $TMPDIR; false: it said on stderr why there is none. folder_remove() takes it
 * away with all that is in it; "": none. */
bool folder_new(char *path, size_t path_bytes);
void folder_remove(const char *path);

/* Bytes on the disk of all that is in it. */
uint64_t folder_bytes(const char *path);

/* ---- a log as fast as the disk allows ----
 *
 * A file that has all its blocks already, so that each write is one pwrite and one fdatasync of
 * data alone. At its end it begins again. */

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

/* The limit of whatever is on the disk before it is acknowledged, one write at a time. Writes
 * `bytes` at a time (4 MiB at most) for so long, then removes the file. *per_s: writes a second.
 * false: it said why on stderr. */
bool plain_log(const char *path, size_t bytes, double seconds, double *per_s);

#endif
