/* ICU works on UTF-16 in buffers of the caller, so each function here converts from UTF-8, takes
 * some steps, and converts back. An error of ICU stays in `error`, and then every later step does
 * nothing. */
#include "unicode.h"

#include <stdint.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>

#define UNITS 4096 /* of UTF-16: 128 characters, each of which may become 18 */

struct units {
    UChar at[UNITS];
    int32_t count;
    UErrorCode error;
};

static bool is_ascii(const char *text) {
    unsigned char all = 0;
    for (; *text; text++)
        all |= (unsigned char)*text;
    return all < 0x80;
}

/* Copies the text if it fits; `out` may be `text`. */
static bool put(const char *text, size_t bytes, char *out, size_t out_bytes) {
    if (bytes >= out_bytes)
        return false;
    memmove(out, text, bytes);
    out[bytes] = '\0';
    return true;
}

static void wipe(struct units *units) {
    volatile UChar *at = units->at;
    for (size_t i = 0; i < UNITS; i++)
        at[i] = 0;
}

/* ---- steps ---- */

static void read_utf8(struct units *units, const char *text) {
    units->error = U_ZERO_ERROR;
    u_strFromUTF8(units->at, UNITS, &units->count, text, -1, &units->error);
}

static bool write_utf8(struct units *units, char *out, size_t out_bytes) {
    char text[3 * UNITS + 1];
    int32_t bytes = 0;
    u_strToUTF8(text, sizeof text, &bytes, units->at, units->count, &units->error);
    bool fits = U_SUCCESS(units->error) && put(text, (size_t)bytes, out, out_bytes);
    for (volatile char *at = text; at < text + sizeof text; at++)
        *at = 0; /* it may be a password */
    return fits;
}

static void normalize(struct units *units) {
    struct units from = *units;
    const UNormalizer2 *nfc = unorm2_getNFCInstance(&units->error);
    units->count = unorm2_normalize(nfc, from.at, from.count, units->at, UNITS, &units->error);
    wipe(&from);
}

static void fold(struct units *units) {
    struct units from = *units;
    units->count =
        u_strFoldCase(units->at, UNITS, from.at, from.count, U_FOLD_CASE_DEFAULT, &units->error);
}

static void skeleton(struct units *units) {
    struct units from = *units;
    USpoofChecker *checker = uspoof_open(&units->error);
    units->count =
        uspoof_getSkeleton(checker, 0, from.at, from.count, units->at, UNITS, &units->error);
    uspoof_close(checker);
}

/* To whoever sees it, the braille pattern without dots is a blank. */
static bool is_blank(UChar32 point) {
    return u_charType(point) == U_SPACE_SEPARATOR || point == 0x2800;
}

static void trim(struct units *units) {
    int32_t first = 0, last = units->count;
    while (first < last && is_blank(units->at[first]))
        first++;
    while (last > first && is_blank(units->at[last - 1]))
        last--;
    units->count = last - first;
    memmove(units->at, units->at + first, (size_t)units->count * sizeof *units->at);
}

/* Text that came from valid UTF-8 has surrogates only in pairs. */
static int32_t point_units(const UChar *at, UChar32 *point) {
    *point = at[0];
    if (at[0] < 0xD800 || at[0] > 0xDBFF)
        return 1;
    *point = ((at[0] - 0xD800) << 10) + (at[1] - 0xDC00) + 0x10000;
    return 2;
}

