/* See descriptor.h. */
#include "descriptor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* More than any machine carries of our connections; a table with a row for each stays small. */
#define DESCRIPTORS_MAX (1024 * 1024)

void descriptors_open_standard(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0) /* open() takes the lowest one, which is this */
            (void)open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR);
}

size_t descriptors_raise(void) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 256;
    if (limit.rlim_cur < limit.rlim_max && limit.rlim_cur < DESCRIPTORS_MAX) {
        limit.rlim_cur = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
        setrlimit(RLIMIT_NOFILE, &limit); /* refused: it stays as it is */
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur < DESCRIPTORS_MAX ? (size_t)limit.rlim_cur : DESCRIPTORS_MAX;
}

size_t descriptors_open(void) {
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    if (!folder)
        return 32;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count > 3 ? count - 3 : 0; /* "." and "..", and the folder itself */
}

/* ---- what the broker needs ---- */

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

bool descriptors_suffice(const struct config *config, char *error, size_t error_bytes) {
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
