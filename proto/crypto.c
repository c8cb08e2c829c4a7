/* See crypto.h. Only public keys and bytes that are not secret come here, so nothing is wiped. */
#include "crypto.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>
#include <zmq.h>

#define FINGERPRINT_BYTES 16

/* ---- keys ----
 *
 * libzmq's decoder gets only characters of Z85's alphabet, and checks itself that no group of five
 * exceeds 32 bits, so a key has only one text in Z85. A text that is no key leaves the result
 * unchanged. */

void key_format(const unsigned char key[KEY_BYTES], char text[KEY_TEXT]) {
    char *written = zmq_z85_encode(text, key, KEY_BYTES);
    assert(written);
}

static bool parse_z85(const char *text, unsigned char key[KEY_BYTES]) {
    static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
    return strspn(text, alphabet) == KEY_TEXT_BYTES && zmq_z85_decode(key, text);
}

static bool parse_hex(const char *text, unsigned char key[KEY_BYTES]) {
    size_t parsed_bytes = 0;
    return sodium_hex2bin(key, KEY_BYTES, text, 2 * KEY_BYTES, NULL, &parsed_bytes, NULL) == 0 &&
           parsed_bytes == KEY_BYTES;
}

bool key_parse(const char *text, unsigned char key[KEY_BYTES]) {
    unsigned char parsed[KEY_BYTES];
    size_t length = strlen(text);
    bool good = (length == KEY_TEXT_BYTES && parse_z85(text, parsed)) ||
                (length == 2 * KEY_BYTES && parse_hex(text, parsed));
    if (good)
        memcpy(key, parsed, KEY_BYTES);
    return good;
}

static void write_groups(const unsigned char hash[FINGERPRINT_BYTES], char *text) {
    char hex[2 * FINGERPRINT_BYTES + 1];
    sodium_bin2hex(hex, sizeof hex, hash, FINGERPRINT_BYTES);
    for (size_t group = 0; group < 8; group++) {
        memcpy(text + 5 * group, hex + 4 * group, 4);
        text[5 * group + 4] = group < 7 ? ' ' : '\0';
    }
}

bool key_parse_fingerprint(const char *text, char fingerprint[FINGERPRINT_TEXT]) {
    unsigned char hash[FINGERPRINT_BYTES];
    size_t parsed_bytes = 0;
    if (sodium_hex2bin(hash, sizeof hash, text, strlen(text), " -:", &parsed_bytes, NULL) != 0 ||
        parsed_bytes != sizeof hash)
        return false;
    write_groups(hash, fingerprint);
    return true;
}

void key_fingerprint_dashes(char fingerprint[FINGERPRINT_TEXT]) {
    for (char *at = fingerprint; *at != '\0'; at++)
        *at = *at == ' ' ? '-' : *at;
}

void key_fingerprint(const unsigned char key[KEY_BYTES], char text[FINGERPRINT_TEXT]) {
    unsigned char hash[FINGERPRINT_BYTES];
    int failed = crypto_generichash(hash, sizeof hash, key, KEY_BYTES, NULL, 0);
    assert(!failed);
    write_groups(hash, text);
}

/* ---- hashes ---- */

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
