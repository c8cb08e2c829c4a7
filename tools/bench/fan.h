/* Senders and followers of `fanout`, at the broker or at a bare server: each message of a sender
 * has to come to each of the followers.
 *
 * Events are counted at all followers; the first few followers also read them, which shows messages
 * that were doubled or came out of order. All get the same from one place, so what these few read
 * is true for the others. Senders wait for followers that are far behind: a broker may drop what a
 * follower does not take (real clients use Sync then, light clients don't). */
#ifndef FAN_H
#define FAN_H

#include "bench.h"
#include "cost.h"
#include "figures.h"
#include "ledger.h"
#include "light.h"

/* Runs add up. */
struct fan_result {
    uint64_t sent; /* and acknowledged */
    uint64_t delivered;
    uint64_t lost;
    uint64_t doubled;
    uint64_t out_of_order;
    double seconds;
    struct cost cost;
    struct histogram acknowledgement;
    struct histogram delivery; /* to the followers that read */
};

struct fan_options {
    const struct child *server;    /* borrowed: the process whose cost is measured */
    struct curve_server at;        /* where it serves */
    bool bare;                     /* it is the bare one */
    const struct curve_keys *keys; /* borrowed: as for a crowd */
    double seconds;
};

/* Opens all clients, sends for the given time, waits until everything has come, closes. false:
 * bench_fail() was called. */
bool fan_run(struct bench *bench, const struct fan_options *options, struct fan_result *result);

#endif
