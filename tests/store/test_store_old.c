/* What stores of earlier versions have is there when they were migrated. */
#define _GNU_SOURCE
#include "forum_model.h"
#include "model.h"
#include "old.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* No power is cut here: in memory, where that is a folder, nothing waits for a disk. */
static int setup(void **state) {
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0);
    *state = fixture_in_folder();
    return 0;
}

static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

static void name_beside(const struct fixture *fixture, const char *suffix, char *out) {
    (void)snprintf(out, FIXTURE_PATH_BYTES + 32, "%s%s", fixture->path, suffix);
}

/* As before version 4. */
static void take_out_of_slots(struct fixture *fixture) {
    char path[FIXTURE_PATH_BYTES + 32];
    unsigned char *bytes = malloc(262144);
    name_beside(fixture, "-pieces", path);
    int pieces = open(path, O_RDONLY | O_CLOEXEC);
    sqlite3 *db = NULL;
    sqlite3_stmt *slots = NULL, *add = NULL;
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT place, slot FROM piece_slot", -1, &slots, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO piece VALUES (?1, ?2)", -1, &add, NULL),
                     SQLITE_OK);
    while (sqlite3_step(slots) == SQLITE_ROW) {
        assert_int_equal(
            pread(pieces, bytes, 262144, (off_t)sqlite3_column_int64(slots, 1) * 262144), 262144);
        (void)sqlite3_bind_int64(add, 1, sqlite3_column_int64(slots, 0));
        (void)sqlite3_bind_blob(add, 2, bytes, 262144, SQLITE_STATIC);
        assert_int_equal(sqlite3_step(add), SQLITE_DONE);
        (void)sqlite3_reset(add);
    }
    assert_int_equal(sqlite3_finalize(slots), SQLITE_OK);
    assert_int_equal(sqlite3_finalize(add), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(close(pieces), 0);
    assert_int_equal(unlink(path), 0);
    free(bytes);
}

/* Inboxes, threads with edits and deletions, files; one thread in 40 operations is removed. */
static void expect_same_forum(struct fixture *fixture, const char *sql, bool slots, uint64_t seed) {
    char backup[FIXTURE_PATH_BYTES + 32];
    name_beside(fixture, STORE_BACKUP_SUFFIX, backup);
    fixture->options.view_entries = 300;
    fixture_open(fixture);
    struct forum_model *model = forum_model_new(fixture, seed);
    forum_model_delete_no_file(model);
    forum_model_run(model, 400, 40);
    fixture_merge_all(fixture); /* they had no rubbish */
    fixture_close(fixture);
    old_make(fixture);
    if (!slots)
        take_out_of_slots(fixture);
    fixture_execute(fixture, sql);
    fixture_open(fixture);
    forum_model_check(model);
    assert_int_equal(access(backup, F_OK), 0);
    forum_model_run(model, 40, 40);
    fixture_reopen(fixture);
    forum_model_check(model);
    forum_model_free(model);
}

static void the_second_version_keeps_its_threads(void **state) {
    expect_same_forum(*state, OLD_2, false, 2);
}

static void the_third_version_keeps_its_threads(void **state) {
    expect_same_forum(*state, OLD_3, false, 3);
}

static void the_fourth_version_keeps_its_threads(void **state) {
    expect_same_forum(*state, OLD_4, true, 4);
}

static void the_fifth_version_keeps_its_threads(void **state) {
    expect_same_forum(*state, OLD_5, true, 5);
}

static void the_sixth_version_keeps_its_threads(void **state) {
    expect_same_forum(*state, "", true, 6);
}

static void the_sixth_version_keeps_its_messages(void **state) {
    struct fixture *fixture = *state;
    fixture->options.unread_max = INBOX_UNREAD_MAX;
    fixture->options.unread_per_sender_max = INBOX_UNREAD_PER_SENDER_MAX;
    fixture_open(fixture);
    struct model *model = model_new(fixture, 7);
    model_amend_nothing(model);
    model_run(model, 3000);
    fixture_close(fixture);
    old_make(fixture);
    fixture_open(fixture);
    model_check(model);
    model_run(model, 300);
    model_check(model);
    model_free(model);
}

/* No position is given twice: the watermark says how far they went. */
static void a_removed_thread_at_the_end_leaves_its_positions(void **state) {
    struct fixture *fixture = *state;
    struct store_thread removed;
    fixture->options.view_entries = 1;
    fixture_open(fixture);
    int64_t han = fixture_account(fixture, "han");
    fixture_account(fixture, "leia");
    fixture_sent(fixture, han, "leia", "before");
    forum_thread(fixture, han, "T");
    for (int i = 0; i < 10; i++)
        forum_posted(fixture, han, "T", "text");
    fixture_merge_all(fixture);
    fixture_begin(fixture);
    assert_ok(store_thread_remove(fixture->store, "T", han, false, &removed));
    fixture_commit(fixture);
    fixture_merge_all(fixture);
    fixture_close(fixture);
    old_make(fixture);
    int64_t watermark = forum_query(fixture, "SELECT value FROM meta WHERE name = 'watermark'");
    assert_true(watermark > forum_query(fixture, "SELECT max(pos) FROM log"));
    fixture_open(fixture);
    fixture_sent(fixture, han, "leia", "after");
    fixture_expect_state(fixture, 2, 2, 0);
    fixture_close(fixture);
    assert_int_equal(forum_query(fixture, "SELECT max(last) FROM log"), watermark + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_second_version_keeps_its_threads),
        TEST(the_third_version_keeps_its_threads),
        TEST(the_fourth_version_keeps_its_threads),
        TEST(the_fifth_version_keeps_its_threads),
        TEST(the_sixth_version_keeps_its_threads),
        TEST(the_sixth_version_keeps_its_messages),
        TEST(a_removed_thread_at_the_end_leaves_its_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
