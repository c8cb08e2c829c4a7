/* What only a start of the broker would find out, found out without one and without leaving a
 * trace: --check-config. */
#ifndef CHECK_H
#define CHECK_H

#include "config.h"

#include <stdbool.h>

/* False: `error` holds one sentence. *process: the broker that serves the data folder now; 0: none.
 */
bool check_config(const struct config *config, long *process, char *error, size_t error_bytes);

#endif
