/* See random.h. SplitMix64: good enough to choose by, and the same everywhere. */
#include "random.h"

#include <assert.h>

void random_seed(struct random *random, uint64_t seed) {
    random->state = seed * UINT64_C(0x9e3779b97f4a7c15) + UINT64_C(0x632be59bd9b4e019);
}

uint64_t random_next(struct random *random) {
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t random_below(struct random *random, uint64_t bound) {
    assert(bound > 0);
    return random_next(random) % bound;
}

int64_t random_between(struct random *random, int64_t first, int64_t last) {
    assert(first <= last);
    return first + (int64_t)random_below(random, (uint64_t)(last - first) + 1);
}

bool random_chance(struct random *random, unsigned per_mille) {
    return random_below(random, 1000) < per_mille;
}

void random_fill(struct random *random, void *out, size_t bytes) {
    unsigned char *byte = out;

    while (bytes-- > 0)
        *byte++ = (unsigned char)random_next(random);
}
