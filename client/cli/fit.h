/* Texts that must fit in some columns of the terminal. */
#ifndef FIT_H
#define FIT_H

#include <stddef.h>

/* How many columns the text takes. */
size_t fit_columns(const char *text);
/* The text on one line; if it takes more than `columns`, cut between two characters, with an
 * ellipsis. The caller frees it. */
char *fit_text(const char *text, size_t columns);

#endif
