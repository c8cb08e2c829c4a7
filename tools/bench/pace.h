/* When messages of a fixed rate are due. */
#ifndef PACE_H
#define PACE_H

#include <stdint.h>

/* How often a rate is looked at: messages are due in between, and sent together. */
#define PACE_US 100

/* Of the message after `sent` others of this sender, at `rate` a second of all senders since
 * begin_us: they take turns. With rate 0 it is due now. */
static inline int64_t pace_due_us(int64_t begin_us, uint64_t sent, uint64_t number,
                                  uint64_t senders, double rate, int64_t now_us) {
    return rate == 0 ? now_us
                     : begin_us + (int64_t)((double)(sent * senders + number) * 1e6 / rate);
}

#endif
