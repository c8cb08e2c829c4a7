/* Passwords: Argon2id with libsodium's INTERACTIVE parameters, about 130 ms and 64 MiB each. All
 * functions may be called from any thread at any time. The caller wipes the passwords that it
 * holds. A password is brought to its one form (unicode_password), however it was typed, before it
 * is hashed or compared with a hash. That is done here, for the broker, `zchatd user` and every
 * client alike. */
#ifndef PASSWORD_H
#define PASSWORD_H

#include "password_file.h"

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_HASH_BYTES 128 /* of a hash's text with its NUL: crypto_pwhash_STRBYTES */

/* False if there is not enough memory; `hash` is "" then. */
bool password_hash(const char *password, char hash[PASSWORD_HASH_BYTES]);

/* Whether it is the text of such a hash, with the cost that all of them have. */
bool password_is_hash(const char *text);

/* Whether the hash is that of the password. A hash of NULL or "" stands for an unknown name or an
 * account without a password: false, after the same work. */
bool password_verify(const char *hash, const char *password);

/* Whether the two are the same, in a time that does not tell where they differ. */
bool password_equals(const char *a, size_t a_bytes, const char *b, size_t b_bytes);

/* Overwrites a secret in a way that compilers don't remove. */
void password_wipe(void *secret, size_t secret_bytes);

#endif
