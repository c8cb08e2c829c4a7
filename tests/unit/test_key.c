/* key.h: CURVE keys as Z85, hex and fingerprint. The key is the client's of ZeroMQ's RFC 32. */
#include "crypto.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

static const char z85[] = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";
static const unsigned char key[KEY_BYTES] = {
    0x8E, 0x0B, 0xDD, 0x69, 0x76, 0x28, 0xB9, 0x1D, 0x8F, 0x24, 0x55, 0x87, 0xEE, 0x95, 0xC5, 0xB0,
    0x4D, 0x48, 0x96, 0x3F, 0x79, 0x25, 0x98, 0x77, 0xB4, 0x9C, 0xD9, 0x06, 0x3A, 0xEA, 0xD3, 0xB7};

static void a_key_is_written_as_z85(void **state) {
    char text[KEY_TEXT];
    (void)state;
    key_format(key, text);
    assert_string_equal(text, z85);
}

static void z85_and_hex_are_read(void **state) {
    char hex[2 * KEY_BYTES + 1];
    (void)state;
    for (int upper = 0; upper < 2; upper++) {
        unsigned char parsed[KEY_BYTES] = {0};
        for (size_t i = 0; i < KEY_BYTES; i++)
            snprintf(hex + 2 * i, 3, upper ? "%02X" : "%02x", key[i]);
        assert_true(key_parse(hex, parsed));
        assert_memory_equal(parsed, key, KEY_BYTES);
    }
    unsigned char parsed[KEY_BYTES] = {0};
    assert_true(key_parse(z85, parsed));
    assert_memory_equal(parsed, key, KEY_BYTES);
}

static void every_character_outside_of_the_alphabet_is_refused(void **state) {
    unsigned char parsed[KEY_BYTES] = {0}, zero[KEY_BYTES] = {0};
    (void)state;
    for (int c = 1; c < 256; c++) {
        char text[KEY_TEXT] = "";
        memcpy(text, z85, sizeof z85);
        text[6] = (char)c;
        bool known = c > ' ' && c < 0x7F && !strchr("\"',;\\_`|~", c);
        assert_int_equal(key_parse(text, parsed), known);
        if (!known)
            assert_memory_equal(parsed, zero, KEY_BYTES);
        memset(parsed, 0, sizeof parsed);
    }
}

static void other_text_is_refused(void **state) {
    static const char *const bad[] = {
        "",
        "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh",
        "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6J",
        "########################################", /* beyond 32 bits in each group */
        "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!N%nSc1",
        "8e0bdd697628b91d8f245587ee95c5b04d48963f79259877b49cd9063aead31",
        "8e0bdd697628b91d8f245587ee95c5b04d48963f79259877b49cd9063aead31g",
        "8e0bdd697628b91d8f245587ee95c5b04d48963f79259877b49cd9063aead31 ",
        "8e:0bdd697628b91d8f245587ee95c5b04d48963f79259877b49cd9063aead3b",
    };
    unsigned char parsed[KEY_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(key_parse(bad[i], parsed));
}

static void the_fingerprint_is_blake2b_in_groups(void **state) {
    char text[FINGERPRINT_TEXT];
    (void)state;
    key_fingerprint(key, text);
    assert_string_equal(text,
                        "c69e c6b6 2f9c c8c5 ca00 656b 13ee 5b04"); /* python: hashlib.blake2b(key,
                                                                       digest_size=16) */
}

static void a_fingerprint_is_read_however_it_is_written(void **state) {
    static const char *const good[] = {
        "c69e c6b6 2f9c c8c5 ca00 656b 13ee 5b04", "c69e-c6b6-2f9c-c8c5-ca00-656b-13ee-5b04",
        "C69E:C6B6:2F9C:C8C5:CA00:656B:13EE:5B04", "c69ec6b62f9cc8c5ca00656b13ee5b04"};
    static const char *const bad[] = {"", "c69e c6b6", "c69ec6b62f9cc8c5ca00656b13ee5b0",
                                      "c69ec6b62f9cc8c5ca00656b13ee5b0400",
                                      "c69ec6b62f9cc8c5ca00656b13ee5b0x"};
    char text[FINGERPRINT_TEXT];
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(key_parse_fingerprint(good[i], text));
        assert_string_equal(text, good[0]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(key_parse_fingerprint(bad[i], text));
    key_fingerprint_dashes(text);
    assert_string_equal(text, good[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_written_as_z85),
        cmocka_unit_test(z85_and_hex_are_read),
        cmocka_unit_test(every_character_outside_of_the_alphabet_is_refused),
        cmocka_unit_test(other_text_is_refused),
        cmocka_unit_test(the_fingerprint_is_blake2b_in_groups),
        cmocka_unit_test(a_fingerprint_is_read_however_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
