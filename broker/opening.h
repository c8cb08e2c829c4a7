/* Opens the store of a data folder, which may be an earlier version's: then tells how far the work
 * on it is, on a terminal as it goes and in the log where it begins and ends. */
#ifndef OPENING_H
#define OPENING_H

#include "config.h"
#include "store.h"

#include <stddef.h>

/* Where TERM or INT waits, which are blocked, such work ends. False: `error` holds one sentence,
 * and *out may be a store to be closed all the same. */
bool opening_store(struct store **out, const struct config *config, char *error,
                   size_t error_bytes);

#endif
