/* Where this program keeps what it remembers. */
#ifndef PATHS_H
#define PATHS_H

#include <stdbool.h>
#include <stddef.h>

/* The path of a file in $XDG_STATE_HOME/zchat or ~/.local/state/zchat; the folder is made (0700) if
 * it is not there. The caller frees the path. NULL: errno says why. */
char *paths_state_file(const char *name);

/* FOLDER/NAME. The caller frees it. */
char *paths_join(const char *folder, const char *name);
/* A path as somebody typed it, with ~/ resolved. The caller frees it. */
char *paths_expand(const char *typed);
bool paths_is_folder(const char *path);

/* The password in a file, which is read as in all zchat programs. The caller wipes and frees it.
 * NULL: `error` says why, with the file's name. */
char *paths_read_password(const char *path, char *error, size_t error_bytes);

#endif
