/* Messages are compared with these limits in the same run: half of each limit is measured before
 * the broker's part, half after it, so that other work on the machine affects both. */
#ifndef LIMITS_OF_BENCH_H
#define LIMITS_OF_BENCH_H

#include "echo.h"
#include "figures.h"
#include "redis.h"

struct limits {
    struct echo echo;
    struct echo synced;
    struct redis redis;
    bool has_redis;
    double log_per_s; /* 0: not measured */
    double log_batch;
};

/* Whether the settings ask for limits: a broker of our own and --limit-seconds. */
bool limits_are_wanted(const struct settings *settings);

/* Measures one half, --limit-seconds / 2 for each limit. true also if none are wanted; false:
 * bench_fail() was called. */
bool limits_measure(struct limits *limits, struct bench *bench);

/* Measures a plain log beside the store, with so many messages in each write, for
 * --limit-seconds. */
bool limits_measure_log(struct limits *limits, struct bench *bench, double batch);

/* Prints the limits' rates and the ratio of the broker's messages to them: `per_s` a second, and
 * `done` at that cost. */
void limits_print(const struct limits *limits, const struct settings *settings, struct json *json,
                  double per_s, const struct cost *cost, double done);

#endif
