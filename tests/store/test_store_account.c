/* Accounts, trusted devices and wrong passwords. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#define SECOND INT64_C(1000000)

static int setup(void **state) {
    struct fixture *fixture = fixture_in_memory(1);
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

static const unsigned char *key_of(unsigned char key[KEY_BYTES], int number) {
    memset(key, 0x11, KEY_BYTES);
    memcpy(key, &number, sizeof number);
    return key;
}

static void an_account_is_found_by_name_and_number(void **state) {
    struct fixture *fixture = *state;
    struct store_account found;
    int64_t account = 0;
    fixture_begin(fixture);
    assert_ok(
        store_account_add(fixture->store, "yoda", "$argon2id$x", true, NULL, NULL, 42, &account));
    fixture_commit(fixture);
    fixture_reopen(fixture);
    assert_ok(store_account_find(fixture->store, "yoda", &found));
    assert_int_equal(found.account, account);
    assert_string_equal(found.name, "yoda");
    assert_string_equal(found.password_hash, "$argon2id$x");
    assert_true(found.admin);
    assert_false(found.locked);
    assert_int_equal(found.created_us, 42);
    assert_int_equal(found.last_seen_us, 0);
    struct store_account again;
    assert_ok(store_account_get(fixture->store, account, &again));
    assert_memory_equal(&again, &found, sizeof found);
    assert_int_equal(store_account_count(fixture->store), 1);
}

static void what_is_not_there_is_not_found(void **state) {
    struct fixture *fixture = *state;
    struct store_account found;
    uint64_t head;
    uint64_t cursor;
    bool trusted;
    unsigned char key[KEY_BYTES];
    assert_int_equal(store_account_find(fixture->store, "nobody", &found), STORE_NOT_FOUND);
    assert_int_equal(store_account_get(fixture->store, 7, &found), STORE_NOT_FOUND);
    assert_int_equal(store_inbox_state(fixture->store, 7, &head, &cursor), STORE_NOT_FOUND);
    assert_int_equal(store_device_trusted(fixture->store, 7, key_of(key, 1)), STORE_NOT_FOUND);
    fixture_begin(fixture);
    assert_int_equal(store_account_set_password(fixture->store, 7, NULL, "x"), STORE_NOT_FOUND);
    assert_int_equal(store_account_set_locked(fixture->store, "nobody", true), STORE_NOT_FOUND);
    assert_int_equal(store_device_revoke(fixture->store, 7, 1, key), STORE_NOT_FOUND);
    assert_int_equal(store_device_revoke(fixture->store, 7, UINT64_MAX, key), STORE_NOT_FOUND);
    assert_int_equal(
        store_login_succeeded(fixture->store, 7, key_of(key, 1), "x", true, true, 1, &trusted),
        STORE_NOT_FOUND);
    fixture_commit(fixture);
}

static void a_name_is_taken_once(void **state) {
    struct fixture *fixture = *state;
    fixture_account(fixture, "han");
    int64_t account = 0;
    fixture_begin(fixture);
    assert_int_equal(store_account_add(fixture->store, "han", NULL, false, NULL, NULL, 1, &account),
                     STORE_EXISTS);
    fixture_commit(fixture);
    assert_int_equal(store_account_count(fixture->store), 1);
}

static void password_and_lock_change(void **state) {
    struct fixture *fixture = *state;
    struct store_account found;
    int64_t account = fixture_account(fixture, "han");
    fixture_begin(fixture);
    assert_ok(store_account_set_password(fixture->store, account, NULL, "$new"));
    assert_ok(store_account_set_locked(fixture->store, "han", true));
    fixture_commit(fixture);
    fixture_begin(fixture);
    assert_int_equal(store_account_set_password(fixture->store, account, "$old", "$newer"),
                     STORE_CHANGED);
    fixture_commit(fixture);
    assert_ok(store_account_find(fixture->store, "han", &found));
    assert_string_equal(found.password_hash, "$new");
    assert_true(found.locked);
    fixture_begin(fixture);
    assert_ok(store_account_set_password(fixture->store, account, "$new", NULL));
    assert_ok(store_account_set_locked(fixture->store, "han", false));
    fixture_commit(fixture);
    assert_ok(store_account_find(fixture->store, "han", &found));
    assert_string_equal(found.password_hash, "");
    assert_false(found.locked);
}

static void receipts_are_sent_until_it_is_chosen_otherwise(void **state) {
    struct fixture *fixture = *state;
    struct store_account found;
    fixture_account(fixture, "han");
    fixture_account(fixture, "leia");
    assert_ok(store_account_find(fixture->store, "han", &found));
    assert_true(found.receipts);
    fixture_begin(fixture);
    assert_ok(store_account_set_receipts(fixture->store, "han", false));
    assert_int_equal(store_account_set_receipts(fixture->store, "nobody", false), STORE_NOT_FOUND);
    fixture_commit(fixture);
    fixture_reopen(fixture);
    assert_ok(store_account_find(fixture->store, "han", &found));
    assert_false(found.receipts);
    assert_ok(store_account_find(fixture->store, "leia", &found));
    assert_true(found.receipts);
}

static void append_name(void *arg, const struct store_account *account) {
    char *names = arg;
    (void)strcat(strcat(names, account->name), " ");
}

static void accounts_are_listed_by_name(void **state) {
    struct fixture *fixture = *state;
    char names[64] = "";
    fixture_account(fixture, "luke");
    fixture_account(fixture, "han");
    fixture_account(fixture, "leia");
    assert_ok(store_account_list(fixture->store, append_name, names));
    assert_string_equal(names, "han leia luke ");
}

static void an_account_of_another_process_is_seen_at_once(void **state) {
    (void)state;
    struct fixture *fixture = fixture_in_folder();
    fixture_open(fixture);
    struct store_account found;
    struct store *tool = NULL;
    int64_t account = 0;
    int64_t han = fixture_account(fixture, "han");
    assert_int_equal(store_account_find(fixture->store, "leia", &found), STORE_NOT_FOUND);
    fixture->options.beside = true;
    assert_ok(store_open(&tool, &fixture->options));
    assert_ok(store_begin(tool));
    assert_ok(store_account_add(tool, "leia", "$x", false, NULL, NULL, 1, &account));
    assert_ok(store_account_set_locked(tool, "han", true));
    assert_ok(store_commit(tool));
    assert_ok(store_account_find(fixture->store, "han", &found));
    assert_true(found.locked);
    fixture_sent(fixture, han, "leia", "welcome");
    fixture_expect_state(fixture, account, 1, 0);
    fixture_begin(fixture);
    assert_ok(store_alive(fixture->store, 1));
    fixture_commit(fixture);
    assert_int_equal(store_account_count(fixture->store), 2);
    store_close(tool);
    fixture_free(fixture);
}

/* ---- devices ---- */

