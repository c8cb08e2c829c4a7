/* Who has what claim on something scarce: how much each address, key or name had of it lately, and
 * who is known to be good. Nothing is forgotten that matters for seconds, and all of it is bounded:
 * of each kind CLAIMS_KEPT, those that were looked at longest ago go first. */
#ifndef CLAIM_H
#define CLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum claim_kind {
    CLAIM_ADDRESS,      /* password work of an address' group */
    CLAIM_KEY,          /* ... of a device's key */
    CLAIM_PAIR,         /* ... of an address' group for one name */
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
/* ... which is made if there is none, and has been looked at. It stays for as long as somebody
 * holds it. */
struct claim *claim_get(struct claims *claims, enum claim_kind kind, const void *name,
                        size_t name_bytes, int64_t now_us);

void claim_hold(struct claim *claim);
void claim_release(struct claim *claim);
uint32_t claim_held(const struct claim *claim);

/* One more use; and how many there were lately, in CLAIM_UNITs: each counts half after ten seconds,
 * a quarter after twenty. A NULL claim has none. */
#define CLAIM_UNIT 1024
void claim_use(struct claim *claim, int64_t now_us);
uint32_t claim_used(const struct claim *claim, int64_t now_us);
/* Something that it caused was passed over; how much was since this was asked last. */
void claim_pass_over(struct claim *claim);
uint32_t claim_passed_over(struct claim *claim);
/* When it was last looked at by claim_get. */
int64_t claim_seen_us(const struct claim *claim);

#endif
