/* See limit.h. Buckets without users wait in a list in the order in which they were left; the
 * oldest leave as new ones come, so the table is bounded by who is connected and who left within
 * ten seconds. */
#include "limit.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#define BURST_S            10
#define NAME_BYTES_LONGEST 64

struct limit_bucket {
    char name[NAME_BYTES_LONGEST + 1]; /* kind, then the name's bytes */
    unsigned name_bytes;
    enum limit_kind kind;
    uint32_t users;
    double units;
    int64_t filled_us; /* when units was true */
    struct limit_bucket *next;
    struct limit_bucket *prev;
    UT_hash_handle hh;
};

struct limits {
    uint32_t rate[LIMIT_KINDS];
    struct limit_bucket *buckets; /* owned, by name */
    struct limit_bucket *unused;  /* borrowed: those without users, the longest left first */
};

struct limits *limits_new(void) {
    return memory_new(sizeof(struct limits));
}

static void bucket_drop(struct limits *limits, struct limit_bucket *bucket) {
    if (bucket->users == 0)
        DL_DELETE(limits->unused, bucket);
    HASH_DEL(limits->buckets, bucket);
    free(bucket);
}

void limits_free(struct limits *limits) {
    struct limit_bucket *bucket, *next;

    if (!limits)
        return;
    HASH_ITER(hh, limits->buckets, bucket, next) {
        bucket_drop(limits, bucket);
    }
    free(limits);
}

void limits_set(struct limits *limits, enum limit_kind kind, uint32_t rate) {
    limits->rate[kind] = rate;
}

static struct limit_bucket *bucket_new(struct limits *limits, enum limit_kind kind,
                                       int64_t now_us) {
    struct limit_bucket *bucket = memory_new(sizeof *bucket);

    bucket->kind = kind;
    bucket->units = (double)limits->rate[kind] * BURST_S;
    bucket->filled_us = now_us;
    return bucket;
}

struct limit_bucket *limit_use(struct limits *limits, enum limit_kind kind, const void *name,
                               size_t name_bytes, int64_t now_us) {
    char tagged[NAME_BYTES_LONGEST + 1] = {(char)kind};
    struct limit_bucket *bucket = NULL;
    unsigned length;

    if (name_bytes > NAME_BYTES_LONGEST)
        name_bytes = NAME_BYTES_LONGEST;
    memcpy(tagged + 1, name, name_bytes);
    length = (unsigned)name_bytes + 1;
    while (limits->unused && now_us - limits->unused->filled_us > BURST_S * 1000000LL)
        bucket_drop(limits, limits->unused);
    HASH_FIND(hh, limits->buckets, tagged, length, bucket);
    if (!bucket) {
        bucket = bucket_new(limits, kind, now_us);
        memcpy(bucket->name, tagged, sizeof tagged);
        bucket->name_bytes = length;
        HASH_ADD_KEYPTR(hh, limits->buckets, bucket->name, length, bucket);
    } else if (bucket->users == 0) {
        DL_DELETE(limits->unused, bucket);
    }
    bucket->users++;
    return bucket;
}

static void bucket_fill(struct limits *limits, struct limit_bucket *bucket, int64_t now_us) {
    double rate = limits->rate[bucket->kind], most = rate * BURST_S;

    if (now_us > bucket->filled_us)
        bucket->units += rate * (double)(now_us - bucket->filled_us) / 1e6;
    if (bucket->units > most)
        bucket->units = most;
    bucket->filled_us = now_us;
}

void limit_release(struct limits *limits, struct limit_bucket *bucket, int64_t now_us) {
    if (!bucket || --bucket->users > 0)
        return;
    bucket_fill(limits, bucket, now_us);
    DL_APPEND(limits->unused, bucket);
}

bool limit_take(struct limits *limits, struct limit_bucket *bucket, uint32_t cost, int64_t now_us,
                uint32_t *retry_after_s) {
    uint32_t rate = limits->rate[bucket->kind];

    if (rate == 0 || cost == 0)
        return true;
    bucket_fill(limits, bucket, now_us);
    if (bucket->units < cost) {
        *retry_after_s = 1 + (uint32_t)(((double)cost - bucket->units) / rate);
        return false;
    }
    bucket->units -= cost;
    return true;
}

bool limit_spend(struct limits *limits, enum limit_kind kind, const void *name, size_t name_bytes,
                 uint32_t cost, int64_t now_us, uint32_t *retry_after_s) {
    struct limit_bucket *bucket = limit_use(limits, kind, name, name_bytes, now_us);
    bool there = limit_take(limits, bucket, cost, now_us, retry_after_s);

    limit_release(limits, bucket, now_us);
    return there;
}
