/* The process's descriptors: 0 to 2 are open whatever the caller closed, and there may be as many
 * as the hard limit allows. */
#ifndef DESCRIPTOR_H
#define DESCRIPTOR_H

#include "config.h"

#include <stdbool.h>
#include <stddef.h>

/* Opens /dev/null as those of 0 to 2 that are closed, so that no file or socket of ours becomes one
 * of them and gets what is written for people; stdout only to be read, so that who writes to it
 * hears that nobody gets it. Called before anything is opened. */
void descriptors_open_standard(void);

/* Raises the limit as far as it goes; how many there may be then. */
size_t descriptors_raise(void);
/* How many are open. */
size_t descriptors_open(void);
/* Whether the broker can start and serve a few clients. libzmq ends the process if it gets none for
 * its own, so this is asked before it begins. false: `error` holds one sentence. */
bool descriptors_suffice(const struct config *config, char *error, size_t error_bytes);

#endif
