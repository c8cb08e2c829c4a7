/* What a seed decides, and what came of it. */
#ifndef SEED_H
#define SEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- chance: whatever a world decides by chance comes from here, so that a seed plays the same
 * again ---- */

struct random {
    uint64_t state;
};

void random_seed(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);
/* 0 to bound - 1. */
uint64_t random_below(struct random *random, uint64_t bound);
/* first to last, both included. */
int64_t random_between(struct random *random, int64_t first, int64_t last);
bool random_chance(struct random *random, unsigned per_mille);
void random_fill(struct random *random, void *out, size_t bytes);

/* ---- the trace: what happened in a world, newest last, a ring of events that is put into words
 * only when somebody wants to read it, and the end of a world in which something was wrong ---- */

#define TRACE_EVENTS 128

struct trace_event {
    int64_t at_us;
    const char *format; /* borrowed for good: with up to four %lld */
    long long value[4];
};

struct trace {
    bool verbose;     /* print each event as it happens */
    uint64_t seed;    /* of the world, for the last words */
    unsigned steps;   /* that were asked for */
    int64_t begun_us; /* times are shown from here */
    uint64_t count;
    struct trace_event ring[TRACE_EVENTS];
};

void trace_begin(struct trace *trace, uint64_t seed, unsigned steps, bool verbose,
                 int64_t begun_us);
void trace_add(struct trace *trace, int64_t at_us, const char *format, long long a, long long b,
               long long c, long long d);
/* Prints the last events, the seed and the reason; ends the program with 1. */
_Noreturn void trace_fail(const struct trace *trace, int64_t at_us, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
