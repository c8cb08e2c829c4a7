/* What the bench judges by: the ledger sees each kind of fault, the histogram's percentiles are
 * within its precision, a message's text comes back as it was written. */
#include "figures.h"
#include "ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAIRS 3
#define PAIR  1

/* Reads these numbers of one pair, of which `acknowledged` were sent and acknowledged. */
static void assert_faults(const uint32_t *numbers, size_t count, uint32_t acknowledged,
                          uint64_t lost, uint64_t doubled, uint64_t out_of_order) {
    struct reading reading;
    assert_true(reading_init(&reading, PAIRS));
    for (size_t i = 0; i < count; i++)
        assert_true(reading_take(&reading, PAIR, numbers[i]));
    reading_close(&reading, PAIR, acknowledged, acknowledged);
    assert_int_equal(reading.lost, lost);
    assert_int_equal(reading.doubled, doubled);
    assert_int_equal(reading.out_of_order, out_of_order);
    reading_release(&reading);
}

static void all_in_order_is_no_fault(void **state) {
    (void)state;
    assert_faults((uint32_t[]){1, 2, 3}, 3, 3, 0, 0, 0);
    assert_faults(NULL, 0, 0, 0, 0, 0);
}

static void what_is_missing_is_lost(void **state) {
    (void)state;
    assert_faults((uint32_t[]){1, 3}, 2, 3, 1, 0, 0);
    assert_faults((uint32_t[]){1, 2}, 2, 5, 3, 0, 0);
    assert_faults((uint32_t[]){2, 5}, 2, 6, 4, 0, 0);
    assert_faults(NULL, 0, 2, 2, 0, 0);
}

static void what_comes_again_is_doubled(void **state) {
    (void)state;
    assert_faults((uint32_t[]){1, 1, 2}, 3, 2, 0, 1, 0);
    assert_faults((uint32_t[]){1, 2, 3, 2, 1}, 5, 3, 0, 2, 0);
}

static void what_comes_late_is_out_of_order(void **state) {
    (void)state;
    assert_faults((uint32_t[]){2, 1, 3}, 3, 3, 0, 0, 1);
    assert_faults((uint32_t[]){3, 1, 1}, 3, 3, 1, 1, 1);
}

static void what_was_never_sent_counts_as_doubled(void **state) {
    (void)state;
    assert_faults((uint32_t[]){1, 2, 3}, 3, 2, 0, 1, 0);
}

static void a_percentile_is_within_the_width_of_a_bucket(void **state) {
    struct histogram *histogram = calloc(1, sizeof *histogram);
    (void)state;
    assert_non_null(histogram);
    assert_int_equal(histogram_percentile(histogram, 0.5), 0);
    for (int64_t us = 1; us <= 100000; us++)
        histogram_add(histogram, us);
    for (int percent = 1; percent <= 100; percent++) {
        int64_t exact = percent * 1000, found = histogram_percentile(histogram, percent / 100.0);
        assert_in_range((uint64_t)found, (uint64_t)exact, (uint64_t)(exact + exact / 50));
    }
    histogram_add(histogram, INT64_MAX);
    histogram_add(histogram, -1);
    free(histogram);
}

static void a_text_comes_back_as_it_was_written(void **state) {
    const struct payload written = {UINT32_MAX, 0x0fffffff, 12345, UINT64_MAX};
    struct payload read;
    char text[PAYLOAD_BYTES + 2] = {0};
    (void)state;
    memset(text, 'x', PAYLOAD_BYTES + 1);
    payload_write(&written, text);
    assert_int_equal(text[PAYLOAD_BYTES], 'x');
    assert_true(payload_read(text, &read));
    assert_int_equal(read.run, written.run);
    assert_int_equal(read.sender, written.sender);
    assert_int_equal(read.number, written.number);
    assert_int_equal(read.due_us, written.due_us);
    assert_false(payload_read("hello there", &read));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_in_order_is_no_fault),
        cmocka_unit_test(what_is_missing_is_lost),
        cmocka_unit_test(what_comes_again_is_doubled),
        cmocka_unit_test(what_comes_late_is_out_of_order),
        cmocka_unit_test(what_was_never_sent_counts_as_doubled),
        cmocka_unit_test(a_percentile_is_within_the_width_of_a_bucket),
        cmocka_unit_test(a_text_comes_back_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
