/* How long a command waits that is sent every millisecond beside everything else that the broker
 * does. It is a Ping without a login, which needs nothing from the store. */
#ifndef WAITS_H
#define WAITS_H

#include "bench.h"
#include "figures.h"
#include "light.h"

struct waits {
    struct bench *bench; /* borrowed: from the caller */
    struct lights lights;
    struct light light;
    struct light_calls calls;
    struct ticking asking;
    struct histogram *took; /* borrowed: from the caller; counts waits now. NULL: none does */
    int64_t *longest_us;    /* borrowed: the same */
    int64_t begin_us;
    uint64_t asked;
    uint64_t answered;
};

/* Asks from now on. false: bench_fail() was called; waits_end() anyway. */
bool waits_begin(struct waits *waits, struct bench *bench, const struct curve_server *at,
                 const struct curve_keys *keys);
/* Waits for the last answer. */
bool waits_end(struct waits *waits);

#endif
