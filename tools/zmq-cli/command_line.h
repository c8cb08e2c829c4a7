/* argv, taken apart: options, the verb, and the verb's words.
 *
 * Options may be anywhere before "--": before the verb, after it, and between and behind the words
 * of a TEXT. After "--" everything is a word, even "-". If a verb or an option does not exist, the
 * error names the nearest one. */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include "options.h"
#include "verb.h"

#define COMPLAINT_BYTES OPTION_FAULT_BYTES

struct command_line {
    const struct verb *verb; /* NULL: none was given */
    const char *group;       /* borrowed: the first word of a verb of two words; NULL: none */
    const char *stray[2];    /* borrowed: where the verb should be, words that are none; NULL: no
                              * such word */
    const char *unknown;     /* borrowed: what looked like an option first; NULL: nothing did */
    const char **words;      /* owned; the words themselves are in argv */
    int word_count;
    int plain_count;       /* of those: given before "--" */
    const char **settings; /* owned: each value of --option, which may be given many times */
    size_t setting_count;
    char complaint[COMPLAINT_BYTES]; /* the first thing that is wrong; empty: nothing */
};

/* Reads argv to its end even if something is wrong, so that --json and --help are known. */
void command_line_read(struct command_line *line, struct options *options, int argc, char **argv);

void command_line_release(struct command_line *line);

#endif
