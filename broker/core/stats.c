/* The names of the counters, made from the same list as the struct. */
#include "stats.h"

#include <string.h>

static const struct stats_row rows[] = {
#define STATS_ROW(name) {#name, offsetof(struct stats, name)},
    STATS(STATS_ROW)
#undef STATS_ROW
};

const struct stats_row *stats_rows(size_t *count) {
    *count = sizeof rows / sizeof rows[0];
    return rows;
}

uint64_t stats_value(const struct stats *stats, const struct stats_row *row) {
    uint64_t value;

    memcpy(&value, (const char *)stats + row->offset, sizeof value);
    return value;
}
