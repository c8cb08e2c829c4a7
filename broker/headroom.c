#include "headroom.h"

#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What the broker opens besides: the store's files and threads (11), sockets with their monitors
 * and listeners (13), ZeroMQ's own (6), signals and files that are read for a moment (3). */
#define OWN 32
/* Of each thread. */
#define OF_IO_THREAD 2
#define OF_WORKER    1
/* Fewer clients than this are no service. */
#define CLIENTS 8

static unsigned wanted(const struct config *config) {
    return OWN + OF_IO_THREAD * config->io_threads + OF_WORKER * config->password_workers + CLIENTS;
}

/* Opens so many, up to `count`, and closes them again. */
static unsigned free_ones(unsigned count) {
    unsigned had = 0;
    int fds[1024], last = -1;

    while (had < count && had < sizeof fds / sizeof fds[0] &&
           (last = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
        fds[had++] = last;
    for (unsigned i = 0; i < had; i++)
        close(fds[i]);
    return last < 0 && errno == EBADF ? count : had; /* without stderr nothing is known */
}

bool headroom_suffices(const struct config *config, char *error, size_t error_bytes) {
    size_t limit = descriptors_raise();
    unsigned count = wanted(config), had = free_ones(count);

    if (had >= count)
        return true;
    snprintf(error, error_bytes,
             "too few file descriptors: of the %zu that a process may open here %u are free, and "
             "the broker needs %u to start: raise the limit (ulimit -n, LimitNOFILE=)",
             limit, had, count);
    return false;
}
