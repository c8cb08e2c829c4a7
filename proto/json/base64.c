/* Base64: each character has six bits. */
#include "json/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Up to three bytes become four characters. */
static void write_group(const uint8_t *data, size_t count, char *text) {
    uint32_t bits = (uint32_t)data[0] << 16;
    bits |= count > 1 ? (uint32_t)data[1] << 8 : 0;
    bits |= count > 2 ? data[2] : 0;
    for (size_t i = 0; i < 4; i++)
        text[i] = i <= count ? alphabet[bits >> (18 - 6 * i) & 63] : '=';
}

void base64_write(const uint8_t *data, size_t count, char *text) {
    for (size_t at = 0; at < count; at += 3, text += 4)
        write_group(data + at, count - at < 3 ? count - at : 3, text);
    *text = '\0';
}

/* The value of a character; -1: it is in neither alphabet. */
static int value_of(char c) {
    if (c == '-' || c == '_')
        return c == '-' ? 62 : 63;
    const char *found = c ? strchr(alphabet, c) : NULL;
    return found ? (int)(found - alphabet) : -1;
}

/* Cuts the padding off; false: there is more padding than belongs there. */
static bool cut_padding(const char *text, size_t *text_bytes) {
    size_t bytes = *text_bytes;
    while (bytes > 0 && text[bytes - 1] == '=')
        bytes--;
    bool good = *text_bytes - bytes <= (4 - bytes % 4) % 4 && bytes % 4 != 1;
    *text_bytes = bytes;
    return good;
}

bool base64_read(const char *text, size_t text_bytes, uint8_t *data, size_t *count) {
    uint32_t bits = 0;
    *count = 0;
    if (!cut_padding(text, &text_bytes))
        return false;
    for (size_t i = 0; i < text_bytes; i++) {
        int value = value_of(text[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 != 0)
            data[(*count)++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    return true;
}
