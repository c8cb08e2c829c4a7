/* Counts durations in buckets at most 1.6% wide, so that a percentile of any number of them costs
 * nothing to keep. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include "json.h"

#include <stdint.h>

#define HISTOGRAM_FINE    64 /* buckets for each power of two */
#define HISTOGRAM_BUCKETS (HISTOGRAM_FINE * 42)

struct histogram {
    uint64_t count;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, int64_t us);

/* The duration that the share (0 to 1) of all is not above; 0 where there is none. */
int64_t histogram_percentile(const struct histogram *histogram, double share);

/* Prints NAME_p50_ms and NAME_p99_ms. */
void histogram_print(struct json *json, const char *name, const struct histogram *histogram);

#endif
