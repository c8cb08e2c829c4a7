/* Both ends of a transfer on this machine's side, as path.h has them. */
#include "local_file.h"

#include "limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- out ---- */

zchat_code source_open(struct source *source, const char *path, struct fault *fault) {
    *source = (struct source){.path = strdup(path), .fd = -1};
    return source->path ? path_open(path, &source->fd, &source->state, fault)
                        : fault_set(fault, ZCHAT_NO_MEMORY, "no memory for the file");
}

void source_close(struct source *source) {
    if (source->fd >= 0)
        close(source->fd);
    free(source->path);
    source->fd = -1;
    source->path = NULL;
}

enum source_end source_read(const struct source *source, void *bytes, size_t count,
                            uint64_t offset) {
    if (!path_read(source->fd, bytes, count, offset))
        return errno == 0 ? SOURCE_CHANGED : SOURCE_FAILED;
    return path_is_same(source->fd, &source->state) ? SOURCE_FINE : SOURCE_CHANGED;
}

bool source_ends(const struct source *source) {
    return path_ends(source->fd, source->state.bytes);
}

/* ---- in ---- */

bool target_name(struct target *target, const char *path, bool force) {
    *target = (struct target){.path = strdup(path), .fd = -1, .force = force};
    return target->path != NULL;
}

void target_name_fd(struct target *target, int fd) {
    *target = (struct target){.fd = fd};
}

const char *target_text(const struct target *target) {
    return target->path ? target->path : "the output";
}

zchat_code target_open(struct target *target, const unsigned char hash[HASH_BYTES], uint64_t bytes,
                       struct fault *fault) {
    char part[FOLDER_PATH_BYTES];
    zchat_code code = path_open_part(target->path, hash, part, &target->fd, &target->there, fault);
    if (code != ZCHAT_OK)
        return code;
    target->part = strdup(part);
    if (!target->part)
        return fault_set(fault, ZCHAT_NO_MEMORY, "no memory for the file");
    if (target->there <= bytes)
        return ZCHAT_OK;
    target->there = 0;
    return ftruncate(target->fd, 0) == 0
               ? ZCHAT_OK
               : fault_set(fault, ZCHAT_IO, "writing %s failed: %s", target->path, strerror(errno));
}

/* Where it can't be told, writing tells. A part of the disk is kept, as the broker does. */
bool target_has_room(const struct target *target, uint64_t bytes) {
    struct statvfs disk;
    if (fstatvfs(target->fd, &disk) != 0 || disk.f_frsize == 0)
        return true;
    uint64_t kept = (uint64_t)disk.f_blocks * DISK_KEPT_PERCENT / 100;
    uint64_t kept_max = DISK_KEPT_BYTES_MAX / disk.f_frsize;
    kept = kept < kept_max ? kept : kept_max;
    return (bytes - target->there) / disk.f_frsize + kept <= (uint64_t)disk.f_bavail;
}

bool target_read(const struct target *target, void *bytes, size_t count, uint64_t offset) {
    return path_read(target->fd, bytes, count, offset);
}

bool target_go_on(struct target *target) {
    if (lseek(target->fd, (off_t)target->there, SEEK_SET) < 0)
        return false;
    target->written = target->there;
    return true;
}

bool target_write(struct target *target, const void *bytes, size_t count) {
    if (!path_write(target->fd, bytes, count))
        return false;
    target->written += count;
    if (target->path)
        path_write_out(target->fd, target->written, count);
    return true;
}

zchat_code target_publish(struct target *target, struct fault *fault) {
    zchat_code code =
        target->path ? path_publish(target->fd, target->part, target->path, target->force, fault)
                     : ZCHAT_OK;
    if (code == ZCHAT_OK) {
        free(target->part);
        target->part = NULL;
    }
    return code;
}

void target_drop(struct target *target) {
    if (target->part)
        unlink(target->part);
    free(target->part);
    target->part = NULL;
}

void target_close(struct target *target) {
    if (target->path && target->fd >= 0)
        close(target->fd);
    free(target->path);
    free(target->part);
    *target = (struct target){.fd = -1};
}
