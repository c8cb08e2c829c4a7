/* Where this program keeps what it remembers. */
#ifndef PATHS_H
#define PATHS_H

#include <stdbool.h>

/* The path of a file in $XDG_STATE_HOME/zchat or ~/.local/state/zchat, made (0700) if it is not
 * there. The caller frees it. NULL: errno says why. */
char *paths_state_file(const char *name);

/* FOLDER/NAME. The caller frees it. */
char *paths_join(const char *folder, const char *name);
/* A path as somebody typed it, with ~/ resolved. The caller frees it. */
char *paths_expand(const char *typed);
bool paths_is_folder(const char *path);

/* The first line of a file, without its end: a password. The caller wipes and frees it. NULL:
 * errno says why; EINVAL: it is empty. */
char *paths_read_secret(const char *path);

#endif
