/* Whether the other end of a connection takes what it is sent: the kernel knows which bytes were
 * acknowledged. A descriptor may have a new owner meanwhile; then the answer is of no use, and does
 * no harm: nothing is done to the descriptor. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    uint64_t acknowledged;   /* bytes, as last looked at */
    int64_t stands_since_us; /* 0: it moves, or nothing waits */
};

/* Looks at a connection for which something waits, or not. Returns for how long that something has
 * waited without any byte being acknowledged. `fallback` counts instead where the kernel can't say.
 */
int64_t progress_look(struct progress *progress, int fd, bool waits, uint64_t fallback,
                      int64_t now_us);
/* Whether the kernel still has bytes to send on it. */
bool progress_waits(int fd);

#endif
