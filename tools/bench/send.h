/* The verb `send`: load, and the proof that none of it was lost. */
#ifndef SEND_H
#define SEND_H

#include "option.h"

/* Prints one JSON line. Returns the exit code: 1 if something was lost, doubled or out of order, or
 * if the run failed. */
int send_main(const struct settings *settings);

#endif
