/* `zchatd backup FILE`: copies the store into one file, whether a broker serves it or not. */
#ifndef BACKUP_STORE_H
#define BACKUP_STORE_H

#include <stdbool.h>

/* Whether zchatd's whole argv asks for it. */
bool backup_store_wanted(int argc, char **argv);

/* Does it, and returns the exit status for main: 0 done, 1 done and the store has damaged pieces,
 * or nothing was done because the store is damaged, 2 usage, 3 it failed, 5 there is no store, 7
 * FILE is there already. */
int backup_store_main(int argc, char **argv);

#endif
