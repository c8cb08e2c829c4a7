/* Messages to random accounts from light clients, as many as the windows allow: what fills a store,
 * and what measures one. Nobody reads them meanwhile. */
#ifndef FLOOD_H
#define FLOOD_H

#include "bench.h"
#include "cost.h"
#include "figures.h"

struct flood_options {
    struct curve_server at;
    const struct curve_keys *key; /* borrowed: of all accounts */
    uint64_t accounts;            /* u0 u1 ... */
    uint64_t messages;            /* so many in all; 0: as many as the seconds allow */
    double seconds;
    uint64_t seed;
    uint32_t *received; /* borrowed: counts of each account's, added to; NULL: nobody counts */
};

/* Runs add up. */
struct flood_result {
    uint64_t acknowledged;
    double seconds;
    struct cost cost;
    struct histogram took;
};

/* From --senders accounts s0 s1 ... with --window messages each. false: bench_fail() was called. */
bool flood_run(struct bench *bench, const struct flood_options *options,
               struct flood_result *result);

#endif
