/* Log lines come at most once a minute for each kind and source, and are bounded in all. */
#include "pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define MINUTE_US (60 * 1000000LL)

static void test_one_line_a_minute_for_each_kind_and_source(void **state) {
    struct pace *pace = pace_new();
    uint64_t passed_over = 99;

    (void)state;
    assert_true(pace_due(pace, "flood", "192.0.2.1", 1000, &passed_over));
    assert_int_equal(passed_over, 0);
    for (int i = 0; i < 5; i++)
        assert_false(pace_due(pace, "flood", "192.0.2.1", 1000 + MINUTE_US - 1, NULL));
    assert_true(pace_due(pace, "flood", "192.0.2.2", 1001, NULL));
    assert_true(pace_due(pace, "late", "192.0.2.1", 1001, NULL));
    assert_true(pace_due(pace, "late", NULL, 1001, NULL));
    assert_true(pace_due(pace, "flood", "192.0.2.1", 1000 + MINUTE_US, &passed_over));
    assert_int_equal(passed_over, 5);
    pace_free(pace);
}

static void test_a_thousand_sources_write_a_bounded_number_of_lines(void **state) {
    struct pace *pace = pace_new();
    int lines = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        char source[32];

        snprintf(source, sizeof source, "192.0.%d.%d", i / 256, i % 256);
        lines += pace_due(pace, "flood", source, 1000 + i, NULL);
    }
    assert_in_range(lines, 1, 65); /* one of them for all who found no place */
    assert_true(pace_due(pace, "another kind", "192.0.2.1", 2000, NULL));
    assert_true(pace_due(pace, "no source", NULL, 2000, NULL));
    assert_true(pace_due(pace, "flood", "198.51.100.1", 2000 + MINUTE_US, NULL));
    pace_free(pace);
}

static void test_a_clock_set_back_silences_nobody(void **state) {
    struct pace *pace = pace_new();

    (void)state;
    assert_true(pace_due(pace, "flood", "a", 3600 * MINUTE_US, NULL));
    assert_true(pace_due(pace, "flood", "a", MINUTE_US, NULL));
    assert_false(pace_due(pace, "flood", "a", MINUTE_US + 1, NULL));
    pace_free(pace);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_line_a_minute_for_each_kind_and_source),
        cmocka_unit_test(test_a_thousand_sources_write_a_bounded_number_of_lines),
        cmocka_unit_test(test_a_clock_set_back_silences_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
