/* argv, taken apart: options, the verb, and the verb's words.
 *
 * Options may stand before and after the verb, but once the first word of a verb's TEXT was said
 * everything is text. "--" ends the options, too; "-" alone is a word. */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include "option.h"
#include "verb.h"

#define COMPLAINT_BYTES 256

struct command_line {
    const struct verb *verb; /* NULL: none was said */
    const char *group;       /* borrowed: the first word of a verb of two; NULL: there is none */
    const char **words;      /* owned; the words themselves are argv's */
    int word_count;
    char complaint[COMPLAINT_BYTES]; /* the first thing that is wrong; empty: nothing */
};

/* Reads argv to its end even where something is wrong, so that --json and --help are known. */
void command_line_read(struct command_line *line, struct options *options, int argc, char **argv);

void command_line_release(struct command_line *line);

#endif
