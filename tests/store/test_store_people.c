/* Blocks, and presence over restarts. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

static int setup(void **state) {
    struct fixture *fixture = fixture_in_memory(1);
    fixture_open(fixture);
    assert_int_equal(fixture_account(fixture, "han"), 1);
    assert_int_equal(fixture_account(fixture, "leia"), 2);
    assert_int_equal(fixture_account(fixture, "luke"), 3);
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

enum { HAN = 1, LEIA = 2, LUKE = 3 };

static enum store_status block(struct fixture *fixture, int64_t account, const char *name) {
    int64_t blocked;
    fixture_begin(fixture);
    enum store_status status = store_block_add(fixture->store, account, name, 1, &blocked);
    fixture_commit(fixture);
    return status;
}

static enum store_status unblock(struct fixture *fixture, int64_t account, const char *name) {
    fixture_begin(fixture);
    enum store_status status = store_block_remove(fixture->store, account, name);
    fixture_commit(fixture);
    return status;
}

static void append_name(void *arg, const char *name) {
    char *names = arg;
    (void)strcat(strcat(names, name), " ");
}

static void blocks_are_known_from_both_sides_and_after_a_restart(void **state) {
    struct fixture *fixture = *state;
    char names[64] = "";
    assert_ok(block(fixture, HAN, "luke"));
    assert_ok(block(fixture, HAN, "leia"));
    fixture_reopen(fixture);
    assert_true(store_block_is(fixture->store, HAN, LEIA));
    assert_false(store_block_is(fixture->store, LEIA, HAN));
    assert_true(store_block_any(fixture->store, HAN));
    assert_true(store_block_any(fixture->store, LEIA));
    assert_ok(store_block_list(fixture->store, HAN, append_name, names));
    assert_string_equal(names, "leia luke ");
    assert_ok(unblock(fixture, HAN, "leia"));
    assert_false(store_block_is(fixture->store, HAN, LEIA));
    assert_false(store_block_any(fixture->store, LEIA));
    assert_true(store_block_any(fixture->store, HAN));
    fixture_reopen(fixture);
    assert_false(store_block_is(fixture->store, HAN, LEIA));
    assert_true(store_block_is(fixture->store, HAN, LUKE));
}

static void blocks_that_can_not_be_are_refused(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(block(fixture, HAN, "nobody"), STORE_NOT_FOUND);
    assert_int_equal(block(fixture, HAN, "han"), STORE_SELF);
    assert_int_equal(unblock(fixture, HAN, "nobody"), STORE_NOT_FOUND);
    assert_int_equal(unblock(fixture, HAN, "leia"), STORE_NOT_BLOCKED);
    assert_ok(block(fixture, HAN, "leia"));
    assert_int_equal(block(fixture, HAN, "leia"), STORE_EXISTS);
    assert_ok(unblock(fixture, HAN, "leia"));
    assert_int_equal(unblock(fixture, HAN, "leia"), STORE_NOT_BLOCKED);
}

static void one_may_block_only_so_many(void **state) {
    struct fixture *fixture = *state;
    char name[NAME_BYTES];
    int64_t account;
    fixture_begin(fixture);
    for (int i = 0; i <= BLOCKS_MAX; i++) {
        (void)snprintf(name, sizeof name, "user%d", i);
        assert_ok(store_account_add(fixture->store, name, NULL, false, NULL, NULL, 1, &account));
        assert_int_equal(store_block_add(fixture->store, HAN, name, 1, &account),
                         i < BLOCKS_MAX ? STORE_OK : STORE_TOO_MANY);
    }
    assert_ok(store_block_remove(fixture->store, HAN, "user77"));
    assert_ok(store_block_add(fixture->store, HAN, name, 1, &account));
    fixture_commit(fixture);
}

/* ---- presence ---- */

static bool append_seen(void *arg, int64_t account, const char *name, int64_t last_seen_us) {
    char *seen = arg;
    size_t bytes = strlen(seen);
    assert_true(account > 0);
    (void)snprintf(seen + bytes, 128 - bytes, "%s:%d ", name, (int)last_seen_us);
    return true;
}

static void expect_since(struct fixture *fixture, int64_t from_us, const char *expected) {
    char seen[128] = "";
    fixture_begin(fixture);
    assert_ok(store_presence_since(fixture->store, from_us, &(struct store_seen){INT64_MAX, ""},
                                   append_seen, seen));
    fixture_commit(fixture);
    assert_string_equal(seen, expected);
}

static void expect_last_seen(struct fixture *fixture, int64_t account, int64_t last_seen_us) {
    struct store_account found;
    assert_ok(store_account_get(fixture->store, account, &found));
    assert_int_equal(found.last_seen_us, last_seen_us);
}

