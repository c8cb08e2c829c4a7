/* Senders and followers of `fanout`, at the broker or at a bare server: each message of a sender
 * has to come to each of the followers.
 *
 * Of all followers events are counted; the first few read them, so that what was doubled, or came
 * out of order, shows as well. All get the same from one place, so what they read holds for the
 * others. Senders wait for followers that are far behind: a broker may drop what one doesn't take
 * (it is made up for with Sync, which light clients don't do). */
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
    struct histogram delivery; /* to those who read */
};

struct fan_options {
    const struct child *server;    /* borrowed: whose cost is measured */
    struct curve_server at;        /* where it serves */
    bool bare;                     /* it is the bare one */
    const struct curve_keys *keys; /* borrowed: as for a crowd */
    double seconds;
};

/* Opens all, sends for so long, waits until all has come, closes. false: bench_fail() was called.
 */
bool fan_run(struct bench *bench, const struct fan_options *options, struct fan_result *result);

#endif
