/* A user's name as the client keeps it: folded to lower case, cut to what no name exceeds. Whether
 * it is a name is the broker's to say. */
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