/* Turns each row of blanks into one space, and removes characters without a width. */
static void squeeze(struct units *units) {
    int32_t kept = 0;
    for (int32_t at = 0, taken = 0; at < units->count; at += taken) {
        UChar32 point;
        taken = point_units(units->at + at, &point);
        if (u_hasBinaryProperty(point, UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
            continue;
        if (!is_blank(point)) {
            memmove(units->at + kept, units->at + at, (size_t)taken * sizeof *units->at);
            kept += taken;
        } else if (kept == 0 || units->at[kept - 1] != ' ') {
            units->at[kept++] = ' ';
        }
    }
    units->count = kept;
}

/* ---- forms ---- */

bool unicode_title(const char *typed, char *out, size_t out_bytes) {
    struct units units;
    if (is_ascii(typed)) {
        size_t first = strspn(typed, " "), bytes = strlen(typed + first);
        while (bytes > 0 && typed[first + bytes - 1] == ' ')
            bytes--;
        return put(typed + first, bytes, out, out_bytes);
    }
    read_utf8(&units, typed);
    if (U_SUCCESS(units.error)) {
        normalize(&units);
        trim(&units);
    }
    return write_utf8(&units, out, out_bytes);
}

bool unicode_password(const char *typed, char *out, size_t out_bytes) {
    struct units units;
    if (is_ascii(typed))
        return put(typed, strlen(typed), out, out_bytes);
    read_utf8(&units, typed);
    if (U_SUCCESS(units.error)) {
        for (int32_t i = 0; i < units.count; i++)
            units.at[i] = u_charType(units.at[i]) == U_SPACE_SEPARATOR ? ' ' : units.at[i];
        normalize(&units);
    }
    bool fits = write_utf8(&units, out, out_bytes);
    wipe(&units);
    return fits;
}

/* ---- looks ---- */

/* The ASCII characters that UTS 39 confuses with another one; a test compares them with ICU's. */
static const char *ascii_skeleton(char c) {
    switch (c) {
    case '"':
        return "''";
    case '%':
        return "\u00BA/\u2080";
    case '0':
        return "o";
    case '1':
    case 'I':
    case '|':
        return "l";
    case '`':
        return "'";
    case 'm':
    case 'M':
        return "rn";
    default:
        return NULL;
    }
}

static char ascii_fold(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool ascii_look(const char *title, char look[LOOK_BYTES]) {
    size_t bytes = 0;
    for (; *title; title++) {
        const char *other = ascii_skeleton(*title);
        if (bytes + 7 > LOOK_BYTES)
            return false;
        if (other)
            bytes = (size_t)(stpcpy(look + bytes, other) - look);
        else if (*title != ' ' || bytes == 0 || look[bytes - 1] != ' ')
            look[bytes++] = ascii_fold(*title);
    }
    look[bytes] = '\0';
    return true;
}

/* Folding can produce characters that have a skeleton of their own, so the skeleton is made twice:
 * the second one makes the same of the folded skeletons of capital and small letters. */
bool unicode_look(const char *title, char look[LOOK_BYTES]) {
    struct units units;
    if (is_ascii(title))
        return ascii_look(title, look);
    read_utf8(&units, title);
    if (U_SUCCESS(units.error)) {
        squeeze(&units);
        skeleton(&units);
    }
    if (U_SUCCESS(units.error))
        fold(&units);
    if (U_SUCCESS(units.error))
        skeleton(&units);
    return write_utf8(&units, look, LOOK_BYTES);
}

/* Case folding would do too much: it also makes the same of small letters that only look the same,
 * such as the ligature "fi" and its letters, or the micro sign and the Greek mu. */
static void lower(struct units *units) {
    struct units from = *units;
    units->count = u_strToLower(units->at, UNITS, from.at, from.count, "", &units->error);
}

/* Its capital is "SS". */
static void spell_sharp_s(struct units *units) {
    struct units from = *units;
    int32_t count = 0;
    for (int32_t i = 0; i < from.count && count < UNITS - 1; i++) {
        bool sharp = from.at[i] == 0xDF;
        units->at[count++] = sharp ? 's' : from.at[i];
        if (sharp)
            units->at[count++] = 's';
    }
    units->count = count;
}

bool unicode_fold(const char *title, char folded[LOOK_BYTES]) {
    struct units units;
    if (is_ascii(title)) {
        size_t bytes = strlen(title);
        if (!put(title, bytes, folded, LOOK_BYTES))
            return false;
        for (size_t i = 0; i < bytes; i++)
            folded[i] = ascii_fold(folded[i]);
        return true;
    }
    read_utf8(&units, title);
    if (U_SUCCESS(units.error))
        lower(&units);
    if (U_SUCCESS(units.error))
        spell_sharp_s(&units);
    if (U_SUCCESS(units.error))
        normalize(&units);
    return write_utf8(&units, folded, LOOK_BYTES);
}
