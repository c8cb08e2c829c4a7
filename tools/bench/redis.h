/* The same load on a redis-server of this machine, if there is one: XADD to the accounts' streams,
 * each synced before it is answered (appendfsync always). */
#ifndef REDIS_H
#define REDIS_H

#include "bench.h"
#include "cost.h"
#include "figures.h"

/* Runs add up. */
struct redis {
    uint64_t count; /* answered */
    double seconds;
    struct cost cost;
    struct histogram took;
};

/* Whether the program exists; NULL: redis-server on the PATH. */
bool redis_is_there(const char *program);

/* Runs with as many connections, messages under way, accounts and bytes as the settings say, for
 * half of --limit-seconds. false: bench_fail() was called. */
bool redis_run(struct bench *bench, struct redis *redis);

void redis_print(const struct redis *redis, struct json *json, double per_s);

#endif
