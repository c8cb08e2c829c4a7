/* The verbs of zmq-cli: one table, a row each, and one function that carries a row out. */
#ifndef VERB_H
#define VERB_H

#include "call.h"
#include "option.h"

#include <stdio.h>

struct verb {
    const char *name;
    const char *classic; /* its classic name; NULL: none */
    const char *words;   /* as the help shows them */
    int words_min;
    int words_max;
    int text_at;                   /* which word begins the TEXT; -1: none */
    const enum option_id *options; /* beside the global ones; ended by OPTION_END */
    enum status (*run)(struct call *call);
    const char *help;
};

/* By name or classic name; NULL where there is none. */
const struct verb *verb_find(const char *name);

/* Prints the help of one verb, or with NULL that of the program. */
void verb_print_help(const struct verb *verb, FILE *file);

#endif
