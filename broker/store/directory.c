/* Two tables over the same people. */
#include "directory.h"

#include "table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct directory {
    uint64_t seed;
    struct table *by_name;    /* owned */
    struct table *by_account; /* owned, with the people */
};

static bool name_is(const void *item, const void *key) {
    return strcmp(((const struct person *)item)->name, key) == 0;
}

static bool account_is(const void *item, const void *key) {
    return ((const struct person *)item)->account == *(const int64_t *)key;
}

struct directory *directory_new(uint64_t seed) {
    struct directory *directory = calloc(1, sizeof *directory);
    if (directory == NULL) {
        return NULL;
    }
    directory->seed = seed;
    directory->by_name = table_new(name_is);
    directory->by_account = table_new(account_is);
    if (directory->by_name == NULL || directory->by_account == NULL) {
        directory_free(directory);
        return NULL;
    }
    return directory;
}

void directory_free(struct directory *directory) {
    if (directory == NULL) {
        return;
    }
    table_free(directory->by_name, NULL);
    table_free(directory->by_account, free);
    free(directory);
}

const struct person *directory_by_name(const struct directory *directory, const char *name) {
    return table_find(directory->by_name, table_hash_name(directory->seed, name), name);
}

const struct person *directory_by_account(const struct directory *directory, int64_t account) {
    return table_find(directory->by_account, table_hash_number((uint64_t)account), &account);
}

const struct person *directory_add(struct directory *directory, int64_t account, const char *name) {
    const struct person *known = directory_by_account(directory, account);
    if (known != NULL) {
        return known;
    }
    assert(strlen(name) < NAME_BYTES);
    struct person *person = malloc(sizeof *person);
    if (person == NULL) {
        return NULL;
    }
    person->account = account;
    memcpy(person->name, name, strlen(name) + 1);
    if (!table_add(directory->by_account, table_hash_number((uint64_t)account), person)) {
        free(person);
        return NULL;
    }
    /* Without memory for the second table he is found by number only: the caller gives up anyway.
     */
    return table_add(directory->by_name, table_hash_name(directory->seed, name), person) ? person
                                                                                         : NULL;
}
