/* When to say that the broker is away: at once, and while it stays away at intervals that grow, so
 * that a program that runs for days fills no log. */
#ifndef AWAY_H
#define AWAY_H

#include "zchat.h"

#include <stdint.h>

struct away { /* all zero: it is there */
    zchat_code code;
    int64_t next_us;
    int64_t interval_us; /* 0: it is there */
};

/* Another attempt failed, so: whether that is to be said. Another reason than before is. */
bool away_is_due(struct away *away, zchat_code code, int64_t now_us);

/* It is back. Whether it was said that it was away. */
bool away_end(struct away *away);

#endif
