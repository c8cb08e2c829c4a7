/* CURVE keys as people meet them, and hashes. */
#ifndef CRYPTO_H
#define CRYPTO_H

#include "limits.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- keys: Z85 text, hex text, and the fingerprint that is read aloud ---- */

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

/* ---- hashes: BLAKE2b-512 over bytes that come in pieces, with a state that can be stored between
 * two pieces ---- */

#define HASH_BYTES       64
#define HASH_STATE_BYTES 384

/* Plain bytes: it may be copied and stored, and goes on where it was with the same libsodium. */
struct hash {
    _Alignas(64) unsigned char state[HASH_STATE_BYTES];
};

void hash_begin(struct hash *hash);
void hash_add(struct hash *hash, const void *bytes, size_t length);
/* The hash of all that was added; the state is used up. */
void hash_end(struct hash *hash, unsigned char out[HASH_BYTES]);

/* BLAKE2b-256, which files had before the schema was final: for what was stored with it. Bytes are
 * added with hash_add. */
#define HASH_OLD_BYTES 32
void hash_old_begin(struct hash *hash);
void hash_old_end(struct hash *hash, unsigned char out[HASH_OLD_BYTES]);

#endif
