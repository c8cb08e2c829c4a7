/* See seed.h. */
#include "seed.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- chance: SplitMix64, good enough to choose by, and the same everywhere ---- */

void random_seed(struct random *random, uint64_t seed) {
    random->state = seed * UINT64_C(0x9e3779b97f4a7c15) + UINT64_C(0x632be59bd9b4e019);
}

uint64_t random_next(struct random *random) {
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t random_below(struct random *random, uint64_t bound) {
    assert(bound > 0);
    return random_next(random) % bound;
}

int64_t random_between(struct random *random, int64_t first, int64_t last) {
    assert(first <= last);
    return first + (int64_t)random_below(random, (uint64_t)(last - first) + 1);
}

bool random_chance(struct random *random, unsigned per_mille) {
    return random_below(random, 1000) < per_mille;
}

void random_fill(struct random *random, void *out, size_t bytes) {
    unsigned char *byte = out;

    while (bytes-- > 0)
        *byte++ = (unsigned char)random_next(random);
}

/* ---- the trace ---- */

void trace_begin(struct trace *trace, uint64_t seed, unsigned steps, bool verbose,
                 int64_t begun_us) {
    trace->seed = seed;
    trace->steps = steps;
    trace->verbose = verbose;
    trace->begun_us = begun_us;
    trace->count = 0;
}

static void print_time(const struct trace *trace, FILE *file, int64_t at_us) {
    fprintf(file, "%12.6f  ", (double)(at_us - trace->begun_us) / 1e6);
}

static void print_event(const struct trace *trace, FILE *file, const struct trace_event *event) {
    const long long *value = event->value;

    print_time(trace, file, event->at_us);
    fprintf(file, event->format, value[0], value[1], value[2], value[3]);
    fputc('\n', file);
}

void trace_add(struct trace *trace, int64_t at_us, const char *format, long long a, long long b,
               long long c, long long d) {
    struct trace_event *event = &trace->ring[trace->count++ % TRACE_EVENTS];

    *event = (struct trace_event){.at_us = at_us, .format = format, .value = {a, b, c, d}};
    if (trace->verbose)
        print_event(trace, stdout, event);
}

void trace_fail(const struct trace *trace, int64_t at_us, const char *format, ...) {
    uint64_t first = trace->count > TRACE_EVENTS ? trace->count - TRACE_EVENTS : 0;
    va_list arguments;

    fflush(stdout);
    fputc('\n', stderr);
    for (uint64_t i = first; i < trace->count && !trace->verbose; i++)
        print_event(trace, stderr, &trace->ring[i % TRACE_EVENTS]);
    print_time(trace, stderr, at_us);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr,
            "\nseed %" PRIu64 " failed; again: sim --seed %" PRIu64 " --steps %u --verbose\n",
            trace->seed, trace->seed, trace->steps);
    exit(1);
}
