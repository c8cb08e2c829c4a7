/* The folder with everything that the broker keeps: it belongs to one broker at a time. */
#ifndef DATA_H
#define DATA_H

#include <stdbool.h>
#include <stddef.h>

#define DATA_STORE "zchat.db" /* the store's file in the folder */

#define DATA_PATH_BYTES 4096 /* a path with its NUL: the most that Linux takes */

/* Makes the folder if it is missing (0700, with its parents). False: `error` holds one sentence. */
bool data_make(const char *folder, char *error, size_t error_bytes);

struct data_lock {
    int folder; /* owned, as the others: descriptors; -1: none */
    int store;
    int file;
};
/* Makes the folder, too, and locks it and the store in it until data_unlock or the end of the
 * process, so that only one broker has a store. Makes an empty file if there is no store yet.
 * False: `error` holds one sentence. */
bool data_lock(struct data_lock *lock, const char *folder, char *error, size_t error_bytes);
/* If the store's path names another file by now, locks that one instead. */
bool data_lock_moved(struct data_lock *lock, const char *folder, char *error, size_t error_bytes);
/* Call it only after the store is closed: closing a file drops SQLite's locks on it, too. */
void data_unlock(struct data_lock *lock);

/* Writes "FOLDER/FILE"; false if it does not fit. */
bool data_path(const char *folder, const char *file, char *path, size_t path_bytes);

/* Whether the file is in the folder, or where the store's file really is; it need not be there. */
bool data_has(const char *folder, const char *file);

/* The process of the broker that has the folder; 0: there is none, or it is not known. */
long data_process(const char *folder);

/* Opens the store's file, for data_is_held; -1: there is none. Close it after the store: see
 * data_unlock. */
int data_open_store(const char *folder);
/* Whether a broker holds the file's lock, whatever name it opened the file by. */
bool data_is_held(int store);

#endif
