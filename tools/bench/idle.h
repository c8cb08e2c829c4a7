/* The verb `idle`: what clients that do nothing cost the broker. */
#ifndef IDLE_H
#define IDLE_H

#include "option.h"

/* Prints one JSON line. Returns the exit code. */
int idle_main(const struct settings *settings);

#endif
