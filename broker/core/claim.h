/* Who has what claim on something scarce: how much of it each address, key or name had lately, and
 * who is known to be good. Their number is bounded: CLAIMS_KEPT of each kind are kept, enough to
 * forget nothing that matters within seconds; those that were looked at longest ago go first. */
#ifndef CLAIM_H
#define CLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum claim_kind {
    CLAIM_ADDRESS,      /* password work for an address' group */
    CLAIM_KEY,          /* ... for a device's key */
    CLAIM_PAIR,         /* ... for one name from an address' group */
    CLAIM_GOOD_ADDRESS, /* a login from this group succeeded lately */
    CLAIM_GOOD_PAIR,    /* ... for this name */
    CLAIM_NOTED,        /* something about this source was logged */
};
#define CLAIM_KINDS (CLAIM_NOTED + 1)

struct claims;
struct claim;

struct claims *claims_new(void);
void claims_free(struct claims *claims);

/* The claim of a name (bytes, cut at 112); NULL: there is none. */
struct claim *claim_find(struct claims *claims, enum claim_kind kind, const void *name,
                         size_t name_bytes);
/* The same, but makes the claim if there is none, and notes that it was looked at. A claim stays
 * for as long as somebody holds it. */
struct claim *claim_get(struct claims *claims, enum claim_kind kind, const void *name,
                        size_t name_bytes, int64_t now_us);

void claim_hold(struct claim *claim);
void claim_release(struct claim *claim);
uint32_t claim_held(const struct claim *claim);

/* Adds one use; and tells how many there were lately, in CLAIM_UNITs: a use counts half after ten
 * seconds, a quarter after twenty. A NULL claim has none. */
#define CLAIM_UNIT 1024
void claim_use(struct claim *claim, int64_t now_us);
uint32_t claim_used(const struct claim *claim, int64_t now_us);
/* Counts something that it caused and that was passed over; and returns how often that happened
 * since this was last asked. */
void claim_pass_over(struct claim *claim);
uint32_t claim_passed_over(struct claim *claim);
/* When it was last looked at by claim_get. */
int64_t claim_seen_us(const struct claim *claim);

#endif
