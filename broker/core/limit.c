/* See limit.h. Buckets without users wait in a list of their kind, in the order in which they were
 * left. Full ones are freed at once, and the oldest as new ones come. So the table is bounded by
 * the users that are connected and those that took something within the time that a bucket takes to
 * fill. */
#include "limit.h"

#include "memory.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#define NAME_BYTES_LONGEST 64

/* A rate is for `period_s` seconds, and a bucket holds as much as it refills in `burst_s`
 * seconds. */
static const struct {
    uint32_t period_s;
    uint32_t burst_s;
} kinds[LIMIT_KINDS] = {
    [LIMIT_KEY] = {1, 10},
    [LIMIT_ADDRESS] = {1, 10},
    [LIMIT_ACCOUNT] = {1, 10},
    [LIMIT_PASSWORDS] = {1, 10},
    [LIMIT_REGISTRATIONS] = {3600, 3600},
    [LIMIT_INVITATIONS] = {1, 10},
    [LIMIT_PAIR] = {1, 10},
    [LIMIT_BROADCASTS] = {1, 10},
    [LIMIT_ARRIVALS] = {1, 10},
    [LIMIT_EVENTS] = {1, 10},
};

struct limit_bucket {
    char name[NAME_BYTES_LONGEST + 1]; /* kind, then the name's bytes */
    unsigned name_bytes;
    enum limit_kind kind;
    uint32_t users;
    double units;
    int64_t filled_us; /* the time for which `units` is true */
    struct limit_bucket *next;
    struct limit_bucket *prev;
    UT_hash_handle hh;
};

struct limits {
    uint32_t rate[LIMIT_KINDS];
    struct limit_bucket *buckets; /* owned, by name */
    /* borrowed: those without users, first the one left longest ago */
    struct limit_bucket *unused[LIMIT_KINDS];
};

struct limits *limits_new(void) {
    return memory_new(sizeof(struct limits));
}

static void bucket_drop(struct limits *limits, struct limit_bucket *bucket) {
    if (bucket->users == 0)
        DL_DELETE(limits->unused[bucket->kind], bucket);
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

/* How many units a full bucket holds. */
static double most_units(const struct limits *limits, enum limit_kind kind) {
    return (double)limits->rate[kind] * kinds[kind].burst_s / kinds[kind].period_s;
}

static struct limit_bucket *bucket_new(struct limits *limits, enum limit_kind kind,
                                       int64_t now_us) {
    struct limit_bucket *bucket = memory_new(sizeof *bucket);

    bucket->kind = kind;
    bucket->units = most_units(limits, kind);
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
    while ((bucket = limits->unused[kind]) &&
           now_us - bucket->filled_us > kinds[kind].burst_s * 1000000LL)
        bucket_drop(limits, bucket);
    HASH_FIND(hh, limits->buckets, tagged, length, bucket);
    if (!bucket) {
        bucket = bucket_new(limits, kind, now_us);
        memcpy(bucket->name, tagged, sizeof tagged);
        bucket->name_bytes = length;
        HASH_ADD_KEYPTR(hh, limits->buckets, bucket->name, length, bucket);
    } else if (bucket->users == 0) {
        DL_DELETE(limits->unused[kind], bucket);
    }
    bucket->users++;
    return bucket;
}

static void bucket_fill(struct limits *limits, struct limit_bucket *bucket, int64_t now_us) {
    double most = most_units(limits, bucket->kind);

    if (now_us > bucket->filled_us)
        bucket->units +=
            most * (double)(now_us - bucket->filled_us) / (kinds[bucket->kind].burst_s * 1e6);
    if (bucket->units > most)
        bucket->units = most;
    bucket->filled_us = now_us;
}

void limit_release(struct limits *limits, struct limit_bucket *bucket, int64_t now_us) {
    if (!bucket || --bucket->users > 0)
        return;
    bucket_fill(limits, bucket, now_us);
    DL_APPEND(limits->unused[bucket->kind], bucket);
    if (bucket->units >= most_units(limits, bucket->kind))
        bucket_drop(limits, bucket);
}

bool limit_take(struct limits *limits, struct limit_bucket *bucket, uint32_t cost, int64_t now_us,
                uint32_t *retry_after_s) {
    if (limits->rate[bucket->kind] == 0 || cost == 0)
        return true;
    bucket_fill(limits, bucket, now_us);
    if (bucket->units < cost) {
        *retry_after_s = 1 + (uint32_t)(((double)cost - bucket->units) *
                                        kinds[bucket->kind].period_s / limits->rate[bucket->kind]);
        return false;
    }
    bucket->units -= cost;
    return true;
}

void limit_charge(struct limits *limits, struct limit_bucket *bucket, uint32_t cost,
                  int64_t now_us) {
    double most = most_units(limits, bucket->kind);

    if (limits->rate[bucket->kind] == 0 || cost == 0)
        return;
    bucket_fill(limits, bucket, now_us);
    bucket->units -= cost;
    if (bucket->units < -most)
        bucket->units = -most;
}

bool limit_spend(struct limits *limits, enum limit_kind kind, const void *name, size_t name_bytes,
                 uint32_t cost, int64_t now_us, uint32_t *retry_after_s) {
    struct limit_bucket *bucket = limit_use(limits, kind, name, name_bytes, now_us);
    bool there = limit_take(limits, bucket, cost, now_us, retry_after_s);

    limit_release(limits, bucket, now_us);
    return there;
}

void limit_owe(struct limits *limits, enum limit_kind kind, const void *name, size_t name_bytes,
               uint32_t cost, int64_t now_us) {
    struct limit_bucket *bucket = limit_use(limits, kind, name, name_bytes, now_us);

    limit_charge(limits, bucket, cost, now_us);
    limit_release(limits, bucket, now_us);
}

/* ---- addresses ---- */

#define PREFIX_BYTES 8

void address_group(const char *address, char group[ADDRESS_GROUP_BYTES]) {
    struct in6_addr ip;

    snprintf(group, ADDRESS_GROUP_BYTES, "%s", address);
    group[strcspn(group, "%")] = '\0';
    if (inet_pton(AF_INET6, group, &ip) != 1)
        return;
    if (IN6_IS_ADDR_V4MAPPED(&ip)) {
        inet_ntop(AF_INET, &ip.s6_addr[12], group, ADDRESS_GROUP_BYTES);
        return;
    }
    memset(&ip.s6_addr[PREFIX_BYTES], 0, sizeof ip.s6_addr - PREFIX_BYTES);
    inet_ntop(AF_INET6, &ip, group, ADDRESS_GROUP_BYTES - 4);
    strcat(group, "/64");
}
