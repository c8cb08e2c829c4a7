/* Transfers of files: not there yet. */
#include "call.h"
#include "handle.h"

static zchat_code not_yet(zchat *z) {
    return fault_set(&z->fault, ZCHAT_UNIMPLEMENTED, "Files can't be transferred yet.");
}

zchat_code zchat_file_put(zchat *z, const char *title, const char *path, const char *name,
                          zchat_progress_fn *progress, zchat_reply_fn *fn, void *arg) {
    (void)title, (void)path, (void)name, (void)progress, (void)fn, (void)arg;
    return not_yet(z);
}

zchat_code zchat_file_get(zchat *z, const char *title, const char *name, const char *path, int fd,
                          bool force, zchat_progress_fn *progress, zchat_reply_fn *fn, void *arg) {
    (void)title, (void)name, (void)path, (void)fd, (void)force;
    (void)progress, (void)fn, (void)arg;
    return not_yet(z);
}

void zchat_file_cancel(zchat *z, const void *arg) {
    (void)z, (void)arg;
}
