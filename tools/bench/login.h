/* The verb `login`: how fast clients log in. */
#ifndef LOGIN_OF_BENCH_H
#define LOGIN_OF_BENCH_H

#include "option.h"

/* Prints one JSON line. Returns the exit code. */
int login_main(const struct settings *settings);

#endif
