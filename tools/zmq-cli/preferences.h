/* The options of a call, whichever way they were said: a flag beats the environment, that the
 * chosen context, that the rest of zmq-cli.conf, that the default. */
#ifndef PREFERENCES_H
#define PREFERENCES_H

#include "config_file.h"
#include "options.h"
#include "output.h"

struct preferences {
    struct options options; /* begins with the defaults, and the flags of the command line */
    struct config_file file;
    char *config_dir;    /* owned; NULL: the library's own choice, which fails with a reason */
    char *state_dir;     /* owned; where what was last read is kept; NULL: there is no place */
    char *password_file; /* owned; NULL, or the path that zmq-cli.conf gave relative to itself */
};

void preferences_init(struct preferences *preferences);

/* Adds environment, configuration file and context. A failure has been told. */
enum status preferences_load(struct preferences *preferences, const struct output *output);

void preferences_release(struct preferences *preferences);

#endif
