/* The verbs of zmq-cli: one table, a row each, and one function that carries a row out. */
#ifndef VERB_H
#define VERB_H

#include "call.h"
#include "option.h"

#include <stdbool.h>
#include <stdio.h>

struct verb {
    const char *name;    /* one word, or two */
    const char *classic; /* its classic name, in any case; NULL: none */
    const char *words;   /* as the help shows them */
    int words_min;
    int words_max;
    bool id_for_word; /* with --id the word before the TEXT, or the last one, is not said */
    const enum option_id *options; /* beside the global ones; ended by OPTION_END */
    enum status (*run)(struct call *call);
    const char *help;
};

/* By name or classic name, of which `second` is the second word, or NULL; NULL where there is none.
 */
const struct verb *verb_find(const char *first, const char *second);

/* The name that is nearest to what was said; NULL: none is near. */
const char *verb_nearest(const char *said);

/* Whether there are verbs of two words with this first one. */
bool verb_is_group(const char *first);

/* Prints the help of one verb; with NULL that of a group of verbs; with two of them that of the
 * program. */
void verb_print_help(const struct verb *verb, const char *group, FILE *file);

#endif
