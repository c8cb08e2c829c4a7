/* Whether a text mentions a user: their name as a word of its own, in any case. */
#ifndef MENTION_H
#define MENTION_H

#include <stdbool.h>
#include <stddef.h>

/* Where `name` (folded, not empty) is mentioned first in the text at or behind `from`; `bytes`: not
 * there. */
size_t mention_find(const char *text, size_t bytes, size_t from, const char *name);
bool mention_is_in(const char *text, const char *name);

#endif
