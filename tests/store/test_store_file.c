/* The store as files: modes, versions, what is refused, and a write-ahead log that stays short. */
#include "fixture.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int setup(void **state) {
    *state = fixture_in_folder();
    return 0;
}

static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

static off_t expect_private(const struct fixture *fixture, const char *suffix) {
    char path[FIXTURE_PATH_BYTES + 8];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s%s", fixture->path, suffix);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    return info.st_size;
}

static void its_files_are_private_whatever_the_mask(void **state) {
    struct fixture *fixture = *state;
    mode_t before = umask(0);
    fixture_open(fixture);
    fixture_account(fixture, "han");
    (void)umask(before);
    expect_private(fixture, "");
    expect_private(fixture, "-wal");
    expect_private(fixture, "-shm");
}

static void a_file_that_others_could_read_becomes_private(void **state) {
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_close(fixture);
    assert_int_equal(chmod(fixture->path, 0644), 0);
    fixture_open(fixture);
    expect_private(fixture, "");
}

static void expect_refused(struct fixture *fixture, const char *says) {
    assert_int_equal(store_open(&fixture->store, &fixture->options), STORE_FAILED);
    assert_non_null(strstr(store_error(fixture->store), says));
    assert_non_null(strstr(store_error(fixture->store), fixture->path));
    fixture_close(fixture);
}

static void a_newer_store_is_refused(void **state) {
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_account(fixture, "han");
    fixture_close(fixture);
    fixture_execute(fixture, "PRAGMA user_version = 2000");
    expect_refused(fixture, "a newer zchat made it (schema 2000, this program knows up to ");
}

static void another_database_is_refused(void **state) {
    struct fixture *fixture = *state;
    fixture_execute(fixture, "CREATE TABLE mine (x)");
    expect_refused(fixture, "it is no store of zchat");
}

static void what_is_no_database_is_refused(void **state) {
    struct fixture *fixture = *state;
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        assert_true(fputs("this is no database\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    expect_refused(fixture, "file is not a database");
}

static void a_missing_folder_is_an_error(void **state) {
    struct fixture *fixture = *state;
    char path[2 * FIXTURE_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/none/store", fixture->folder);
    struct store_options options = {.path = path};
    assert_int_equal(store_open(&fixture->store, &options), STORE_FAILED);
    assert_non_null(strstr(store_error(fixture->store), "No such file or directory"));
}

static void an_opening_without_a_store_has_a_text(void **state) {
    (void)state;
    assert_non_null(strstr(store_error(NULL), "memory"));
    store_close(NULL);
}

static void a_second_broker_on_the_same_store_fails_and_harms_nothing(void **state) {
    struct fixture *fixture = *state;
    struct store *second = NULL;
    struct store_message_stored stored;
    fixture_open(fixture);
    fixture_account(fixture, "leia");
    int64_t han = fixture_account(fixture, "han");
    assert_ok(store_open(&second, &fixture->options));
    fixture_sent(fixture, han, "leia", "one");
    struct store *first = fixture->store;
    fixture->store = second;
    fixture_begin(fixture);
    assert_int_equal(fixture_send(fixture, NULL, han, "leia", "two", &stored), STORE_FAILED);
    assert_non_null(strstr(store_error(second), "another process"));
    store_close(second);
    fixture->store = first;
    fixture_sent(fixture, han, "leia", "three");
    fixture_reopen(fixture);
    fixture_expect_state(fixture, han, 2, 2);
}

/* Checkpoints make the log begin anew: it does not grow with what is stored. Each turn writes at
 * least three pages, so without them the log would have three times as many as there are turns. */
static void the_write_ahead_log_stays_short(void **state) {
    struct fixture *fixture = *state;
    enum { TURNS = 3000 };
    fixture->options.wal_pages = 50;
    fixture->options.view_entries = 100;
    fixture_open(fixture);
    fixture_account(fixture, "leia");
    int64_t han = fixture_account(fixture, "han");
    for (int i = 0; i < TURNS; i++) {
        bool more;
        fixture_sent(fixture, han, "leia", "hello");
        assert_ok(store_maintain(fixture->store, &more));
    }
    off_t reserve = RESERVE_BYTES_MAX + 1024 * 1024; /* is kept behind its end */
    assert_true(expect_private(fixture, "-wal") < (off_t)TURNS * 4096 + reserve);
    fixture_reopen(fixture);
    fixture_expect_state(fixture, han, TURNS, TURNS);
}

static int64_t query(const struct fixture *fixture, const char *sql) {
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return value;
}

/* What an opening has to replay is what is behind the watermark. */
static void a_pass_merges_all_and_moves_the_watermark(void **state) {
    struct fixture *fixture = *state;
    enum { MESSAGES = 700 };
    fixture->options.view_entries = 1000;
    fixture->options.slice_entries = 100;
    fixture_open(fixture);
    fixture_account(fixture, "leia");
    int64_t han = fixture_account(fixture, "han");
    for (int i = 0; i < MESSAGES; i++)
        fixture_sent(fixture, han, "leia", "hello");
    bool more = true;
    assert_ok(store_maintain(fixture->store, &more)); /* in no transaction: merges nothing */
    assert_false(more);
    assert_int_equal(query(fixture, "SELECT count(*) FROM entry"), 0);
    fixture_merge_all(fixture);
    assert_int_equal(query(fixture, "SELECT value FROM meta WHERE name = 'watermark'"),
                     MESSAGES + 2); /* the accounts came first */
    assert_int_equal(query(fixture, "SELECT sum(length(positions)) FROM entry"), 2 * 8 * MESSAGES);
    assert_int_equal(query(fixture, "SELECT count(*) FROM band"), 1);
    fixture_reopen(fixture);
    fixture_expect_state(fixture, han, MESSAGES, MESSAGES);
}

static void a_damaged_page_is_named_with_what_to_do(void **state) {
    struct fixture *fixture = *state;
    fixture_open(fixture);
    fixture_account(fixture, "lando-calrissian");
    fixture_close(fixture);
    fixture_flip(fixture, "lando-calrissian", 16);
    enum store_status status = store_open(&fixture->store, &fixture->options);
    struct store_account account;
    assert_int_equal(status == STORE_OK
                         ? store_account_find(fixture->store, "lando-calrissian", &account)
                         : status,
                     STORE_FAILED);
    assert_non_null(strstr(store_error(fixture->store), ", page "));
    assert_non_null(strstr(store_error(fixture->store), "zchatd check-store"));
    fixture_close(fixture);
}

static void closing_leaves_one_file(void **state) {
    struct fixture *fixture = *state;
    char path[FIXTURE_PATH_BYTES + 8];
    fixture_open(fixture);
    fixture_account(fixture, "han");
    fixture_close(fixture);
    (void)snprintf(path, sizeof path, "%s-wal", fixture->path);
    assert_int_equal(access(path, F_OK), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(its_files_are_private_whatever_the_mask),
        TEST(a_file_that_others_could_read_becomes_private),
        TEST(a_newer_store_is_refused),
        TEST(another_database_is_refused),
        TEST(what_is_no_database_is_refused),
        TEST(a_missing_folder_is_an_error),
        TEST(an_opening_without_a_store_has_a_text),
        TEST(a_second_broker_on_the_same_store_fails_and_harms_nothing),
        TEST(the_write_ahead_log_stays_short),
        TEST(a_pass_merges_all_and_moves_the_watermark),
        TEST(a_damaged_page_is_named_with_what_to_do),
        TEST(closing_leaves_one_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
