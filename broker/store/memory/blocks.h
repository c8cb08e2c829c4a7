/* Who blocked whom. All of it is in memory, because every message and every presence event asks for
 * it. */
#ifndef BLOCKS_H
#define BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blocks;

/* NULL: no memory. */
struct blocks *blocks_new(void);
void blocks_free(struct blocks *blocks);

/* Adds a block that is not there yet. false: no memory. */
bool blocks_add(struct blocks *blocks, int64_t account, int64_t blocked);
/* Takes back a block that is there. */
void blocks_remove(struct blocks *blocks, int64_t account, int64_t blocked);
bool blocks_is(const struct blocks *blocks, int64_t account, int64_t blocked);
/* How many accounts `account` blocked. */
size_t blocks_given(const struct blocks *blocks, int64_t account);
/* Whether anybody blocked `account`, or `account` blocked anybody. */
bool blocks_any(const struct blocks *blocks, int64_t account);

#endif
