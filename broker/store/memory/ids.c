/* A ring of places, and a hash table with open addressing, at most half full, which holds the
 * numbers of the places. A number grows for ever; its lower bits are the index in the ring. */
#include "ids.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define PLACES_MIN 1024

struct ids {
    uint64_t seed;
    struct id_place *ring; /* owned */
    uint64_t *slots;       /* owned: numbers + 1; 0: free. Twice as many as the ring has places */
    size_t max;            /* places in the ring: a power of two */
    uint64_t begin;        /* the number of the oldest */
    uint64_t end;
};

struct ids *ids_new(uint64_t seed) {
    struct ids *ids = calloc(1, sizeof *ids);
    if (!ids)
        return NULL;
    *ids = (struct ids){.seed = seed,
                        .ring = malloc(PLACES_MIN * sizeof *ids->ring),
                        .slots = calloc((size_t)2 * PLACES_MIN, sizeof *ids->slots),
                        .max = PLACES_MIN};
    if (!ids->ring || !ids->slots) {
        ids_free(ids);
        return NULL;
    }
    return ids;
}

void ids_free(struct ids *ids) {
    if (!ids)
        return;
    free(ids->ring);
    free(ids->slots);
    free(ids);
}

static struct id_place *place(const struct ids *ids, uint64_t number) {
    return &ids->ring[number & (ids->max - 1)];
}

/* Hashes all bytes: whoever chooses ids must not be able to choose their slots. */
static size_t slot_of(const struct ids *ids, const unsigned char *id) {
    return (size_t)(XXH3_64bits_withSeed(id, ID_BYTES, ids->seed) & (2 * ids->max - 1));
}

static size_t next(const struct ids *ids, size_t slot) {
    return (slot + 1) & (2 * ids->max - 1);
}

/* The id's slot, or the free slot where it would be. */
static size_t look(const struct ids *ids, const unsigned char *id) {
    size_t slot = slot_of(ids, id);
    while (ids->slots[slot] != 0 && memcmp(place(ids, ids->slots[slot] - 1)->id, id, ID_BYTES) != 0)
        slot = next(ids, slot);
    return slot;
}

static bool grow(struct ids *ids) {
    struct ids larger = {
        .seed = ids->seed, .max = 2 * ids->max, .begin = ids->begin, .end = ids->end};
    larger.ring = malloc(larger.max * sizeof *larger.ring);
    larger.slots = calloc(2 * larger.max, sizeof *larger.slots);
    if (!larger.ring || !larger.slots) {
        free(larger.ring);
        free(larger.slots);
        return false;
    }
    for (uint64_t number = ids->begin; number < ids->end; number++) {
        *place(&larger, number) = *place(ids, number);
        larger.slots[look(&larger, place(ids, number)->id)] = number + 1;
    }
    free(ids->ring);
    free(ids->slots);
    *ids = larger;
    return true;
}

bool ids_add(struct ids *ids, const unsigned char id[ID_BYTES], int64_t position) {
    if (ids_count(ids) == ids->max && !grow(ids))
        return false;
    struct id_place *added = place(ids, ids->end);
    memcpy(added->id, id, ID_BYTES);
    added->position = position;
    ids->slots[look(ids, id)] = ++ids->end;
    return true;
}

int64_t ids_find(const struct ids *ids, const unsigned char id[ID_BYTES]) {
    uint64_t number = ids->slots[look(ids, id)];
    return number == 0 ? 0 : place(ids, number - 1)->position;
}

size_t ids_count(const struct ids *ids) {
    return (size_t)(ids->end - ids->begin);
}

void ids_oldest(const struct ids *ids, struct id_place *out, size_t count) {
    assert(count <= ids_count(ids));
    for (size_t i = 0; i < count; i++)
        out[i] = *place(ids, ids->begin + i);
}

/* After a slot became free, moves the slots behind it so that they are still found. */
static void close_gap(struct ids *ids, size_t gap) {
    size_t mask = 2 * ids->max - 1;
    for (size_t slot = next(ids, gap); ids->slots[slot] != 0; slot = next(ids, slot)) {
        size_t wants = slot_of(ids, place(ids, ids->slots[slot] - 1)->id);
        if (((slot - wants) & mask) >= ((slot - gap) & mask)) {
            ids->slots[gap] = ids->slots[slot];
            gap = slot;
        }
    }
    ids->slots[gap] = 0;
}

void ids_drop_oldest(struct ids *ids, size_t count) {
    assert(count <= ids_count(ids));
    for (; count > 0; count--) {
        size_t slot = look(ids, place(ids, ids->begin)->id);
        if (ids->slots[slot] == ids->begin + 1) /* if not, the id came again later */
            close_gap(ids, slot);
        ids->begin++;
    }
}
