/* `zchatd user ...`: the administration of the accounts in a store that no broker is using. */
#ifndef USER_H
#define USER_H

#include <stdbool.h>

/* Whether argv, the whole one of zchatd, asks for it: its first word that is no option and no
 * option's value is "user". */
bool user_wanted(int argc, char **argv);

/* Does what the whole argv asks for and returns the exit code: 0 done, 1 any other failure, 2 usage
 * or invalid, 3 the data folder or the store can't be opened, 5 no such account, 7 it exists. */
int user_main(int argc, char **argv);

#endif
