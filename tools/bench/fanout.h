/* The verb `fanout`: what one sends to many. */
#ifndef FANOUT_H
#define FANOUT_H

#include "option.h"

/* Prints one JSON line. Returns the exit code: 1 where something was lost, doubled or out of order,
 * or the run failed. */
int fanout_main(const struct settings *settings);

#endif
