/* Names are ASCII, so only what is beside them may be a letter of another script. A Chinese or
 * Japanese character ends a word as a space does, because there words have no spaces between them.
 * The time is linear in the text. wcwidth() is X/Open's. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif

#include "mention.h"

#include <string.h>
#include <strings.h>
#include <wchar.h>
#include <wctype.h>

static bool mention_is_part(wchar_t character) {
    bool accent = character >= 0x0300 && character <= 0x036F;
    return character == L'_' || accent || (iswalnum((wint_t)character) && wcwidth(character) != 2);
}

/* Whether a character of a word begins at `at`. */
static bool mention_goes_on(const char *text, size_t bytes, size_t at) {
    mbstate_t state = {0};
    wchar_t character;
    if (at >= bytes)
        return false;
    size_t got = mbrtowc(&character, text + at, bytes - at, &state);
    return got != 0 && got != (size_t)-1 && got != (size_t)-2 && mention_is_part(character);
}

/* Whether one ends before `at`. */
static bool mention_comes_from(const char *text, size_t at) {
    size_t start = at;
    while (start > 0 && at - start < 4) {
        start--;
        if (((unsigned char)text[start] & 0xC0) != 0x80)
            return mention_goes_on(text, at, start);
    }
    return false;
}

static bool mention_joins(char c) {
    return c == '.' || c == '-';
}

/* "bob." ends a sentence, but "bob.smith" is another name. */
static bool mention_is_whole(const char *text, size_t bytes, size_t at, size_t end) {
    size_t before = at > 0 && mention_joins(text[at - 1]) ? at - 1 : at;
    size_t behind = end < bytes && mention_joins(text[end]) ? end + 1 : end;
    return !mention_comes_from(text, before) && !mention_goes_on(text, bytes, behind);
}

size_t mention_find(const char *text, size_t bytes, size_t from, const char *name) {
    size_t name_bytes = strlen(name);
    for (size_t at = from; at + name_bytes <= bytes; at++)
        if (strncasecmp(text + at, name, name_bytes) == 0 &&
            mention_is_whole(text, bytes, at, at + name_bytes))
            return at;
    return bytes;
}

bool mention_is_in(const char *text, const char *name) {
    size_t bytes = strlen(text);
    return *name != '\0' && mention_find(text, bytes, 0, name) < bytes;
}
