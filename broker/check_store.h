/* `zchatd check-store`: verifies the whole store, whether a broker serves it at the moment or not,
 * and changes nothing. */
#ifndef CHECK_STORE_H
#define CHECK_STORE_H

#include <stdbool.h>

/* Whether zchatd's whole argv asks for it. */
bool check_store_wanted(int argc, char **argv);

/* Does it, and returns the exit status for main: 0 the store is whole, 1 it is damaged, 2 usage, 3
 * it can't be read or stdout can't be written, 5 there is none. */
int check_store_main(int argc, char **argv);

#endif
