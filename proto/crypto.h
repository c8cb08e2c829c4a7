/* CURVE keys as people see them, and hashes. */
#ifndef CRYPTO_H
#define CRYPTO_H

#include "limits.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- keys: Z85 text, hex text, and the fingerprint that can be read aloud ---- */

#define KEY_TEXT         (KEY_TEXT_BYTES + 1) /* Z85 with its NUL */
#define FINGERPRINT_TEXT 40 /* 8 groups of 4 hex digits with spaces between, and the NUL */

void key_format(const unsigned char key[KEY_BYTES], char text[KEY_TEXT]);

/* Reads Z85 (40 characters) or hex (64 digits); false if the text is neither. */
bool key_parse(const char *text, unsigned char key[KEY_BYTES]);

/* Reads a fingerprint as it is shown, with blanks, dashes, colons or nothing between its digits;
 * `fingerprint` gets the form of key_fingerprint(). False if the text is none. */
bool key_parse_fingerprint(const char *text, char fingerprint[FINGERPRINT_TEXT]);

/* Turns it, in place, into the form that a shell takes without quotes: dashes instead of blanks. */
void key_fingerprint_dashes(char fingerprint[FINGERPRINT_TEXT]);

/* The 16 bytes of BLAKE2b-128 over the key, as text. */
void key_fingerprint(const unsigned char key[KEY_BYTES], char text[FINGERPRINT_TEXT]);

/* ---- hashes: BLAKE2b-512 of bytes that come in pieces; its state can be stored between two pieces
 * ---- */

#define HASH_BYTES       64
#define HASH_STATE_BYTES 384

/* Plain bytes: it may be copied and stored; with the same libsodium hashing can go on from it. */
struct hash {
    _Alignas(64) unsigned char state[HASH_STATE_BYTES];
};

void hash_begin(struct hash *hash);
void hash_add(struct hash *hash, const void *bytes, size_t length);
/* The hash of all that was added; the state is used up. */
void hash_end(struct hash *hash, unsigned char out[HASH_BYTES]);

/* BLAKE2b-256, which files had before the schema was final: for files that were stored with it.
 * Bytes are added with hash_add. */
#define HASH_OLD_BYTES 32
void hash_old_begin(struct hash *hash);
void hash_old_end(struct hash *hash, unsigned char out[HASH_OLD_BYTES]);

#endif
