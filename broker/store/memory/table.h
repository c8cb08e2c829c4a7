/* A hash table of pointers to things that belong to the caller, found by a hash and a comparison.
 * The caller mixes hashes well (table_hash_*) and keeps keys unique. */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;

/* Whether `item` is the one that `key` names. */
typedef bool table_is(const void *item, const void *key);

/* NULL: no memory. */
struct table *table_new(table_is *is);
/* Frees the table, and each item if `item_free` is not NULL. */
void table_free(struct table *table, void (*item_free)(void *item));

void *table_find(const struct table *table, uint64_t hash, const void *key);
/* Adds an item that is not there yet. false: no memory. */
bool table_add(struct table *table, uint64_t hash, void *item);
/* Takes an item out and returns it; NULL: it was not there. */
void *table_remove(struct table *table, uint64_t hash, const void *key);
size_t table_count(const struct table *table);

uint64_t table_hash_number(uint64_t number);
/* `seed` is secret if others choose the names. */
uint64_t table_hash_name(uint64_t seed, const char *name);

#endif
