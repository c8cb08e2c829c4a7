/* Copies a whole store into one file (backup_file.h), as it was at one moment, and makes a store of
 * such a file again. Both are done by the calling thread, on connections of their own, while a
 * broker may serve the store: in this process or in another one.
 *
 * While the database is copied, the broker's write-ahead log can't begin anew: it grows by what is
 * written meanwhile. While pieces of files are copied it can, but removed files keep their room
 * until store_hold_pieces ends. */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "crypto.h"
#include "store.h"

#define STORE_BACKUP_ERROR_BYTES 1024
#define STORE_BACKUP_KEY_MAX     1024

/* What is told of the work, in both directions. */
struct store_copying {
    /* Called often: how far the work on `what` is. Returns false if the work has to end. */
    bool (*progress)(void *arg, const char *what, uint64_t done, uint64_t all);
    void *arg;
    /* Why it failed: one sentence. */
    char error[STORE_BACKUP_ERROR_BYTES];
};

struct store_backup {
    struct store_copying copying;
    const char *path;         /* of the store */
    const char *file;         /* an empty file, which becomes the backup */
    const unsigned char *key; /* a small file that is kept in it */
    size_t key_bytes;         /* at most STORE_BACKUP_KEY_MAX; 0: none */
    int64_t time_us;          /* is noted in it */

    /* What was made: */
    uint64_t bytes;
    uint64_t pages;
    uint64_t pieces;
    uint64_t pieces_damaged; /* these are damaged in the store, and so they are in the backup */
    int64_t position;        /* of the log's last entry */
    unsigned char hash[HASH_BYTES];
};

/* Makes the file, and syncs it. If a broker serves the store it must hold its pieces from before
 * the call on; without one, none may start. OK; NOT_FOUND: there is no store; FULL: the disk has no
 * room; DAMAGED: the store is; FAILED. Whatever is not OK leaves a file that is of no use. */
enum store_status store_backup(struct store_backup *backup);

/* While they are held, removed pieces of files keep their bytes. */
enum store_status store_hold_pieces(struct store *store, bool hold);

struct store_restore {
    struct store_copying copying;
    const char *file; /* the backup */
    const char *path; /* of the store that is made */
    /* Takes the small file that is kept in the backup, when all was verified; called in any case,
     * with `bytes` 0 if there is none. False: nothing is restored; `error` holds why. */
    bool (*take_key)(void *arg, const unsigned char *key, size_t bytes, char *error,
                     size_t error_bytes);
    void *key_arg;

    uint64_t pages;
    uint64_t pieces;
    uint64_t pieces_damaged; /* were damaged already in the store that was copied */
    int64_t position;
    int64_t time_us; /* of the backup */
};

/* Behind the path of a store, while it is restored: what there is then was never used. */
#define STORE_RESTORING_SUFFIX "-restoring"

/* Makes a store: no file of one may be there, but for an empty database. The database gets its name
 * last, when all is verified and on the disk; before, no broker would start on what is there. OK;
 * NOT_FOUND: there is no such file; EXISTS; FULL; DAMAGED: the file is cut or damaged, `error` says
 * where; FAILED. Whatever is not OK leaves no store. */
enum store_status store_restore(struct store_restore *restore);
/* Removes what a restore that was killed left. */
void store_restore_undo(const char *path);

#endif
