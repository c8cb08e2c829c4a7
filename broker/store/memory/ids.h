/* The newest ids of the log in memory, oldest first: id -> position. If an id came twice, the later
 * position counts. */
#ifndef IDS_H
#define IDS_H

#include "limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ids;

struct id_place {
    unsigned char id[ID_BYTES];
    int64_t position;
};

/* `seed` is secret, because others choose the ids. NULL: no memory. */
struct ids *ids_new(uint64_t seed);
void ids_free(struct ids *ids);

/* false: no memory. */
bool ids_add(struct ids *ids, const unsigned char id[ID_BYTES], int64_t position);
/* The id's position; 0: it is not there. */
int64_t ids_find(const struct ids *ids, const unsigned char id[ID_BYTES]);
size_t ids_count(const struct ids *ids);

/* Copies the `count` oldest ones; there must be that many. */
void ids_oldest(const struct ids *ids, struct id_place *out, size_t count);
void ids_drop_oldest(struct ids *ids, size_t count);

#endif
