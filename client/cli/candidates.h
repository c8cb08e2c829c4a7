/* What Tab may offer for a word. */
#ifndef CANDIDATES_H
#define CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>

struct candidates { /* all zero: none */
    char **words;   /* owned, and so is each that was not taken */
    size_t count;
    size_t next;
};

/* Copies the text. */
void candidates_add(struct candidates *candidates, const char *text);
/* The next one, which the caller frees; NULL: that was all. */
char *candidates_take(struct candidates *candidates);
/* Whether the only one is a folder's name, after which a name in the folder follows. */
bool candidates_go_on(const struct candidates *candidates);
void candidates_release(struct candidates *candidates);

#endif
