/* Pairs of a sender and its receiver, at the broker or at a bare server that forwards: the load of
 * `sparse`, in which each pair has one message under way, and of `latency`, in which messages come
 * at a fixed rate. A sender goes on when its message was acknowledged and has arrived. */
#ifndef PAIRS_H
#define PAIRS_H

#include "bench.h"
#include "cost.h"
#include "figures.h"

/* Runs add up. */
struct pairs_result {
    uint64_t acknowledged;
    uint64_t delivered;
    uint64_t lost;
    uint64_t doubled;
    uint64_t out_of_order;
    double seconds;
    struct cost cost;
    struct histogram acknowledgement; /* each from when its message was due */
    struct histogram delivery;
};

struct pairs_options {
    const struct child *server;    /* borrowed: the process whose cost is measured */
    struct curve_server at;        /* where it serves */
    bool bare;                     /* it is the bare one */
    const struct curve_keys *keys; /* borrowed: as for a crowd */
    uint64_t pairs;
    uint64_t window; /* messages under way for each pair */
    uint64_t rate;   /* messages/s of all pairs; 0: as many as the windows allow */
    double seconds;
};

/* Opens all clients, sends for the given time, waits until everything has come, closes. false:
 * bench_fail() was called. */
bool pairs_run(struct bench *bench, const struct pairs_options *options,
               struct pairs_result *result);

#endif
