/* The two clocks, for all programs and the library. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_read_us(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Microseconds since some moment, on the clock that nobody sets: for waiting and durations. */
static inline int64_t clock_us(void) {
    return clock_read_us(CLOCK_MONOTONIC);
}

/* The same in milliseconds. */
static inline int64_t clock_ms(void) {
    return clock_us() / 1000;
}

/* Microseconds since 1970 UTC, on the clock that may be set: for times that are kept or shown. */
static inline int64_t clock_wall_us(void) {
    return clock_read_us(CLOCK_REALTIME);
}

#endif
