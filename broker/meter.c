/* See meter.h. "Of late" is the present window and the one before it: one minute to two. */
#include "meter.h"

#include "limits.h"

#define WINDOW_US (60 * 1000000LL)

void meter_init(struct meter *meter, struct stats *stats, int64_t now_us) {
    *meter = (struct meter){.stats = stats, .window_us = now_us};
}

static void tell(struct meter *meter) {
    meter->stats->turn_us_longest_lately =
        meter->present > meter->former ? meter->present : meter->former;
}

void meter_begin(struct meter *meter, int64_t now_us) {
    meter->began_us = now_us;
    if (now_us - meter->window_us < WINDOW_US)
        return;
    meter->former = now_us - meter->window_us < 2 * WINDOW_US ? meter->present : 0;
    meter->present = 0;
    meter->window_us = now_us;
    tell(meter);
}

void meter_end(struct meter *meter, int64_t now_us) {
    uint64_t took = (uint64_t)(now_us - meter->began_us);

    if (took > TURN_LONG_US)
        meter->stats->turns_long_total++;
    if (took > meter->stats->turn_us_longest)
        meter->stats->turn_us_longest = took;
    if (took <= meter->present)
        return;
    meter->present = took;
    tell(meter);
}
