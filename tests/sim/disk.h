/* The broker's disk and the store on it: opens the store, makes the disk fail, takes its power
 * away. The only file of the simulation that knows that the store is SQLite's. */
#ifndef DISK_H
#define DISK_H

#include "seed.h"
#include "store.h"

struct disk;

struct disk_options {
    size_t view_entries;
    size_t slice_entries;
    int wal_pages;
    uint64_t unread_max; /* 0: the store's own limit; so with the next one */
    uint64_t unread_per_sender_max;
};

/* Aborts where memory lacks. */
struct disk *disk_new(uint64_t seed, const struct disk_options *options);
void disk_free(struct disk *disk);

struct store *disk_open(struct disk *disk); /* NULL: it could not be opened */
/* An orderly end. */
void disk_close(struct disk *disk, struct store *store);
/* Of what was not synced nothing, or some, is still there. */
void disk_power_failure(struct disk *disk, struct store *store, struct random *random);
/* One of the next writes or syncs fails, and each after it, until the next power failure. */
void disk_break(struct disk *disk, struct random *random);
void disk_mend(struct disk *disk);

#endif
