/* When messages at a fixed rate are due. */
#ifndef PACE_H
#define PACE_H

#include <stdint.h>

/* How often due messages are looked for: those that became due in between are sent together. */
#define PACE_US 100

/* When a sender's next message is due, after `sent` others. All senders together send `rate` a
 * second since begin_us, and take turns. With rate 0 it is due now. */
static inline int64_t pace_due_us(int64_t begin_us, uint64_t sent, uint64_t number,
                                  uint64_t senders, double rate, int64_t now_us) {
    return rate == 0 ? now_us
                     : begin_us + (int64_t)((double)(sent * senders + number) * 1e6 / rate);
}

#endif
