/* The verbs of zmq-cli. A verb is one row, such as `static const struct verb send_verb`,
 * beside the function that carries it out; each file lists its verbs at its end, and verb.c lists
 * the files. */
#ifndef VERB_H
#define VERB_H

#include "call.h"
#include "options.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#define VERB_WORDS_ANY INT_MAX
/* The options of a verb besides those that go with every verb. */
#define VERB_OPTIONS(...) ((const enum option_id[]){__VA_ARGS__, OPTION_END})

struct verb {
    const char *name;    /* one word, or two */
    const char *classic; /* its classic name, in any case; NULL: none */
    const char *words;   /* as the help shows them; "": it takes none */
    int words_min;
    int words_max;
    bool id_for_word; /* with --id the word before the TEXT, or the last one, is left out */
    const enum option_id *options; /* VERB_OPTIONS(); NULL: none */
    enum status (*run)(struct call *call);
    const char *help;
};

/* Whether the option is one of the verb's own. */
bool verb_has_option(const struct verb *verb, enum option_id id);

/* Finds a verb by its name or classic name; `second` is the second word, or NULL. NULL: there is
 * none. */
const struct verb *verb_find(const char *first, const char *second);

/* The name that is nearest to what was typed; NULL: none is near. */
const char *verb_nearest(const char *said);

/* Whether there are verbs of two words that begin with this word. */
bool verb_is_group(const char *first);

/* Prints the help of a verb or, if that is NULL, of a group of verbs or, if both are NULL, of the
 * program. */
void verb_print_help(const struct verb *verb, const char *group, FILE *file);

#endif
