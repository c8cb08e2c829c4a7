/* argv, taken apart: options, the verb, and the verb's words.
 *
 * Options may stand anywhere before "--": before the verb, after it, and between and behind the
 * words of a TEXT. After "--" everything is a word, also "-". Where an option is none that there
 * is, the nearest one is named. */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include "options.h"
#include "verb.h"

#define COMPLAINT_BYTES OPTION_FAULT_BYTES

struct command_line {
    const struct verb *verb; /* NULL: none was said */
    const char *group;       /* borrowed: the first word of a verb of two; NULL: there is none */
    const char **words;      /* owned; the words themselves are argv's */
    int word_count;
    int plain_count;                 /* of those: said before "--" */
    char complaint[COMPLAINT_BYTES]; /* the first thing that is wrong; empty: nothing */
};

/* Reads argv to its end even where something is wrong, so that --json and --help are known. */
void command_line_read(struct command_line *line, struct options *options, int argc, char **argv);

void command_line_release(struct command_line *line);

#endif