static void those_who_left_are_listed_the_last_seen_first(void **state) {
    struct fixture *fixture = *state;
    fixture_begin(fixture);
    assert_ok(store_presence_begin(fixture->store, HAN, 100));
    assert_ok(store_presence_begin(fixture->store, LEIA, 110));
    assert_ok(store_presence_begin(fixture->store, LUKE, 120));
    assert_ok(store_presence_end(fixture->store, HAN, 200));
    assert_ok(store_presence_end(fixture->store, LEIA, 300));
    fixture_commit(fixture);
    expect_since(fixture, 0, "leia:300 han:200 ");
    expect_since(fixture, 200, "leia:300 han:200 ");
    expect_since(fixture, 201, "leia:300 ");
    expect_since(fixture, 301, "");
    fixture_begin(fixture);
    assert_ok(store_presence_begin(fixture->store, LEIA, 400));
    fixture_commit(fixture);
    expect_since(fixture, 0, "han:200 ");
    expect_last_seen(fixture, HAN, 200);
}

static void after_a_crash_the_last_sign_of_life_is_the_end(void **state) {
    struct fixture *fixture = *state;
    fixture_begin(fixture);
    assert_ok(store_presence_begin(fixture->store, HAN, 100));
    assert_ok(store_presence_begin(fixture->store, LUKE, 100));
    assert_ok(store_presence_end(fixture->store, LUKE, 150));
    assert_ok(store_alive(fixture->store, 500));
    assert_ok(store_presence_begin(fixture->store, LEIA, 600));
    fixture_commit(fixture);
    fixture_crash(fixture, CRASHVFS_KEEP_SYNCED);
    fixture_open(fixture);
    expect_last_seen(fixture, HAN, 500);
    expect_since(fixture, 0, "leia:600 han:500 luke:150 ");
    fixture_begin(fixture);
    assert_ok(store_alive(fixture->store, 900));
    fixture_commit(fixture);
    expect_last_seen(fixture, HAN, 500);
    expect_last_seen(fixture, LEIA, 600);
}

static void the_first_sign_of_life_does_not_prolong_what_the_crash_ended(void **state) {
    struct fixture *fixture = *state;
    fixture_begin(fixture);
    assert_ok(store_presence_begin(fixture->store, HAN, 100));
    assert_ok(store_notes_write(fixture->store));
    fixture_commit(fixture);
    fixture_crash(fixture, CRASHVFS_KEEP_SYNCED);
    fixture_open(fixture);
    fixture_begin(fixture);
    assert_ok(store_alive(fixture->store, 9000));
    fixture_commit(fixture);
    expect_last_seen(fixture, HAN, 100);
}

static bool commit_waits_for_the_disk(struct fixture *fixture) {
    bool waits = false;
    assert_ok(store_commit_begin(fixture->store, &waits));
    if (waits)
        assert_ok(store_commit_end(fixture->store));
    return waits;
}

static void key_login(struct fixture *fixture, int64_t account, int64_t now_us) {
    unsigned char key[KEY_BYTES] = {1};
    bool trusted = false;
    assert_ok(
        store_login_succeeded(fixture->store, account, key, "x", false, false, now_us, &trusted));
    assert_true(trusted);
    assert_ok(store_presence_begin(fixture->store, account, now_us));
}

static int64_t account_with_key(struct fixture *fixture, const char *name) {
    unsigned char key[KEY_BYTES] = {1};
    int64_t account = 0;
    fixture_begin(fixture);
    assert_ok(store_account_add(fixture->store, name, "$x", false, key, "x", 1, &account));
    fixture_commit(fixture);
    return account;
}

static void expect_used(struct fixture *fixture, int64_t account, int64_t used_us) {
    struct store_device devices[DEVICES_MAX];
    size_t count = 0;
    assert_ok(store_device_list(fixture->store, account, devices, &count));
    assert_int_equal(count, 1);
    assert_int_equal(devices[0].used_us, used_us);
}

static void a_login_that_changes_nothing_durable_needs_no_commit(void **state) {
    (void)state;
    struct fixture *fixture = fixture_in_folder();
    fixture_open(fixture);
    int64_t han = account_with_key(fixture, "han");
    bool trusted = false;
    unsigned char key[KEY_BYTES] = {1};
    fixture_begin(fixture);
    key_login(fixture, han, 100);
    assert_false(commit_waits_for_the_disk(fixture));
    fixture_begin(fixture);
    assert_ok(store_presence_end(fixture->store, han, 150));
    assert_ok(store_login_succeeded(fixture->store, han, key, "x", true, true, 200, &trusted));
    assert_false(commit_waits_for_the_disk(fixture));
    assert_true(store_notes_wait(fixture->store));
    expect_used(fixture, han, 200);
    fixture_begin(fixture);
    assert_ok(store_notes_write(fixture->store));
    assert_true(commit_waits_for_the_disk(fixture));
    assert_false(store_notes_wait(fixture->store));
    fixture_reopen(fixture);
    expect_last_seen(fixture, han, 150);
    expect_used(fixture, han, 200);
    fixture_free(fixture);
}

