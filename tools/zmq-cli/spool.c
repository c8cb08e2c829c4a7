#define _GNU_SOURCE /* mkostemp */
#include "spool.h"

#include "bound.h"
#include "common/clock.h"
#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES 65536
#define NAME_ENDING "/zmq-cli.XXXXXX"

static enum status make(struct spool *spool, const struct call *call) {
    const char *given = getenv("TMPDIR"), *folder = given && given[0] ? given : "/tmp";
    size_t bytes = strlen(folder) + sizeof NAME_ENDING;
    char *path = malloc(bytes);
    if (!path)
        return output_error(call->output, ZCHAT_NO_MEMORY, 0, "there is not enough memory");
    snprintf(path, bytes, "%s" NAME_ENDING, folder);
    spool->fd = mkostemp(path, O_CLOEXEC);
    int error = errno;
    if (spool->fd >= 0)
        unlink(path);
    free(path);
    if (spool->fd < 0)
        return output_error(call->output, ZCHAT_IO, 0,
                            "cannot make a temporary file in %s: %s; TMPDIR names another folder",
                            folder, strerror(error));
    snprintf(spool->path, sizeof spool->path, "/proc/self/fd/%d", spool->fd);
    return STATUS_DONE;
}

static enum status fail(const struct call *call, const char *what, int error) {
    if (interrupt_pending())
        return STATUS_INTERRUPTED;
    if (error == ETIMEDOUT)
        return output_error(call->output, ZCHAT_EXPIRED, 0,
                            "standard input did not end within --timeout, %s s",
                            option_text(call->options, OPTION_TIMEOUT));
    return output_error(call->output, ZCHAT_IO, 0, "cannot %s: %s", what, strerror(error));
}

/* A disk that is full writes less, and fails with the next write. */
static bool write_all(int fd, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno != EINTR)
            return false;
        bytes += written > 0 ? written : 0;
        count -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

static enum status copy(struct spool *spool, const struct call *call, int64_t deadline_us) {
    char chunk[CHUNK_BYTES];
    int64_t total = 0;
    for (;;) {
        ssize_t got = interrupt_read(STDIN_FILENO, chunk, sizeof chunk, deadline_us);
        if (got == 0)
            return STATUS_DONE;
        if (got < 0)
            return fail(call, "read standard input", errno);
        bound_step(); /* for the whole of it there is the deadline */
        total += got;
        if (total > SPOOL_BYTES_MAX)
            return output_error(call->output, ZCHAT_INVALID, 0,
                                "standard input holds more than %" PRId64 " bytes: put it into a "
                                "file, and give its path",
                                SPOOL_BYTES_MAX);
        if (!write_all(spool->fd, chunk, (size_t)got))
            return fail(call, "keep standard input in a temporary file", errno);
    }
}

enum status spool_open(struct spool *spool, struct call *call) {
    bool bounded = option_is_set(call->options, OPTION_TIMEOUT);
    int64_t began_us = clock_us();
    enum status status = make(spool, call);
    if (status != STATUS_DONE)
        return status;
    if (!bounded)
        bound_each_step(true, NULL);
    status = copy(spool, call, bounded ? call->deadline_us : NO_DEADLINE);
    if (!bounded)
        call_shift_limit(call, began_us);
    return status;
}

void spool_close(struct spool *spool) {
    if (spool->fd >= 0)
        close(spool->fd);
    spool->fd = -1;
}
