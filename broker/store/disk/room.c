/* See room.h. */
#include "room.h"

#include "limits.h"

#include <sys/statvfs.h>

uint64_t disk_room(const char *path) {
    uint64_t free = disk_free_bytes(path);
    uint64_t all = disk_all_bytes(path);
    if (free == UINT64_MAX || all == UINT64_MAX)
        return UINT64_MAX;
    uint64_t share = all / 100 * DISK_KEPT_PERCENT;
    uint64_t kept = share < DISK_KEPT_BYTES_MAX ? share : DISK_KEPT_BYTES_MAX;
    return free > kept ? free - kept : 0;
}

uint64_t disk_free_bytes(const char *path) {
    struct statvfs disk;
    return statvfs(path, &disk) == 0 ? (uint64_t)disk.f_bavail * disk.f_frsize : UINT64_MAX;
}

uint64_t disk_all_bytes(const char *path) {
    struct statvfs disk;
    return statvfs(path, &disk) == 0 ? (uint64_t)disk.f_blocks * disk.f_frsize : UINT64_MAX;
}
