/* libsodium's Argon2id with INTERACTIVE parameters. There is no state here: sodium_init is safe
 * from any thread and does nothing the second time. libsodium wipes its working memory itself. */
#include "password.h"

#include "unicode.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static_assert(PASSWORD_HASH_BYTES == crypto_pwhash_STRBYTES, "a hash's text fits exactly");

/* The hash of 32 random bytes that nobody kept, with the same parameters as all other hashes. It is
 * checked for an account that does not exist, so that the refusal takes as long. */
static const char dummy_hash[PASSWORD_HASH_BYTES] =
    "$argon2id$v=19$m=65536,t=2,p=1$"
    "cmZXx1vcVxmeGWnXYZx2qw$PKWpHo8wL5BsOwd32QG/VxCig4wC5EoGButWI/1cHDI";

/* Normal form C makes UTF-8 at most three times as long. */
#define FORM_BYTES (3 * PASSWORD_BYTES_MAX + 1)

/* Makes the text that is hashed: the form that is the same from every keyboard or, if there is
 * none, what was typed. */
static void prepare(const char *password, char form[FORM_BYTES]) {
    if (!unicode_password(password, form, FORM_BYTES))
        snprintf(form, FORM_BYTES, "%s", password);
}

bool password_hash(const char *password, char hash[PASSWORD_HASH_BYTES]) {
    char form[FORM_BYTES];
    memset(hash, 0, PASSWORD_HASH_BYTES);
    prepare(password, form);
    bool made = sodium_init() >= 0 &&
                crypto_pwhash_str_alg(hash, form, strlen(form), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                      crypto_pwhash_MEMLIMIT_INTERACTIVE,
                                      crypto_pwhash_ALG_ARGON2ID13) == 0;
    password_wipe(form, sizeof form);
    return made;
}

bool password_is_hash(const char *text) {
    return sodium_init() >= 0 &&
           crypto_pwhash_str_needs_rehash(text, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                          crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0;
}

bool password_verify(const char *hash, const char *password) {
    bool real = hash && hash[0] != '\0';
    char form[FORM_BYTES];
    if (sodium_init() < 0)
        return false;
    prepare(password, form);
    bool fits = crypto_pwhash_str_verify(real ? hash : dummy_hash, form, strlen(form)) == 0;
    password_wipe(form, sizeof form);
    return fits && real;
}

bool password_equals(const char *a, size_t a_bytes, const char *b, size_t b_bytes) {
    unsigned char a_digest[crypto_generichash_BYTES], b_digest[crypto_generichash_BYTES];
    unsigned char key[crypto_generichash_KEYBYTES];
    if (sodium_init() < 0)
        return false;
    /* Compares digests with a random key, which have the same length whatever the passwords'
     * lengths are. */
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
