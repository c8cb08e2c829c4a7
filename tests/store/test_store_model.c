/* Random operations on a store and on a simple model of it. Then the promise: what store_commit
 * acknowledged is there after a power failure, once, in order and without holes; and after an error
 * of the disk nothing is acknowledged anymore. */
#include "model.h"

#include <sqlite3.h>
#include <string.h>

/* With a view so small that merges go on all the time, and the store closed and opened in between.
 */
enum { MODEL_SEEDS = 8, OPERATIONS = 6000 };

static void the_store_is_like_its_model(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= MODEL_SEEDS; seed++) {
        struct fixture *fixture = fixture_in_memory(seed);
        fixture->options.view_entries = 10 + seed * seed * 40;
        fixture->options.slice_entries = 1 + seed % 4 * 9;
        fixture->options.wal_pages = 100;
        fixture->options.unread_max = 60;
        fixture->options.unread_per_sender_max = 15;
        fixture->options.unread_bytes_max = seed % 2 ? 20000 : INBOX_UNREAD_BYTES_MAX;
        fixture->options.unread_bytes_per_sender_max =
            seed % 2 ? 3000 : INBOX_UNREAD_BYTES_PER_SENDER_MAX;
        fixture_open(fixture);
        struct model *model = model_new(fixture, seed);
        model_run(model, OPERATIONS);
        model_check(model);
        fixture_reopen(fixture);
        model_check(model);
        assert_true(model_messages(model) > OPERATIONS / 8);
        model_free(model);
        fixture_free(fixture);
    }
}

static void it_is_so_without_quotas_and_on_a_disk(void **state) {
    (void)state;
    struct fixture *fixture = fixture_in_folder();
    fixture->options.view_entries = 3000;
    fixture->options.unread_max = INBOX_UNREAD_MAX;
    fixture->options.unread_per_sender_max = INBOX_UNREAD_PER_SENDER_MAX;
    fixture->options.unread_bytes_max = INBOX_UNREAD_BYTES_MAX;
    fixture->options.unread_bytes_per_sender_max = INBOX_UNREAD_BYTES_PER_SENDER_MAX;
    fixture_open(fixture);
    struct model *model = model_new(fixture, 77);
    model_run(model, 15000);
    model_check(model);
    fixture_merge_all(fixture);
    fixture_reopen(fixture);
    model_check(model);
    model_free(model);
    fixture_free(fixture);
}

/* ---- power failures, and a disk that fails ---- */

enum { SEEDS = 40, ROUNDS = 5 };

static struct fixture *start(uint64_t seed) {
    struct fixture *fixture = fixture_in_memory(seed);
    fixture->options.view_entries = 20 + seed % 7 * 100;
    fixture->options.slice_entries = 1 + seed % 3 * 15;
    fixture->options.wal_pages = 20 + (int)(seed % 5) * 50;
    fixture->options.unread_max = 500;
    fixture->options.unread_per_sender_max = 100;
    fixture_open(fixture);
    return fixture;
}

static void crash_between_and_within_transactions(uint64_t seed, enum crashvfs_keep keep) {
    struct fixture *fixture = start(seed);
    struct model *model = model_new(fixture, seed);
    for (size_t round = 0; round < ROUNDS; round++) {
        model_run(model, 200);
        if (round % 2 == 0)
            model_begin_some(model);
        fixture_crash(fixture, keep);
        model_roll_back(model);
        fixture_open(fixture);
        assert_null(store_remark(fixture->store)); /* its head is there */
        model_check(model);
    }
    model_free(model);
    fixture_free(fixture);
}

static void what_was_acknowledged_survives_a_power_failure(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        crash_between_and_within_transactions(seed, CRASHVFS_KEEP_SYNCED);
}

static void it_does_so_when_some_unsynced_sectors_stay(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        crash_between_and_within_transactions(seed, CRASHVFS_KEEP_SOME);
}

