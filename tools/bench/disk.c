/* See disk.h. */
#define _GNU_SOURCE /* nftw */
#include "disk.h"

#include "common/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES       4096
#define BYTES_OF_A_BLOCK 512

static bool fail(const char *what) {
    fprintf(stderr, "zchat-bench: %s: %s\n", what, strerror(errno));
    return false;
}

bool folder_new(char *path, size_t path_bytes) {
    const char *base = getenv("TMPDIR");
    snprintf(path, path_bytes, "%s/zchat-bench.XXXXXX", base && base[0] ? base : "/tmp");
    return mkdtemp(path) || fail("no temporary folder");
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *at) {
    (void)facts;
    (void)kind;
    (void)at;
    return remove(path);
}

void folder_remove(const char *path) {
    if (path[0] && nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        fail(path);
}

uint64_t folder_bytes(const char *path) {
    char file[PATH_BYTES];
    struct stat facts;
    uint64_t bytes = 0;
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (stat(file, &facts) == 0 && S_ISREG(facts.st_mode))
            bytes += (uint64_t)facts.st_blocks * BYTES_OF_A_BLOCK;
    }
    if (folder)
        closedir(folder);
    return bytes;
}

/* ---- the log ---- */

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

static bool write_for(struct segment *segment, const char *data, size_t bytes, double seconds,
                      double *per_s) {
    int64_t begin_us = clock_us(), took_us = 0;
    uint64_t count = 0;
    for (; took_us < (int64_t)(seconds * 1e6); took_us = clock_us() - begin_us) {
        if (!segment_write(segment, data, bytes))
            return false;
        count++;
    }
    *per_s = (double)count * 1e6 / (double)took_us;
    return true;
}

bool plain_log(const char *path, size_t bytes, double seconds, double *per_s) {
    size_t count = bytes < SEGMENT_WRITE_BYTES ? bytes : SEGMENT_WRITE_BYTES;
    struct segment segment;
    char *data = calloc(1, count);
    bool good =
        segment_open(&segment, path) && data && write_for(&segment, data, count, seconds, per_s);
    if (!good)
        fprintf(stderr, "zchat-bench: %s: %s\n", path, strerror(errno));
    free(data);
    segment_close(&segment);
    unlink(path);
    return good;
}
