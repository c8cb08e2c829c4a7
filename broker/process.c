/* See process.h. */
#define _GNU_SOURCE
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched/types.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- memory ---- */

/* Frames of a megabyte come and go: memory given back to the kernel after each would be fetched
 * again, page by page, for the next one. */
#define BLOCK_BYTES      (4 * 1024 * 1024)
#define KEPT_BYTES       (16 * 1024 * 1024)
#define KEPT_BYTES_CROWD (2 * 1024 * 1024)

void heap_init(void) {
    mallopt(M_MMAP_THRESHOLD, BLOCK_BYTES);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
}

void heap_keep_less(bool is_crowd) {
    mallopt(M_TRIM_THRESHOLD, is_crowd ? KEPT_BYTES_CROWD : KEPT_BYTES);
}

void heap_give_back(void) {
    malloc_trim(0);
}

/* ---- time ---- */

/* Since 6.12 Linux takes the length of a normal thread's slice from sched_setattr; older kernels
 * ignore it. glibc has no function for this system call yet. */
#define SLICE_NS 100000 /* the shortest that Linux has */
#define NICER    3

void slice_shorten(void) {
    struct sched_attr attr = {.size = sizeof attr};

    if (syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0) != 0)
        return;
    attr.sched_runtime = SLICE_NS;
    (void)syscall(SYS_sched_setattr, 0, &attr, 0); /* if refused, some answers are slower */
}

/* For Linux each thread has a nice value of its own. */
void slice_give_way(void) {
    id_t thread = (id_t)syscall(SYS_gettid);

    (void)setpriority(PRIO_PROCESS, thread, getpriority(PRIO_PROCESS, thread) + NICER);
}

/* ---- descriptors ---- */

/* More than any machine can serve connections, but a table with a row for each stays small. */
#define DESCRIPTORS_MAX (1024 * 1024)

void descriptors_open_standard(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0) /* open() takes the lowest free one: this one */
            (void)open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR);
}

size_t descriptors_raise(void) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 256;
    if (limit.rlim_cur < limit.rlim_max && limit.rlim_cur < DESCRIPTORS_MAX) {
        limit.rlim_cur = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
        setrlimit(RLIMIT_NOFILE, &limit); /* if refused, the limit stays as it is */
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

/* ---- the descriptors that the broker needs ---- */

/* How many the broker opens besides clients: the store's files and threads (11), those of its index
 * of words (8), sockets with their monitors and listeners (13), ZeroMQ's own (6), signals, backups,
 * and files that are read for a moment (4). */
#define OWN 41
/* Of each thread. */
#define OF_IO_THREAD 2
#define OF_WORKER    1
/* A broker that can serve fewer clients than this should not start. */
#define CLIENTS 8

static unsigned wanted(const struct config *config) {
    return OWN + OF_IO_THREAD * config->io_threads + OF_WORKER * config->password_workers + CLIENTS;
}

/* Opens as many as it can, up to `count`, and closes them again. Returns how many. */
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
