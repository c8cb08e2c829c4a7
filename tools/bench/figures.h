/* What a run prints: one line of JSON, and the durations in it. */
#ifndef FIGURES_H
#define FIGURES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* ---- the line: names are our own and texts are plain, so nothing is escaped ---- */

struct json {
    FILE *file; /* borrowed: from the caller */
    bool begun; /* the object has a member already */
};

/* Begins the line with "bench" as its first member; json_close() ends it. */
void json_open(struct json *json, FILE *file, const char *bench);
void json_close(struct json *json);

/* Begins an object as a member; json_end() ends it. */
void json_object(struct json *json, const char *name);
void json_end(struct json *json);

void json_count(struct json *json, const char *name, uint64_t value);
/* A value that is no number (0 / 0) becomes null. */
void json_real(struct json *json, const char *name, double value, int decimals);
void json_flag(struct json *json, const char *name, bool value);
void json_text(struct json *json, const char *name, const char *value);

/* ---- durations ----
 *
 * They are counted in buckets that are at most 1.6% wide, so that percentiles need the same little
 * memory for any number of them. */

#define HISTOGRAM_FINE    64 /* buckets for each power of two */
#define HISTOGRAM_BUCKETS (HISTOGRAM_FINE * 42)

struct histogram {
    uint64_t count;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, int64_t us);

/* The duration that `share` (0 to 1) of all durations do not exceed; 0 if there are none. */
int64_t histogram_percentile(const struct histogram *histogram, double share);

/* Prints NAME_p50_ms and NAME_p99_ms. */
void histogram_print(struct json *json, const char *name, const struct histogram *histogram);

#endif
