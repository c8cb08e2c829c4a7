/* File descriptors: libzmq ends the process where it gets none for its own, so that there are
 * enough is seen before it is begun with. */
#ifndef HEADROOM_H
#define HEADROOM_H

#include "config.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether the broker can start and serve a few clients. false: `error` holds one sentence. */
bool headroom_suffices(const struct config *config, char *error, size_t error_bytes);

#endif
