/* Time: the monotonic clock for what waits, the wall clock's text for what is shown. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds since some moment, never going back. */
int64_t clock_now_ms(void);

#define CLOCK_DATE_BYTES 48
#define CLOCK_TIME_BYTES 24

/* "Friday, 21 November 2025", in local time. */
void clock_date(int64_t time_us, char text[CLOCK_DATE_BYTES]);
/* "12:30", in local time. */
void clock_minute(int64_t time_us, char text[CLOCK_TIME_BYTES]);
/* "2025-11-21 12:30", in local time; "never" for 0. */
void clock_moment(int64_t time_us, char text[CLOCK_TIME_BYTES]);
/* A number that is the same for all times of one local day. */
int clock_day(int64_t time_us);
/* Now, in microseconds since 1970 UTC. */
int64_t clock_time_us(void);

#endif
