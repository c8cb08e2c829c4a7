/* Asks for a password on the terminal: twice, without showing it. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include "password.h"

#include <stdbool.h>
#include <stddef.h>

/* False: `error` holds one sentence and `password` is "". The terminal is restored in any case; a
 * signal that would end the process does so after that. Only for a process with one thread. */
bool terminal_ask_password(const char *name, char password[PASSWORD_BYTES], char *error,
                           size_t error_bytes);

#endif
