/* Random operations on threads and on a simple model of them, with a view so small that merges go
 * on all the time, the store closed and opened in between, and the power failing. */
#include "forum_model.h"

#include <sqlite3.h>
#include <stdlib.h>

static struct fixture *start(uint64_t seed) {
    uint64_t kind = seed % 16;
    struct fixture *fixture = fixture_in_memory(seed);
    fixture->options.view_entries = 5 + kind * kind * 20;
    fixture->options.slice_entries = 1 + kind % 4 * 9;
    fixture->options.wal_pages = 100;
    fixture_open(fixture);
    return fixture;
}

static void threads_are_like_their_model(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct fixture *fixture = start(seed);
        struct forum_model *model = forum_model_new(fixture, seed);
        forum_model_run(model, 4000, seed % 2 == 0 ? 400 : 1000000);
        forum_model_check(model);
        forum_model_sweep(model);
        forum_model_check(model);
        forum_model_free(model);
        fixture_free(fixture);
    }
}

/* As many seeds as the program was told. */
static void what_was_acknowledged_survives_a_power_failure(void **state) {
    const uint64_t *seeds = *state;
    for (uint64_t seed = 1; seed <= *seeds; seed++) {
        struct fixture *fixture = start(seed);
        struct forum_model *model = forum_model_new(fixture, seed);
        for (size_t round = 0; round < 6; round++) {
            forum_model_run(model, 100, 60);
            if (round % 2 == 0)
                forum_model_begin_one(model);
            fixture_crash(fixture, seed % 2 == 0 ? CRASHVFS_KEEP_SYNCED : CRASHVFS_KEEP_SOME);
            fixture_open(fixture);
            forum_model_check(model);
        }
        forum_model_sweep(model);
        forum_model_check(model);
        forum_model_free(model);
        fixture_free(fixture);
    }
}

/* ---- a removal that breaks ---- */

static void fill(struct fixture *fixture, int64_t account, struct forum_file *file) {
    forum_thread(fixture, account, "T");
    for (int i = 0; i < 50; i++)
        forum_posted(fixture, account, "T", "text");
    fixture_merge_all(fixture);
    for (int i = 0; i < 10; i++)
        forum_posted(fixture, account, "T", "text");
    *file = (struct forum_file){.title = "T", .name = "f", .account = account, .size = 600000};
    fixture_id(fixture, file->id);
    forum_upload(fixture, file, 256 * 1024);
    forum_thread(fixture, account, "U");
    forum_posted(fixture, account, "U", "kept");
}

static enum store_status remove_thread(struct fixture *fixture, int64_t account) {
    struct store_thread thread;
    enum store_status status = store_begin(fixture->store);
    if (status == STORE_OK)
        status = store_thread_remove(fixture->store, "T", account, false, &thread);
    enum store_status committed = store_commit(fixture->store);
    return status == STORE_OK ? committed : status;
}

static void expect_all_or_nothing(struct fixture *fixture, const struct forum_file *file,
                                  bool *removed) {
    struct store_thread thread;
    struct store_file stored;
    enum store_status status = store_thread_find(fixture->store, "T", &thread);
    *removed = status == STORE_NO_THREAD;
    if (!*removed) {
        assert_ok(status);
        assert_int_equal(thread.posts, 60);
        free(forum_sync(fixture, thread.stream, 0, 100));
        assert_ok(store_file_find(fixture->store, "T", "f", &stored));
        forum_expect_bytes(fixture, file, stored.file, file->size);
    }
    forum_expect(fixture, forum_find(fixture, "U").stream, "1 han: kept\n");
    if (*removed)
        fixture_merge_all(fixture);
    fixture_close(fixture);
    assert_int_equal(forum_query(fixture, "SELECT count(*) FROM piece_slot"), *removed ? 0 : 2);
    assert_int_equal(forum_query(fixture, "SELECT count(*) FROM piece"), *removed ? 0 : 1);
    assert_int_equal(
        forum_query(fixture, "SELECT count(*) FROM log WHERE length(entries) > 11 * count"),
        *removed ? 1 : 62);
    fixture_open(fixture);
}

static void a_removal_is_whole_or_not_at_all(void **state) {
    (void)state;
    bool seen[2] = {false, false};
    for (uint64_t nth = 1; nth <= 60; nth++) {
        struct fixture *fixture = start(1);
        struct forum_file file;
        bool removed;
        int64_t han = fixture_account(fixture, "han");
        fill(fixture, han, &file);
        enum crashvfs_call call = nth % 3 == 0 ? CRASHVFS_SYNC : CRASHVFS_WRITE;
        crashvfs_fail(fixture->disk, call, nth % 3 == 0 ? nth / 3 : nth, SQLITE_IOERR_WRITE);
        enum store_status status = remove_thread(fixture, han);
        fixture_crash(fixture, nth % 2 == 0 ? CRASHVFS_KEEP_SYNCED : CRASHVFS_KEEP_SOME);
        fixture_open(fixture);
        expect_all_or_nothing(fixture, &file, &removed);
        assert_true(removed || status != STORE_OK);
        seen[removed] = true;
        fixture_free(fixture);
    }
    assert_true(seen[false] && seen[true]);
}

int main(int argc, char **argv) {
    uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 16;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_are_like_their_model),
        cmocka_unit_test_prestate(what_was_acknowledged_survives_a_power_failure, &seeds),
        cmocka_unit_test(a_removal_is_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
