/* The limit of `send` and `latency`: frames to the bare server and back, from as many connections
 * with as many frames under way. */
#ifndef ECHO_H
#define ECHO_H

#include "bench.h"
#include "cost.h"
#include "figures.h"

struct echo_options {
    uint64_t senders;
    uint64_t window; /* messages under way for each sender */
    uint64_t frame;  /* messages in each frame */
    uint64_t size_bytes;
    uint64_t rate; /* messages/s of all senders; 0: as many as the windows allow */
    double seconds;
    bool synced; /* the server keeps a log */
};

/* Runs add up. */
struct echo {
    uint64_t count; /* messages that came back */
    double seconds;
    struct cost cost;
    struct histogram took; /* for each frame, from when it was due */
};

/* false: bench_fail() was called. */
bool echo_run(struct bench *bench, const struct echo_options *options, struct echo *echo);

/* Messages/s. */
double echo_rate(const struct echo *echo);

#endif
