/* The seed's stream of random numbers: whatever a world decides by chance comes from here, so that
 * a seed plays the same again. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

void random_seed(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);
/* 0 to bound - 1. */
uint64_t random_below(struct random *random, uint64_t bound);
/* first to last, both included. */
int64_t random_between(struct random *random, int64_t first, int64_t last);
bool random_chance(struct random *random, unsigned per_mille);
void random_fill(struct random *random, void *out, size_t bytes);

#endif
