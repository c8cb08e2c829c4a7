/* What messages are compared with in the same run: half of each before the broker's part, half
 * after it, so that what else the machine does meets both. */
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

/* Whether the settings ask for any: with an own broker and --limit-seconds. */
bool limits_are_wanted(const struct settings *settings);

/* One half, each --limit-seconds / 2. true where none are wanted; false: bench_fail() was called.
 */
bool limits_measure(struct limits *limits, struct bench *bench);

/* A plain log beside the store, so many messages in each write, for --limit-seconds. */
bool limits_measure_log(struct limits *limits, struct bench *bench, double batch);

/* Rates, and what the broker's messages are of them: so many a second, `done` at so much cost. */
void limits_print(const struct limits *limits, const struct settings *settings, struct json *json,
                  double per_s, const struct cost *cost, double done);

#endif
