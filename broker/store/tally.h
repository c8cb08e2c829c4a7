/* How many unread received entries a stream has, in total and from each sender: kept only for
 * streams so far behind that a quota could be reached. */
#ifndef TALLY_H
#define TALLY_H

#include <stdbool.h>
#include <stdint.h>

struct tally;

/* NULL: no memory. */
struct tally *tally_new(void);
void tally_free(struct tally *tally);

/* false: no memory. */
bool tally_add(struct tally *tally, int64_t sender);
/* One of that sender, counted before, is read now. */
void tally_take(struct tally *tally, int64_t sender);
uint64_t tally_total(const struct tally *tally);
uint64_t tally_of(const struct tally *tally, int64_t sender);

#endif
