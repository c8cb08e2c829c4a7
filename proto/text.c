/* Text from others. Cleaning is one pass over code points: each one is kept or dropped by itself,
 * except those that belong to an escape sequence in front of them, and joiners and their like,
 * which are kept between certain neighbours (joiner.h). ESC and the C1 controls are never kept, so
 * what remains can't form a sequence, and cleaning twice changes nothing. Nothing here depends on
 * locales. */
#include "text.h"

#include "joiner.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* What decode gives for bytes that are not UTF-8. It gives a stray byte from 0x80 to 0x9F as the C1
 * control that it is for an 8-bit terminal. */
#define NOT_UTF8 UINT32_C(0xFFFFFFFF)

enum {
    BELL = 0x07,
    CANCEL = 0x18,
    SUBSTITUTE = 0x1A,
    ESCAPE = 0x1B,
    DELETE = 0x7F,
    C1_FIRST = 0x80,
    C1_DCS = 0x90,
    C1_SOS = 0x98,
    C1_CSI = 0x9B,
    C1_ST = 0x9C,
    C1_OSC = 0x9D,
    C1_PM = 0x9E,
    C1_APC = 0x9F,
    LINE_SEPARATOR = 0x2028,
    PARAGRAPH_SEPARATOR = 0x2029,
};

struct range {
    uint32_t first, last;
};

/* What is removed although it is no control character: bidi controls (Bidi_Control), and characters
 * without a glyph (Default_Ignorable_Code_Point) except those that joiner.h decides on. Source: the
 * Unicode Character Database 15.0, PropList.txt and DerivedCoreProperties.txt. Noncharacters
 * (FDD0..FDEF, xxFFFE, xxFFFF) are kept: Unicode's corrigendum 9 allows them in texts, and a
 * terminal shows a box. */
static const struct range removed[] = {
    {0x00AD, 0x00AD},   {0x034F, 0x034F},   {0x061C, 0x061C},   {0x115F, 0x1160},
    {0x17B4, 0x17B5},   {0x200B, 0x200B},   {0x200E, 0x200F},   {0x202A, 0x202E},
    {0x2060, 0x206F},   {0x3164, 0x3164},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFF8},   {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE00FF},
    {0xE01F0, 0xE0FFF},
};

/* How many bytes a sequence with this first byte has, and the range of its second byte (table 3-7
 * of the Unicode standard); 0: it is no first byte. */
