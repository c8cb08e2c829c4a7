/* Below HISTOGRAM_FINE each duration has a bucket; above, each power of two has HISTOGRAM_FINE. */
#include "histogram.h"

static unsigned shift_of(uint64_t us) {
    unsigned shift = 0;
    while (us >> shift >= 2 * HISTOGRAM_FINE)
        shift++;
    return shift;
}

/* us >> shift is from HISTOGRAM_FINE up to twice that, but for the smallest. */
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
