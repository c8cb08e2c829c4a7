/* The user's config folder: only its owner reads it, and files in it appear whole or not at all. */
#ifndef FOLDER_H
#define FOLDER_H

#include "fault.h"

#include <stdbool.h>
#include <stddef.h>

#define FOLDER_PATH_BYTES 4096

/* Finds the folder (given, or NULL: $XDG_CONFIG_HOME/zchat, ~/.config/zchat) and makes it with 0700
 * if it is missing. ZCHAT_OK, or a fault. */
zchat_code folder_open(const char *given, char path[FOLDER_PATH_BYTES], struct fault *fault);

/* path/name. False: too long. */
bool folder_file(const char *path, const char *name, char file[FOLDER_PATH_BYTES]);

/* Writes a temporary file with 0600 beside `file`, flushed to the disk; its name goes to
 * `temporary`. ZCHAT_OK, or a fault; nothing is left then. */
zchat_code folder_write(const char *file, const void *bytes, size_t count,
                        char temporary[FOLDER_PATH_BYTES], struct fault *fault);

/* Reads a whole small file with its NUL; *found false if there is none. What does not fit, or,
 * if it is `secret`, what others may read, is a fault. */
zchat_code folder_read(const char *file, char *text, size_t text_bytes, bool secret, bool *found,
                       struct fault *fault);

#endif
