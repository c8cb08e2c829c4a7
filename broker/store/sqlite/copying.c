#include "copying.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum store_status copying_fail(struct store_copying *copying, enum store_status status,
                               const char *format, ...) {
    va_list arguments;
    if (copying->error[0] != '\0')
        return status;
    va_start(arguments, format);
    (void)vsnprintf(copying->error, sizeof copying->error, format, arguments);
    va_end(arguments);
    return status;
}

static bool is_full(int reason) {
    return reason == ENOSPC || reason == EDQUOT || reason == EFBIG;
}

enum store_status copying_fail_file(struct store_copying *copying, const char *doing,
                                    const char *file, int reason) {
    return copying_fail(copying, is_full(reason) ? STORE_FULL : STORE_FAILED, "%s can't be %s: %s",
                        file, doing, strerror(reason));
}

enum store_status copying_fail_store(struct store_copying *copying, const struct store *store,
                                     enum store_status status) {
    return copying_fail(copying, status, "%s", store_error(store));
}

bool copying_goes_on(struct store_copying *copying, const char *what, uint64_t done, uint64_t all) {
    if (copying->progress(copying->arg, what, done, all))
        return true;
    (void)copying_fail(copying, STORE_FAILED, "it was told to end");
    return false;
}

struct store *copying_store(const char *path, const char *vfs) {
    struct store *store = calloc(1, sizeof *store);
    if (!store)
        return NULL;
    store->path = strdup(path);
    store->pages = page_check_new(vfs);
    if (store->path && store->pages)
        return store;
    copying_store_free(store);
    return NULL;
}

void copying_store_free(struct store *store) {
    if (!store)
        return;
    head_close(store->head);
    page_check_free(store->pages);
    free(store->path);
    free(store);
}
