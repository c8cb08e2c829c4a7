/* How the newest entries get from memory into the store's indexed part: by slices that a turn has
 * time for, and at least as fast as others arrive. The clock is one that the test winds on. */
#include "fixture.h"

#include <sqlite3.h>
#include <stdio.h>

enum { PEOPLE = 40, MESSAGES = 1000, ENTRIES = 2 * MESSAGES, TICK_US = 100, TICKS = 10 };
/* Of one stream, between two readings of the clock. */
enum { SOME = ENTRIES / PEOPLE };

/* Each reading takes so long. */
static int64_t ticking(void) {
    static int64_t now_us;
    return now_us += TICK_US;
}

static int64_t standing(void) {
    return 1;
}

static int64_t merged(const struct fixture *fixture) {
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT coalesce(sum(length(positions)) / 8, 0) FROM entry",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return value;
}

static void send_some(struct fixture *fixture, int count) {
    fixture_begin(fixture);
    for (int i = 0; i < count; i++) {
        char to[16];
        struct store_message_stored stored;
        (void)snprintf(to, sizeof to, "user%d", 1 + (i + 1) % PEOPLE);
        assert_ok(fixture_send(fixture, NULL, 1 + i % PEOPLE, to, "hello", &stored));
    }
    fixture_commit(fixture);
}

/* A store that has ENTRIES in memory, and would like to have none there. */
static void open_full(struct fixture *fixture, int64_t (*clock_us)(void)) {
    fixture_open(fixture);
    for (int i = 1; i <= PEOPLE; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "user%d", i);
        assert_int_equal(fixture_account(fixture, name), i);
    }
    send_some(fixture, MESSAGES);
    fixture_close(fixture);
    fixture->options.view_entries = 1;
    fixture->options.slice_entries = 100000;
    fixture->options.slice_us = TICKS * TICK_US;
    fixture->options.clock_us = clock_us;
    fixture_open(fixture);
}

/* The rest of a turn that brought `count` messages. Returns how many entries it merged. */
static int64_t turn(struct fixture *fixture, int count, bool *more) {
    int64_t before = merged(fixture);
    fixture_begin(fixture);
    for (int i = 0; i < count; i++) {
        struct store_message_stored stored;
        assert_ok(fixture_send(fixture, NULL, 1, "user2", "more", &stored));
    }
    assert_ok(store_maintain(fixture->store, more));
    fixture_commit(fixture);
    return merged(fixture) - before;
}

static void a_slice_ends_when_its_time_is_over(void **state) {
    struct fixture *fixture = *state;
    bool more = true;
    int slices = 0;
    open_full(fixture, ticking);
    while (more) {
        int64_t count = turn(fixture, 0, &more);
        assert_true(count > 0);
        assert_true(count <= TICKS * SOME);
        slices++;
    }
    assert_true(slices >= ENTRIES / (TICKS * SOME));
    assert_int_equal(merged(fixture), ENTRIES);
    fixture_expect_state(fixture, 1, ENTRIES / PEOPLE, 1);
}

/* However fast the clock runs: what arrives in memory must not be more than what leaves it. */
static void a_slice_merges_more_than_arrived_whatever_time_it_takes(void **state) {
    struct fixture *fixture = *state;
    enum { ARRIVE = 400 };
    bool more;
    open_full(fixture, ticking);
    assert_true(turn(fixture, ARRIVE, &more) >= (int64_t)2 * 2 * ARRIVE);
    assert_true(more);
}

static void a_slice_ends_after_so_many_entries_where_no_clock_runs(void **state) {
    struct fixture *fixture = *state;
    bool more;
    fixture->options.view_entries = 100000;
    open_full(fixture, NULL);
    fixture_close(fixture);
    fixture->options.slice_entries = 300;
    fixture_open(fixture);
    assert_int_equal(turn(fixture, 0, &more), 300);
    assert_true(more);
    fixture_close(fixture);
    fixture->options.clock_us = standing;
    fixture_open(fixture);
    assert_int_equal(turn(fixture, 0, &more), 300);
}

static int setup(void **state) {
    *state = fixture_in_folder();
    return 0;
}

static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_slice_ends_when_its_time_is_over),
        TEST(a_slice_merges_more_than_arrived_whatever_time_it_takes),
        TEST(a_slice_ends_after_so_many_entries_where_no_clock_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
