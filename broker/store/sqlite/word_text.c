/* See word_text.h. */
#include "word_text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* ---- characters ---- */

struct range {
    uint32_t first;
    uint32_t last;
};

/* Scripts without spaces between words: Thai, Lao, Tibetan, Burmese, Khmer; Han, kana, Bopomofo,
 * Yi. */
static const struct range dense[] = {
    {0x0E00, 0x0EFF}, {0x0F00, 0x0FFF}, {0x1000, 0x109F},   {0x1780, 0x17FF}, {0x2E80, 0x2FDF},
    {0x3005, 0x3007}, {0x3021, 0x3029}, {0x3038, 0x303B},   {0x3040, 0x30FF}, {0x3100, 0x312F},
    {0x31A0, 0x31BF}, {0x31F0, 0x31FF}, {0x3400, 0x4DBF},   {0x4E00, 0x9FFF}, {0xA000, 0xA4CF},
    {0xF900, 0xFAFF}, {0xFF66, 0xFF9F}, {0x20000, 0x3FFFF},
};
/* Accents that stand behind their letter as characters of their own: the index has no accents. */
static const struct range accent = {0x0300, 0x036F};

static bool is_in(const struct range *range, uint32_t character) {
    return character >= range->first && character <= range->last;
}

static bool is_dense(uint32_t character) {
    for (size_t i = 0; i < sizeof dense / sizeof dense[0]; i++)
        if (is_in(&dense[i], character))
            return true;
    return false;
}

/* Of valid UTF-8. */
static size_t decode(const char *text, uint32_t *character) {
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = bytes[0] < 0x80 ? 1 : bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4;
    *character = length == 1 ? bytes[0] : bytes[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++)
        *character = *character << 6 | (bytes[i] & 0x3Fu);
    return length;
}

size_t word_text_write(char *out, const char *text, size_t text_bytes) {
    char *at = out;
    uint32_t character;
    for (size_t i = 0, length; i < text_bytes; i += length) {
        length = decode(text + i, &character);
        if (is_in(&accent, character))
            continue;
        bool apart = is_dense(character);
        if (apart)
            *at++ = ' ';
        memcpy(at, text + i, length);
        at += length;
        if (apart)
            *at++ = ' ';
    }
    return (size_t)(at - out);
}

/* ---- questions ---- */

/* Punctuation and symbols, which are in no word: spaces, dashes, quotes, arrows, emoji. */
static const struct range marks[] = {
    {0x80, 0xA9},     {0xAB, 0xB4},     {0xB6, 0xB9},       {0xBB, 0xBF},     {0xD7, 0xD7},
    {0xF7, 0xF7},     {0x2000, 0x206F}, {0x2190, 0x2BFF},   {0x3000, 0x3004}, {0x3008, 0x3020},
    {0xFE10, 0xFE6F}, {0xFF01, 0xFF0F}, {0x1F000, 0x1FAFF},
};

static bool is_of_word(uint32_t character) {
    if (character < 0x80)
        return isalnum((int)character) != 0;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (is_in(&marks[i], character))
            return false;
    return true;
}

/* How many words there are at most, each of them some work: characters that stand apart, and where
 * others follow one that is in no word. */
static size_t words_in(const char *text, size_t text_bytes) {
    size_t count = 0;
    bool was = false;
    uint32_t character;
    for (size_t i = 0; i < text_bytes;) {
        i += decode(text + i, &character);
        bool is = is_of_word(character);
        count += is && (!was || is_dense(character));
        was = is && !is_dense(character);
    }
    return count;
}

/* One of a question's parts; returns where the next one begins. */
static const char *next_part(const char *words, const char **part, size_t *part_bytes) {
    static const char blanks[] = " \t\n";
    words += strspn(words, blanks);
    if (*words == '"') {
        *part = words + 1;
        *part_bytes = strcspn(*part, "\"");
        return *part + *part_bytes + ((*part)[*part_bytes] == '"');
    }
    *part = words;
    *part_bytes = strcspn(words, " \t\n\"");
    return words + *part_bytes;
}

static char *put(char *out, const char *text) {
    size_t length = strlen(text);
    memcpy(out, text, length);
    return out + length;
}

size_t word_query(char *out, const char *words) {
    const char *part;
    size_t part_bytes, count = 0;
    char *at = out;
    while (words = next_part(words, &part, &part_bytes), part_bytes > 0 || *words) {
        size_t more = words_in(part, part_bytes);
        if (more == 0)
            continue; /* it would find nothing */
        count += more;
        at = put(at, at > out ? " AND \"" : "\"");
        at += word_text_write(at, part, part_bytes);
        at = put(at, "\"");
    }
    *at = '\0';
    return count;
}
