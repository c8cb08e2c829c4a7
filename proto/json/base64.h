/* Base64 (RFC 4648) as proto3's JSON has it: written in the standard alphabet with padding, read in
 * either alphabet, with padding or without. */
#ifndef BASE64_H
#define BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the text of so many bytes needs, its NUL included. */
#define BASE64_TEXT_BYTES(count) (((count) + 2) / 3 * 4 + 1)
/* How many bytes a text needs at most when it is read. */
#define BASE64_DATA_BYTES(text_bytes) ((text_bytes) / 4 * 3 + 3)

void base64_write(const uint8_t *data, size_t count, char *text);
/* False: the text is no base64. Bits of the last character that belong to no byte are ignored. */
bool base64_read(const char *text, size_t text_bytes, uint8_t *data, size_t *count);

#endif
