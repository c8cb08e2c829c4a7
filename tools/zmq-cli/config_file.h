/* zmq-cli.conf: options that need not be given each time, in the format of common/option_file.h.
 * Options before the first [context NAME] always apply, the others if their context is chosen. */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include "options.h"
#include "output.h"

#include <stdbool.h>
#include <stddef.h>

struct config_entry {
    const char *context; /* borrowed: from text; NULL: always applies */
    enum option_id option;
    const char *value; /* borrowed: from text */
};

struct config_file {
    char *text;                   /* owned */
    struct config_entry *entries; /* owned */
    size_t entry_count;
};

/* Reads and checks the file; a missing one has no entries. Failures are reported. */
enum status config_file_read(struct config_file *file, const char *path,
                             const struct output *output);

/* Sets the options of a context or, with NULL, those that always apply. The file owns the values.
 * false: there is no such context. */
bool config_file_apply(const struct config_file *file, const char *context,
                       struct options *options);

void config_file_release(struct config_file *file);

#endif
