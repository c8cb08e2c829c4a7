/* What making a backup and restoring one share. */
#ifndef STORE_COPYING_H
#define STORE_COPYING_H

#include "inside.h"
#include "store_backup.h"

/* How many bytes are copied before they are synced, so that a disk that writes them does not keep
 * the commits of a broker waiting for long. */
#define COPYING_SYNC_BYTES (UINT64_C(16) * 1024 * 1024)
#define COPYING_BLOCK      SLOT_BYTES

/* Keeps the sentence if it is the first one. Returns `status`. */
enum store_status copying_fail(struct store_copying *copying, enum store_status status,
                               const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same for something that failed with that errno, done to the file. */
enum store_status copying_fail_file(struct store_copying *copying, const char *doing,
                                    const char *file, int reason);
/* The same with the store's own error. */
enum store_status copying_fail_store(struct store_copying *copying, const struct store *store,
                                     enum store_status status);
/* Whether the work may go on. */
bool copying_goes_on(struct store_copying *copying, const char *what, uint64_t done, uint64_t all);

/* A store that is only looked at: its path and its VFS. NULL: no memory. */
struct store *copying_store(const char *path, const char *vfs);
void copying_store_free(struct store *store);

#endif
