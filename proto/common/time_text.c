#include "common/time_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* The text without its Z; returns its length. */
static size_t format_seconds(int64_t time_us, char text[TIME_TEXT]) {
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm parts = {0};
    gmtime_r(&seconds, &parts);
    return strftime(text, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &parts);
}

const char *time_precise(int64_t time_us, char text[TIME_TEXT]) {
    size_t bytes = format_seconds(time_us, text);
    snprintf(text + bytes, TIME_TEXT - bytes, ".%06" PRId64 "Z", time_us % 1000000);
    return text;
}

const char *time_short(int64_t time_us, char text[TIME_TEXT]) {
    size_t bytes = format_seconds(time_us, text);
    snprintf(text + bytes, TIME_TEXT - bytes, "Z");
    return text;
}