static void a_login_after_wrong_passwords_is_durable(void **state) {
    struct fixture *fixture = *state;
    unsigned char key[KEY_BYTES] = {1};
    int64_t until_us = 0, account = account_with_key(fixture, "chewie");
    uint32_t failures = 0;
    bool trusted = false;
    fixture_begin(fixture);
    assert_ok(store_login_failed(fixture->store, "chewie", 10, 1000, &until_us));
    fixture_commit(fixture);
    fixture_begin(fixture);
    assert_ok(store_login_succeeded(fixture->store, account, key, "x", true, false, 20, &trusted));
    fixture_commit(fixture);
    fixture_crash(fixture, CRASHVFS_KEEP_SYNCED);
    fixture_open(fixture);
    assert_ok(store_login_state(fixture->store, "chewie", 30, &failures, &until_us));
    assert_int_equal(failures, 0);
    expect_used(fixture, account, 20);
}

static void what_waits_is_written_with_whatever_writes(void **state) {
    struct fixture *fixture = *state;
    fixture_begin(fixture);
    assert_ok(store_presence_begin(fixture->store, HAN, 100));
    assert_ok(store_presence_end(fixture->store, HAN, 200));
    assert_ok(store_presence_begin(fixture->store, LEIA, 150));
    fixture_commit(fixture);
    fixture_sent(fixture, HAN, "leia", "hello");
    fixture_crash(fixture, CRASHVFS_KEEP_SYNCED);
    fixture_open(fixture);
    expect_since(fixture, 0, "han:200 leia:150 ");
}

static void a_kill_loses_what_waits_and_nothing_else(void **state) {
    struct fixture *fixture = *state;
    fixture_begin(fixture);
    assert_ok(store_presence_begin(fixture->store, HAN, 100));
    assert_ok(store_presence_begin(fixture->store, LEIA, 110));
    assert_ok(store_alive(fixture->store, 120));
    fixture_commit(fixture);
    fixture_begin(fixture);
    assert_ok(store_presence_end(fixture->store, HAN, 200));
    assert_ok(store_presence_begin(fixture->store, LUKE, 210));
    fixture_commit(fixture);
    fixture_crash(fixture, CRASHVFS_KEEP_SYNCED);
    fixture_open(fixture);
    expect_since(fixture, 0, "han:120 leia:120 ");
    expect_last_seen(fixture, LUKE, 0);
}

/* More than are kept are written at once; a set clock holds for those that wait. */
static void notes_are_bounded_and_follow_the_clock(void **state) {
    struct fixture *fixture = *state;
    fixture_begin(fixture);
    for (int64_t account = 1; account <= 20000; account++)
        assert_ok(store_presence_begin(fixture->store, 1000000 + account, 5));
    assert_ok(store_presence_begin(fixture->store, HAN, 900));
    assert_ok(store_presence_end(fixture->store, HAN, 950));
    assert_ok(store_clock_set(fixture->store, 500, -450));
    fixture_commit(fixture);
    expect_last_seen(fixture, HAN, 500);
}

static void an_administrators_look_changes_no_presence(void **state) {
    (void)state;
    struct fixture *fixture = fixture_in_folder();
    struct store *tool = NULL;
    struct store_account found;
    fixture_open(fixture);
    int64_t han = fixture_account(fixture, "han");
    fixture_begin(fixture);
    assert_ok(store_presence_begin(fixture->store, han, 100));
    assert_ok(store_alive(fixture->store, 200));
    fixture_commit(fixture);
    fixture->options.beside = true;
    assert_ok(store_open(&tool, &fixture->options));
    assert_ok(store_account_find(tool, "han", &found));
    assert_int_equal(found.last_seen_us, 200);
    store_close(tool);
    expect_since(fixture, 0, "");
    fixture_free(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(blocks_are_known_from_both_sides_and_after_a_restart),
        TEST(blocks_that_can_not_be_are_refused),
        TEST(one_may_block_only_so_many),
        TEST(those_who_left_are_listed_the_last_seen_first),
        TEST(after_a_crash_the_last_sign_of_life_is_the_end),
        TEST(the_first_sign_of_life_does_not_prolong_what_the_crash_ended),
        cmocka_unit_test(a_login_that_changes_nothing_durable_needs_no_commit),
        TEST(a_login_after_wrong_passwords_is_durable),
        TEST(what_waits_is_written_with_whatever_writes),
        TEST(a_kill_loses_what_waits_and_nothing_else),
        TEST(notes_are_bounded_and_follow_the_clock),
        cmocka_unit_test(an_administrators_look_changes_no_presence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
