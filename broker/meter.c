/* See meter.h. "Of late" is the present window and the one before it: one minute to two. */
#include "meter.h"

#include "limits.h"
#include "log.h"

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

/* ---- the log ---- */

#define SINCE(field) ((unsigned long long)(now->field - meter->logged.field))

void meter_log(struct meter *meter) {
    const struct stats *now = meter->stats;

    if (!log_is_on(LOG_LEVEL_DEBUG))
        return;
    if (SINCE(frames_in_total) + SINCE(frames_out_total) + SINCE(commits_total) > 0)
        log_debug("turn",
                  "frames_in=%llu commands=%llu refused=%llu frames_out=%llu commits=%llu "
                  "commit_us=%llu sessions=%llu",
                  SINCE(frames_in_total), SINCE(commands_total), SINCE(commands_refused_total),
                  SINCE(frames_out_total), SINCE(commits_total), SINCE(commit_us_total),
                  (unsigned long long)now->sessions);
    meter->logged = *now;
}
