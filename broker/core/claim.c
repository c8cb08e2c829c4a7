/* See claim.h. There is a table for each kind, in the order in which its claims were looked at:
 * uthash keeps the order of adding, so a claim that is looked at is taken out and added again. */
#include "claim.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define CLAIMS_KEPT        4096
#define NAME_BYTES_LONGEST 112
#define HALF_US            (10 * 1000000LL)

struct claim {
    unsigned char name[NAME_BYTES_LONGEST];
    unsigned name_bytes;
    uint32_t held;
    uint32_t passed_over;
    uint32_t used; /* CLAIM_UNITs, at used_us */
    int64_t used_us;
    int64_t seen_us;
    UT_hash_handle hh;
};

struct claims {
    struct claim *kind[CLAIM_KINDS]; /* owned, by name; first the one not seen for longest */
};

struct claims *claims_new(void) {
    return memory_new(sizeof(struct claims));
}

void claims_free(struct claims *claims) {
    if (!claims)
        return;
    for (size_t kind = 0; kind < CLAIM_KINDS; kind++) {
        struct claim *claim, *next;

        HASH_ITER(hh, claims->kind[kind], claim, next) {
            HASH_DEL(claims->kind[kind], claim);
            free(claim);
        }
    }
    free(claims);
}

static unsigned cut(size_t name_bytes) {
    return name_bytes < NAME_BYTES_LONGEST ? (unsigned)name_bytes : NAME_BYTES_LONGEST;
}

struct claim *claim_find(struct claims *claims, enum claim_kind kind, const void *name,
                         size_t name_bytes) {
    struct claim *claim;

    HASH_FIND(hh, claims->kind[kind], name, cut(name_bytes), claim);
    return claim;
}

/* Makes room for one more. Few are held: those of the password queue. */
static void forget_oldest(struct claims *claims, enum claim_kind kind) {
    struct claim *claim, *next;

    if (HASH_COUNT(claims->kind[kind]) < CLAIMS_KEPT)
        return;
    HASH_ITER(hh, claims->kind[kind], claim, next) {
        if (claim->held == 0) {
            HASH_DEL(claims->kind[kind], claim);
            free(claim);
            return;
        }
    }
}

struct claim *claim_get(struct claims *claims, enum claim_kind kind, const void *name,
                        size_t name_bytes, int64_t now_us) {
    struct claim *claim = claim_find(claims, kind, name, name_bytes);

    if (claim) {
        HASH_DEL(claims->kind[kind], claim);
    } else {
        forget_oldest(claims, kind);
        claim = memory_new(sizeof *claim);
        claim->name_bytes = cut(name_bytes);
        memcpy(claim->name, name, claim->name_bytes);
        claim->used_us = now_us;
    }
    claim->seen_us = now_us;
    HASH_ADD(hh, claims->kind[kind], name, claim->name_bytes, claim);
    return claim;
}

void claim_hold(struct claim *claim) {
    claim->held++;
}

void claim_release(struct claim *claim) {
    claim->held--;
}

uint32_t claim_held(const struct claim *claim) {
    return claim->held;
}

uint32_t claim_used(const struct claim *claim, int64_t now_us) {
    int64_t halves = claim && now_us > claim->used_us ? (now_us - claim->used_us) / HALF_US : 0;

    if (!claim || halves >= 32)
        return 0;
    return claim->used >> halves;
}

/* If the count was not halved since the last use, the time of that use stays, so that the count
 * goes on ageing. */
void claim_use(struct claim *claim, int64_t now_us) {
    uint32_t used = claim_used(claim, now_us);

    if (used != claim->used || now_us < claim->used_us || claim->used == 0)
        claim->used_us = now_us;
    claim->used = used < UINT32_MAX - CLAIM_UNIT ? used + CLAIM_UNIT : used;
}

void claim_pass_over(struct claim *claim) {
    claim->passed_over++;
}

uint32_t claim_passed_over(struct claim *claim) {
    uint32_t count = claim->passed_over;

    claim->passed_over = 0;
    return count;
}

int64_t claim_seen_us(const struct claim *claim) {
    return claim->seen_us;
}
