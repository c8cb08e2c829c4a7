/* How long the turns of the loop take: the longest of all, and the longest of late. At level debug
 * the log has a line for each turn. */
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
    struct stats logged; /* as they were at the last such line */
};

void meter_init(struct meter *meter, struct stats *stats, int64_t now_us);
/* A turn begins; a turn ends. `now_us` is from the steady clock. */
void meter_begin(struct meter *meter, int64_t now_us);
void meter_end(struct meter *meter, int64_t now_us);
/* If the turn did anything, logs what came in, what went out, and how long the disk took. Called
 * after the turn's frames were sent. */
void meter_log(struct meter *meter);

#endif
