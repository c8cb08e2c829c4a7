/* What Tab offers: commands as the first word, then the names that fit the command. */
#ifndef COMPLETE_H
#define COMPLETE_H

#include <stddef.h>

struct candidates;

/* The callbacks of line.h; `app` is the struct app. */
void complete_word(void *app, const char *before, const char *word, struct candidates *candidates);
void complete_list(void *app, char *const *words, size_t count);

#endif
