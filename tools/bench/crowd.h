/* Many clients that log in and then do nothing but take what comes: at the broker, or as bare
 * connections. A process may have 20,000 descriptors and less, and a client with two sockets needs
 * four: so they live in threads with tables of descriptors of their own, one after the other. */
#ifndef CROWD_H
#define CROWD_H

#include "bench.h"
#include "curve.h"

/* Clients that share a device key: each may subscribe three topics, and the broker allows a key a
 * thousand. */
#define CROWD_CLIENTS_PER_KEY 300

struct crowd_options {
    struct curve_server server;
    bool bare;                     /* the server is the bare one */
    uint64_t clients;              /* they are the accounts u0, u1 ... */
    uint64_t at_a_time;            /* that are on their way in */
    enum events events;            /* EVENTS_SUB: two connections, else one */
    const struct curve_keys *keys; /* borrowed: one for each group of CROWD_CLIENTS_PER_KEY */
};

struct crowd;

/* Lets all of them in, and tells how long that took. NULL: bench_fail() was called. */
struct crowd *crowd_gather(struct bench *bench, const struct crowd_options *options,
                           int64_t *took_us);

void crowd_leave(struct crowd *crowd);

/* Keys for so many clients, the caller's to free. NULL: none. */
struct curve_keys *crowd_keys(uint64_t clients);

#endif
