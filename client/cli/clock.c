/* The clocks. Times of the broker are shown as this machine's local time; what waits counts on the
 * monotonic clock, so that a corrected wall clock neither hurries nor delays it. */
#include "clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static struct tm clock_local(int64_t time_us) {
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm local;
    if (!localtime_r(&seconds, &local))
        memset(&local, 0, sizeof local);
    return local;
}

void clock_date(int64_t time_us, char text[CLOCK_DATE_BYTES]) {
    struct tm local = clock_local(time_us);
    text[strftime(text, CLOCK_DATE_BYTES - 1, "%A, %d %B %Y", &local)] = '\0';
}

void clock_minute(int64_t time_us, char text[CLOCK_TIME_BYTES]) {
    struct tm local = clock_local(time_us);
    text[strftime(text, CLOCK_TIME_BYTES - 1, "%H:%M", &local)] = '\0';
}

void clock_moment(int64_t time_us, char text[CLOCK_TIME_BYTES]) {
    struct tm local = clock_local(time_us);
    text[strftime(text, CLOCK_TIME_BYTES - 1, "%Y-%m-%d %H:%M", &local)] = '\0';
    if (time_us == 0)
        strcpy(text, "never");
}

int clock_day(int64_t time_us) {
    struct tm local = clock_local(time_us);
    return local.tm_year * 366 + local.tm_yday;
}
