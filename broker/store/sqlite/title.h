/* What the store keeps beside a title or file name, to find those that look alike. */
#ifndef TITLE_H
#define TITLE_H

#include "unicode.h"

#include <sqlite3.h>

struct title {
    char look[LOOK_BYTES];
    char folded[LOOK_BYTES];
};
void title_look(const char *text, struct title *out);

/* Gives a connection the functions that migrations call; false: no memory. */
bool title_functions(sqlite3 *db);

#endif
