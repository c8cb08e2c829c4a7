/* BLAKE2b-512 over bytes that come in pieces, with a state that can be stored between two pieces.
 */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>

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
