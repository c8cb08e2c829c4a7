/* A configuration file as flat ZPL (RFC 4 of ZeroMQ): one "name = value" a line, values in quotes
 * where they need them, comments from '#' on. Knows no options: config_load.c does. */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Hands out every entry in order until `each` returns false; then it returns false, too. Also false
 * if the file can't be read or a line is no entry: then `error` holds one sentence with file and
 * line. */
bool config_file_read(const char *path,
                      bool (*each)(void *arg, unsigned line, const char *name, const char *value),
                      void *arg, char *error, size_t error_bytes);

#endif
