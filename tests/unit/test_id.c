/* id.h: UUIDv7 as bytes and as text. */
#include "id.h"

#include "unit.h"

#include <string.h>

/* The example of RFC 9562, A.6. */
static const char example_text[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
static const unsigned char example[ID_BYTES] = {0x01, 0x7F, 0x22, 0xE2, 0x79, 0xB0, 0x7C, 0xC3,
                                                0x98, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F};

static void the_example_of_the_rfc_is_made(void **state) {
    const unsigned char random[10] = {0x0C, 0xC3, 0x18, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F};
    unsigned char id[ID_BYTES];
    (void)state;
    id_make(id, UINT64_C(0x017F22E279B0), random);
    assert_memory_equal(id, example, ID_BYTES);
}

static void made_ids_are_valid_and_grow_with_time(void **state) {
    unsigned char before[ID_BYTES] = {0}, id[ID_BYTES], random[10];
    uint64_t seed = 7;
    (void)state;
    for (uint64_t ms = 1; ms < 1000; ms++) {
        for (size_t i = 0; i < sizeof random; i++)
            random[i] = (unsigned char)random_next(&seed);
        id_make(id, ms * 977, random);
        assert_true(id_is_valid(id, ID_BYTES));
        assert_true(memcmp(before, id, ID_BYTES) < 0);
        memcpy(before, id, ID_BYTES);
    }
}

static void other_versions_variants_and_lengths_are_invalid(void **state) {
    unsigned char id[ID_BYTES + 1] = {0};
    (void)state;
    for (unsigned version = 0; version < 16; version++) {
        for (unsigned variant = 0; variant < 4; variant++) {
            memcpy(id, example, ID_BYTES);
            id[6] = (unsigned char)(version << 4 | (id[6] & 0x0F));
            id[8] = (unsigned char)(variant << 6 | (id[8] & 0x3F));
            assert_int_equal(id_is_valid(id, ID_BYTES), version == 7 && variant == 2);
        }
    }
    memcpy(id, example, ID_BYTES);
    assert_false(id_is_valid(id, ID_BYTES - 1));
    assert_false(id_is_valid(id, ID_BYTES + 1));
    assert_false(id_is_valid(NULL, 0));
}

static void text_is_lower_case_and_read_in_both(void **state) {
    char text[ID_TEXT_BYTES];
    unsigned char id[ID_BYTES];
    (void)state;
    id_format(example, text);
    assert_string_equal(text, example_text);
    assert_true(id_parse(text, id));
    assert_memory_equal(id, example, ID_BYTES);
    assert_true(id_parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F", id));
    assert_memory_equal(id, example, ID_BYTES);
}

static void other_text_is_refused(void **state) {
    static const char *const bad[] = {
        "",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
        "017f22e2079b0-7cc3-98c4-dc0c0c07398f",
        "017f22e-279b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "017f22e2-79b0-7cc3-98c4-dc0c0c0739 f",
        "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}",
        "017f22e279b07cc398c4dc0c0c07398f",
    };
    unsigned char id[ID_BYTES] = {0}, zero[ID_BYTES] = {0};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(id_parse(bad[i], id));
        assert_memory_equal(id, zero, ID_BYTES);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_rfc_is_made),
        cmocka_unit_test(made_ids_are_valid_and_grow_with_time),
        cmocka_unit_test(other_versions_variants_and_lengths_are_invalid),
        cmocka_unit_test(text_is_lower_case_and_read_in_both),
        cmocka_unit_test(other_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
