/* Ids: each is known for ever, whatever order they come in and however often the store restarts. */
#include "fixture.h"
#include "id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES 60000 /* more than are kept in memory, several slices */

static int setup(void **state) {
    *state = fixture_in_folder();
    return 0;
}

static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

/* The clocks of those who send: some are late, some are ahead, some have none. */
static uint64_t time_of(uint64_t number) {
    switch (number % 16) {
    case 3:
        return 1000000 + number - 3000;
    case 5:
        return 1000000 + 5 * number;
    case 7:
        return number * 7919 % 1000000;
    case 11:
        return 1;
    default:
        return 1000000 + number;
    }
}

static void make_id(uint64_t number, unsigned char id[ID_BYTES]) {
    unsigned char random[10] = {0};
    uint64_t mixed = number * UINT64_C(0x9e3779b97f4a7c15);
    memcpy(random + 2, &mixed, sizeof mixed);
    id_make(id, time_of(number), random);
}

static enum store_status send(struct fixture *fixture, int64_t author, uint64_t number,
                              struct store_message_stored *stored) {
    unsigned char id[ID_BYTES];
    char text[32];
    make_id(number, id);
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return fixture_send(fixture, id, author, "leia", text, stored);
}

static void send_all(struct fixture *fixture, int64_t author, uint64_t from, uint64_t to) {
    struct store_message_stored stored;
    bool more;
    for (uint64_t number = from; number < to; number++) {
        if (number % 100 == 0 || number == from)
            fixture_begin(fixture);
        assert_ok(send(fixture, author, number, &stored));
        assert_false(stored.again);
        assert_int_equal(stored.author_seq, number + 1);
        if (number % 100 == 99 || number + 1 == to) {
            assert_ok(store_maintain(fixture->store, &more));
            fixture_commit(fixture);
        }
    }
}

static void expect_all_again(struct fixture *fixture, int64_t author, uint64_t count) {
    struct store_message_stored stored;
    unsigned char id[ID_BYTES];
    fixture_begin(fixture);
    for (uint64_t number = 0; number < count; number++) {
        assert_ok(send(fixture, author, number, &stored));
        assert_true(stored.again);
        assert_int_equal(stored.author_seq, number + 1);
        make_id(number, id);
        if (number % 50 == 0)
            assert_int_equal(fixture_send(fixture, id, author, "leia", "another", &stored),
                             STORE_ID_REUSED);
    }
    fixture_commit(fixture);
}

static void each_id_is_known_for_ever(void **state) {
    struct fixture *fixture = *state;
    fixture->options.unread_max = fixture->options.unread_per_sender_max = MESSAGES;
    fixture_open(fixture);
    fixture_account(fixture, "leia");
    int64_t han = fixture_account(fixture, "han");
    for (uint64_t part = 0; part < 3; part++) {
        send_all(fixture, han, part * MESSAGES / 3, (part + 1) * MESSAGES / 3);
        expect_all_again(fixture, han, (part + 1) * MESSAGES / 3);
        fixture_reopen(fixture);
        expect_all_again(fixture, han, (part + 1) * MESSAGES / 3);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_id_is_known_for_ever, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
