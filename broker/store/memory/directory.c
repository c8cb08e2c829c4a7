/* People are kept in blocks of memory that never move. Two tables of small slots find them: each
 * slot has 32 bits of the hash and the person's number, so that the slots of ten thousand people
 * stay in the processor's cache, and a person is looked at only if they are very likely the right
 * one. */
#include "directory.h"

#include "table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_FIRST = 16, BLOCK_PEOPLE = 512 };

struct slot {
    uint32_t hash;
    uint32_t number; /* the person's, counted from 1; 0: free */
};

struct index {
    struct slot *slots; /* owned */
    uint32_t mask;      /* slots - 1; slots are a power of two */
};

struct directory {
    uint64_t seed;
    struct person **blocks; /* owned, and so are the blocks */
    uint32_t blocks_max;
    uint32_t count; /* people */
    struct index by_name;
    struct index by_account;
};

static struct person *person_at(const struct directory *directory, uint32_t number) {
    return &directory->blocks[(number - 1) / BLOCK_PEOPLE][(number - 1) % BLOCK_PEOPLE];
}

static uint32_t hash_name(const struct directory *directory, const char *name) {
    return (uint32_t)table_hash_name(directory->seed, name);
}

static uint32_t hash_account(int64_t account) {
    return (uint32_t)table_hash_number((uint64_t)account);
}

/* ---- the tables ---- */

static bool index_init(struct index *index) {
    *index = (struct index){calloc(SLOTS_FIRST, sizeof *index->slots), SLOTS_FIRST - 1};
    return index->slots != NULL;
}

static void put(struct slot *slots, uint32_t mask, struct slot slot) {
    uint32_t at = slot.hash & mask;
    while (slots[at].number != 0)
        at = (at + 1) & mask;
    slots[at] = slot;
}

static bool grow(struct index *index) {
    uint32_t mask = 2 * index->mask + 1;
    struct slot *slots = calloc((size_t)mask + 1, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i <= index->mask; i++)
        if (index->slots[i].number != 0)
            put(slots, mask, index->slots[i]);
    free(index->slots);
    *index = (struct index){slots, mask};
    return true;
}

/* Keeps the index at most three quarters full. */
static bool has_room(struct index *index, uint32_t count) {
    return (uint64_t)count * 4 <= ((uint64_t)index->mask + 1) * 3 || grow(index);
}

/* ---- people ---- */

struct directory *directory_new(uint64_t seed) {
    struct directory *directory = calloc(1, sizeof *directory);
    if (!directory)
        return NULL;
    directory->seed = seed;
    if (!index_init(&directory->by_name) || !index_init(&directory->by_account)) {
        directory_free(directory);
        return NULL;
    }
    return directory;
}

void directory_free(struct directory *directory) {
    if (!directory)
        return;
    for (uint32_t i = 0; i < directory->blocks_max; i++)
        free(directory->blocks[i]);
    free(directory->blocks);
    free(directory->by_name.slots);
    free(directory->by_account.slots);
    free(directory);
}

const struct person *directory_by_name(const struct directory *directory, const char *name) {
    const struct index *index = &directory->by_name;
    uint32_t hash = hash_name(directory, name);
    for (uint32_t at = hash & index->mask;; at = (at + 1) & index->mask) {
        const struct slot *slot = &index->slots[at];
        if (slot->number == 0)
            return NULL;
        if (slot->hash == hash && strcmp(person_at(directory, slot->number)->name, name) == 0)
            return person_at(directory, slot->number);
    }
}

const struct person *directory_by_account(const struct directory *directory, int64_t account) {
    const struct index *index = &directory->by_account;
    uint32_t hash = hash_account(account);
    for (uint32_t at = hash & index->mask;; at = (at + 1) & index->mask) {
        const struct slot *slot = &index->slots[at];
        if (slot->number == 0)
            return NULL;
        if (slot->hash == hash && person_at(directory, slot->number)->account == account)
            return person_at(directory, slot->number);
    }
}

/* Makes sure that there is a block for the next person. */
static bool block_has_room(struct directory *directory) {
    uint32_t block = directory->count / BLOCK_PEOPLE;
    if (block == directory->blocks_max) {
        uint32_t max = directory->blocks_max == 0 ? 16 : 2 * directory->blocks_max;
        struct person **blocks = realloc(directory->blocks, max * sizeof(struct person *));
        if (!blocks)
            return false;
        memset(blocks + directory->blocks_max, 0,
               (max - directory->blocks_max) * sizeof(struct person *));
        directory->blocks = blocks;
        directory->blocks_max = max;
    }
    if (!directory->blocks[block])
        directory->blocks[block] = malloc(BLOCK_PEOPLE * sizeof(struct person));
    return directory->blocks[block] != NULL;
}

const struct person *directory_add(struct directory *directory, int64_t account, const char *name) {
    const struct person *known = directory_by_account(directory, account);
    if (known)
        return known;
    assert(strlen(name) < NAME_BYTES && directory->count < UINT32_MAX);
    if (!has_room(&directory->by_name, directory->count + 1) ||
        !has_room(&directory->by_account, directory->count + 1) || !block_has_room(directory))
        return NULL;
    uint32_t number = ++directory->count;
    struct person *person = person_at(directory, number);
    person->account = account;
    memcpy(person->name, name, strlen(name) + 1);
    put(directory->by_name.slots, directory->by_name.mask,
        (struct slot){hash_name(directory, name), number});
    put(directory->by_account.slots, directory->by_account.mask,
        (struct slot){hash_account(account), number});
    return person;
}
