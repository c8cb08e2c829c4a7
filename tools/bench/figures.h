/* What a run prints: one line of JSON, and the durations in it. */
#ifndef FIGURES_H
#define FIGURES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* ---- the line: names are ours and texts plain, nothing is escaped ---- */

struct json {
    FILE *file; /* borrowed: from the caller */
    bool begun; /* the object has a member already */
};

/* Begins the line with "bench" as its first member; json_close() ends it. */
void json_open(struct json *json, FILE *file, const char *bench);
void json_close(struct json *json);

/* An object as a member, up to json_end(). */
void json_object(struct json *json, const char *name);
void json_end(struct json *json);

void json_count(struct json *json, const char *name, uint64_t value);
/* What is no number (0 of 0) is null. */
void json_real(struct json *json, const char *name, double value, int decimals);
void json_flag(struct json *json, const char *name, bool value);
void json_text(struct json *json, const char *name, const char *value);

/* ---- durations ----
 *
 * They are counted in buckets at most 1.6% wide, so that a percentile of any number of them costs
 * nothing to keep. */

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
