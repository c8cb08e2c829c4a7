/* What zmq-cli can do, as text that fits a screen of 80 columns and 24 rows, or in full, or as
 * JSON; made from the rows of the verbs and options. */
#ifndef HELP_H
#define HELP_H

#include "command_line.h"
#include "output.h"

/* --help: of the verb, of the verbs that begin with the word, or of the program. `full`: with all
 * there is to say, however long. */
enum status help_print(const struct command_line *line, bool full, struct output *output);

/* The verb help: what its words ask for, with --json as one object a line for each verb. */
enum status help_run(const struct command_line *line, bool full, struct output *output);

#endif
