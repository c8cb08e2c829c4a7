/* Many clients that log in and then only take what comes: at the broker, or as bare connections. A
 * process may have 20,000 descriptors or fewer, and a client with two sockets needs four. So the
 * clients are in threads that have descriptor tables of their own, and that start one after the
 * other. */
#ifndef CROWD_H
#define CROWD_H

#include "bench.h"
#include "curve.h"

/* How many clients share a device key: each may subscribe to three topics, and the broker allows a
 * thousand subscriptions for each key. */
#define CROWD_CLIENTS_PER_KEY 300

struct crowd_options {
    struct curve_server server;
    bool bare;                     /* the server is the bare one */
    uint64_t clients;              /* they are the accounts u0, u1 ... */
    uint64_t at_a_time;            /* how many log in at the same time */
    enum events events;            /* EVENTS_SUB: two connections each, otherwise one */
    const struct curve_keys *keys; /* borrowed: one for each group of CROWD_CLIENTS_PER_KEY */
};

struct crowd;

/* Lets all of them log in, and tells how long that took. NULL: bench_fail() was called. */
struct crowd *crowd_gather(struct bench *bench, const struct crowd_options *options,
                           int64_t *took_us);

void crowd_leave(struct crowd *crowd);

/* Keys for so many clients, which the caller frees. NULL: there are none. */
struct curve_keys *crowd_keys(uint64_t clients);

#endif
