/* `zchatd export` and `zchatd import`: everything in a store as lines of JSON, and a store of such
 * lines. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include <stdbool.h>

/* Whether zchatd's whole argv asks for one of them. */
bool transfer_wanted(int argc, char **argv);

/* Does it, and returns the exit status for main: an enum transfer_exit. */
int transfer_main(int argc, char **argv);

#endif
