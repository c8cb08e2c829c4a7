/* Opens the store of a data folder. If an earlier version made it, the work on it is reported: its
 * progress on a terminal, its beginning and end in the log. */
#ifndef OPENING_H
#define OPENING_H

#include "config.h"
#include "store.h"

#include <stddef.h>

/* TERM and INT are blocked; if one of them is pending, such work ends. False: `error` holds one
 * sentence; *out may still be a store that has to be closed. */
bool opening_store(struct store **out, const struct config *config, char *error,
                   size_t error_bytes);

#endif
