/* A temporary folder with files for a test, and what a function writes to stdout or stderr. */
#ifndef FILES_H
#define FILES_H

#include <stddef.h>

#define FILES_PATH_BYTES 256

/* cmocka's setup and teardown: *state is the folder's path. */
int files_setup(void **state);
int files_teardown(void **state);

/* The path of what has that name in the folder. */
void files_path(const char *folder, const char *name, char path[FILES_PATH_BYTES]);
/* Writes a file of the folder; its path. */
void files_write(const char *folder, const char *name, const char *text,
                 char path[FILES_PATH_BYTES]);

/* Between the two, what goes to `fd` goes to a file; the second one reads it. */
void files_catch(int fd);
void files_caught(char *text, size_t text_bytes);

#endif