static enum store_status trust(struct fixture *fixture, int64_t account, int number, bool trusts,
                               bool *trusted) {
    unsigned char key[KEY_BYTES];
    fixture_begin(fixture);
    enum store_status status =
        store_login_succeeded(fixture->store, account, key_of(key, number), "phone", false, trusts,
                              ++fixture->now_us, trusted);
    fixture_commit(fixture);
    return status;
}

static void a_login_trusts_the_device_only_where_it_should(void **state) {
    struct fixture *fixture = *state;
    struct store_device devices[DEVICES_MAX];
    unsigned char key[KEY_BYTES];
    size_t count = 0;
    bool trusted = true;
    int64_t account = fixture_account(fixture, "han");
    int64_t other = fixture_account(fixture, "leia");
    assert_ok(trust(fixture, account, 1, false, &trusted));
    assert_false(trusted);
    assert_int_equal(store_device_trusted(fixture->store, account, key_of(key, 1)),
                     STORE_NOT_FOUND);
    assert_ok(trust(fixture, account, 1, true, &trusted));
    assert_true(trusted);
    int64_t since = fixture->now_us;
    assert_ok(store_device_trusted(fixture->store, account, key));
    assert_int_equal(store_device_trusted(fixture->store, other, key), STORE_NOT_FOUND);
    assert_ok(trust(fixture, account, 1, false, &trusted));
    assert_true(trusted);
    assert_ok(store_device_list(fixture->store, account, devices, &count));
    assert_int_equal(count, 1);
    assert_int_equal(devices[0].device, 1);
    assert_string_equal(devices[0].label, "phone");
    assert_memory_equal(devices[0].key, key, KEY_BYTES);
    assert_int_equal(devices[0].trusted_us, since);
    assert_int_equal(devices[0].used_us, fixture->now_us);
}

static void an_account_comes_with_a_trusted_device(void **state) {
    struct fixture *fixture = *state;
    struct store_device devices[DEVICES_MAX];
    unsigned char key[KEY_BYTES];
    size_t count = 0;
    int64_t account = 0;
    fixture_begin(fixture);
    assert_ok(
        store_account_add(fixture->store, "bot", NULL, false, key_of(key, 5), NULL, 9, &account));
    fixture_commit(fixture);
    assert_ok(store_device_trusted(fixture->store, account, key));
    assert_ok(store_device_list(fixture->store, account, devices, &count));
    assert_int_equal(count, 1);
    assert_string_equal(devices[0].label, "unnamed");
    assert_int_equal(devices[0].used_us, 0);
}

