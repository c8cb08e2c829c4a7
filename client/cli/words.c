/* The tokenizer for titles, file names and paths. It is not used for the texts of messages, which
 * are taken as they were typed. */
#include "words.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#define BLANKS " \t\n"

static bool words_is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n';
}

bool words_take(char **text, const char **word) {
    char *in = *text + strspn(*text, BLANKS);
    char *out = in;
    bool quoted = false;
    *word = *in == '\0' ? NULL : in;
    for (; *in != '\0' && (quoted || !words_is_blank(*in)); in++) {
        if (*in == '"') {
            quoted = !quoted;
            continue;
        }
        if (*in == '\\' && in[1] != '\0')
            in++;
        *out++ = *in;
    }
    *text = *in == '\0' ? in : in + 1;
    *out = '\0';
    return !quoted;
}

size_t words_count(const char *text, bool *quoted) {
    size_t count = 0;
    bool in_word = false;
    *quoted = false;
    for (; *text != '\0'; text++) {
        if (!*quoted && words_is_blank(*text)) {
            count += in_word ? 1 : 0;
            in_word = false;
            continue;
        }
        in_word = true;
        if (*text == '"')
            *quoted = !*quoted;
        else if (*text == '\\' && text[1] != '\0')
            text++;
    }
    return count;
}

char *words_escape(const char *text) {
    char *escaped = memory_take(strlen(text) * 2 + 1);
    char *out = escaped;
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            *out++ = '\\';
        *out++ = *text;
    }
    return escaped;
}

bool words_need_quotes(const char *text) {
    return *text == '\0' || text[strcspn(text, BLANKS "\"\\")] != '\0';
}

bool words_are_text(const char *bytes, size_t count) {
    mbstate_t state = {0};
    wchar_t character;
    for (size_t at = 0; at < count;) {
        size_t taken = mbrtowc(&character, bytes + at, count - at, &state);
        if (taken == 0 || taken > count - at)
            return false;
        at += taken;
    }
    return true;
}

uint64_t words_number(const char *word, uint64_t max) {
    char *end;
    unsigned long long number = strtoull(word, &end, 10);
    return *word >= '0' && *word <= '9' && *end == '\0' && number <= max ? number : 0;
}

/* ---- times ---- */

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
