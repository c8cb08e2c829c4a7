/* Preloaded into a program under test: one call of one function fails, as the environment could
 * make it. Only calls that the program itself or SQLite makes are counted and fail: what libzmq and
 * libc do with a failure is theirs (libzmq ends the process).
 *
 * ZCHAT_FAULT="open 7": the seventh call of open. ZCHAT_FAULT_COUNTS=FILE: at the end, how often
 * each function was called, a line each. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* It takes the list for an expression. */
/* clang-format off */
#define FUNCTIONS(X) \
    X(open) X(malloc) X(calloc) X(realloc) X(pthread_create) X(fsync) X(fdatasync) X(ftruncate) \
    X(posix_fallocate) X(mmap) X(eventfd) X(signalfd) X(epoll_create1) X(rename) X(pwrite)
/* clang-format on */

enum function {
#define ENUM(name) F_##name,
    FUNCTIONS(ENUM)
#undef ENUM
        FUNCTION_COUNT,
};

static const char *const names[] = {
#define NAME(name) #name,
    FUNCTIONS(NAME)
#undef NAME
};

#define RANGES 64
static struct { uintptr_t from, to; } ranges[RANGES];
static size_t range_count;
static atomic_uint_fast64_t counts[FUNCTION_COUNT];
static int wanted = -1;
static uint64_t nth;

static int add_ranges(struct dl_phdr_info *info, size_t size, void *first) {
    int *is_first = first;
    (void)size;
    if (*is_first || strstr(info->dlpi_name, "libsqlite3"))
        for (int i = 0; i < info->dlpi_phnum && range_count < RANGES; i++) {
            const ElfW(Phdr) *header = &info->dlpi_phdr[i];
            if (header->p_type != PT_LOAD || !(header->p_flags & PF_X))
                continue;
            ranges[range_count].from = info->dlpi_addr + header->p_vaddr;
            ranges[range_count].to = ranges[range_count].from + header->p_memsz;
            range_count++;
        }
    *is_first = 0;
    return 0;
}

__attribute__((constructor)) static void begin(void) {
    const char *fault = getenv("ZCHAT_FAULT");
    int is_first = 1;
    char name[32] = "";
    dl_iterate_phdr(add_ranges, &is_first);
    if (!fault || sscanf(fault, "%31s %lu", name, &nth) != 2)
        return;
    for (int i = 0; i < FUNCTION_COUNT; i++)
        if (!strcmp(name, names[i]))
            wanted = i;
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("ZCHAT_FAULT_COUNTS");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file)
        return;
    for (int i = 0; i < FUNCTION_COUNT; i++)
        fprintf(file, "%s %lu\n", names[i], (unsigned long)atomic_load(&counts[i]));
    fclose(file);
}

static int fails(enum function function, const void *caller) {
    uintptr_t at = (uintptr_t)caller;
    for (size_t i = 0; i < range_count; i++)
        if (at >= ranges[i].from && at < ranges[i].to)
            return atomic_fetch_add(&counts[function], 1) + 1 == nth && wanted == (int)function;
    return 0;
}

#define CALLER           __builtin_return_address(0)
#define NEXT(type, name) ((type)(uintptr_t)dlsym(RTLD_NEXT, name))
#define FAIL(function, reason, result)                                                             \
    if (fails(function, CALLER)) {                                                                 \
        errno = reason;                                                                            \
        return result;                                                                             \
    }

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *memory, size_t bytes);

void *malloc(size_t bytes) {
    FAIL(F_malloc, ENOMEM, NULL)
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes) {
    FAIL(F_calloc, ENOMEM, NULL)
    return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes) {
    FAIL(F_realloc, ENOMEM, NULL)
    return __libc_realloc(memory, bytes);
}

#define OPEN(name, function)                                                                       \
    int name(const char *path, int flags, ...) {                                                   \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;                             \
        va_end(arguments);                                                                         \
        FAIL(function, EMFILE, -1)                                                                 \
        return NEXT(int (*)(const char *, int, ...), #name)(path, flags, mode);                    \
    }
OPEN(open, F_open)
OPEN(open64, F_open)

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *arg) {
    if (fails(F_pthread_create, CALLER))
        return EAGAIN;
    return NEXT(int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *),
                "pthread_create")(thread, attributes, run, arg);
}

#define SYNC(name, function)                                                                       \
    int name(int fd) {                                                                             \
        FAIL(function, EIO, -1)                                                                    \
        return NEXT(int (*)(int), #name)(fd);                                                      \
    }
SYNC(fsync, F_fsync)
SYNC(fdatasync, F_fdatasync)

#define TRUNCATE(name)                                                                             \
    int name(int fd, off_t bytes) {                                                                \
        FAIL(F_ftruncate, EIO, -1)                                                                 \
        return NEXT(int (*)(int, off_t), #name)(fd, bytes);                                        \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define FALLOCATE(name)                                                                            \
    int name(int fd, off_t from, off_t bytes) {                                                    \
        if (fails(F_posix_fallocate, CALLER))                                                      \
            return ENOSPC;                                                                         \
        return NEXT(int (*)(int, off_t, off_t), #name)(fd, from, bytes);                           \
    }
FALLOCATE(posix_fallocate)
FALLOCATE(posix_fallocate64)

/* NOLINTBEGIN(bugprone-macro-parentheses): a function's name */
#define MMAP(name)                                                                                 \
    void *name(void *at, size_t bytes, int access, int flags, int fd, off_t from) {                \
        FAIL(F_mmap, ENOMEM, MAP_FAILED)                                                           \
        return NEXT(void *(*)(void *, size_t, int, int, int, off_t), #name)(at, bytes, access,     \
                                                                            flags, fd, from);      \
    }
MMAP(mmap)
MMAP(mmap64)
/* NOLINTEND(bugprone-macro-parentheses) */

int eventfd(unsigned value, int flags) {
    FAIL(F_eventfd, EMFILE, -1)
    return NEXT(int (*)(unsigned, int), "eventfd")(value, flags);
}

int signalfd(int fd, const sigset_t *set, int flags) {
    FAIL(F_signalfd, EMFILE, -1)
    return NEXT(int (*)(int, const sigset_t *, int), "signalfd")(fd, set, flags);
}

int epoll_create1(int flags) {
    FAIL(F_epoll_create1, EMFILE, -1)
    return NEXT(int (*)(int), "epoll_create1")(flags);
}

int rename(const char *from, const char *to) {
    FAIL(F_rename, EIO, -1)
    return NEXT(int (*)(const char *, const char *), "rename")(from, to);
}

#define PWRITE(name)                                                                               \
    ssize_t name(int fd, const void *bytes, size_t count, off_t at) {                              \
        FAIL(F_pwrite, ENOSPC, -1)                                                                 \
        return NEXT(ssize_t(*)(int, const void *, size_t, off_t), #name)(fd, bytes, count, at);    \
    }
PWRITE(pwrite)
PWRITE(pwrite64)
