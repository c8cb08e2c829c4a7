/* `zchatd user ...`: the administration of a store's accounts, whether a broker
 * serves it at the moment or not. */
#ifndef USER_H
#define USER_H

#include "user_exit.h"

#include <stdbool.h>

/* Whether zchatd's whole argv asks for it: the first word that is no option and no option's value
 * is "user". */
bool user_wanted(int argc, char **argv);

/* The index of the verb in argv if it is the first word that is no option and no option's value; 0:
 * that word is another one, or there is none. */
int user_verb_at(int argc, char **argv, const char *verb);

/* The index of the first word behind `at` that is no option and no option's value; 0: there is
 * none. */
int user_word_behind(int argc, char **argv, int at);

/* Does what the whole argv asks for; returns an enum user_exit for main to return. */
int user_main(int argc, char **argv);

#endif
