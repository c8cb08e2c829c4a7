/* The options of a call from all sources. The strongest comes first: the command line, the
 * environment, the chosen context, the rest of zmq-cli.conf, the default. */
#ifndef PREFERENCES_H
#define PREFERENCES_H

#include "config_file.h"
#include "options.h"
#include "output.h"

struct preferences {
    struct options options; /* begins with the defaults, and the flags of the command line */
    struct config_file file;
    char *config_dir;    /* owned; NULL: the library chooses, and fails with a reason */
    char *state_dir;     /* owned; for what was last read; NULL: there is no place */
    char *password_file; /* owned; NULL, or the path that zmq-cli.conf gave relative to itself */
};

void preferences_init(struct preferences *preferences);

/* Adds environment, configuration file and context. A failure has been reported. */
enum status preferences_load(struct preferences *preferences, bool lenient,
                             const struct output *output);

void preferences_release(struct preferences *preferences);

#endif
