/* A user's name as the client keeps it: folded to lower case, and cut to the longest that a name
 * may be. The broker decides whether it is a name. */
#ifndef NAME_H
#define NAME_H

#include <stdio.h>

#define NAME_BYTES 64

static inline void name_copy(char name[NAME_BYTES], const char *input) {
    snprintf(name, NAME_BYTES, "%s", input);
    for (char *c = name; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
}

#endif
