/* `zchatd user ...`: the administration of a store's accounts, whether a broker
 * serves it at the moment or not. */
#ifndef USER_H
#define USER_H

#include <stdbool.h>
#include <stdint.h>

enum user_exit {
    USER_DONE = 0,
    USER_FAILED = 1, /* any other failure */
    USER_INVALID = 2,
    USER_IO = 3, /* the data folder, the store or a file can't be opened, or stdout not written */
    USER_NOT_FOUND = 5,
    USER_EXISTS = 7,
};

/* Whether argv, the whole one of zchatd, asks for it: its first word that is no option and no
 * option's value is "user". */
bool user_wanted(int argc, char **argv);

/* Where in argv the verb stands: the first word that is no option and no option's value; 0: it is
 * another one, or there is none. */
int user_verb_at(int argc, char **argv, const char *verb);

/* Does what the whole argv asks for; returns an enum user_exit for main to return. */
int user_main(int argc, char **argv);

#endif
