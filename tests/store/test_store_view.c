/* What the store keeps in memory, alone: tables, tallies, the directory, the view and its passes.
 */
#include "memory/directory.h"
#include "memory/table.h"
#include "memory/tally.h"
#include "memory/view.h"
#include "sqlite/index_row.h"

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
    for (size_t i = 0; i < NUMBERS; i++)
        numbers[i] = i;
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
    assert_true(tally_add(tally, 1, 100));
    assert_true(tally_add(tally, 2, 10));
    assert_true(tally_add(tally, 2, 20));
    assert_int_equal(tally_total(tally).count, 3);
    assert_int_equal(tally_total(tally).bytes, 130);
    assert_int_equal(tally_of(tally, 2).count, 2);
    assert_int_equal(tally_of(tally, 2).bytes, 30);
    tally_take(tally, 2, 10);
    assert_int_equal(tally_of(tally, 2).bytes, 20);
    tally_take(tally, 2, 20);
    assert_int_equal(tally_of(tally, 2).count, 0);
    assert_int_equal(tally_of(tally, 3).count, 0);
    assert_int_equal(tally_total(tally).count, 1);
    assert_int_equal(tally_total(tally).bytes, 100);
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
    for (size_t i = 0; i < COUNT; i++)
        run_put(run, i, positions[i]);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(run_get(run, i), positions[i]);
    assert_memory_equal(run + RUN_ENTRY_BYTES, "\0\0\0\0\0\0\0\377", RUN_ENTRY_BYTES);
}

static void a_pass_sees_each_entry_once_in_order(void **state) {
    (void)state;
    struct view *view = view_new();
    size_t band;
    assert_non_null(view);
    struct stream *b = view_add(view, BAND_STREAMS + 1, 5, 5, true);
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

    view_pass_begin(view, 3);
    assert_true(view_pass_runs(view));
    assert_true(view_pass_band(view, &band));
    assert_int_equal(band, 0);
    assert_ptr_equal(view_pass_stream(view), a);
    assert_int_equal(view_pass_entries(a), 1);
    view_pass_merged(view, a, 1);
    assert_true(view_push(view, a, 4, true));
    assert_ptr_equal(view_pass_stream(view), a);
    view_pass_merged(view, a, 1);
    assert_null(view_pass_stream(view));
    assert_true(view_push(view, a, 5, true)); /* arrives behind the pass */
    assert_true(view_pass_band(view, &band));
    assert_int_equal(band, 1);
    assert_ptr_equal(view_pass_stream(view), b);
    assert_int_equal(view_pass_entries(b), 3);
    view_pass_merged(view, b, 2);
    assert_ptr_equal(view_pass_stream(view), b);
    assert_int_equal(view_position(b, 8), 3);
    view_pass_merged(view, b, 1);
    assert_null(view_pass_stream(view));
    assert_false(view_pass_band(view, &band));
    view_pass_end(view);
    assert_int_equal(view_count(view), 1);
    assert_int_equal(b->head, b->merged);
    assert_int_equal(a->head, a->merged + 1);
    view_remove(view, a);
    assert_int_equal(view_count(view), 0);
    assert_null(view_find(view, 10));
    assert_ptr_equal(view_find(view, BAND_STREAMS + 1), b);
    view_free(view);
}

/* Positions come and go at both ends. */
static void a_stream_keeps_its_positions_however_many_there_are(void **state) {
    (void)state;
    struct view *view = view_new();
    uint64_t random = 99;
    struct stream *stream = view_add(view, 7, 0, 0, false);
    assert_non_null(stream);
    for (int i = 0; i < 20000; i++) {
        size_t entries = view_pass_entries(stream);
        if (below(&random, 40) < 20 + (size_t)(i / 2000 % 2))
            assert_true(view_push(view, stream, (int64_t)stream->head * 3, false));
        else if (entries > 0)
            view_pass_merged(view, stream, 1 + below(&random, entries < 3 ? entries : 3));
        if (stream->head > stream->merged) {
            uint64_t seq =
                stream->merged + 1 + below(&random, (size_t)(stream->head - stream->merged));
            assert_int_equal(view_position(stream, seq), (int64_t)(seq - 1) * 3);
        }
        assert_int_equal(view_count(view), stream->head - stream->merged);
    }
    view_free(view);
}

