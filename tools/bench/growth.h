/* The verb `growth`: what it costs if a store has become large. */
#ifndef GROWTH_H
#define GROWTH_H

#include "option.h"

/* Prints one JSON line. Returns the exit code: 1 if a message is missing in an inbox, or the run
 * failed. */
int growth_main(const struct settings *settings);

#endif
