/* The folder with everything that the broker keeps: it belongs to one broker at a time. */
#ifndef DATA_H
#define DATA_H

#include <stdbool.h>
#include <stddef.h>

#define DATA_STORE "zchat.db" /* the store's file in the folder */

#define DATA_PATH_BYTES 4096 /* a path with its NUL, as long as Linux takes */

/* Makes the folder where it is missing (0700, with its parents). False: `error` holds one sentence.
 */
bool data_make(const char *folder, char *error, size_t error_bytes);

/* Makes the folder, too, and takes its lock, which lasts until data_unlock or the end of the
 * process: one broker to a store. -1: `error` holds one sentence. Else what data_unlock takes. */
int data_lock(const char *folder, char *error, size_t error_bytes);
void data_unlock(int lock);

/* "FOLDER/FILE"; false where it does not fit. */
bool data_path(const char *folder, const char *file, char *path, size_t path_bytes);

#endif
