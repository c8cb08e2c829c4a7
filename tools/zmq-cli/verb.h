/* The verbs of zmq-cli. A verb is one row, such as `static const struct verb send_verb`,
 * beside the function that carries it out; each file lists its verbs at its end, and verb.c lists
 * the files, in groups. */
#ifndef VERB_H
#define VERB_H

#include "call.h"
#include "options.h"

#include <limits.h>
#include <stdbool.h>

#define VERB_WORDS_ANY INT_MAX
/* The options of a verb besides those that go with every verb. */
#define VERB_OPTIONS(...) ((const enum option_id[]){__VA_ARGS__, OPTION_END})
/* One to three lines for a shell, which a test runs as they are. */
#define VERB_EXAMPLES(...) ((const char *const[]){__VA_ARGS__, NULL})

struct verb {
    const char *name;    /* one word, or two */
    const char *classic; /* its classic name, in any case; NULL: none */
    const char *words;   /* as the help shows them; "": it takes none */
    int words_min;
    int words_max;
    bool without_context;  /* a context that is missing does not matter */
    unsigned option_group; /* of the table; 0: OPTION_GROUP_CHAT */
    bool id_for_word;      /* with --id the word before the TEXT, or the last one, is left out */
    const enum option_id *options; /* VERB_OPTIONS(); NULL: none */
    enum status (*run)(struct call *call);
    const char *const *examples; /* VERB_EXAMPLES() */
    const char *help;            /* a group's help has what comes before the first semicolon */
    const char *more;            /* further help, which only the full help has; NULL: none */
    const char *exits; /* what exit statuses mean here: "6 blocked; 7 …"; NULL: the usual */
};

/* The verbs of one kind, under a name of their own in the help. */
struct verb_group {
    const char *name;
    const char *about;
    const struct verb *const *files[6]; /* the lists at the ends of these; NULL after the last */
};

/* Without a command line: help. It is the program that carries it out, before any configuration. */
extern const struct verb help_verb;

/* The verb at that place in the help; NULL after the last. */
const struct verb *verb_at(size_t place);
/* The group at that place; NULL after the last. */
const struct verb_group *verb_group_at(size_t place);
/* The group of that name; NULL: there is none. */
const struct verb_group *verb_group_find(const char *name);
/* Whether it is a verb of that group. */
bool verb_is_of(const struct verb *verb, const struct verb_group *group);

/* Whether the option is one of the verb's own, or of those that go with every verb. */
bool verb_takes(const struct verb *verb, enum option_id id);

/* Finds a verb by its name or classic name; `second` is the second word, or NULL. NULL: there is
 * none. */
const struct verb *verb_find(const char *first, const char *second);

/* Whether the verb's name is this word and another one. */
bool verb_begins_with(const struct verb *verb, const char *first);
/* Whether there are verbs of two words that begin with this word. */
bool verb_is_pair(const char *first);
/* The last word of its name. */
const char *verb_last_word(const struct verb *verb);

#endif
