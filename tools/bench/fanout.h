/* The verb `fanout`: messages from one to many. */
#ifndef FANOUT_H
#define FANOUT_H

#include "option.h"

/* Prints one JSON line. Returns the exit code: 1 if something was lost, doubled or out of order, or
 * if the run failed. */
int fanout_main(const struct settings *settings);

#endif