static void a_stream_that_nobody_gave_takes_no_memory(void **state) {
    (void)state;
    struct view *view = view_new();
    assert_null(view_add(view, INT64_MAX, 0, 0, true));
    assert_null(view_add(view, 0, 0, 0, true));
    assert_null(view_add(view, -5, 0, 0, true));
    assert_null(view_find(view, INT64_MAX));
    assert_null(view_find(view, -5));
    view_free(view);
}

static void a_group_gives_back_its_entries(void **state) {
    (void)state;
    static const struct group groups[] = {
        {.place = 0, .first = 1, .count = 1, .positions = {1}},
        {.place = BAND_STREAMS - 1, .first = UINT64_MAX, .count = 2, .positions = {0, INT64_MAX}},
        {.place = 7, .first = 300, .count = 3, .positions = {127, 128, 20000000}},
    };
    enum { COUNT = sizeof groups / sizeof groups[0] };
    unsigned char bytes[COUNT * GROUP_BYTES_MAX];
    size_t length = 0, at = 0;
    struct group group;
    for (size_t i = 0; i < COUNT; i++)
        length += group_write(bytes + length, &groups[i]);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(group_read(bytes, length, &at, &group));
        assert_int_equal(group.place, groups[i].place);
        assert_int_equal(group.first, groups[i].first);
        assert_int_equal(group.count, groups[i].count);
        assert_memory_equal(group.positions, groups[i].positions,
                            group.count * sizeof group.positions[0]);
    }
    assert_false(group_read(bytes, length, &at, &group));
    for (size_t cut = 1; cut < length; cut++) { /* nothing is read beyond the end */
        unsigned char *copy = malloc(cut);
        memcpy(copy, bytes, cut);
        for (at = 0; group_read(copy, cut, &at, &group);)
            assert_true(at <= cut);
        free(copy);
    }
}

static void a_band_gives_back_what_is_known_of_its_streams(void **state) {
    (void)state;
    struct view *view = view_new();
    unsigned char bytes[BAND_BYTES_MAX];
    view_add(view, 1, 300, 300, true);
    view_add(view, 2, 20, 5, true);
    size_t length = band_write(bytes, view_band(view, 0));
    struct view *later = view_new();
    struct stream *all = view_add(later, 1, 0, 0, true);
    struct stream *some = view_add(later, 2, 0, 7, true); /* moved there by the owner, later */
    struct stream *none = view_add(later, 3, 0, 0, true); /* was not there */
    assert_true(band_read(bytes, length, view_band(later, 0)));
    assert_int_equal(all->head, 300);
    assert_int_equal(all->cursor, 300);
    assert_true(all->cursor_follows);
    assert_int_equal(some->merged, 20);
    assert_int_equal(some->cursor, 7);
    assert_true(some->cursor_follows);
    assert_int_equal(none->head, 0);
    assert_true(none->cursor_follows);
    assert_false(band_read(bytes, length - 1, view_band(later, 0)));
    view_free(view);
    view_free(later);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_finds_what_is_in_it_and_nothing_else),
        cmocka_unit_test(a_tally_counts_each_sender),
        cmocka_unit_test(a_directory_knows_people_both_ways),
        cmocka_unit_test(a_run_gives_back_its_positions),
        cmocka_unit_test(a_pass_sees_each_entry_once_in_order),
        cmocka_unit_test(a_stream_keeps_its_positions_however_many_there_are),
        cmocka_unit_test(a_stream_that_nobody_gave_takes_no_memory),
        cmocka_unit_test(a_group_gives_back_its_entries),
        cmocka_unit_test(a_band_gives_back_what_is_known_of_its_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
