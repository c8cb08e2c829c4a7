/* The disk: temporary folders, and how fast synced writes can be acknowledged. */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes a new folder below $TMPDIR; false: it said on stderr why it can't. folder_remove() removes
 * it with all that is in it; "": there is none. */
bool folder_new(char *path, size_t path_bytes);
void folder_remove(const char *path);

/* How many bytes on the disk everything in it takes. */
uint64_t folder_bytes(const char *path);

/* ---- a log as fast as the disk allows ----
 *
 * A file that has all its blocks already, so that each write is one pwrite and an fdatasync that
 * syncs only data. At its end it begins again. */

struct segment {
    int fd; /* owned; -1: none */
    size_t at;
};

/* Makes the file. false: see errno; segment_close() must follow anyway. */
bool segment_open(struct segment *segment, const char *path);
void segment_close(struct segment *segment);

/* Writes bytes, at most SEGMENT_WRITE_BYTES, which are on the disk when it returns. false: see
 * errno. */
#define SEGMENT_WRITE_BYTES ((size_t)4 * 1024 * 1024)
bool segment_write(struct segment *segment, const void *bytes, size_t count);

/* The limit of everything that is synced before it is acknowledged, one write at a time. Writes
 * `bytes` at a time (at most 4 MiB) for that many seconds, then removes the file. *per_s: writes a
 * second. false: it said why on stderr. */
bool plain_log(const char *path, size_t bytes, double seconds, double *per_s);

#endif
