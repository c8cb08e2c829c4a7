/* The options of a program: a table with one row for each, which says everything that is known
 * about it, and the one reader of argv, the environment and defaults that uses the table. Values
 * are checked here and nowhere else: a struct that was filled by option_set() holds only what its
 * rows allow. Nothing here prints but the help. */
#ifndef COMMON_OPTION_H
#define COMMON_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum option_kind {
    OPTION_FLAG,    /* bool; stands alone on argv, yes or no elsewhere */
    OPTION_TEXT,    /* const char *, borrowed from where it was read */
    OPTION_NUMBER,  /* uint32_t or uint64_t within min and max; decimal digits */
    OPTION_SECONDS, /* double within min and max; decimal digits, with or without a fraction */
    OPTION_CHOICE,  /* an enum: the index of a choice */
};

#define OPTION_CHOICES_MAX 4
#define OPTION_FAULT_BYTES 1024 /* any text about an option with its NUL */
#define OPTION_NUMBER_MAX  18446744073709551615.0

/* Where a row's value is kept in the program's struct. */
#define OPTION_FIELD(type, member)                                                                 \
    .field = offsetof(type, member), .field_bytes = sizeof(((type *)NULL)->member)

struct option {
    const char *name; /* long, without its dashes */
    char letter;      /* 0: none */
    enum option_kind kind;
    unsigned groups; /* bits of the program; 0: it is in every group */
    size_t field, field_bytes;
    double min, max;
    bool in_file;                            /* allowed in the configuration file */
    unsigned traits;                         /* bits of the program */
    bool (*fits)(const char *text);          /* whether a text is valid; NULL: all but "" are */
    const char *choices[OPTION_CHOICES_MAX]; /* NULL: no choice has that index */
    const char *standard;                    /* the default; NULL: none */
    const char *environment;                 /* the variable's name; NULL: none */
    const char *argument; /* the value's name in the help; NULL: its range or its choices */
    const char *unit;     /* of a number; NULL: none */
    const char *takes;    /* what it takes, in words; NULL: made from the kind */
    const char *help;
    const char *more; /* further help, which only a program's full help has; NULL: none */
};

struct option_table {
    const struct option *rows;
    size_t count;
    unsigned group;   /* only rows that are in one of these groups; 0: all rows */
    const char *hint; /* told after an unknown option: "zchat --help lists them" */
    bool apart;       /* an option's name is not taken as the value of the one before it */
    unsigned noted;   /* rows with one of these traits have ... */
    const char *note; /* ... this note in the help; NULL: none */
};

/* NULL: the table's group has no option of that name. */
const struct option *option_find(const struct option_table *table, const char *name, size_t bytes);
/* The option whose name is nearest to what was typed; NULL: none is near. */
const struct option *option_nearest(const struct option_table *table, const char *name,
                                    size_t bytes);

/* Gives the option's field in `values` the value of the text. False: the option does not take the
 * text, and `fault` says what it takes, in words that follow its name: "wants on or off, not
 * \"x\"". */
bool option_set(const struct option *option, void *values, const char *text,
                char fault[OPTION_FAULT_BYTES]);
/* Writes what the option takes, in words: "a whole number from 1 to 8 (threads)". */
void option_describe(const struct option *option, char *text, size_t text_bytes);

/* Gives the options of the table's group their defaults. */
void option_set_standards(const struct option_table *table, void *values);

/* What is done with what was read. `fault` is told after the option's name. */
struct option_sink {
    bool (*set)(void *arg, const struct option *option, const char *text,
                char fault[OPTION_FAULT_BYTES]);
    /* Called for a word that is no option; `plain`: it comes before "--". `fault` is told as it
     * is. */
    bool (*word)(void *arg, const char *word, bool plain, char fault[OPTION_FAULT_BYTES]);
    /* Called if the first thing that is wrong is an argument that looks like an option and is none,
     * before `error` says so. NULL: nobody wants to know. */
    void (*unknown)(void *arg, const char *argument);
    void *arg;
};

/* Reads argv (without the program's name, ended by NULL): --name VALUE, --name=VALUE, -l VALUE,
 * -lVALUE, flags in one bunch (-qv), and after "--" only words. False: `error` is one sentence
 * about the first thing that is wrong. It reads to the end in any case, so that flags that decide
 * how errors are told are known. */
bool option_read_argv(const struct option_table *table, const struct option_sink *sink, char **argv,
                      char error[OPTION_FAULT_BYTES]);

/* Reads the environment; a variable that is empty counts as not set. False: `error` is one sentence
 * about the first thing that is wrong. */
bool option_read_environment(const struct option_table *table, const struct option_sink *sink,
                             char error[OPTION_FAULT_BYTES]);

/* Prints words from column `indent` on, with line breaks before column 78. */
void option_print_wrapped(FILE *file, const char *text, int indent);
/* Prints the option's lines of the help; `note` (NULL: none) follows its default. */
void option_print_help(const struct option *option, const char *note, FILE *file);
/* The same in a column that the caller chose: `head_bytes`, from option_head_bytes(), is as wide as
 * the widest head of a list; without `more`. */
void option_print_brief(const struct option *option, int head_bytes, FILE *file);
/* How wide the head of a brief row is: "  -s, --server HOST[:PORT]". */
int option_head_bytes(const struct option *option);
/* Prints these lines for all options of the table's group. */
void option_print_all(const struct option_table *table, FILE *file);

/* ---- how far a word that somebody typed is from one that exists ---- */

#define NEAREST_MAX 2 /* words farther apart are different words */

/* How many letters have to be changed, added, left out or exchanged with their neighbour to get
 * from one word to the other; more than NEAREST_MAX if the words are too long or too different. */
size_t word_distance(const char *typed, size_t typed_bytes, const char *name);

#endif
