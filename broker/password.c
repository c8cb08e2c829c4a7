/* libsodium's Argon2id, made once with INTERACTIVE parameters. There is no state here: sodium_init
 * is safe from any thread and does nothing the second time. libsodium wipes its working memory
 * itself. */
#include "password.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static_assert(PASSWORD_HASH_BYTES == crypto_pwhash_STRBYTES, "a hash's text fits exactly");

/* The hash of 32 random bytes that nobody kept, of the same parameters as all others: what stands
 * in for an account that is not there, so that the refusal takes as long. */
static const char dummy_hash[PASSWORD_HASH_BYTES] =
    "$argon2id$v=19$m=65536,t=2,p=1$"
    "cmZXx1vcVxmeGWnXYZx2qw$PKWpHo8wL5BsOwd32QG/VxCig4wC5EoGButWI/1cHDI";

bool password_hash(const char *password, size_t password_bytes, char hash[PASSWORD_HASH_BYTES]) {
    memset(hash, 0, PASSWORD_HASH_BYTES);
    return sodium_init() >= 0 &&
           crypto_pwhash_str_alg(hash, password, password_bytes, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                 crypto_pwhash_MEMLIMIT_INTERACTIVE,
                                 crypto_pwhash_ALG_ARGON2ID13) == 0;
}

bool password_verify(const char *hash, const char *password, size_t password_bytes) {
    bool real = hash && hash[0] != '\0';
    if (sodium_init() < 0) {
        return false;
    }
    bool fits = crypto_pwhash_str_verify(real ? hash : dummy_hash, password, password_bytes) == 0;
    return fits && real;
}

bool password_equals(const char *a, size_t a_bytes, const char *b, size_t b_bytes) {
    unsigned char a_digest[crypto_generichash_BYTES], b_digest[crypto_generichash_BYTES];
    unsigned char key[crypto_generichash_KEYBYTES];
    if (sodium_init() < 0) {
        return false;
    }
    /* Digests under a key of this moment: same length whatever the passwords' lengths are. */
    randombytes_buf(key, sizeof key);
    crypto_generichash(a_digest, sizeof a_digest, (const unsigned char *)a, a_bytes, key,
                       sizeof key);
    crypto_generichash(b_digest, sizeof b_digest, (const unsigned char *)b, b_bytes, key,
                       sizeof key);
    bool same = sodium_memcmp(a_digest, b_digest, sizeof a_digest) == 0;
    password_wipe(a_digest, sizeof a_digest);
    password_wipe(b_digest, sizeof b_digest);
    password_wipe(key, sizeof key);
    return same;
}

void password_wipe(void *secret, size_t secret_bytes) {
    sodium_memzero(secret, secret_bytes);
}
