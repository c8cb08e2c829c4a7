/* The hash of what was given is that of the same bytes at once, whatever runs behind. */
#include "disk/hasher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PIECE  100000
#define PIECES 100 /* more than may wait */

static unsigned char bytes[PIECE];

static void fill(size_t number) {
    memset(bytes, (int)number, sizeof bytes);
}

static void expect(const unsigned char *is, size_t from, size_t to) {
    struct hash hash;
    unsigned char expected[HASH_BYTES];
    hash_begin(&hash);
    for (size_t i = from; i < to; i++) {
        fill(i);
        hash_add(&hash, bytes, sizeof bytes);
    }
    hash_end(&hash, expected);
    assert_memory_equal(is, expected, HASH_BYTES);
}

static void begin(struct hasher *hasher, int64_t file) {
    struct hash hash;
    hash_begin(&hash);
    assert_true(hasher_begin(hasher, file, &hash, 0));
}

static void add(struct hasher *hasher, int64_t file, size_t number) {
    fill(number);
    assert_true(hasher_add(hasher, file, bytes, sizeof bytes));
}

static void expect_end(struct hasher *hasher, int64_t file, size_t from, size_t to) {
    unsigned char is[HASH_BYTES];
    hasher_end(hasher, file, is);
    expect(is, from, to);
}

static void two_files_are_hashed(bool threaded) {
    struct hasher *hasher = hasher_new(threaded);
    begin(hasher, 1);
    begin(hasher, 2);
    for (size_t i = 0; i < PIECES; i++) {
        add(hasher, 1, i);
        add(hasher, 2, i + 1);
    }
    assert_true(hasher_follows(hasher, 1, PIECE * PIECES));
    assert_false(hasher_follows(hasher, 1, PIECE));
    expect_end(hasher, 2, 1, PIECES + 1);
    expect_end(hasher, 1, 0, PIECES);
    assert_false(hasher_follows(hasher, 1, PIECE * PIECES));
    hasher_free(hasher);
}

static void files_are_hashed_by_the_thread(void **state) {
    (void)state;
    two_files_are_hashed(true);
}

static void files_are_hashed_without_a_thread(void **state) {
    (void)state;
    two_files_are_hashed(false);
}

/* What is looked at tells how far it is, and another hasher goes on from there. */
static void a_hash_goes_on_from_where_it_was_seen(void **state) {
    (void)state;
    struct hasher *hasher = hasher_new(true);
    struct hash hash;
    uint64_t offset;
    begin(hasher, 1);
    for (size_t i = 0; i < PIECES; i++)
        add(hasher, 1, i);
    hasher_look(hasher, 1, &hash, &offset);
    hasher_free(hasher);
    assert_true(offset <= PIECES * PIECE);
    assert_int_equal(offset % PIECE, 0);
    hasher = hasher_new(true);
    assert_true(hasher_begin(hasher, 1, &hash, offset));
    for (size_t i = offset / PIECE; i < PIECES; i++)
        add(hasher, 1, i);
    expect_end(hasher, 1, 0, PIECES);
    hasher_free(hasher);
}

static void what_nobody_goes_on_with_is_forgotten(void **state) {
    (void)state;
    struct hasher *hasher = hasher_new(true);
    for (int64_t file = 0; file < 1000; file++) {
        begin(hasher, file);
        add(hasher, file, (size_t)file % 100);
        add(hasher, 0, (size_t)file % 100);
    }
    assert_false(hasher_follows(hasher, 1, PIECE));
    assert_true(hasher_follows(hasher, 999, PIECE));
    assert_true(hasher_follows(hasher, 0, UINT64_C(1001) * PIECE));
    hasher_free(hasher);
}

static void what_begins_anew_forgets_what_was_given(void **state) {
    (void)state;
    struct hasher *hasher = hasher_new(true);
    begin(hasher, 1);
    add(hasher, 1, 7);
    begin(hasher, 1);
    add(hasher, 1, 3);
    expect_end(hasher, 1, 3, 4);
    hasher_free(hasher);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_hashed_by_the_thread),
        cmocka_unit_test(files_are_hashed_without_a_thread),
        cmocka_unit_test(a_hash_goes_on_from_where_it_was_seen),
        cmocka_unit_test(what_nobody_goes_on_with_is_forgotten),
        cmocka_unit_test(what_begins_anew_forgets_what_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
