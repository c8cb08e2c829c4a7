/* Random choices that are the same for the same seed: xorshift64*. */
#ifndef RANDOM_OF_BENCH_H
#define RANDOM_OF_BENCH_H

#include <stdint.h>

/* Makes a state from a seed and the number of the chooser. */
static inline uint64_t random_begin(uint64_t seed, uint64_t number) {
    return seed * UINT64_C(0x9E3779B97F4A7C15) + number + 1;
}

/* A random number below `bound`, which is below 2^32. */
static inline uint64_t random_below(uint64_t *state, uint64_t bound) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return ((*state * UINT64_C(2685821657736338717)) >> 32) * bound >> 32;
}

#endif
