/* libsodium's Argon2id, made once with INTERACTIVE parameters, and the reading of password files.
 * There is no state here: sodium_init is safe from any thread and does nothing the second time.
 * libsodium wipes its working memory itself. */
#include "password.h"

#include "text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* Reads until the end of the file or until `bytes_max` are there; -1 with errno. No stdio: its
 * buffer would keep the password. */
static ssize_t read_start(const char *path, char *buffer, size_t bytes_max) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    size_t used = 0;
    ssize_t bytes = 1;
    while (used < bytes_max && bytes != 0) {
        bytes = read(fd, buffer + used, bytes_max - used);
        if (bytes < 0 && errno != EINTR) {
            break;
        }
        used += bytes > 0 ? (size_t)bytes : 0;
    }
    int errno_kept = errno;
    close(fd);
    errno = errno_kept;
    return bytes < 0 ? -1 : (ssize_t)used;
}

bool password_read_file(const char *path, char password[PASSWORD_BYTES], char *error,
                        size_t error_bytes) {
    char buffer[PASSWORD_BYTES_MAX + 2]; /* the newline, and a NUL */
    const char *fault = NULL;
    password[0] = '\0';
    ssize_t bytes = read_start(path, buffer, sizeof buffer - 1);
    if (bytes < 0) {
        snprintf(error, error_bytes, "the password file %s can't be read: %s", path,
                 strerror(errno));
        return false;
    }
    const char *newline = memchr(buffer, '\n', (size_t)bytes);
    size_t line_bytes = newline ? (size_t)(newline - buffer) : (size_t)bytes;
    if (line_bytes > 0 && newline && buffer[line_bytes - 1] == '\r') {
        line_bytes--;
    }
    if (line_bytes == 0) {
        fault = "has an empty first line; the password belongs there";
    } else if (line_bytes > PASSWORD_BYTES_MAX) {
        fault = "has a first line that is longer than a password may be";
    } else if (!text_is_utf8(buffer, line_bytes)) {
        fault = "does not begin with a line of UTF-8 text";
    } else {
        memcpy(password, buffer, line_bytes);
        password[line_bytes] = '\0';
    }
    password_wipe(buffer, sizeof buffer);
    if (fault) {
        snprintf(error, error_bytes, "the password file %s %s", path, fault);
    }
    return !fault;
}