static size_t sequence_bytes(unsigned char first, unsigned char *low, unsigned char *high) {
    *low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    *high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (first < 0xC2 || first > 0xF4)
        return first < 0x80 ? 1 : 0;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* Takes one code point from the front of at least one byte; returns the bytes that it took. Bytes
 * that are not UTF-8 are taken as far as they could have become UTF-8. */
static size_t decode(const unsigned char *bytes, size_t count, uint32_t *point) {
    unsigned char low, high;
    size_t wanted = sequence_bytes(bytes[0], &low, &high);
    if (wanted <= 1) {
        *point = wanted == 1 || bytes[0] <= C1_APC ? bytes[0] : NOT_UTF8;
        return 1;
    }
    uint32_t value = bytes[0] & (0x7FU >> wanted);
    for (size_t i = 1; i < wanted; i++) {
        if (i == count || bytes[i] < low || bytes[i] > high) {
            *point = NOT_UTF8;
            return i;
        }
        value = value << 6 | (bytes[i] & 0x3FU);
        low = 0x80;
        high = 0xBF;
    }
    *point = value;
    return wanted;
}

#define WORD_BYTES sizeof(uint64_t)

static uint64_t word_at(const unsigned char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Not 0: one of the eight bytes is not ASCII, or is NUL. */
static uint64_t not_plain(const unsigned char *bytes) {
    const uint64_t ones = UINT64_C(0x0101010101010101), word = word_at(bytes);
    return (word | (word - ones)) & ones << 7;
}

/* Not 0: one of the eight bytes is outside of 0x20 to 0x7E, or perhaps only seems to be, because of
 * its neighbour. */
static uint64_t not_kept(const unsigned char *bytes) {
    const uint64_t ones = UINT64_C(0x0101010101010101), word = word_at(bytes);
    return (word | (word - 0x20 * ones) | (word + ones)) & ones << 7;
}

/* How many bytes at the front `bad` accepts, in words of eight; the last word may overlap the one
 * before it. */
static inline size_t good_words(const unsigned char *bytes, size_t count,
                                uint64_t (*bad)(const unsigned char *bytes)) {
    const size_t step = WORD_BYTES;
    size_t at = 0;
    while (at + 4 * step <= count && (bad(bytes + at) | bad(bytes + at + step) |
                                      bad(bytes + at + 2 * step) | bad(bytes + at + 3 * step)) == 0)
        at += 4 * step;
    while (at + step <= count && bad(bytes + at) == 0)
        at += step;
    bool ends = at > 0 && at + step > count && bad(bytes + count - step) == 0;
    return ends ? count : at;
}

bool text_is_utf8(const char *text, size_t text_bytes) {
    const unsigned char *bytes = (const unsigned char *)text;
    size_t at = 0;
    while (at < text_bytes) {
        at += good_words(bytes + at, text_bytes - at, not_plain);
        for (size_t end = at + 8; at < text_bytes && at < end;) {
            uint32_t point;
            size_t taken = decode(bytes + at, text_bytes - at, &point);
            if (point == 0 || point == NOT_UTF8 || (taken == 1 && point >= C1_FIRST))
                return false;
            at += taken;
        }
    }
    return true;
}

/* How many bytes at the front are in low..high. */
static size_t span(const unsigned char *bytes, size_t count, unsigned char low,
                   unsigned char high) {
    size_t at = 0;
    while (at < count && bytes[at] >= low && bytes[at] <= high)
        at++;
    return at;
}

/* How many bytes follow CSI: parameters, intermediates, one final byte (ECMA-48, 5.4). A broken
 * sequence ends before what does not belong to it. */
static size_t csi_rest(const unsigned char *bytes, size_t count) {
    size_t at = span(bytes, count, 0x30, 0x3F);
    at += span(bytes + at, count - at, 0x20, 0x2F);
    return at + (at < count && bytes[at] >= 0x40 && bytes[at] <= 0x7E ? 1 : 0);
}

/* How many bytes follow the beginning of a control string, its terminator included. A newline, or
 * what would begin another sequence, ends it too, so that a forgotten terminator swallows at most
 * one line. */
static size_t string_rest(const unsigned char *bytes, size_t count, uint32_t introducer) {
    size_t at = 0;
    while (at < count && bytes[at] != '\n') {
        uint32_t point;
        size_t taken = decode(bytes + at, count - at, &point);
        if (point == ESCAPE)
            return at + (at + 1 < count && bytes[at + 1] == '\\' ? 2 : 0);
        if (point == LINE_SEPARATOR || point == PARAGRAPH_SEPARATOR)
            break;
        at += taken;
        if (point == C1_ST || point == CANCEL || point == SUBSTITUTE ||
            (point == BELL && introducer == C1_OSC))
            break;
    }
    return at;
}

/* How many of the bytes after a C1 control belong to it. */
static size_t c1_rest(const unsigned char *bytes, size_t count, uint32_t control) {
    switch (control) {
    case C1_CSI:
        return csi_rest(bytes, count);
    case C1_DCS:
    case C1_SOS:
    case C1_OSC:
    case C1_PM:
    case C1_APC:
        return string_rest(bytes, count, control);
    default:
        return 0;
    }
}

/* How many of the bytes after ESC belong to it: ESC @ to ESC _ are the 7-bit C1 controls, other
 * sequences are intermediates and a final byte. */
static size_t escape_rest(const unsigned char *bytes, size_t count) {
    size_t at = span(bytes, count, 0x20, 0x2F);
    if (at == count || bytes[at] < 0x30 || bytes[at] > 0x7E)
        return at;
    if (at == 0 && bytes[0] >= 0x40 && bytes[0] <= 0x5F)
        return 1 + c1_rest(bytes + 1, count - 1, bytes[0] + 0x40U);
    return at + 1;
}

static bool is_removed(uint32_t point) {
    if (point < 0xAD) {
        return (point < 0x20 && point != '\n' && point != '\t') ||
               (point >= DELETE && point <= C1_APC);
    }
    for (size_t i = 0; i < sizeof removed / sizeof *removed && point >= removed[i].first; i++)
        if (point <= removed[i].last)
            return true;
    return point == NOT_UTF8;
}

static void move(unsigned char *bytes, size_t to, size_t from, size_t count) {
    if (to != from)
        memmove(bytes + to, bytes + from, count);
}

/* The text while it is cleaned: what is kept moves to the front. */
struct cleaning {
    unsigned char *bytes; /* borrowed */
    size_t count, at, kept;
    bool one_line;
};

static void keep(struct cleaning *text, size_t count) {
    move(text->bytes, text->kept, text->at, count);
    text->kept += count;
    text->at += count;
}

static void keep_break(struct cleaning *text, size_t taken, char line_break) {
    text->bytes[text->kept++] = (unsigned char)(text->one_line ? ' ' : line_break);
    text->at += taken;
}

static bool stays(const struct cleaning *text, uint32_t point, size_t taken) {
    size_t behind = text->at + taken;
    uint32_t next = NOT_UTF8;
    if (!joiner_is(point))
        return !is_removed(point);
    if (behind < text->count)
        decode(text->bytes + behind, text->count - behind, &next);
    return joiner_stays(text->bytes, text->kept, point, next);
}

static void take_point(struct cleaning *text) {
    const unsigned char *bytes = text->bytes;
    uint32_t point;
    size_t taken = decode(bytes + text->at, text->count - text->at, &point);
    if (point == '\n' || point == '\t')
        keep_break(text, taken, (char)point);
    else if (point == LINE_SEPARATOR || point == PARAGRAPH_SEPARATOR)
        keep_break(text, taken, '\n');
    else if (stays(text, point, taken))
        keep(text, taken);
    else
        text->at += taken;
    if (point == BLACK_FLAG)
        keep(text, joiner_flag_bytes(bytes + text->at, text->count - text->at));
    else if (point == ESCAPE)
        text->at += escape_rest(bytes + text->at, text->count - text->at);
    else if (point >= C1_FIRST && point <= C1_APC)
        text->at += c1_rest(bytes + text->at, text->count - text->at, point);
}

static size_t clean(char *bytes, size_t count, bool one_line) {
    struct cleaning text = {.bytes = (unsigned char *)bytes, .count = count, .one_line = one_line};
    while (text.at < count) {
        size_t plain = good_words(text.bytes + text.at, count - text.at, not_kept);
        if (plain > 0)
            keep(&text, plain);
        else
            take_point(&text);
    }
    assert(text.at == count);
    if (text.kept < count)
        bytes[text.kept] = '\0';
    return text.kept;
}

size_t text_mark_bytes(const char *text, size_t text_bytes) {
    static const char mark[] = {'\xEF', '\xBB', '\xBF'};
    return text_bytes >= sizeof mark && memcmp(text, mark, sizeof mark) == 0 ? sizeof mark : 0;
}

size_t text_clean(char *text, size_t text_bytes) {
    return clean(text, text_bytes, false);
}

size_t text_clean_line(char *text, size_t text_bytes) {
    return clean(text, text_bytes, true);
}

size_t text_characters(const char *text, size_t text_bytes) {
    size_t characters = 0;
    for (size_t i = 0; i < text_bytes; i++)
        characters += ((unsigned char)text[i] & 0xC0) != 0x80;
    return characters;
}

static bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

bool name_fold(const char *input, char name[NAME_BYTES]) {
    size_t length = 0;
    for (; input[length] != '\0'; length++) {
        char c = input[length];
        c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        if (length == NAME_BYTES_MAX || !is_name_character(c)) {
            length = 0;
            break;
        }
        name[length] = c;
    }
    name[length] = '\0';
    return length > 0;
}
