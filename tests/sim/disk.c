#include "disk.h"

#include "crashvfs.h"

#include <sqlite3.h>
#include <stdlib.h>

#define DISK_NAME "sim"

struct disk {
    struct crashvfs *vfs; /* owned */
    struct store_options options;
};

struct disk *disk_new(uint64_t seed, const struct disk_options *options) {
    struct disk *disk = calloc(1, sizeof *disk);

    if (!disk || !(disk->vfs = crashvfs_new(DISK_NAME, seed)))
        abort();
    disk->options = (struct store_options){
        .path = "store",
        .vfs = DISK_NAME,
        .exclusive = true,
        .view_entries = options->view_entries,
        .slice_entries = options->slice_entries,
        .wal_pages = options->wal_pages,
        .unread_max = options->unread_max,
        .unread_per_sender_max = options->unread_per_sender_max,
    };
    /* SQLite's own random numbers are a seed's, too. */
    sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, (int)(seed & 0x7fffffff) + 1, NULL);
    sqlite3_randomness(0, NULL);
    return disk;
}

void disk_free(struct disk *disk) {
    if (!disk)
        return;
    crashvfs_free(disk->vfs);
    free(disk);
}

struct store *disk_open(struct disk *disk) {
    struct store *store;

    if (store_open(&store, &disk->options) == STORE_OK)
        return store;
    store_close(store);
    return NULL;
}

void disk_close(struct disk *disk, struct store *store) {
    (void)disk;
    store_close(store);
}

void disk_power_failure(struct disk *disk, struct store *store, struct random *random) {
    crashvfs_crash(disk->vfs,
                   random_chance(random, 500) ? CRASHVFS_KEEP_SYNCED : CRASHVFS_KEEP_SOME);
    crashvfs_mend(disk->vfs);
    store_close(store);
}

void disk_break(struct disk *disk, struct random *random) {
    bool sync = random_chance(random, 500);
    int code =
        sync ? SQLITE_IOERR_FSYNC : (random_chance(random, 500) ? SQLITE_IOERR_WRITE : SQLITE_FULL);

    crashvfs_fail(disk->vfs, sync ? CRASHVFS_SYNC : CRASHVFS_WRITE,
                  1 + random_below(random, sync ? 4 : 40), code);
}

void disk_mend(struct disk *disk) {
    crashvfs_mend(disk->vfs);
}
