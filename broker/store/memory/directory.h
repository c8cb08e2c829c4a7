/* The accounts: name <-> number. Names never change and accounts never go, so what is in here stays
 * true. An account that is not in here may still be in the store: another process may have added
 * it. */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include "text.h"

#include <stdint.h>

struct directory;

struct person {
    int64_t account;
    char name[NAME_BYTES];
};

/* `seed` is secret, because others choose the names. NULL: no memory. */
struct directory *directory_new(uint64_t seed);
void directory_free(struct directory *directory);

/* Both return NULL if the person was not met yet. What they return stays valid until
 * directory_free. */
const struct person *directory_by_name(const struct directory *directory, const char *name);
const struct person *directory_by_account(const struct directory *directory, int64_t account);
/* Adds the person, who may be known already, and returns them. NULL: no memory. */
const struct person *directory_add(struct directory *directory, int64_t account, const char *name);

#endif
