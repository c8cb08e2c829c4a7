/* Runs a command of the user's in the shell: to hand it a message, or to ask it for a password. */
#ifndef CHILD_H
#define CHILD_H

#include <stddef.h>
#include <stdint.h>

struct child_variable {
    const char *name;
    const char *value;
};

/* Runs `sh -c command` with `text` on its stdin and the variables in its environment, and waits for
 * its end. Returns its exit status, 128 + the signal that ended it, or -1 with errno set if it
 * could not be run. It does not matter if the command does not read its stdin. A signal (EINTR) and
 * the deadline of clock_us (ETIMEDOUT) end it, and the processes below it. */
int child_feed(const char *command, const char *text, const struct child_variable *variables,
               size_t variable_count, int64_t deadline_us);

/* Runs `sh -c command` with an empty stdin and keeps what it prints, up to `capacity` bytes; *used
 * is how many. Returns like child_feed. A signal (EINTR) and the deadline of clock_us (ETIMEDOUT)
 * end it, and every process that it started; but processes that lost their parent are not found if
 * this program had children before. */
int child_capture(const char *command, int64_t deadline_us, char *buffer, size_t capacity,
                  size_t *used);

#endif
