/* Files that came before version 11 get their BLAKE2b-512, from the bytes that are stored. */
#ifndef SQLITE_REHASH_H
#define SQLITE_REHASH_H

#include "inside.h"

/* Of a loaded store without a transaction: does what is left of it, a file at a time; one that is
 * ended goes on with the next start. Beside a broker it is refused while anything is left. */
enum store_status sqlite_rehash(struct store *store, const struct store_options *options);

#endif
