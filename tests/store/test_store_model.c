/* Random operations on a store and on a simple model of it, with a view so small that merges go on
 * all the time, and the store closed and opened in between. */
#include "model.h"

enum { SEEDS = 8, OPERATIONS = 6000 };

static void the_store_is_like_its_model(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_is_like_its_model),
        cmocka_unit_test(it_is_so_without_quotas_and_on_a_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
