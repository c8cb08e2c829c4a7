/* See figures.h. */
#include "figures.h"

#include <inttypes.h>
#include <math.h>

static void member(struct json *json, const char *name) {
    fprintf(json->file, "%s\"%s\":", json->begun ? "," : "", name);
    json->begun = true;
}

void json_open(struct json *json, FILE *file, const char *bench) {
    *json = (struct json){.file = file};
    fputc('{', file);
    json_text(json, "bench", bench);
}

void json_close(struct json *json) {
    fputs("}\n", json->file);
}

void json_object(struct json *json, const char *name) {
    member(json, name);
    fputc('{', json->file);
    json->begun = false;
}

void json_end(struct json *json) {
    fputc('}', json->file);
    json->begun = true;
}

void json_count(struct json *json, const char *name, uint64_t value) {
    member(json, name);
    fprintf(json->file, "%" PRIu64, value);
}

void json_real(struct json *json, const char *name, double value, int decimals) {
    member(json, name);
    if (isfinite(value))
        fprintf(json->file, "%.*f", decimals, value);
    else
        fputs("null", json->file);
}

void json_flag(struct json *json, const char *name, bool value) {
    member(json, name);
    fputs(value ? "true" : "false", json->file);
}

void json_text(struct json *json, const char *name, const char *value) {
    member(json, name);
    fprintf(json->file, "\"%s\"", value);
}

/* ---- durations: below HISTOGRAM_FINE each value has a bucket; above, each power of two has
 * HISTOGRAM_FINE buckets ---- */

static unsigned shift_of(uint64_t us) {
    unsigned shift = 0;
    while (us >> shift >= 2 * HISTOGRAM_FINE)
        shift++;
    return shift;
}

/* us >> shift is between HISTOGRAM_FINE and twice that, except for the smallest durations. */
static unsigned bucket_of(uint64_t us) {
    unsigned shift = shift_of(us);
    unsigned bucket = shift * HISTOGRAM_FINE + (unsigned)(us >> shift);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static int64_t top_of(unsigned bucket) {
    if (bucket < 2 * HISTOGRAM_FINE)
        return bucket;
    unsigned shift = bucket / HISTOGRAM_FINE - 1;
    uint64_t mantissa = bucket - shift * HISTOGRAM_FINE;
    return (int64_t)(((mantissa + 1) << shift) - 1);
}

void histogram_add(struct histogram *histogram, int64_t us) {
    histogram->buckets[bucket_of(us > 0 ? (uint64_t)us : 0)]++;
    histogram->count++;
}

int64_t histogram_percentile(const struct histogram *histogram, double share) {
    double wanted = share * (double)histogram->count;
    uint64_t seen = 0;
    for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen > 0 && (double)seen >= wanted)
            return top_of(bucket);
    }
    return 0;
}

void histogram_print(struct json *json, const char *name, const struct histogram *histogram) {
    char whole[64];
    snprintf(whole, sizeof whole, "%s_p50_ms", name);
    json_real(json, whole, (double)histogram_percentile(histogram, 0.50) / 1e3, 3);
    snprintf(whole, sizeof whole, "%s_p99_ms", name);
    json_real(json, whole, (double)histogram_percentile(histogram, 0.99) / 1e3, 3);
}