static void a_device_number_is_never_given_again(void **state) {
    struct fixture *fixture = *state;
    struct store_device devices[DEVICES_MAX];
    unsigned char key[KEY_BYTES];
    unsigned char revoked[KEY_BYTES];
    size_t count = 0;
    bool trusted;
    int64_t account = fixture_account(fixture, "han");
    assert_ok(trust(fixture, account, 1, true, &trusted));
    assert_ok(trust(fixture, account, 2, true, &trusted));
    fixture_begin(fixture);
    assert_ok(store_device_revoke(fixture->store, account, 2, revoked));
    assert_memory_equal(revoked, key_of(key, 2), KEY_BYTES);
    assert_int_equal(store_device_revoke(fixture->store, account, 2, revoked), STORE_NOT_FOUND);
    fixture_commit(fixture);
    assert_int_equal(store_device_trusted(fixture->store, account, key), STORE_NOT_FOUND);
    assert_ok(trust(fixture, account, 2, true, &trusted));
    assert_ok(store_device_list(fixture->store, account, devices, &count));
    assert_int_equal(count, 2);
    assert_int_equal(devices[0].device, 1);
    assert_int_equal(devices[1].device, 3);
}

static void too_many_devices_are_refused_and_change_nothing(void **state) {
    struct fixture *fixture = *state;
    struct store_device devices[DEVICES_MAX];
    size_t count = 0;
    bool trusted;
    int64_t account = fixture_account(fixture, "han");
    for (int i = 0; i < DEVICES_MAX; i++)
        assert_ok(trust(fixture, account, i, true, &trusted));
    assert_int_equal(trust(fixture, account, DEVICES_MAX, true, &trusted), STORE_TOO_MANY);
    assert_false(trusted);
    assert_ok(trust(fixture, account, DEVICES_MAX, false, &trusted));
    assert_ok(trust(fixture, account, 3, true, &trusted));
    assert_true(trusted);
    assert_ok(store_device_list(fixture->store, account, devices, &count));
    assert_int_equal(count, DEVICES_MAX);
}

/* ---- wrong passwords ---- */

static int64_t fail_login(struct fixture *fixture, const char *name, int64_t now_us) {
    int64_t until = -1;
    fixture_begin(fixture);
    assert_ok(store_login_failed(fixture->store, name, now_us, 60 * SECOND, &until));
    fixture_commit(fixture);
    return until;
}

static void expect_failures(struct fixture *fixture, const char *name, int64_t now_us,
                            uint32_t failures, int64_t until_us) {
    uint32_t is_failures = 99;
    int64_t is_until = -1;
    assert_ok(store_login_state(fixture->store, name, now_us, &is_failures, &is_until));
    assert_int_equal(is_failures, failures);
    assert_int_equal(is_until, until_us);
}

static void three_wrong_passwords_lock_for_a_while(void **state) {
    struct fixture *fixture = *state;
    expect_failures(fixture, "nobody", 0, 0, 0);
    assert_int_equal(fail_login(fixture, "nobody", 1 * SECOND), 0);
    assert_int_equal(fail_login(fixture, "nobody", 2 * SECOND), 0);
    expect_failures(fixture, "nobody", 3 * SECOND, 2, 0);
    fixture_reopen(fixture);
    assert_int_equal(fail_login(fixture, "nobody", 3 * SECOND), 63 * SECOND);
    expect_failures(fixture, "nobody", 62 * SECOND, 0, 63 * SECOND);
    assert_int_equal(fail_login(fixture, "nobody", 62 * SECOND), 63 * SECOND);
    expect_failures(fixture, "nobody", 63 * SECOND, 0, 0);
    assert_int_equal(fail_login(fixture, "nobody", 64 * SECOND), 0);
    expect_failures(fixture, "nobody", 65 * SECOND, 1, 0);
    expect_failures(fixture, "somebody", 65 * SECOND, 0, 0);
}

static void a_right_password_forgets_the_wrong_ones_and_a_device_key_does_not(void **state) {
    struct fixture *fixture = *state;
    unsigned char key[KEY_BYTES];
    bool trusted;
    int64_t account = fixture_account(fixture, "han");
    fail_login(fixture, "han", 1);
    fail_login(fixture, "han", 2);
    assert_ok(trust(fixture, account, 1, true, &trusted));
    expect_failures(fixture, "han", 3, 2, 0);
    fixture_begin(fixture);
    assert_ok(store_login_succeeded(fixture->store, account, key_of(key, 1), "x", true, false, 4,
                                    &trusted));
    fixture_commit(fixture);
    expect_failures(fixture, "han", 5, 0, 0);
}

