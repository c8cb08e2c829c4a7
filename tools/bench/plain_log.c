/* See plain_log.h. */
#include "plain_log.h"

#include "common/clock.h"
#include "loop.h"
#include "segment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
