/* password_file.h: what a file gives as a password, whichever editor wrote it. */
#include "password_file.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WITH_BYTES(text) (text), sizeof(text) - 1

struct source {
    const char *bytes;
    size_t count;
    const char *expected; /* the password, or a part of what is wrong */
};

static void a_line_end_and_a_byte_order_mark_are_no_part_of_the_password(void **state) {
    static const struct source sources[] = {
        {WITH_BYTES("two words"), "two words"},
        {WITH_BYTES("two words\n"), "two words"},
        {WITH_BYTES("two words\r\n"), "two words"},
        {WITH_BYTES("two words\r"), "two words"},
        {WITH_BYTES("two words\nanother\n"), "two words"},
        {WITH_BYTES("two words\n\0"), "two words"},
        {WITH_BYTES("\xEF\xBB\xBFtwo words\r\n"), "two words"},
        {WITH_BYTES(" two words \n"), " two words "},
        {WITH_BYTES("a\rb\r\r\n"), "a\rb\r"},
        {WITH_BYTES("p\xC3\xA4ss\n"), "p\xC3\xA4ss"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        char password[PASSWORD_BYTES];
        assert_null(password_take(sources[i].bytes, sources[i].count, password));
        assert_string_equal(password, sources[i].expected);
    }
}

static void what_is_no_password_is_refused_with_its_reason(void **state) {
    static const struct source sources[] = {
        {WITH_BYTES(""), "empty"},
        {WITH_BYTES("\n"), "empty"},
        {WITH_BYTES("\r\n"), "empty"},
        {WITH_BYTES("\nsecond\n"), "empty"},
        {WITH_BYTES("\xEF\xBB\xBF"), "empty"},
        {WITH_BYTES("\xEF\xBB\xBF\r\n"), "empty"},
        {WITH_BYTES("a\0b\n"), "NUL"},
        {WITH_BYTES("\0"), "NUL"},
        {WITH_BYTES("a\0\n"), "NUL"},
        {WITH_BYTES("\xFF\xFE"
                    "a\xFF"),
         "UTF-8"},
        {WITH_BYTES("a\xFF\n"), "UTF-8"},
        {WITH_BYTES("\xED\xA0\x80\n"), "UTF-8"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        char password[PASSWORD_BYTES] = "x";
        const char *fault = password_take(sources[i].bytes, sources[i].count, password);
        assert_non_null(fault);
        assert_non_null(strstr(fault, sources[i].expected));
        assert_string_equal(password, "");
    }
}

static void the_longest_password_fits_with_all_that_may_stand_around_it(void **state) {
    char source[PASSWORD_SOURCE_BYTES + 1], password[PASSWORD_BYTES];
    (void)state;
    memcpy(source, "\xEF\xBB\xBF", 3);
    memset(source + 3, 'x', PASSWORD_BYTES_MAX);
    memcpy(source + 3 + PASSWORD_BYTES_MAX, "\r\n", 2);
    assert_null(password_take(source, 3 + PASSWORD_BYTES_MAX + 2, password));
    assert_int_equal(strlen(password), PASSWORD_BYTES_MAX);
    source[3 + PASSWORD_BYTES_MAX] = 'x';
    assert_non_null(strstr(password_take(source, PASSWORD_SOURCE_BYTES, password), "longer"));
}

/* The source, when nothing more than PASSWORD_SOURCE_BYTES of it is looked at, seems to end: its
 * last byte must not be taken for a whole CRLF. */
static void a_long_file_is_too_long_wherever_its_bytes_end(void **state) {
    char path[] = "/tmp/test_password_file.XXXXXX", password[PASSWORD_BYTES], error[1024];
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    for (int i = 0; i < 3 * PASSWORD_BYTES_MAX; i++)
        assert_int_equal(write(fd, i % 2 ? "\r" : "x", 1), 1);
    close(fd);
    assert_false(password_read_file(path, password, error, sizeof error));
    assert_non_null(strstr(error, path));
    assert_non_null(strstr(error, "longer"));
    unlink(path);
}

static void a_file_that_is_not_there_is_named(void **state) {
    char password[PASSWORD_BYTES], error[1024];
    (void)state;
    assert_false(password_read_file("/nonexistent/p", password, error, sizeof error));
    assert_non_null(strstr(error, "/nonexistent/p can't be read: No such file"));
    assert_false(password_read_file("/", password, error, sizeof error));
    assert_non_null(strstr(error, "can't be read: Is a directory"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_end_and_a_byte_order_mark_are_no_part_of_the_password),
        cmocka_unit_test(what_is_no_password_is_refused_with_its_reason),
        cmocka_unit_test(the_longest_password_fits_with_all_that_may_stand_around_it),
        cmocka_unit_test(a_long_file_is_too_long_wherever_its_bytes_end),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
