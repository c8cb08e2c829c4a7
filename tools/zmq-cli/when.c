/* RFC 3339 is read by its one form, digit for digit. */
#include "when.h"

#include <stddef.h>
#include <string.h>

#define SECOND_US   INT64_C(1000000)
#define DAY_S       INT64_C(86400)
#define SECONDS_MAX INT64_C(1000000000) /* ago */

/* ---- how long ago ---- */

static int64_t unit_seconds(char unit) {
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}, {'w', 7 * DAY_S}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (units[i].unit == unit)
            return units[i].seconds;
    return 0;
}

static bool parse_ago(const char *text, int64_t now_us, int64_t *time_us) {
    int64_t count = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 10 || text[digits] == 0 || text[digits + 1] != 0)
        return false;
    for (size_t i = 0; i < digits; i++)
        count = 10 * count + (text[i] - '0');
    int64_t unit_s = unit_seconds(text[digits]);
    if (unit_s == 0 || count > SECONDS_MAX / unit_s)
        return false;
    *time_us = now_us - count * unit_s * SECOND_US;
    return true;
}

/* ---- of a calendar ---- */

/* The number that has so many digits, and goes behind it; -1: there is none. */
static int take_number(const char **at, int digits) {
    int number = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return -1;
        number = 10 * number + (**at - '0');
    }
    return number;
}

static bool take_one(const char **at, const char *of) {
    bool is = **at && strchr(of, **at);
    *at += is;
    return is;
}

static int month_days(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970. */
static int64_t days_of(int year, int month, int day) {
    int64_t before = year - 1;
    int64_t days = before * 365 + before / 4 - before / 100 + before / 400 - 719162;
    for (int i = 1; i < month; i++)
        days += month_days(year, i);
    return days + day - 1;
}

static bool take_date(const char **at, int64_t *seconds) {
    int year = take_number(at, 4);
    if (year < 1 || !take_one(at, "-"))
        return false;
    int month = take_number(at, 2);
    if (month < 1 || month > 12 || !take_one(at, "-"))
        return false;
    int day = take_number(at, 2);
    if (day < 1 || day > month_days(year, month))
        return false;
    *seconds = days_of(year, month, day) * DAY_S;
    return true;
}

static bool take_clock(const char **at, int64_t *seconds) {
    int hour = take_number(at, 2);
    if (hour < 0 || hour > 23 || !take_one(at, ":"))
        return false;
    int minute = take_number(at, 2);
    if (minute < 0 || minute > 59)
        return false;
    *seconds = hour * 3600 + minute * 60;
    return true;
}

/* A leap second is the next one's beginning. */
static bool take_time(const char **at, int64_t *time_us) {
    int64_t seconds, part_us = SECOND_US / 10, fraction_us = 0;
    if (!take_clock(at, &seconds) || !take_one(at, ":"))
        return false;
    int second = take_number(at, 2);
    if (second < 0 || second > 60)
        return false;
    if (take_one(at, ".")) {
        if (**at < '0' || **at > '9')
            return false;
        for (; **at >= '0' && **at <= '9'; (*at)++, part_us /= 10)
            fraction_us += (**at - '0') * part_us;
    }
    *time_us = (seconds + second) * SECOND_US + fraction_us;
    return true;
}

static bool take_offset(const char **at, int64_t *seconds) {
    char sign = **at;
    *seconds = 0;
    if (take_one(at, "Zz"))
        return true;
    if (!take_one(at, "+-") || !take_clock(at, seconds))
        return false;
    *seconds = sign == '-' ? -*seconds : *seconds;
    return true;
}

static bool parse_calendar(const char *text, int64_t *time_us) {
    int64_t date_s, of_day_us = 0, offset_s = 0;
    if (!take_date(&text, &date_s))
        return false;
    if (*text && (!take_one(&text, "Tt ") || !take_time(&text, &of_day_us) ||
                  !take_offset(&text, &offset_s)))
        return false;
    *time_us = (date_s - offset_s) * SECOND_US + of_day_us;
    return *text == 0;
}

bool when_parse(const char *text, int64_t now_us, int64_t *time_us) {
    if (!parse_ago(text, now_us, time_us) && !parse_calendar(text, time_us))
        return false;
    *time_us = *time_us < 1 ? 1 : *time_us;
    return true;
}

bool when_fits(const char *text) {
    int64_t time_us;
    return when_parse(text, 0, &time_us);
}
