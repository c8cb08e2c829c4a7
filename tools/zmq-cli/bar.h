/* The progress bar of a transfer: on stderr, only where that is a terminal, and at most ten times a
 * second. */
#ifndef BAR_H
#define BAR_H

#include <stdbool.h>
#include <stdint.h>

struct bar {
    bool shown; /* there is somebody to see it */
    bool drawn; /* the cursor stands behind it */
    uint64_t bytes;
    uint64_t total;
    uint64_t first_bytes; /* what was there when it began */
    int64_t began_us;     /* 0: it has not begun */
    int64_t drawn_us;
};

void bar_init(struct bar *bar, bool quiet);
void bar_move(struct bar *bar, uint64_t bytes, uint64_t total);

/* Draws it a last time and ends its line, so that something else can be said. */
void bar_end(struct bar *bar);

#endif
