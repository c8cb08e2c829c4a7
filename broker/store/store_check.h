/* Verifies a store that need not be open, as a whole: what was recorded apart from it, the
 * write-ahead log, every page's checksum, the database's structure, the log, and every piece of a
 * file. Changes nothing, and works beside a broker: it looks at one moment of the store. */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "store.h"

struct store_check {
    const char *path;
    const char *vfs; /* NULL: SQLite's default */
    /* Each thing that is damaged or missing, as a sentence. */
    void (*damage)(void *arg, const char *sentence);
    /* How far it is with `what`; often. */
    void (*progress)(void *arg, const char *what, uint64_t done, uint64_t all);
    void *arg; /* for both */

    /* What it found: */
    uint64_t damages; /* may be more than were told: of each kind STORE_CHECK_TOLD_MAX are */
    uint64_t pages;   /* that were verified; 0: an older store's have no checksums */
    uint64_t entries; /* of the log */
    uint64_t pieces;  /* in slots; those of older stores have no checksums: */
    uint64_t pieces_unchecked;
    uint64_t removed_threads; /* of which something is left that goes by and by */
    uint64_t removed_files;
};

#define STORE_CHECK_TOLD_MAX 100

/* OK: it is whole. DAMAGED: `damage` was told. NOT_FOUND: there is none. FAILED: it can't be
 * verified; `damage` was told why. */
enum store_status store_check(struct store_check *check);

#endif
