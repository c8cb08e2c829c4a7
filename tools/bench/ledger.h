/* What was acknowledged, against what was read.
 *
 * Each message of a sender to an account has the next number of this pair, from 1 on. So an
 * account's inbox must hold, of each sender, every number up to the last acknowledged one, in
 * order, once. A number that comes while a lower one is missing makes that one missing; a missing
 * one that comes later is out of order; any other that is not the next is doubled; what is missing
 * at the end is lost. */
#ifndef LEDGER_H
#define LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ledger_gap {
    size_t pair;
    uint32_t number;
};

/* One reading of inboxes. */
struct reading {
    uint32_t *last; /* owned: the highest number read, by pair */
    size_t pairs;
    struct ledger_gap *missing; /* owned */
    size_t missing_count;
    size_t missing_room;
    uint64_t read;
    uint64_t lost;
    uint64_t doubled;
    uint64_t out_of_order;
};

bool reading_init(struct reading *reading, size_t pairs);
void reading_release(struct reading *reading);

/* A message of this pair was read. false: no memory. */
bool reading_take(struct reading *reading, size_t pair, uint32_t number);

/* All of the pair was read. What lacks up to `acknowledged` is lost, and what is beyond `sent` was
 * never sent: it counts as doubled. */
void reading_close(struct reading *reading, size_t pair, uint32_t acknowledged, uint32_t sent);

/* ---- the text of a message: which run, which sender, the number of its pair, when it was due ----
 */

struct payload {
    uint32_t run; /* random: what an earlier run left in a store is not of this one */
    uint32_t sender;
    uint32_t number;
    uint64_t due_us;
};

/* Writes the text's first bytes, so many; the rest is the caller's. */
#define PAYLOAD_BYTES 43
void payload_write(const struct payload *payload, char *text);

/* false: it is no text of the bench's. */
bool payload_read(const char *text, struct payload *payload);

#endif
