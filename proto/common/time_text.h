/* Times as text: RFC 3339, UTC. */
#ifndef COMMON_TIME_TEXT_H
#define COMMON_TIME_TEXT_H

#include <stdint.h>

#define TIME_TEXT 32 /* of either text with its NUL */

/* "2025-11-21T12:30:00.000001Z", for programs; and "2025-11-21T12:30:00Z", for people. `time_us` is
 * microseconds since 1970 UTC. Both return `text`. */
const char *time_precise(int64_t time_us, char text[TIME_TEXT]);
const char *time_short(int64_t time_us, char text[TIME_TEXT]);

#endif
