/* The words of `zchatd VERB [FILE] ...`: what is not the verb's own is left for the config. */
#ifndef WORDS_H
#define WORDS_H

#include <stdbool.h>

struct words_taken {
    const char *file; /* borrowed: from argv; NULL: none was given */
    bool force;       /* --force */
    bool help;        /* --help */
};

/* Takes the verb, --force, --help, and the first word after the verb that is no option and no
 * option's value, out of argv, where the verb stands. */
struct words_taken words_take(int *argc, char **argv, const char *verb);

#endif
