/* How far a word that somebody typed is from one that exists. */
#ifndef COMMON_NEAREST_H
#define COMMON_NEAREST_H

#include <stddef.h>

#define NEAREST_MAX 2 /* what is farther is another word */

/* How many letters are to be changed, added, left out or exchanged with the one beside them; of
 * words that are too long or too different more than NEAREST_MAX. */
size_t word_distance(const char *typed, size_t typed_bytes, const char *name);

#endif
