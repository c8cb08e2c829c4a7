/* What was mistyped, told with what was probably meant. */
#ifndef NEAREST_H
#define NEAREST_H

#include "options.h"
#include "verb.h"

/* There is no such verb: `first` and `second` (NULL: nothing) were typed. */
void nearest_verb(const char *first, const char *second, char fault[OPTION_FAULT_BYTES]);

/* There is no such option: `argument` is what was typed, with its dashes, perhaps with a value;
 * `verb` NULL: it is not known. */
void nearest_option(const struct verb *verb, const char *argument, char fault[OPTION_FAULT_BYTES]);

/* There is such an option, but it does not go with this verb. */
void nearest_of_verb(const struct verb *verb, enum option_id id, char fault[OPTION_FAULT_BYTES]);

#endif
