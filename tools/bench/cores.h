/* The two cores of a run with --pin: the first one is this program's, the second one that of
 * whatever serves it. And how busy the machine is. */
#ifndef CORES_H
#define CORES_H

#include <stdbool.h>

struct cores {
    int own;
    int server; /* -1, as the other one: anywhere */
};

/* Finds two cores that this process may use. false: it said on stderr that there are none. */
bool cores_find(struct cores *cores);

/* Keeps this process, with the threads that it begins later, on the core. */
bool cores_pin(int core);
/* Lets this thread, with those that it begins later, use both again. */
void cores_unpin(const struct cores *cores);

/* Seconds in which the cores of the machine were not idle, all together, since it began. */
double cores_busy_s(void);

#endif
