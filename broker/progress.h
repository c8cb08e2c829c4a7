/* A line on the terminal that tells how far some work is; nothing if stderr is no terminal. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *verb; /* borrowed: the line begins with it */
    bool terminal;
    bool line; /* one stands there */
    int64_t at_ms;
};

void progress_begin(struct progress *progress, const char *verb);
/* How far the work on `what` is: `all` 0 if that is not known. Costs little if called often. */
void progress_show(struct progress *progress, const char *what, uint64_t done, uint64_t all);
/* Removes the line: before anything else is printed, and at the end. */
void progress_clear(struct progress *progress);

/* From now on signals that end a program wait; and whether one does. */
void progress_hold_signals(void);
bool progress_is_told_to_end(void);

#endif
