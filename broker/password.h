/* Passwords: Argon2id with libsodium's INTERACTIVE parameters, about 130 ms and 64 MiB each. All
 * functions may be called from any thread at any time. The caller wipes what it holds. What is
 * hashed and compared with a hash is the password's one form (unicode_password), whichever way it
 * was typed: that is done here, for the broker, `zchatd user` and every client alike. */
#ifndef PASSWORD_H
#define PASSWORD_H

#include "password_file.h"

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_HASH_BYTES 128 /* of a hash's text with its NUL: crypto_pwhash_STRBYTES */

/* False where the memory for it is lacking; `hash` is "" then. */
bool password_hash(const char *password, char hash[PASSWORD_HASH_BYTES]);

/* Whether the password is the one of the hash. A hash of NULL or "" stands for an unknown name or
 * an account without a password: false, after the same work. */
bool password_verify(const char *hash, const char *password);

/* Whether the two are the same, in a time that does not tell where they differ. */
bool password_equals(const char *a, size_t a_bytes, const char *b, size_t b_bytes);

/* Overwrites a secret for good. */
void password_wipe(void *secret, size_t secret_bytes);

#endif
