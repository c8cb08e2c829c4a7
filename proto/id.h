/* Ids of messages: UUIDv7 (RFC 9562), so that they grow with time and new ones go to the end of an
 * index. */
#ifndef ID_H
#define ID_H

#include "limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_TEXT_BYTES 37 /* the text of an id with its NUL */

/* Makes an id of a time in milliseconds since 1970 and 10 random bytes. */
void id_make(unsigned char id[ID_BYTES], uint64_t time_ms, const unsigned char random[10]);

/* Whether the bytes are a UUID of version 7, variant 10. */
bool id_is_valid(const unsigned char *id, size_t id_bytes);

void id_format(const unsigned char id[ID_BYTES], char text[ID_TEXT_BYTES]);

/* Reads the text of any UUID, in upper or lower case; false if it is none. */
bool id_parse(const char *text, unsigned char id[ID_BYTES]);

#endif