/* After the store failed: each operation says so, and nothing is written anymore. */
static void expect_silence(struct fixture *fixture) {
    uint64_t writes = crashvfs_count(fixture->disk, CRASHVFS_WRITE);
    uint64_t syncs = crashvfs_count(fixture->disk, CRASHVFS_SYNC);
    struct store_message_stored stored;
    uint64_t head = 0;
    uint64_t cursor = 0;
    bool more;
    assert_int_equal(store_begin(fixture->store), STORE_FAILED);
    assert_int_equal(fixture_send(fixture, NULL, 1, "user2", "late", &stored), STORE_FAILED);
    assert_int_equal(store_inbox_state(fixture->store, 1, &head, &cursor), STORE_FAILED);
    assert_int_equal(store_cursor_move(fixture->store, 1, 1, &cursor), STORE_FAILED);
    assert_int_equal(store_alive(fixture->store, 1), STORE_FAILED);
    assert_int_equal(store_maintain(fixture->store, &more), STORE_FAILED);
    assert_int_equal(store_commit(fixture->store), STORE_FAILED);
    fixture_close(fixture);
    assert_int_equal(crashvfs_count(fixture->disk, CRASHVFS_WRITE), writes);
    assert_int_equal(crashvfs_count(fixture->disk, CRASHVFS_SYNC), syncs);
}

static void fail_and_recover(uint64_t seed, enum crashvfs_call call, int code, const char *says) {
    struct fixture *fixture = start(seed);
    struct model *model = model_new(fixture, seed);
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        model_run(model, 100);
        crashvfs_fail(fixture->disk, call, 1 + seed * round % 97, code);
        size_t transactions = 0;
        while (model_try(model) == STORE_OK)
            assert_true(++transactions < 1000);
        assert_non_null(strstr(store_error(fixture->store), says));
        expect_silence(fixture);
        crashvfs_crash(fixture->disk, seed % 2 == 0 ? CRASHVFS_KEEP_SYNCED : CRASHVFS_KEEP_SOME);
        crashvfs_mend(fixture->disk);
        fixture_open(fixture);
        assert_null(store_remark(fixture->store));
        model_resolve(model);
        model_check(model);
    }
    model_free(model);
    fixture_free(fixture);
}

static void a_failing_sync_ends_the_store_and_loses_nothing(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        fail_and_recover(seed, CRASHVFS_SYNC, SQLITE_IOERR_FSYNC, "disk I/O error");
}

static void a_failing_write_ends_the_store_and_loses_nothing(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        fail_and_recover(seed, CRASHVFS_WRITE, SQLITE_IOERR_WRITE, "disk I/O error");
}

static void a_full_disk_ends_the_store_and_loses_nothing(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        fail_and_recover(seed, CRASHVFS_WRITE, SQLITE_FULL, "disk is full");
}

/* Opening must fail, or the store be whole; and once the disk works again it opens. */
static void a_disk_that_fails_during_the_opening_is_an_error(void **state) {
    (void)state;
    for (uint64_t nth = 1; nth <= 40; nth++) {
        struct fixture *fixture = fixture_in_memory(nth);
        crashvfs_fail(fixture->disk, nth % 2 == 0 ? CRASHVFS_WRITE : CRASHVFS_SYNC, nth / 2 + 1,
                      nth % 3 == 0 ? SQLITE_FULL : SQLITE_IOERR);
        if (store_open(&fixture->store, &fixture->options) != STORE_OK)
            assert_non_null(strstr(store_error(fixture->store), "disk"));
        fixture_crash(fixture, CRASHVFS_KEEP_SOME);
        fixture_open(fixture);
        assert_int_equal(fixture_account(fixture, "user"), 1);
        fixture_free(fixture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_is_like_its_model),
        cmocka_unit_test(it_is_so_without_quotas_and_on_a_disk),
        cmocka_unit_test(what_was_acknowledged_survives_a_power_failure),
        cmocka_unit_test(it_does_so_when_some_unsynced_sectors_stay),
        cmocka_unit_test(a_failing_sync_ends_the_store_and_loses_nothing),
        cmocka_unit_test(a_failing_write_ends_the_store_and_loses_nothing),
        cmocka_unit_test(a_full_disk_ends_the_store_and_loses_nothing),
        cmocka_unit_test(a_disk_that_fails_during_the_opening_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
