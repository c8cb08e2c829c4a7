/* The options of zchatd, a row for each: its name, which values it takes, what it means. Everything
 * that is said about an option comes from its row. Used by config_load.c, and by user.c, which
 * looks for its verb among the options. */
#ifndef OPTION_H
#define OPTION_H

#include "common/option.h"
#include "config.h"

#include <stdbool.h>
#include <stddef.h>

enum option_trait {
    OPTION_HUP = 1,    /* HUP may change it */
    OPTION_ACTION = 2, /* an action instead of serving; it has no field */
};

extern const struct option_table option_table;

/* The row of that index; NULL behind the last one that has a field. */
const struct option *option_at(size_t index);

/* Gives the option's field the value of the text. False if the option does not take it: `fault`
 * tells what it takes. A config's fields are set one by one; until then they are 0 and NULL. */
bool option_keep(const struct option *option, struct config *config, const char *text,
                 char fault[OPTION_FAULT_BYTES]);
/* Gives the field its default; false with `fault` if there is none. */
bool option_keep_standard(const struct option *option, struct config *config,
                          char fault[OPTION_FAULT_BYTES]);

/* Writes the value as a configuration file has it: texts in quotes. */
void option_format(const struct option *option, const struct config *config, char *text,
                   size_t text_bytes);

bool option_equals(const struct option *option, const struct config *a, const struct config *b);
void option_swap(const struct option *option, struct config *a, struct config *b);
void option_release(const struct option *option, struct config *config);

#endif
