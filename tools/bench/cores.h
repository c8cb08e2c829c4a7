/* The two cores of a run with --pin, the first for this program, the second for whatever serves it.
 * Also how busy the machine is. */
#ifndef CORES_H
#define CORES_H

#include <stdbool.h>

struct cores {
    int own;
    int server; /* -1, like the other one: any */
};

/* Finds two cores that this process may use. false: it said on stderr that there are none. */
bool cores_find(struct cores *cores);

/* Keeps this process, and the threads that it starts later, on the core. */
bool cores_pin(int core);
/* Lets this thread, and those that it starts later, use both again. */
void cores_unpin(const struct cores *cores);

/* For how many seconds, all together, the machine's cores were not idle since it started. */
double cores_busy_s(void);

#endif
