/* How long the turns of the loop take: the longest of all, and the longest of late; and a line of
 * the log for each at level debug. */
#ifndef METER_H
#define METER_H

#include "core/stats.h"

#include <stdint.h>

struct meter {
    struct stats *stats; /* borrowed: the core's */
    int64_t began_us;    /* the turn, on a steady clock */
    int64_t window_us;   /* when the present window began */
    uint64_t present;    /* the longest turn in it, */
    uint64_t former;     /* and in the one before it */
    struct stats logged; /* as they were at the last line of the log */
};

void meter_init(struct meter *meter, struct stats *stats, int64_t now_us);
/* A turn begins and ends; `now_us` is the steady clock's. */
void meter_begin(struct meter *meter, int64_t now_us);
void meter_end(struct meter *meter, int64_t now_us);
/* Logs what came in, what went out, and how long the disk took, if the turn did anything. After its
 * frames were sent. */
void meter_log(struct meter *meter);

#endif
