/* Characters without a width. Each rule looks only at the kept text in front and at the next code
 * point, and a character that it keeps does not depend on one that could be removed: so cleaning
 * twice changes nothing. Of several joiners in a row only one is kept, and likewise of variation
 * selectors: a longer row would show nothing and could only carry something that nobody sees. */
#include "joiner.h"

enum {
    ZERO_WIDTH_NON_JOINER = 0x200C,
    ZERO_WIDTH_JOINER = 0x200D,
    MONGOLIAN_VOWEL_SEPARATOR = 0x180E,
    EXTENDS_MAX = 10, /* modifiers and tags after an emoji: no more are looked through */
};

struct range {
    uint32_t first, last;
    int value;
};

#include "joiner_table.h"

static int find(const struct range *ranges, size_t count, uint32_t point) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (point > ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && point >= ranges[low].first ? ranges[low].value : 0;
}

#define FIND(ranges, point) find(ranges, sizeof(ranges) / sizeof *(ranges), point)

int joiner_script(uint32_t point) {
    return FIND(joining_letters, point);
}

bool joiner_is_virama(uint32_t point) {
    return FIND(viramas, point) != 0;
}

bool joiner_is_pictographic(uint32_t point) {
    return FIND(pictographic, point) != 0;
}

static bool in(uint32_t point, uint32_t first, uint32_t last) {
    return point >= first && point <= last;
}

/* ---- what stands in front ---- */

/* Takes the last code point off the end of valid UTF-8; 0 at its beginning. */
static uint32_t take_last(const unsigned char *bytes, size_t *count) {
    uint32_t point = 0;
    for (unsigned shift = 0; *count > 0; shift += 6) {
        unsigned char byte = bytes[--*count];
        if ((byte & 0xC0) != 0x80)
            return point | (byte < 0x80 ? byte : byte & (0x3FU >> (shift / 6))) << shift;
        point |= (byte & 0x3FU) << shift;
    }
    return 0;
}

/* Whether the code point may come between an emoji and the joiner after it: UAX 29, GB11. */
static bool is_extend(uint32_t point) {
    return point == 0xFE0F || in(point, 0x1F3FB, 0x1F3FF) || in(point, 0xE0020, 0xE007F);
}

static bool ends_with_emoji(const unsigned char *kept, size_t count) {
    uint32_t point = take_last(kept, &count);
    for (int i = 0; i < EXTENDS_MAX && is_extend(point); i++)
        point = take_last(kept, &count);
    return joiner_is_pictographic(point);
}

/* ---- joiners ---- */

static bool join_stays(const unsigned char *kept, size_t count, uint32_t point, uint32_t next) {
    size_t rest = count;
    uint32_t last = take_last(kept, &rest);
    int script = joiner_script(last);
    if (joiner_is_virama(last) || (script != 0 && script == joiner_script(next)))
        return true;
    return point == ZERO_WIDTH_JOINER && joiner_is_pictographic(next) &&
           ends_with_emoji(kept, count);
}

static bool is_mongolian(uint32_t point) {
    return in(point, 0x1820, 0x18AA);
}

/* ---- variation selectors ---- */

static bool is_selector(uint32_t point) {
    return in(point, 0x180B, 0x180D) || point == 0x180F || in(point, 0xFE00, 0xFE0F) ||
           in(point, 0xE0100, 0xE01EF);
}

static bool is_ideograph(uint32_t point) {
    return in(point, 0x3400, 0x9FFF) || in(point, 0xF900, 0xFAFF) || in(point, 0x20000, 0x3FFFF);
}

static bool is_blank(uint32_t point) {
    return point == 0xA0 || point == 0x1680 || in(point, 0x2000, 0x200D) || point == 0x202F ||
           point == 0x205F || point == 0x3000;
}

/* Whether the code point may have an emoji form: in ASCII, digits, "#" and "*" have one; outside of
 * it, any visible character may. */
static bool has_forms(uint32_t point) {
    bool keycap = in(point, '0', '9') || point == '#' || point == '*';
    return keycap || (point >= 0xA9 && !is_blank(point) && !is_selector(point));
}

static bool selector_stays(const unsigned char *kept, size_t count, uint32_t point) {
    uint32_t last = take_last(kept, &count);
    if (in(point, 0xFE00, 0xFE0F))
        return has_forms(last);
    return point < 0x10000 ? is_mongolian(last) : is_ideograph(last);
}

bool joiner_is(uint32_t point) {
    return in(point, ZERO_WIDTH_NON_JOINER, ZERO_WIDTH_JOINER) ||
           point == MONGOLIAN_VOWEL_SEPARATOR || is_selector(point);
}

bool joiner_stays(const unsigned char *kept, size_t kept_bytes, uint32_t point, uint32_t next) {
    if (is_selector(point))
        return selector_stays(kept, kept_bytes, point);
    if (point == MONGOLIAN_VOWEL_SEPARATOR)
        return is_mongolian(take_last(kept, &kept_bytes)) && is_mongolian(next);
    return join_stays(kept, kept_bytes, point, next);
}

/* ---- the tags of a flag ---- */

/* The ASCII character that the tag at the front stands for, 0x7F for the end of tags, 0: no tag. */
static unsigned tag_at(const unsigned char *bytes, size_t count) {
    if (count < 4 || bytes[0] != 0xF3 || bytes[1] != 0xA0 || (bytes[2] & 0xFE) != 0x80 ||
        (bytes[3] & 0xC0) != 0x80)
        return 0;
    return (bytes[2] & 1U) << 6 | (bytes[3] & 0x3FU);
}

/* The tags spell a subdivision's code: two letters for the country, then one to four letters or
 * digits. */
size_t joiner_flag_bytes(const unsigned char *bytes, size_t count) {
    size_t at = 0, tags = 0;
    for (; tags < 7; tags++, at += 4) {
        unsigned tag = tag_at(bytes + at, count - at);
        bool letter = in(tag, 'a', 'z'), digit = in(tag, '0', '9');
        if (tag == 0x7F && tags >= 3)
            return at + 4;
        if (!letter && !(digit && tags >= 2))
            return 0;
    }
    return 0;
}
