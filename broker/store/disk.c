/* See disk.h. */
#include "disk.h"

#include "limits.h"

#include <sys/statvfs.h>

uint64_t disk_room(const char *path) {
    struct statvfs disk;
    if (statvfs(path, &disk) != 0) {
        return UINT64_MAX;
    }
    uint64_t free = (uint64_t)disk.f_bavail * disk.f_frsize;
    uint64_t all = (uint64_t)disk.f_blocks * disk.f_frsize;
    uint64_t share = all / 100 * DISK_KEPT_PERCENT;
    uint64_t kept = share < DISK_KEPT_BYTES_MAX ? share : DISK_KEPT_BYTES_MAX;
    return free > kept ? free - kept : 0;
}
