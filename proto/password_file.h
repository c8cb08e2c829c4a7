/* Passwords out of files and of what commands print: the one reader of them for all programs. The
 * password is the first line. What editors add around a text, a byte order mark in front of it and
 * one line end (LF or CRLF) behind it, does not belong to it. */
#ifndef PASSWORD_FILE_H
#define PASSWORD_FILE_H

#include "limits.h"

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_BYTES (PASSWORD_BYTES_MAX + 1) /* a password with its NUL */
/* The most that need be read of a source: a byte order mark, a password, CRLF, and one byte that
 * shows a line that is too long. */
#define PASSWORD_SOURCE_BYTES (3 + PASSWORD_BYTES_MAX + 3)

/* Takes the password out of the first bytes of a source. NULL: `password` holds it. Else what is
 * wrong, to be told behind the source's name ("has an empty first line; …"), and `password` is "":
 * an empty line, one that is too long, a NUL, no UTF-8. */
const char *password_take(const char *bytes, size_t byte_count, char password[PASSWORD_BYTES]);

/* Reads a file. False: `error` holds one sentence, `password` is "", and errno is 0 where the file
 * was read but holds no password. What was read is wiped but
 * for the password, which the caller wipes. */
bool password_read_file(const char *path, char password[PASSWORD_BYTES], char *error,
                        size_t error_bytes);

#endif
