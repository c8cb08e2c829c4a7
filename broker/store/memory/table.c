/* Open addressing with linear probing, at most three quarters full. A removed slot is filled by
 * moving back those behind it, so there are no tombstones. */
#include "table.h"

#include <assert.h>
#include <stdlib.h>

struct slot {
    uint64_t hash;
    void *item; /* borrowed: from the caller; NULL: free */
};

struct table {
    table_is *is;
    struct slot *slots; /* owned */
    size_t mask;        /* slots - 1; slots are a power of two */
    size_t count;
};

enum { SLOTS_FIRST = 16 };

struct table *table_new(table_is *is) {
    struct table *table = malloc(sizeof *table);
    if (!table)
        return NULL;
    *table = (struct table){.is = is, .mask = SLOTS_FIRST - 1};
    table->slots = calloc(SLOTS_FIRST, sizeof *table->slots);
    if (!table->slots) {
        free(table);
        return NULL;
    }
    return table;
}

void table_free(struct table *table, void (*item_free)(void *item)) {
    if (!table)
        return;
    for (size_t i = 0; item_free && i <= table->mask; i++)
        if (table->slots[i].item)
            item_free(table->slots[i].item);
    free(table->slots);
    free(table);
}

/* The slot of the key, or the free slot where it would go. */
static size_t slot_of(const struct table *table, uint64_t hash, const void *key) {
    size_t at = hash & table->mask;
    while (table->slots[at].item &&
           (table->slots[at].hash != hash || !table->is(table->slots[at].item, key)))
        at = (at + 1) & table->mask;
    return at;
}

void *table_find(const struct table *table, uint64_t hash, const void *key) {
    return table->slots[slot_of(table, hash, key)].item;
}

static void put(struct slot *slots, size_t mask, struct slot slot) {
    size_t at = slot.hash & mask;
    while (slots[at].item)
        at = (at + 1) & mask;
    slots[at] = slot;
}

static bool grow(struct table *table) {
    size_t size = (table->mask + 1) * 2;
    struct slot *slots = calloc(size, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i <= table->mask; i++)
        if (table->slots[i].item)
            put(slots, size - 1, table->slots[i]);
    free(table->slots);
    table->slots = slots;
    table->mask = size - 1;
    return true;
}

bool table_add(struct table *table, uint64_t hash, void *item) {
    assert(item);
    if ((table->count + 1) * 4 > (table->mask + 1) * 3 && !grow(table))
        return false;
    put(table->slots, table->mask, (struct slot){.hash = hash, .item = item});
    table->count++;
    return true;
}

void *table_remove(struct table *table, uint64_t hash, const void *key) {
    size_t hole = slot_of(table, hash, key);
    void *item = table->slots[hole].item;
    if (!item)
        return NULL;
    for (size_t at = (hole + 1) & table->mask; table->slots[at].item; at = (at + 1) & table->mask) {
        size_t home = table->slots[at].hash & table->mask;
        if (((at - home) & table->mask) >= ((at - hole) & table->mask)) {
            table->slots[hole] = table->slots[at];
            hole = at;
        }
    }
    table->slots[hole].item = NULL;
    table->count--;
    return item;
}

size_t table_count(const struct table *table) {
    return table->count;
}

/* The finalizer of splitmix64. */
uint64_t table_hash_number(uint64_t number) {
    number ^= number >> 30;
    number *= UINT64_C(0xbf58476d1ce4e5b9);
    number ^= number >> 27;
    number *= UINT64_C(0x94d049bb133111eb);
    return number ^ (number >> 31);
}

uint64_t table_hash_name(uint64_t seed, const char *name) {
    uint64_t hash = seed;
    for (const char *c = name; *c != '\0'; c++) {
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return table_hash_number(hash);
}
