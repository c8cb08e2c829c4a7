/* Rate budgets: token buckets for a key, an address, an account. A bucket refills at its rate and
 * holds ten seconds' worth; one for registrations holds an hour's worth. */
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
    LIMIT_REGISTRATIONS, /* new accounts in an hour, by address */
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

/* The bucket of that kind for a name (any bytes). All who use it share it until each has given it
 * back with limit_release. A bucket that is not full outlives its users for as long as it takes to
 * fill. */
struct limit_bucket *limit_use(struct limits *limits, enum limit_kind kind, const void *name,
                               size_t name_bytes, int64_t now_us);
void limit_release(struct limits *limits, struct limit_bucket *bucket, int64_t now_us);

/* Takes `cost` out even if there is less, because the work is done already. The debt is at most
 * what a full bucket holds. */
void limit_charge(struct limits *limits, struct limit_bucket *bucket, uint32_t cost,
                  int64_t now_us);
/* Takes `cost` out. If there is not enough: false, and the seconds to wait. */
bool limit_take(struct limits *limits, struct limit_bucket *bucket, uint32_t cost, int64_t now_us,
                uint32_t *retry_after_s);
/* limit_take and limit_charge for a bucket that nobody keeps in use. */
bool limit_spend(struct limits *limits, enum limit_kind kind, const void *name, size_t name_bytes,
                 uint32_t cost, int64_t now_us, uint32_t *retry_after_s);
void limit_owe(struct limits *limits, enum limit_kind kind, const void *name, size_t name_bytes,
               uint32_t cost, int64_t now_us);

/* ---- what counts as one address ---- */

#define ADDRESS_GROUP_BYTES 64

/* The group of addresses that counts as one when something is bounded for each address: an IPv4
 * address is a group by itself; an IPv6 address counts as its /64, since whoever has one address
 * there has them all. `address` is numeric, as the connection tells it; any other text is a group
 * of its own. An IPv4 address in IPv6 (::ffff:a.b.c.d) is the IPv4 address. A zone (%eth0) does not
 * count. */
void address_group(const char *address, char group[ADDRESS_GROUP_BYTES]);

#endif
