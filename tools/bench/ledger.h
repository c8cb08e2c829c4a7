/* Compares what was acknowledged with what was read.
 *
 * Each message from a sender to an account has the next number of this pair, from 1 on. So an
 * account's inbox must hold, for each sender, every number up to the last acknowledged one, once
 * and in order. If a number comes before a lower one, the lower one is missing; if a missing number
 * comes later, it is out of order; any other number that is not the next one is doubled; and
 * numbers that are missing at the end are lost. */
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

/* All messages of the pair were read. Those missing up to `acknowledged` are lost; those beyond
 * `sent` were never sent, and count as doubled. */
void reading_close(struct reading *reading, size_t pair, uint32_t acknowledged, uint32_t sent);

/* ---- the text of a message: its run, its sender, its number within the pair, and when it was due
 * ----
 */

struct payload {
    uint32_t run; /* random, to tell messages that an earlier run left in a store */
    uint32_t sender;
    uint32_t number;
    uint64_t due_us;
};

/* Writes the text's first PAYLOAD_BYTES; the caller writes the rest. */
#define PAYLOAD_BYTES 43
void payload_write(const struct payload *payload, char *text);

/* false: it is not a text that the bench made. */
bool payload_read(const char *text, struct payload *payload);

#endif
