/* Temporary folders. */
#ifndef FOLDER_H
#define FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A new folder below $TMPDIR; false: it said on stderr why there is none. folder_remove() takes it
 * away with all that is in it; "": none. */
bool folder_new(char *path, size_t path_bytes);
void folder_remove(const char *path);

/* Bytes on the disk of all that is in it. */
uint64_t folder_bytes(const char *path);

#endif
