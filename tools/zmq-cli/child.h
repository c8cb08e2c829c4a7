/* Runs a command of the user's in the shell: to hand it a message, or to ask it for a password. */
#ifndef CHILD_H
#define CHILD_H

#include <stddef.h>

struct child_variable {
    const char *name;
    const char *value;
};

/* Runs `sh -c command` with `text` on its stdin and the variables in its environment, and waits for
 * its end. Returns its exit status, 128 + the signal that ended it, or -1 with errno set where it
 * could not be run. A command that doesn't read its stdin is none the worse. */
int child_feed(const char *command, const char *text, const struct child_variable *variables,
               size_t variable_count);

/* Runs `sh -c command` with an empty stdin and keeps what it prints, up to capacity - 1 bytes, with
 * a NUL after them. Returns like child_feed. */
int child_capture(const char *command, char *buffer, size_t capacity);

#endif
