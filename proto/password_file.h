/* Passwords from files and from what commands print: the one reader for all programs. The password
 * is the first line. What editors add around a text, a byte order mark in front of it and one line
 * end (LF or CRLF) behind it, does not belong to it. */
#ifndef PASSWORD_FILE_H
#define PASSWORD_FILE_H

#include "limits.h"

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_BYTES (PASSWORD_BYTES_MAX + 1) /* a password with its NUL */
/* The most that must be read from a source: a byte order mark, a password, CRLF, and one byte that
 * shows that the line is too long. */
#define PASSWORD_SOURCE_BYTES (3 + PASSWORD_BYTES_MAX + 3)

/* Takes the password from the first bytes of a source. Returns NULL if `password` holds it.
 * Otherwise `password` is "", and it returns what is wrong, in words that follow the source's name
 * ("has an empty first line; …"): an empty line, a line that is too long, a NUL, or no UTF-8. */
const char *password_take(const char *bytes, size_t byte_count, char password[PASSWORD_BYTES]);

/* Reads a file. False: `error` holds one sentence, `password` is "", and errno is 0 if the file was
 * read but holds no password. What was read is wiped, except the password, which the caller
 * wipes. */
bool password_read_file(const char *path, char password[PASSWORD_BYTES], char *error,
                        size_t error_bytes);

#endif
