/* The verb `growth`: what a store costs that has become large. */
#ifndef GROWTH_H
#define GROWTH_H

#include "option.h"

/* Prints one JSON line. Returns the exit code: 1 where an inbox lacks a message, or the run failed.
 */
int growth_main(const struct settings *settings);

#endif
