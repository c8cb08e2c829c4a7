/* The verb `idle`: what clients cost the broker that do nothing. */
#ifndef IDLE_H
#define IDLE_H

#include "option.h"

/* Prints one JSON line. Returns the exit code. */
int idle_main(const struct settings *settings);

#endif
