/* Times that somebody says: of a calendar, or how long ago. */
#ifndef WHEN_H
#define WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* "2026-11-27T08:00:00Z" (RFC 3339, with any offset and fraction), "2026-11-27" (its beginning in
 * UTC), or how long before now_us: "90s", "30m", "2h", "3d", "1w". *time_us: microseconds since
 * 1970 UTC, at least 1. false: it is none of these. */
bool when_parse(const char *text, int64_t now_us, int64_t *time_us);

/* Whether it is one; for the table of options. */
bool when_fits(const char *text);

#endif
