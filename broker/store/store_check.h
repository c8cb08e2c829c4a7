/* Verifies a whole store, which need not be open: its head, the write-ahead log, every page's
 * checksum, the database's structure, the log, and every piece of a file. Changes nothing, and
 * works beside a broker: it looks at the store as it was at one moment. */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "store.h"

struct store_check {
    const char *path;
    const char *vfs; /* NULL: SQLite's default */
    /* Called for each thing that is damaged or missing, with a sentence. */
    void (*damage)(void *arg, const char *sentence);
    /* Called often: how far the work on `what` is. */
    void (*progress)(void *arg, const char *what, uint64_t done, uint64_t all);
    void *arg; /* for both */

    /* What it found: */
    uint64_t damages; /* of each kind at most STORE_CHECK_TOLD_MAX were told */
    uint64_t pages;   /* that were verified; 0: the pages of an older store have no checksums */
    uint64_t entries; /* of the log */
    uint64_t pieces;  /* in slots; those of older stores have no checksums: */
    uint64_t pieces_unchecked;
    uint64_t removed_threads; /* of which something is left, which is removed little by little */
    uint64_t removed_files;
};

#define STORE_CHECK_TOLD_MAX 100

/* OK: the store is whole. DAMAGED: `damage` was told. NOT_FOUND: there is no store. FAILED: it
 * can't be verified; `damage` was told why. */
enum store_status store_check(struct store_check *check);

#endif
