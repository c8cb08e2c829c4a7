/* Gives files from before version 11 their BLAKE2b-512, made from the stored bytes. */
#ifndef SQLITE_REHASH_H
#define SQLITE_REHASH_H

#include "inside.h"

/* Does what is left of this work, a file at a time; the store must be loaded and not in a
 * transaction. If it is ended, the next start goes on with it. Refused beside a broker while any
 * work is left. */
enum store_status sqlite_rehash(struct store *store, const struct store_options *options);

#endif
