/* How many unread received entries a stream has and how many bytes, in total and from each sender.
 * Kept only for streams with so much unread that a quota could be reached. */
#ifndef TALLY_H
#define TALLY_H

#include <stdbool.h>
#include <stdint.h>

struct tally;

struct tally_sum {
    uint64_t count;
    uint64_t bytes;
};

/* NULL: no memory. */
struct tally *tally_new(void);
void tally_free(struct tally *tally);

/* false: no memory. */
bool tally_add(struct tally *tally, int64_t sender, uint64_t bytes);
/* Takes out an entry of that sender with so many bytes, which was counted before and is read
 * now. */
void tally_take(struct tally *tally, int64_t sender, uint64_t bytes);
struct tally_sum tally_total(const struct tally *tally);
struct tally_sum tally_of(const struct tally *tally, int64_t sender);

/* Which of the stream's entries are counted in the tally, for the code that counts them: those up
 * to number `counted`, and all after `end`. */
struct tally_span {
    uint64_t counted;
    uint64_t end;
};
struct tally_span *tally_span(struct tally *tally);

#endif
