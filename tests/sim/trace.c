#include "trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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
