/* How the newest entries get from memory into the store's indexed part: by slices that a turn has
 * time for, and at least as fast as others arrive. The clock is one that the test winds on. */
#include "fixture.h"
#include "sqlite/index_row.h"
#include "store_check.h"

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

/* Adds up what the query's rows say. */
static int64_t sum(const struct fixture *fixture, const char *sql,
                   int64_t (*of)(sqlite3_stmt *row)) {
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int64_t all = 0;
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW)
        all += of(statement);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return all;
}

static int64_t number(sqlite3_stmt *row) {
    return sqlite3_column_int64(row, 0);
}

static int64_t entries_in(sqlite3_stmt *row) {
    size_t at = 0;
    int64_t count = 0;
    struct group group;
    while (
        group_read(sqlite3_column_blob(row, 0), (size_t)sqlite3_column_bytes(row, 0), &at, &group))
        count += (int64_t)group.count;
    return count;
}

static int64_t merged(const struct fixture *fixture) {
    return sum(fixture, "SELECT coalesce(sum(length(positions)) / 8, 0) FROM entry", number) +
           sum(fixture, "SELECT groups FROM band_row", entries_in);
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

/* ---- streams with few entries ---- */

enum { MANY = 3 * BAND_STREAMS + 20, ROUNDS = 24 };

/* In each round everybody sends a message to whoever is `round` behind them, and every fourth time
 * one of them sends many. */
static void send_rounds(struct fixture *fixture, int from, int to) {
    for (int round = from; round < to; round++) {
        fixture_begin(fixture);
        for (int i = 0; i < MANY + (round % 4 == 0 ? 60 : 0); i++) {
            char name[16], text[32];
            struct store_message_stored stored;
            int author = i < MANY ? i : 5;
            (void)snprintf(name, sizeof name, "user%d", 1 + (author + round) % MANY);
            (void)snprintf(text, sizeof text, "%d from %d", round, author + 1);
            assert_ok(fixture_send(fixture, NULL, 1 + author, name, text, &stored));
        }
        fixture_commit(fixture);
        fixture_merge_all(fixture);
    }
}

struct reading {
    uint64_t seq; /* the last one's, or its round */
    size_t count;
};

static bool read_one(void *arg, const struct store_message *message) {
    struct reading *reading = arg;
    assert_false(message->damaged);
    assert_int_equal(message->seq, reading->seq + 1);
    reading->seq = message->seq;
    reading->count++;
    return true;
}

/* From any entry on all that follow are there, without a hole. */
static void expect_all_readable(struct fixture *fixture, int64_t account) {
    uint64_t head, cursor;
    assert_ok(store_inbox_state(fixture->store, account, &head, &cursor));
    for (uint64_t after = 0; after <= head; after += 1 + after / 4) {
        struct reading reading = {.seq = after};
        assert_ok(store_inbox_read(fixture->store, account, after, SIZE_MAX, read_one, &reading));
        assert_int_equal(reading.count, head - after);
    }
}

static bool find_text(void *arg, const struct store_message *message) {
    struct reading *reading = arg;
    int round, author;
    char from[16], text[32];
    (void)snprintf(text, sizeof text, "%.*s", (int)message->text_bytes, message->text);
    assert_int_equal(sscanf(text, "%d from %d", &round, &author), 2);
    (void)snprintf(from, sizeof from, "user%d", author);
    assert_string_equal(message->from, from);
    assert_true((uint64_t)round >= reading->seq);
    reading->seq = (uint64_t)round;
    reading->count++;
    return true;
}

static void expect_all_inboxes(struct fixture *fixture) {
    for (int64_t account = 1; account <= MANY; account += 7) {
        struct reading reading = {.seq = 0};
        expect_all_readable(fixture, account);
        assert_ok(store_inbox_read(fixture->store, account, 0, SIZE_MAX, find_text, &reading));
        assert_true(reading.count >= 2 * ROUNDS);
    }
}

static void ignore_text(void *arg, const char *text) {
    (void)arg;
    print_message("%s\n", text);
}

static void ignore_progress(void *arg, const char *what, uint64_t done, uint64_t all) {
    (void)arg, (void)what, (void)done, (void)all;
}

static uint64_t damages(const struct fixture *fixture) {
    struct store_check check = {
        .path = fixture->path, .damage = ignore_text, .progress = ignore_progress};
    (void)store_check(&check);
    return check.damages;
}

static void expect_sound(const struct fixture *fixture) {
    assert_int_equal(damages(fixture), 0);
}

static void streams_with_few_entries_share_rows(void **state) {
    struct fixture *fixture = *state;
    fixture->options.view_entries = 1000;
    fixture_open(fixture);
    for (int i = 1; i <= MANY; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "user%d", i);
        assert_int_equal(fixture_account(fixture, name), i);
    }
    send_rounds(fixture, 1, ROUNDS / 2);
    expect_all_readable(fixture, 6);
    fixture_reopen(fixture);
    send_rounds(fixture, ROUNDS / 2, ROUNDS + 1);
    expect_all_inboxes(fixture);
    fixture_reopen(fixture);
    expect_all_inboxes(fixture);
    int64_t entries = sum(fixture, "SELECT groups FROM band_row", entries_in);
    int64_t rows = sum(fixture, "SELECT count(*) FROM band_row", number);
    assert_true(entries > (int64_t)MANY * ROUNDS);
    assert_true(rows > 8);
    assert_true(entries / rows > 200);
    assert_true(sum(fixture, "SELECT count(*) FROM entry", number) > 0); /* who sends many */
    fixture_close(fixture);
    expect_sound(fixture);
}

