/* A table of senders; a sender whose count fell to zero is removed. */
#include "tally.h"

#include "table.h"

#include <assert.h>
#include <stdlib.h>

struct sender {
    int64_t account;
    struct tally_sum sum;
};

struct tally {
    struct table *senders; /* owned, with its items */
    struct tally_sum total;
    struct tally_span span;
};

static bool sender_is(const void *item, const void *key) {
    return ((const struct sender *)item)->account == *(const int64_t *)key;
}

struct tally *tally_new(void) {
    struct tally *tally = calloc(1, sizeof *tally);
    if (!tally)
        return NULL;
    tally->senders = table_new(sender_is);
    if (!tally->senders) {
        free(tally);
        return NULL;
    }
    return tally;
}

void tally_free(struct tally *tally) {
    if (!tally)
        return;
    table_free(tally->senders, free);
    free(tally);
}

static struct sender *find(const struct tally *tally, int64_t sender) {
    return table_find(tally->senders, table_hash_number((uint64_t)sender), &sender);
}

static void sum_add(struct tally_sum *sum, uint64_t bytes) {
    sum->count++;
    sum->bytes += bytes;
}

/* An entry that was damaged after it was counted may now seem to have more bytes. */
static void sum_take(struct tally_sum *sum, uint64_t bytes) {
    sum->count--;
    sum->bytes -= bytes < sum->bytes ? bytes : sum->bytes;
}

bool tally_add(struct tally *tally, int64_t account, uint64_t bytes) {
    struct sender *sender = find(tally, account);
    if (!sender) {
        sender = malloc(sizeof *sender);
        if (!sender)
            return false;
        *sender = (struct sender){.account = account};
        if (!table_add(tally->senders, table_hash_number((uint64_t)account), sender)) {
            free(sender);
            return false;
        }
    }
    sum_add(&sender->sum, bytes);
    sum_add(&tally->total, bytes);
    return true;
}

void tally_take(struct tally *tally, int64_t account, uint64_t bytes) {
    struct sender *sender = find(tally, account);
    assert(sender);
    sum_take(&tally->total, bytes);
    sum_take(&sender->sum, bytes);
    if (sender->sum.count == 0)
        free(table_remove(tally->senders, table_hash_number((uint64_t)account), &account));
}

struct tally_sum tally_total(const struct tally *tally) {
    return tally->total;
}

struct tally_sum tally_of(const struct tally *tally, int64_t account) {
    const struct sender *sender = find(tally, account);
    return !sender ? (struct tally_sum){0} : sender->sum;
}

struct tally_span *tally_span(struct tally *tally) {
    return &tally->span;
}
