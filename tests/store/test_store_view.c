/* What the store keeps in memory, alone: tables, tallies, the directory, the view and its passes.
 */
#include "directory.h"
#include "run.h"
#include "table.h"
#include "tally.h"
#include "view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t below(uint64_t *random, size_t end) {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (size_t)(*random % end);
}

static bool number_is(const void *item, const void *key) {
    return *(const uint64_t *)item == *(const uint64_t *)key;
}

/* Hashes of few values, so that many items want the same slot. */
static void a_table_finds_what_is_in_it_and_nothing_else(void **state) {
    (void)state;
    enum { NUMBERS = 500, OPERATIONS = 40000 };
    uint64_t random = 4711;
    uint64_t numbers[NUMBERS];
    bool is_in[NUMBERS] = {false};
    size_t count = 0;
    struct table *table = table_new(number_is);
    assert_non_null(table);
    for (size_t i = 0; i < NUMBERS; i++) {
        numbers[i] = i;
    }
    for (size_t i = 0; i < OPERATIONS; i++) {
        size_t at = below(&random, NUMBERS);
        uint64_t hash = at % 37 * 29;
        void *found = table_find(table, hash, &numbers[at]);
        assert_ptr_equal(found, is_in[at] ? &numbers[at] : NULL);
        if (below(&random, 2) == 0) {
            assert_ptr_equal(table_remove(table, hash, &numbers[at]), found);
            count -= is_in[at];
            is_in[at] = false;
        } else if (!is_in[at]) {
            assert_true(table_add(table, hash, &numbers[at]));
            count++;
            is_in[at] = true;
        }
        assert_int_equal(table_count(table), count);
    }
    table_free(table, NULL);
}

static void a_tally_counts_each_sender(void **state) {
    (void)state;
    struct tally *tally = tally_new();
    assert_non_null(tally);
    assert_true(tally_add(tally, 1));
    assert_true(tally_add(tally, 2));
    assert_true(tally_add(tally, 2));
    assert_int_equal(tally_total(tally), 3);
    assert_int_equal(tally_of(tally, 2), 2);
    tally_take(tally, 2);
    tally_take(tally, 2);
    assert_int_equal(tally_of(tally, 2), 0);
    assert_int_equal(tally_of(tally, 3), 0);
    assert_int_equal(tally_total(tally), 1);
    tally_free(tally);
}

static void a_directory_knows_people_both_ways(void **state) {
    (void)state;
    enum { PEOPLE = 3000 };
    struct directory *directory = directory_new(99);
    char name[NAME_BYTES];
    assert_non_null(directory);
    for (int64_t i = 1; i <= PEOPLE; i++) {
        (void)snprintf(name, sizeof name, "p%d", (int)i);
        assert_null(directory_by_name(directory, name));
        const struct person *added = directory_add(directory, i, name);
        assert_ptr_equal(directory_add(directory, i, name), added);
    }
    for (int64_t i = 1; i <= PEOPLE; i++) {
        (void)snprintf(name, sizeof name, "p%d", (int)i);
        const struct person *person = directory_by_name(directory, name);
        assert_non_null(person);
        assert_int_equal(person->account, i);
        assert_ptr_equal(directory_by_account(directory, i), person);
    }
    assert_null(directory_by_account(directory, PEOPLE + 1));
    directory_free(directory);
}

static void a_run_gives_back_its_positions(void **state) {
    (void)state;
    static const int64_t positions[] = {1, 255, 256, INT64_C(0x0123456789abcdef), INT64_MAX};
    enum { COUNT = sizeof positions / sizeof positions[0] };
    unsigned char run[COUNT * RUN_ENTRY_BYTES];
    for (size_t i = 0; i < COUNT; i++) {
        run_put(run, i, positions[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(run_get(run, i), positions[i]);
    }
    assert_memory_equal(run + RUN_ENTRY_BYTES, "\0\0\0\0\0\0\0\377", RUN_ENTRY_BYTES);
}

static void a_pass_sees_each_entry_before_its_watermark_once_in_order(void **state) {
    (void)state;
    struct view *view = view_new();
    assert_non_null(view);
    struct stream *b = view_add(view, 20, 5, 5, true);
    struct stream *a = view_add(view, 10, 0, 0, true);
    assert_true(view_push(view, b, 1, false));
    assert_true(view_push(view, a, 1, true));
    assert_true(view_push(view, b, 2, true));
    assert_true(view_push(view, b, 3, false));
    assert_int_equal(view_count(view), 4);
    assert_int_equal(view_position(b, 6), 1);
    assert_int_equal(view_position(b, 8), 3);
    assert_int_equal(a->cursor, 1);
    assert_int_equal(b->cursor, 5);

    view_pass_begin(view, 2);
    assert_true(view_pass_runs(view));
    assert_ptr_equal(view_pass_stream(view), a);
    assert_int_equal(view_pass_entries(view, 9), 1);
    assert_true(view_pass_merged(view, 1));
    assert_true(view_push(view, a, 4, true)); /* arrives behind the pass */
    assert_ptr_equal(view_pass_stream(view), b);
    assert_int_equal(view_pass_entries(view, 9), 2);
    assert_int_equal(view_pass_entries(view, 1), 1);
    assert_true(view_pass_merged(view, 1));
    assert_ptr_equal(view_pass_stream(view), b);
    assert_true(view_pass_merged(view, 1));
    assert_null(view_pass_stream(view));
    view_pass_end(view);
    assert_int_equal(view_count(view), 2);
    assert_int_equal(b->merged, 7);
    assert_int_equal(view_position(b, 8), 3);

    view_pass_begin(view, 4);
    assert_ptr_equal(view_pass_stream(view), a);
    assert_true(view_pass_merged(view, view_pass_entries(view, 9)));
    assert_ptr_equal(view_pass_stream(view), b);
    assert_true(view_pass_merged(view, view_pass_entries(view, 9)));
    assert_null(view_pass_stream(view));
    view_pass_end(view);
    assert_int_equal(view_count(view), 0);
    assert_int_equal(a->head, a->merged);
    view_free(view);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_finds_what_is_in_it_and_nothing_else),
        cmocka_unit_test(a_tally_counts_each_sender),
        cmocka_unit_test(a_directory_knows_people_both_ways),
        cmocka_unit_test(a_run_gives_back_its_positions),
        cmocka_unit_test(a_pass_sees_each_entry_before_its_watermark_once_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
