/* Messages to random accounts from light clients, as many as the windows allow: used to fill a
 * store, and to measure one. Nobody reads them meanwhile. */
#ifndef FLOOD_H
#define FLOOD_H

#include "bench.h"
#include "cost.h"
#include "figures.h"

struct flood_options {
    struct curve_server at;
    const struct curve_keys *key; /* borrowed: trusted by all accounts */
    uint64_t accounts;            /* u0 u1 ... */
    uint64_t messages;            /* how many in all; 0: as many as the seconds allow */
    double seconds;
    uint64_t seed;
    uint32_t *received; /* borrowed: adds to each account's count; NULL: none */
};

/* Runs add up. */
struct flood_result {
    uint64_t acknowledged;
    double seconds;
    struct cost cost;
    struct histogram took;
};

/* Sends from the accounts s0 s1 ... (--senders) with --window messages each. false: bench_fail()
 * was called. */
bool flood_run(struct bench *bench, const struct flood_options *options,
               struct flood_result *result);

#endif
