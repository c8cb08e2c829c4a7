/* Rate budgets: token buckets for a key, an address, an account. A bucket refills by its rate and
 * holds ten seconds' worth, one of registrations an hour's. */
#ifndef LIMIT_H
#define LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum limit_kind {
    LIMIT_KEY,
    LIMIT_ADDRESS,
    LIMIT_ACCOUNT,
    LIMIT_PASSWORDS,     /* password checks, by address */
    LIMIT_REGISTRATIONS, /* new accounts, by address; an hour */
    LIMIT_INVITATIONS,   /* to private chats, by account */
    LIMIT_PAIR,          /* the same, by inviter and invitee */
    LIMIT_BROADCASTS,    /* by account */
    LIMIT_ARRIVALS,      /* coming online, by account */
    LIMIT_EVENTS,        /* connections to the event socket and subscriptions, by key */
    LIMIT_KINDS,
};

struct limits;
struct limit_bucket;

struct limits *limits_new(void);
void limits_free(struct limits *limits);
/* `rate`: cost units a second (registrations: an hour); 0: no limit. */
void limits_set(struct limits *limits, enum limit_kind kind, uint32_t rate);

/* The bucket of a name (bytes) of a kind, shared by all who use it until each gave it back. A
 * bucket that is not full outlives its users for as long as it takes to fill. */
struct limit_bucket *limit_use(struct limits *limits, enum limit_kind kind, const void *name,
                               size_t name_bytes, int64_t now_us);
void limit_release(struct limits *limits, struct limit_bucket *bucket, int64_t now_us);

/* Takes `cost` out, even where there is less: what was done was done. What is owed is bounded by
 * what the bucket holds. */
void limit_charge(struct limits *limits, struct limit_bucket *bucket, uint32_t cost,
                  int64_t now_us);
/* Takes `cost` out; false and the seconds to wait where there is not enough. */
bool limit_take(struct limits *limits, struct limit_bucket *bucket, uint32_t cost, int64_t now_us,
                uint32_t *retry_after_s);
/* The same two for a bucket that nobody keeps in use. */
bool limit_spend(struct limits *limits, enum limit_kind kind, const void *name, size_t name_bytes,
                 uint32_t cost, int64_t now_us, uint32_t *retry_after_s);
void limit_owe(struct limits *limits, enum limit_kind kind, const void *name, size_t name_bytes,
               uint32_t cost, int64_t now_us);

/* ---- what counts as one address ---- */

#define ADDRESS_GROUP_BYTES 64

/* The group of addresses that counts as one where something is bounded for each address: an IPv4
 * address by itself, of IPv6 the /64, since whoever has one address there has them all. `address`
 * is numeric, as the connection tells it; anything else is a group of its own. An IPv4 address in
 * IPv6 (::ffff:a.b.c.d) is the IPv4 address. A zone (%eth0) does not count. */
void address_group(const char *address, char group[ADDRESS_GROUP_BYTES]);

#endif
