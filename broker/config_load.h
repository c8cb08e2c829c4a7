/* Fills a config in: each value comes from argv, the configuration file (ZPL) or the default, in
 * this order. Help texts, parsing, checks and the printed configuration come from the table of
 * options. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config.h"

#include <stdbool.h>
#include <stddef.h>

enum config_result {
    CONFIG_RUN,     /* the config is complete */
    CONFIG_DONE,    /* --help, --version, --print-config or --check-config was served: exit 0 */
    CONFIG_ERROR,   /* `error` holds one sentence: exit 2 */
    CONFIG_UNHEARD, /* the same: what was asked for can't be written to stdout: exit 3 */
};

/* Fills `config` from argv (argv[0] is passed over, NULL ends it) and the file that it names.
 * Release the config whatever the result. */
enum config_result config_load(struct config *config, char **argv, char *error, size_t error_bytes);

/* For HUP: reads the file again; argv still beats it. CONFIG_RUN: the options that may change have
 * their new values, and `restart` names those whose new value needs a restart ("port, bind"), or is
 * "". Any other result is CONFIG_ERROR: nothing has changed. */
enum config_result config_reload(struct config *config, char *restart, size_t restart_bytes,
                                 char *error, size_t error_bytes);

/* Whether the path is a pipe, such as a shell's <(...). A pipe can be read once: reading it again
 * would wait for ever. */
bool config_is_pipe(const char *path);

void config_release(struct config *config);

#endif
