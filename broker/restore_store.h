/* `zchatd restore FILE`: makes a data folder of what `zchatd backup` or `zmq-cli backup` made. */
#ifndef RESTORE_STORE_H
#define RESTORE_STORE_H

#include <stdbool.h>

/* Whether zchatd's whole argv asks for it. */
bool restore_store_wanted(int argc, char **argv);

/* Does it, and returns the exit status for main: 0 done, 1 the backup is damaged (nothing was
 * done), or it was done and the store that was copied had damaged pieces, 2 usage, 3 it failed, 5
 * there is no FILE, 7 the folder is not empty. */
int restore_store_main(int argc, char **argv);

#endif