/* With the right checksums of its pages: each would lead a reader astray. */
static void a_check_finds_what_is_wrong_with_a_band(void **state) {
    static const char *const wrongs[] = {
        "UPDATE band SET rows = rows + 1",
        "UPDATE band SET last_bytes = last_bytes - 1",
        "UPDATE band SET streams = zeroblob(500)",
        "DELETE FROM band",
        "DELETE FROM band_row",
        "UPDATE band_row SET groups = substr(groups, 1, length(groups) - 1)",
        ("UPDATE band_row SET groups = CAST(substr(groups, 1, 3) || x'01' || substr(groups, 5) AS "
         "BLOB)"),
        "UPDATE band_row SET place = place + 1",
        "INSERT INTO entry VALUES (1, 1, x'0000000000000001')",
    };
    struct fixture *fixture = *state;
    fixture->options.view_entries = 1;
    fixture_open(fixture);
    for (int i = 1; i <= PEOPLE; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "user%d", i);
        assert_int_equal(fixture_account(fixture, name), i);
    }
    send_some(fixture, 3 * PEOPLE);
    fixture_merge_all(fixture);
    fixture_close(fixture);
    expect_sound(fixture);
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        char undo[FIXTURE_PATH_BYTES];
        fixture_execute(fixture, "CREATE TABLE a AS SELECT * FROM band; CREATE TABLE b AS SELECT * "
                                 "FROM band_row; CREATE TABLE c AS SELECT * FROM entry;");
        fixture_execute(fixture, wrongs[i]);
        print_message("%s\n", wrongs[i]);
        assert_true(damages(fixture) > 0);
        (void)snprintf(undo, sizeof undo,
                       "DELETE FROM band; INSERT INTO band SELECT * FROM a; DELETE FROM band_row; "
                       "INSERT INTO band_row SELECT * FROM b; DELETE FROM entry; INSERT INTO entry "
                       "SELECT * FROM c; DROP TABLE a; DROP TABLE b; DROP TABLE c");
        fixture_execute(fixture, undo);
        expect_sound(fixture);
    }
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
        TEST(streams_with_few_entries_share_rows),
        TEST(a_check_finds_what_is_wrong_with_a_band),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
