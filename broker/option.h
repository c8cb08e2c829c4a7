/* The options of zchatd, a row for each: what it is called, which values it takes, what it means.
 * Everything that is said about an option comes from its row. For config.c alone. */
#ifndef OPTION_H
#define OPTION_H

#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_NUMBER, /* uint32_t within min and max */
    OPTION_CHOICE, /* uint32_t, the index of a choice */
    OPTION_PATH,
    OPTION_HOST, /* a host name, an address, "*" */
};

enum option_trait {
    OPTION_HUP = 1,       /* HUP may change it */
    OPTION_ARGV_ONLY = 2, /* it makes no sense in the file */
    OPTION_EMPTY = 4,     /* "" is a value */
    OPTION_SWITCH = 8,    /* on argv it stands alone, for its second choice */
};

#define OPTION_CHOICES_MAX 4
#define OPTION_TEXT_BYTES  1024 /* any text about an option with its NUL */

struct option {
    const char *name;
    enum option_kind kind;
    int traits;
    size_t field;         /* its offset in struct config */
    const char *standard; /* the default; NULL: the data folder's, which depends on the user */
    uint32_t min, max;
    const char *unit; /* NULL: none */
    const char *choices[OPTION_CHOICES_MAX];
    const char *help;
};

/* The row of that index; NULL behind the last one. */
const struct option *option_at(size_t index);
/* NULL where no option has the name. */
const struct option *option_find(const char *name, size_t name_bytes);

/* Gives the field the value of the text. False where the option does not take it: `fault` tells
 * what it takes. A CONFIG's fields are set one by one: until then they are 0 and NULL. */
bool option_set(const struct option *option, struct config *config, const char *text, char *fault,
                size_t fault_bytes);
/* Its default; false with `fault` where there is none. */
bool option_set_standard(const struct option *option, struct config *config, char *fault,
                         size_t fault_bytes);

/* The value as one writes it in a file: texts in quotes. */
void option_format(const struct option *option, const struct config *config, char *text,
                   size_t text_bytes);
/* What it takes, in words: "a whole number from 1 to 8 (threads)"; and for a list: "1..8 threads".
 */
void option_allowed(const struct option *option, char *text, size_t text_bytes);
void option_synopsis(const struct option *option, char *text, size_t text_bytes);

bool option_equals(const struct option *option, const struct config *a, const struct config *b);
void option_swap(const struct option *option, struct config *a, struct config *b);
void option_release(const struct option *option, struct config *config);

#endif