static void only_so_many_names_are_kept_and_the_oldest_go(void **state) {
    struct fixture *fixture = *state;
    char name[NAME_BYTES];
    int64_t until;
    fixture_begin(fixture);
    for (int i = 0; i < LOGIN_FAILURES_KEPT + 10; i++) {
        (void)snprintf(name, sizeof name, "name%d", i);
        assert_ok(store_login_failed(fixture->store, name, 1000 + i, SECOND, &until));
        if (i == LOGIN_FAILURES_KEPT - 1)
            assert_ok(store_login_failed(fixture->store, "name0", 5000000, SECOND, &until));
    }
    fixture_commit(fixture);
    expect_failures(fixture, "name0", 5000001, 2, 0);
    expect_failures(fixture, "name10", 5000001, 0, 0);
    expect_failures(fixture, "name11", 5000001, 1, 0);
    expect_failures(fixture, name, 5000001, 1, 0);
}

static void a_lock_is_shortened_and_failures_are_forgotten_by_name(void **state) {
    struct fixture *fixture = *state;
    for (int i = 1; i <= LOGIN_FAILURES_MAX; i++)
        fail_login(fixture, "nobody", i * 1000 * SECOND);
    fail_login(fixture, "shutdown:han", 1);
    expect_failures(fixture, "nobody", 10 * SECOND, 0, 3060 * SECOND);
    fixture_begin(fixture);
    assert_ok(store_login_shorten(fixture->store, "nobody", 10 * SECOND, 70 * SECOND));
    assert_ok(store_login_forget(fixture->store, "shutdown:han"));
    fixture_commit(fixture);
    fixture_reopen(fixture);
    expect_failures(fixture, "nobody", 10 * SECOND, 0, 70 * SECOND);
    expect_failures(fixture, "nobody", 70 * SECOND, 0, 0);
    expect_failures(fixture, "shutdown:han", 2, 0, 0);
}

/* As after the clock was set back: what is new must not go first. */
static void of_names_with_a_time_of_the_future_the_oldest_go(void **state) {
    struct fixture *fixture = *state;
    char name[NAME_BYTES];
    int64_t until;
    fixture_begin(fixture);
    for (int i = 0; i < LOGIN_FAILURES_KEPT; i++) {
        (void)snprintf(name, sizeof name, "name%d", i);
        assert_ok(store_login_failed(fixture->store, name, 1000 * SECOND + i, SECOND, &until));
    }
    assert_ok(store_login_failed(fixture->store, "new", 1 * SECOND, SECOND, &until));
    assert_ok(store_login_failed(fixture->store, "newer", 2 * SECOND, SECOND, &until));
    assert_ok(store_login_failed(fixture->store, "newest", 3 * SECOND, SECOND, &until));
    fixture_commit(fixture);
    expect_failures(fixture, "newest", 4 * SECOND, 1, 0);
    expect_failures(fixture, "newer", 4 * SECOND, 1, 0);
}

static void the_right_of_an_administrator_comes_and_goes(void **state) {
    struct fixture *fixture = *state;
    struct store_account found;
    fixture_account(fixture, "han");
    for (int admin = 1; admin >= 0; admin--) {
        fixture_begin(fixture);
        assert_ok(store_account_set_admin(fixture->store, "han", admin));
        assert_int_equal(store_account_set_admin(fixture->store, "nobody", admin), STORE_NOT_FOUND);
        fixture_commit(fixture);
        assert_ok(store_account_find(fixture->store, "han", &found));
        assert_int_equal(found.admin, admin);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_account_is_found_by_name_and_number),
        TEST(what_is_not_there_is_not_found),
        TEST(a_name_is_taken_once),
        TEST(password_and_lock_change),
        TEST(accounts_are_listed_by_name),
        TEST(receipts_are_sent_until_it_is_chosen_otherwise),
        cmocka_unit_test(an_account_of_another_process_is_seen_at_once),
        TEST(a_login_trusts_the_device_only_where_it_should),
        TEST(an_account_comes_with_a_trusted_device),
        TEST(a_device_number_is_never_given_again),
        TEST(too_many_devices_are_refused_and_change_nothing),
        TEST(three_wrong_passwords_lock_for_a_while),
        TEST(a_right_password_forgets_the_wrong_ones_and_a_device_key_does_not),
        TEST(only_so_many_names_are_kept_and_the_oldest_go),
        TEST(a_lock_is_shortened_and_failures_are_forgotten_by_name),
        TEST(of_names_with_a_time_of_the_future_the_oldest_go),
        TEST(the_right_of_an_administrator_comes_and_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
