#include "hash.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static_assert(sizeof(crypto_generichash_state) <= HASH_STATE_BYTES, "the state does not fit");

static void begin(struct hash *hash, size_t bytes) {
    memset(hash, 0, sizeof *hash);
    crypto_generichash_init((crypto_generichash_state *)hash->state, NULL, 0, bytes);
}

void hash_begin(struct hash *hash) {
    begin(hash, HASH_BYTES);
}

void hash_old_begin(struct hash *hash) {
    begin(hash, HASH_OLD_BYTES);
}

void hash_add(struct hash *hash, const void *bytes, size_t length) {
    crypto_generichash_update((crypto_generichash_state *)hash->state, bytes, length);
}

void hash_end(struct hash *hash, unsigned char out[HASH_BYTES]) {
    crypto_generichash_final((crypto_generichash_state *)hash->state, out, HASH_BYTES);
}

void hash_old_end(struct hash *hash, unsigned char out[HASH_OLD_BYTES]) {
    crypto_generichash_final((crypto_generichash_state *)hash->state, out, HASH_OLD_BYTES);
}
