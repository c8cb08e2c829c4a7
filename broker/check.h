/* --check-config: finds out what otherwise only a start of the broker would, without a start and
 * without leaving a trace. */
#ifndef CHECK_H
#define CHECK_H

#include "config.h"

#include <stdbool.h>
#include <stddef.h>

#define CHECK_REMARKS_BYTES 8192

/* False: `error` holds one sentence. Waits for nothing but the resolver. `remarks`: what is no
 * fault but may not be what was meant, each as "; ...". */
bool check_config(const struct config *config, char remarks[CHECK_REMARKS_BYTES], char *error,
                  size_t error_bytes);

#endif
