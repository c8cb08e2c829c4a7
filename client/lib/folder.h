/* The user's config folder: only its owner reads it, and files in it appear whole or not at all. */
#ifndef FOLDER_H
#define FOLDER_H

#include "fault.h"

#include <stdbool.h>
#include <stddef.h>

#define FOLDER_PATH_BYTES 4096

/* The folder's path, as folder_open() finds it. False: there is no place for it. */
bool folder_find(const char *given, char path[FOLDER_PATH_BYTES]);

/* Finds the folder (given, or NULL: $XDG_CONFIG_HOME/zchat, ~/.config/zchat) and makes it with 0700
 * if it is missing. ZCHAT_OK, or a fault. */
zchat_code folder_open(const char *given, char path[FOLDER_PATH_BYTES], struct fault *fault);

/* path/name. False: too long. */
bool folder_file(const char *path, const char *name, char file[FOLDER_PATH_BYTES]);

/* Writes a temporary file with 0600 beside `file`, synced; its name goes to `temporary`. ZCHAT_OK,
 * or a fault; then no file is left. */
zchat_code folder_write(const char *file, const void *bytes, size_t count,
                        char temporary[FOLDER_PATH_BYTES], struct fault *fault);

/* Reads a whole small file with its NUL; *found is false if there is none. It is a fault if the
 * file does not fit or, if `secret`, others may read it. */
zchat_code folder_read(const char *file, char *text, size_t text_bytes, bool secret, bool *found,
                       struct fault *fault);

#endif
