/* Quotas of one account: posts with all their edits, threads, files with what they reserve. */
#include "forum.h"

#include <stdio.h>

#define HAN  INT64_C(1)
#define LEIA INT64_C(2)

#define ROW(bytes) ((bytes) + LOG_ROW_BYTES)

static void set(struct fixture *fixture, uint64_t post_bytes, uint64_t threads,
                uint64_t file_bytes) {
    struct store_quotas quotas = {post_bytes, threads, file_bytes};
    store_set_quotas(fixture->store, &quotas);
}

static int setup(void **state) {
    struct fixture *fixture = fixture_in_folder();
    fixture_open(fixture);
    assert_int_equal(fixture_account(fixture, "han"), HAN);
    assert_int_equal(fixture_account(fixture, "leia"), LEIA);
    forum_thread(fixture, LEIA, "T");
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

static int64_t used(struct fixture *fixture, int64_t account, const char *what) {
    char sql[128];
    (void)snprintf(sql, sizeof sql, "SELECT %s FROM account WHERE id = %d", what, (int)account);
    fixture_merge_all(fixture);
    forum_write_rows(fixture);
    fixture_close(fixture);
    int64_t value = forum_query(fixture, sql);
    fixture_open(fixture);
    return value;
}

static enum store_status post(struct fixture *fixture, int64_t account, const char *text) {
    struct store_post_changed changed;
    struct forum_change change = {.title = "T", .account = account, .text = text};
    return forum_post(fixture, &change, &changed);
}

static enum store_status edit(struct fixture *fixture, uint64_t number, const char *text) {
    struct store_post_changed changed;
    struct forum_change change = {.title = "T", .account = HAN, .number = number, .text = text};
    return forum_edit(fixture, &change, &changed);
}

static void posts_and_edits_count_and_deletions_are_always_allowed(void **state) {
    struct fixture *fixture = *state;
    struct store_post_changed changed;
    set(fixture, 3 * ROW(10), 0, 0);
    assert_ok(post(fixture, HAN, "1234567890"));
    assert_ok(post(fixture, HAN, "1234567890"));
    assert_int_equal(post(fixture, HAN, "12345678901"), STORE_QUOTA_ACCOUNT);
    assert_int_equal(edit(fixture, 1, "12345678901"), STORE_QUOTA_ACCOUNT);
    assert_ok(edit(fixture, 1, "0987654321"));
    assert_int_equal(edit(fixture, 1, "1"), STORE_QUOTA_ACCOUNT);
    assert_ok(post(fixture, LEIA, "somebody else's"));
    struct forum_change change = {.title = "T", .account = HAN, .number = 1};
    assert_ok(forum_delete(fixture, &change, &changed));
    assert_int_equal(post(fixture, HAN, "1"), STORE_QUOTA_ACCOUNT);
    assert_int_equal(used(fixture, HAN, "post_bytes"), 3 * ROW(10) + ROW(0));
}

static void what_was_stored_is_answered_again_past_the_quota(void **state) {
    struct fixture *fixture = *state;
    struct store_post_changed changed;
    unsigned char id[ID_BYTES];
    fixture_id(fixture, id);
    struct forum_change change = {.id = id, .title = "T", .account = HAN, .text = "text"};
    set(fixture, ROW(4), 0, 0);
    assert_ok(forum_post(fixture, &change, &changed));
    assert_ok(forum_post(fixture, &change, &changed));
    assert_true(changed.again);
    assert_int_equal(used(fixture, HAN, "post_bytes"), ROW(4));
}

static void a_removed_thread_gives_all_back_to_each(void **state) {
    struct fixture *fixture = *state;
    struct store_thread thread;
    struct forum_file file = {.title = "T", .name = "f", .account = HAN, .size = 1000};
    fixture_id(fixture, file.id);
    assert_ok(post(fixture, HAN, "one"));
    assert_ok(post(fixture, LEIA, "zwei"));
    assert_ok(post(fixture, HAN, "drei"));
    assert_ok(edit(fixture, 1, "\u00E9ins"));
    forum_upload(fixture, &file, 500);
    assert_int_equal(used(fixture, HAN, "file_bytes"), 1000 + FILE_ROW_BYTES);
    assert_int_equal(used(fixture, HAN, "post_bytes"), ROW(3) + ROW(4) + ROW(5));
    fixture_begin(fixture);
    assert_ok(store_thread_remove(fixture->store, "T", LEIA, false, &thread));
    fixture_commit(fixture);
    assert_int_equal(used(fixture, HAN, "post_bytes"), 0);
    assert_int_equal(used(fixture, HAN, "file_bytes"), 0);
    assert_int_equal(used(fixture, LEIA, "post_bytes"), 0);
    assert_int_equal(used(fixture, LEIA, "threads"), 0);
}

static void threads_are_counted_as_long_as_they_stand(void **state) {
    struct fixture *fixture = *state;
    struct store_thread thread;
    unsigned char id[ID_BYTES];
    set(fixture, 0, 2, 0);
    forum_thread(fixture, HAN, "one");
    forum_thread(fixture, HAN, "two");
    fixture_id(fixture, id);
    fixture_begin(fixture);
    assert_int_equal(store_thread_create(fixture->store, id, "three", HAN, 1, &thread),
                     STORE_QUOTA_ACCOUNT);
    assert_ok(store_thread_create(fixture->store, id, "three", LEIA, 1, &thread));
    assert_ok(store_thread_remove(fixture->store, "one", HAN, false, &thread));
    fixture_id(fixture, id);
    assert_ok(store_thread_create(fixture->store, id, "four", HAN, 1, &thread));
    fixture_commit(fixture);
    assert_int_equal(used(fixture, HAN, "threads"), 2);
}

static enum store_status begin(struct fixture *fixture, struct forum_file *file) {
    struct store_file stored;
    fixture_id(fixture, file->id);
    return forum_begin(fixture, file, &stored);
}

static void reservations_count_as_files_do(void **state) {
    struct fixture *fixture = *state;
    struct forum_file file = {.title = "T", .name = "f", .account = HAN, .size = 1000};
    struct forum_file other = {.title = "T", .name = "other", .account = HAN, .size = 1};
    set(fixture, 0, 0, 1000 + FILE_ROW_BYTES);
    assert_ok(begin(fixture, &file));
    assert_int_equal(begin(fixture, &other), STORE_QUOTA_ACCOUNT);
    other.account = LEIA;
    assert_ok(begin(fixture, &other));
    file.size = 1001; /* taken over under another id */
    assert_int_equal(begin(fixture, &file), STORE_QUOTA_ACCOUNT);
    file.size = 10;
    assert_ok(begin(fixture, &file));
    assert_int_equal(used(fixture, HAN, "file_bytes"), 10 + FILE_ROW_BYTES);
    fixture_begin(fixture);
    assert_ok(store_upload_cancel(fixture->store, file.id, HAN));
    fixture_commit(fixture);
    assert_int_equal(used(fixture, HAN, "file_bytes"), 0);
}

static void a_reservation_without_a_byte_lapses_sooner(void **state) {
    struct fixture *fixture = *state;
    struct forum_file empty = {.title = "T", .name = "empty", .account = HAN, .size = 1000};
    struct forum_file begun = {.title = "T", .name = "begun", .account = HAN, .size = 1000};
    struct store_file stored;
    bool done, more;
    int64_t before_us = fixture->now_us;
    assert_ok(begin(fixture, &empty));
    assert_ok(begin(fixture, &begun));
    assert_ok(forum_chunk(fixture, &begun, 0, 1, &stored, &done));
    fixture_begin(fixture);
    assert_ok(store_uploads_expire(fixture->store, before_us, fixture->now_us + 1, &more));
    fixture_commit(fixture);
    assert_false(more);
    assert_int_equal(used(fixture, HAN, "file_bytes"), 1000 + FILE_ROW_BYTES);
    assert_ok(forum_chunk(fixture, &begun, 1, 1, &stored, &done));
    fixture_begin(fixture);
    assert_int_equal(store_upload_cancel(fixture->store, empty.id, HAN), STORE_NOT_FOUND);
    fixture_commit(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(posts_and_edits_count_and_deletions_are_always_allowed),
        TEST(what_was_stored_is_answered_again_past_the_quota),
        TEST(a_removed_thread_gives_all_back_to_each),
        TEST(threads_are_counted_as_long_as_they_stand),
        TEST(reservations_count_as_files_do),
        TEST(a_reservation_without_a_byte_lapses_sooner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
