/* CURVE keys as people meet them: Z85 text, hex text, and the fingerprint that is read aloud. */
#ifndef KEY_H
#define KEY_H

#include "limits.h"

#include <stdbool.h>

#define KEY_TEXT         (KEY_TEXT_BYTES + 1) /* Z85 with its NUL */
#define FINGERPRINT_TEXT 40 /* 8 groups of 4 hex digits, spaces between, with the NUL */

void key_format(const unsigned char key[KEY_BYTES], char text[KEY_TEXT]);

/* Reads Z85 (40 characters) or hex (64 digits); false where it is neither. */
bool key_parse(const char *text, unsigned char key[KEY_BYTES]);

/* Reads a fingerprint as it is shown, with blanks, dashes, colons or nothing between its digits;
 * `fingerprint` gets the form of key_fingerprint(). False where it is none. */
bool key_parse_fingerprint(const char *text, char fingerprint[FINGERPRINT_TEXT]);

/* The form that a shell takes without quotes: dashes for the blanks, in place. */
void key_fingerprint_dashes(char fingerprint[FINGERPRINT_TEXT]);

/* The first 16 bytes of BLAKE2b-128 over the key. */
void key_fingerprint(const unsigned char key[KEY_BYTES], char text[FINGERPRINT_TEXT]);

#endif
