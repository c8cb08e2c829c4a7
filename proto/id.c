/* UUIDv7: 48 bits of milliseconds, version, 12 random bits, variant, 62 random bits. The text is
 * 8-4-4-4-12 hex digits, written in lower case. Nothing here reads a clock or makes random bytes:
 * both come from the caller, so that tests can repeat them. */
#include "id.h"

#include <string.h>

void id_make(unsigned char id[ID_BYTES], uint64_t time_ms, const unsigned char random[10]) {
    for (int i = 0; i < 6; i++)
        id[i] = (unsigned char)(time_ms >> (40 - 8 * i));
    memcpy(id + 6, random, 10);
    id[6] = (unsigned char)(0x70 | (id[6] & 0x0F));
    id[8] = (unsigned char)(0x80 | (id[8] & 0x3F));
}

bool id_is_valid(const unsigned char *id, size_t id_bytes) {
    return id_bytes == ID_BYTES && (id[6] & 0xF0) == 0x70 && (id[8] & 0xC0) == 0x80;
}

/* Whether a hyphen comes before this byte of the id. */
static bool hyphen_before(size_t byte) {
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void id_format(const unsigned char id[ID_BYTES], char text[ID_TEXT_BYTES]) {
    static const char digits[] = "0123456789abcdef";
    char *at = text;
    for (size_t i = 0; i < ID_BYTES; i++) {
        if (hyphen_before(i))
            *at++ = '-';
        *at++ = digits[id[i] >> 4];
        *at++ = digits[id[i] & 0x0F];
    }
    *at = '\0';
}

static int digit_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool id_parse(const char *text, unsigned char id[ID_BYTES]) {
    if (strlen(text) != ID_TEXT_BYTES - 1)
        return false;
    unsigned char parsed[ID_BYTES];
    for (size_t i = 0; i < ID_BYTES; i++) {
        if (hyphen_before(i) && *text++ != '-')
            return false;
        int high = digit_value(*text++);
        int low = digit_value(*text++);
        if (high < 0 || low < 0)
            return false;
        parsed[i] = (unsigned char)(high << 4 | low);
    }
    memcpy(id, parsed, ID_BYTES);
    return true;
}
