/* A table of pairs, and one of how many blocks each account gave and got, so that for the many
 * accounts without any the answer is there at once. */
#include "blocks.h"

#include "table.h"

#include <assert.h>
#include <stdlib.h>

struct pair {
    int64_t account;
    int64_t blocked;
};

struct party {
    int64_t account;
    size_t given;
    size_t got;
};

struct blocks {
    struct table *pairs;   /* owned, with its items */
    struct table *parties; /* owned, with its items */
};

static bool pair_is(const void *item, const void *key) {
    const struct pair *a = item;
    const struct pair *b = key;
    return a->account == b->account && a->blocked == b->blocked;
}

static bool party_is(const void *item, const void *key) {
    return ((const struct party *)item)->account == *(const int64_t *)key;
}

static uint64_t pair_hash(const struct pair *pair) {
    return table_hash_number(table_hash_number((uint64_t)pair->account) ^ (uint64_t)pair->blocked);
}

struct blocks *blocks_new(void) {
    struct blocks *blocks = calloc(1, sizeof *blocks);
    if (!blocks)
        return NULL;
    blocks->pairs = table_new(pair_is);
    blocks->parties = table_new(party_is);
    if (!blocks->pairs || !blocks->parties) {
        blocks_free(blocks);
        return NULL;
    }
    return blocks;
}

void blocks_free(struct blocks *blocks) {
    if (!blocks)
        return;
    table_free(blocks->pairs, free);
    table_free(blocks->parties, free);
    free(blocks);
}

static struct party *party_find(const struct blocks *blocks, int64_t account) {
    return table_find(blocks->parties, table_hash_number((uint64_t)account), &account);
}

static struct party *party_of(struct blocks *blocks, int64_t account) {
    struct party *party = party_find(blocks, account);
    if (party)
        return party;
    party = malloc(sizeof *party);
    if (!party)
        return NULL;
    *party = (struct party){.account = account};
    if (!table_add(blocks->parties, table_hash_number((uint64_t)account), party)) {
        free(party);
        return NULL;
    }
    return party;
}

bool blocks_add(struct blocks *blocks, int64_t account, int64_t blocked) {
    assert(!blocks_is(blocks, account, blocked));
    struct party *giver = party_of(blocks, account);
    struct party *getter = party_of(blocks, blocked);
    struct pair *pair = malloc(sizeof *pair);
    if (!giver || !getter || !pair) {
        free(pair);
        return false;
    }
    *pair = (struct pair){.account = account, .blocked = blocked};
    if (!table_add(blocks->pairs, pair_hash(pair), pair)) {
        free(pair);
        return false;
    }
    giver->given++;
    getter->got++;
    return true;
}

void blocks_remove(struct blocks *blocks, int64_t account, int64_t blocked) {
    struct pair key = {.account = account, .blocked = blocked};
    struct pair *pair = table_remove(blocks->pairs, pair_hash(&key), &key);
    assert(pair);
    free(pair);
    party_find(blocks, account)->given--;
    party_find(blocks, blocked)->got--;
}

bool blocks_is(const struct blocks *blocks, int64_t account, int64_t blocked) {
    struct pair key = {.account = account, .blocked = blocked};
    return table_count(blocks->pairs) > 0 && table_find(blocks->pairs, pair_hash(&key), &key);
}

size_t blocks_given(const struct blocks *blocks, int64_t account) {
    const struct party *party = party_find(blocks, account);
    return !party ? 0 : party->given;
}

bool blocks_any(const struct blocks *blocks, int64_t account) {
    const struct party *party = party_find(blocks, account);
    return party && party->given + party->got > 0;
}
