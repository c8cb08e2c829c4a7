/* What the running broker takes from its configuration: the core's options and the admin password.
 * It is read at the start and again at HUP. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "config.h"
#include "core/core.h"
#include "password.h"

#define SETTINGS_SOFTWARE "zchatd " ZCHAT_VERSION_TEXT

struct settings {
    struct config *config;               /* borrowed: main's */
    struct core_options core;            /* who has the core sets the functions in it */
    char admin_password[PASSWORD_BYTES]; /* wiped; "": none */
};

/* false: `error` holds one sentence. */
bool settings_open(struct settings *settings, struct config *config, char *error,
                   size_t error_bytes);
/* Reads the files again and logs the result. false: nothing has changed. */
bool settings_reload(struct settings *settings);
void settings_wipe(struct settings *settings);

#endif
