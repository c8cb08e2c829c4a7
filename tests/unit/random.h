/* A random generator that gives the same numbers in each run, for tests. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

/* splitmix64, by Sebastiano Vigna (public domain): any seed is a good one. */
static inline uint64_t random_next(uint64_t *seed) {
    uint64_t z = *seed += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

#endif
