/* The intervals double. */
#include "away.h"

#define INTERVAL_MIN_US (60 * INT64_C(1000000))
#define INTERVAL_MAX_US (3600 * INT64_C(1000000))

bool away_is_due(struct away *away, zchat_code code, int64_t now_us) {
    bool again = away->interval_us > 0 && away->code == code;
    if (again && now_us < away->next_us)
        return false;
    away->code = code;
    away->interval_us = again ? 2 * away->interval_us : INTERVAL_MIN_US;
    if (away->interval_us > INTERVAL_MAX_US)
        away->interval_us = INTERVAL_MAX_US;
    away->next_us = now_us + away->interval_us;
    return true;
}

bool away_end(struct away *away) {
    bool was_away = away->interval_us > 0;
    *away = (struct away){0};
    return was_away;
}
