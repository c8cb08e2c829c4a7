/* Times as text: RFC 3339, UTC. Times are microseconds since 1970 UTC. */
#ifndef COMMON_TIME_TEXT_H
#define COMMON_TIME_TEXT_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define TIME_TEXT 32 /* either text with its NUL */

/* Writes the text without its Z; returns its length. */
static inline size_t time_seconds(int64_t time_us, char text[TIME_TEXT]) {
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm parts = {0};
    gmtime_r(&seconds, &parts);
    return strftime(text, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &parts);
}

/* "2025-11-21T12:30:00.000001Z", for programs. Returns `text`. */
static inline const char *time_precise(int64_t time_us, char text[TIME_TEXT]) {
    size_t bytes = time_seconds(time_us, text);
    snprintf(text + bytes, TIME_TEXT - bytes, ".%06" PRId64 "Z", time_us % 1000000);
    return text;
}

/* "2025-11-21T12:30:00Z", for people. Returns `text`. */
static inline const char *time_short(int64_t time_us, char text[TIME_TEXT]) {
    size_t bytes = time_seconds(time_us, text);
    snprintf(text + bytes, TIME_TEXT - bytes, "Z");
    return text;
}

#endif
