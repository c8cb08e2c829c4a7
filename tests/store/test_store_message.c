/* Messages, cursors and quotas, one rule at a time; test_store_model.c mixes them. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int setup(void **state) {
    struct fixture *fixture = fixture_in_memory(1);
    fixture->options.unread_max = 6;
    fixture->options.unread_per_sender_max = 4;
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

static void expect_send(struct fixture *fixture, int64_t from, const char *to,
                        enum store_status expected) {
    struct store_message_stored stored;
    fixture_begin(fixture);
    assert_int_equal(fixture_send(fixture, NULL, from, to, "hello", &stored), expected);
    fixture_commit(fixture);
}

static void block(struct fixture *fixture, int64_t account, const char *name) {
    int64_t blocked;
    fixture_begin(fixture);
    assert_ok(store_block_add(fixture->store, account, name, 1, &blocked));
    fixture_commit(fixture);
}

static uint64_t move_cursor(struct fixture *fixture, int64_t account, uint64_t to) {
    uint64_t cursor = 0;
    fixture_begin(fixture);
    assert_ok(store_cursor_move(fixture->store, account, to, &cursor));
    fixture_commit(fixture);
    return cursor;
}

static void a_message_is_in_both_inboxes(void **state) {
    struct fixture *fixture = *state;
    struct store_message_stored stored;
    fixture_sent(fixture, LUKE, "han", "first");
    fixture_begin(fixture);
    assert_ok(fixture_send(fixture, NULL, HAN, "leia", "second", &stored));
    fixture_commit(fixture);
    assert_false(stored.again);
    assert_int_equal(stored.recipient, LEIA);
    assert_int_equal(stored.author_seq, 2);
    assert_int_equal(stored.recipient_seq, 1);
    assert_int_equal(stored.time_us, fixture->now_us);
    fixture_expect_state(fixture, HAN, 2, 0);
    fixture_expect_state(fixture, LEIA, 1, 0);
    assert_int_equal(store_message_count(fixture->store), 2);
}

static void sends_that_can_not_be_are_refused(void **state) {
    struct fixture *fixture = *state;
    expect_send(fixture, HAN, "nobody", STORE_NOT_FOUND);
    expect_send(fixture, HAN, "han", STORE_SELF);
    block(fixture, HAN, "leia");
    expect_send(fixture, HAN, "leia", STORE_BLOCKED);
    expect_send(fixture, LEIA, "han", STORE_BLOCKED_BY);
    block(fixture, LEIA, "han");
    expect_send(fixture, LEIA, "han", STORE_BLOCKED);
    fixture_expect_state(fixture, HAN, 0, 0);
    fixture_expect_state(fixture, LEIA, 0, 0);
    assert_int_equal(store_message_count(fixture->store), 0);
}

static void a_retry_gets_the_first_answer(void **state) {
    struct fixture *fixture = *state;
    struct store_message_stored first;
    struct store_message_stored again;
    unsigned char id[ID_BYTES];
    fixture_id(fixture, id);
    fixture_begin(fixture);
    assert_ok(fixture_send(fixture, id, HAN, "leia", "hello", &first));
    assert_ok(fixture_send(fixture, NULL, HAN, "leia", "more", &again));
    assert_ok(fixture_send(fixture, id, HAN, "leia", "hello", &again));
    fixture_commit(fixture);
    assert_true(again.again);
    assert_int_equal(again.recipient, first.recipient);
    assert_int_equal(again.time_us, first.time_us);
    assert_int_equal(again.author_seq, first.author_seq);
    assert_int_equal(again.recipient_seq, first.recipient_seq);
    assert_int_equal(again.delivered, first.delivered);
    fixture_reopen(fixture);
    block(fixture, LEIA, "han");
    fixture_begin(fixture);
    assert_ok(fixture_send(fixture, id, HAN, "leia", "hello", &again));
    assert_true(again.again);
    assert_int_equal(fixture_send(fixture, id, HAN, "leia", "hello!", &again), STORE_ID_REUSED);
    fixture_commit(fixture);
    fixture_expect_state(fixture, LEIA, 2, 0);
}

static enum store_status send_only_again(struct fixture *fixture, const unsigned char *id) {
    struct store_message_new message = {.id = id,
                                        .author = HAN,
                                        .to = "leia",
                                        .text = "hello",
                                        .text_bytes = 5,
                                        .time_us = ++fixture->now_us,
                                        .only_again = true};
    struct store_message_stored stored;
    enum store_status status;
    fixture_begin(fixture);
    status = store_message_append(fixture->store, &message, &stored);
    fixture_commit(fixture);
    return status;
}

static void what_may_only_be_a_retry_stores_nothing_new(void **state) {
    struct fixture *fixture = *state;
    struct store_message_stored stored;
    unsigned char id[ID_BYTES];
    fixture_id(fixture, id);
    assert_int_equal(send_only_again(fixture, id), STORE_NOT_STORED);
    fixture_expect_state(fixture, LEIA, 0, 0);
    fixture_begin(fixture);
    assert_ok(fixture_send(fixture, id, HAN, "leia", "hello", &stored));
    fixture_commit(fixture);
    assert_ok(send_only_again(fixture, id));
    fixture_expect_state(fixture, LEIA, 1, 0);
    block(fixture, LEIA, "han");
    assert_ok(send_only_again(fixture, id));
    fixture_id(fixture, id);
    assert_int_equal(send_only_again(fixture, id), STORE_BLOCKED_BY);
}

static void an_id_names_one_message(void **state) {
    struct fixture *fixture = *state;
    struct store_message_stored stored;
    unsigned char id[ID_BYTES];
    fixture_id(fixture, id);
    fixture_begin(fixture);
    assert_ok(fixture_send(fixture, id, HAN, "leia", "hello", &stored));
    assert_int_equal(fixture_send(fixture, id, HAN, "leia", "hell", &stored), STORE_ID_REUSED);
    assert_int_equal(fixture_send(fixture, id, HAN, "luke", "hello", &stored), STORE_ID_REUSED);
    assert_int_equal(fixture_send(fixture, id, LUKE, "leia", "hello", &stored), STORE_ID_REUSED);
    assert_int_equal(fixture_send(fixture, id, LEIA, "han", "hello", &stored), STORE_ID_REUSED);
    assert_ok(fixture_send(fixture, NULL, HAN, "leia", "next", &stored));
    assert_int_equal(stored.recipient_seq, 2);
    fixture_commit(fixture);
}

static void a_transaction_that_is_not_committed_is_nothing(void **state) {
    struct fixture *fixture = *state;
    struct store_message_stored stored;
    fixture_begin(fixture);
    assert_ok(fixture_send(fixture, NULL, HAN, "leia", "hello", &stored));
    fixture_reopen(fixture);
    fixture_expect_state(fixture, LEIA, 0, 0);
}

static void reading_commits_nothing(void **state) {
    struct fixture *fixture = *state;
    uint64_t head;
    uint64_t cursor;
    struct store_account account;
    uint64_t syncs = crashvfs_count(fixture->disk, CRASHVFS_SYNC);
    uint64_t writes = crashvfs_count(fixture->disk, CRASHVFS_WRITE);
    fixture_begin(fixture);
    assert_ok(store_inbox_state(fixture->store, LEIA, &head, &cursor));
    assert_ok(store_account_find(fixture->store, "leia", &account));
    fixture_commit(fixture);
    assert_int_equal(crashvfs_count(fixture->disk, CRASHVFS_SYNC), syncs);
    assert_int_equal(crashvfs_count(fixture->disk, CRASHVFS_WRITE), writes);
    expect_send(fixture, HAN, "leia", STORE_OK);
    assert_true(crashvfs_count(fixture->disk, CRASHVFS_SYNC) > syncs);
}

struct text {
    const char *text;
    bool was_read;
};

static bool expect_text(void *arg, const struct store_message *message) {
    struct text *text = arg;
    assert_int_equal(message->text_bytes, strlen(text->text));
    assert_memory_equal(message->text, text->text, message->text_bytes);
    text->was_read = true;
    return true;
}

static void a_text_of_the_largest_size_comes_back(void **state) {
    struct fixture *fixture = *state;
    struct text text = {.text = NULL};
    char *large = malloc(TEXT_BYTES_MAX + 1);
    assert_non_null(large);
    memset(large, 'z', TEXT_BYTES_MAX);
    large[TEXT_BYTES_MAX] = '\0';
    text.text = large;
    fixture_sent(fixture, HAN, "leia", large);
    assert_ok(store_inbox_read(fixture->store, LEIA, 0, 10, expect_text, &text));
    assert_true(text.was_read);
    free(large);
}

static bool must_not_be_called(void *arg, const struct store_message *message) {
    (void)arg;
    (void)message;
    fail();
    return false;
}

static void reading_beyond_the_end_gives_nothing(void **state) {
    struct fixture *fixture = *state;
    fixture_sent(fixture, HAN, "leia", "hello");
    assert_ok(store_inbox_read(fixture->store, LEIA, 1, 10, must_not_be_called, NULL));
    assert_ok(store_inbox_read(fixture->store, LEIA, UINT64_MAX, 10, must_not_be_called, NULL));
    assert_ok(store_inbox_read(fixture->store, LUKE, 0, 10, must_not_be_called, NULL));
    assert_ok(store_inbox_read(fixture->store, LEIA, 0, 0, must_not_be_called, NULL));
    assert_int_equal(store_inbox_read(fixture->store, 99, 0, 10, must_not_be_called, NULL),
                     STORE_NOT_FOUND);
}

/* ---- what an author asks about ---- */

static void a_message_is_found_by_its_author_alone(void **state) {
    struct fixture *fixture = *state;
    struct store_message_stored stored;
    struct store_message_sent sent;
    unsigned char id[ID_BYTES];
    fixture_sent(fixture, LUKE, "han", "first");
    fixture_sent(fixture, LUKE, "leia", "second");
    fixture_id(fixture, id);
    fixture_begin(fixture);
    assert_ok(fixture_send(fixture, id, HAN, "leia", "third", &stored));
    fixture_commit(fixture);
    for (int merged = 0; merged < 2; merged++) {
        for (int by_id = 0; by_id < 2; by_id++) {
            memset(&sent, 0, sizeof sent);
            assert_ok(store_message_sent(fixture->store, HAN, by_id ? id : NULL, 2, &sent));
            assert_int_equal(sent.recipient, LEIA);
            assert_string_equal(sent.to, "leia");
            assert_int_equal(sent.recipient_seq, 2);
            assert_memory_equal(sent.id, id, ID_BYTES);
        }
        assert_int_equal(store_message_sent(fixture->store, LEIA, id, 0, &sent), STORE_NOT_FOUND);
        assert_int_equal(store_message_sent(fixture->store, LUKE, id, 0, &sent), STORE_NOT_FOUND);
        for (uint64_t seq = 0; seq < 5; seq++) {
            assert_int_equal(store_message_sent(fixture->store, LEIA, NULL, seq, &sent),
                             STORE_NOT_FOUND);
            if (seq != 2)
                assert_int_equal(store_message_sent(fixture->store, HAN, NULL, seq, &sent),
                                 STORE_NOT_FOUND);
        }
        assert_int_equal(store_message_sent(fixture->store, HAN, NULL, UINT64_MAX, &sent),
                         STORE_NOT_FOUND);
        fixture_merge_all(fixture);
        fixture_reopen(fixture);
    }
    fixture_id(fixture, id);
    assert_int_equal(store_message_sent(fixture->store, HAN, id, 0, &sent), STORE_NOT_FOUND);
}

/* ---- cursors ---- */

static void a_cursor_moves_forward_and_not_beyond_the_head(void **state) {
    struct fixture *fixture = *state;
    for (int i = 0; i < 3; i++)
        fixture_sent(fixture, HAN, "leia", "hello");
    assert_int_equal(move_cursor(fixture, LEIA, 2), 2);
    assert_int_equal(move_cursor(fixture, LEIA, 1), 2);
    assert_int_equal(move_cursor(fixture, LEIA, UINT64_MAX), 3);
    fixture_reopen(fixture);
    fixture_expect_state(fixture, LEIA, 3, 3);
}

static void who_has_read_everything_has_read_his_own_message(void **state) {
    struct fixture *fixture = *state;
    fixture_sent(fixture, HAN, "leia", "one's own");
    fixture_expect_state(fixture, HAN, 1, 1);
    fixture_sent(fixture, LEIA, "han", "an answer");
    fixture_sent(fixture, HAN, "leia", "before he read it");
    fixture_expect_state(fixture, HAN, 3, 1);
    fixture_reopen(fixture);
    fixture_expect_state(fixture, HAN, 3, 1);
    assert_int_equal(move_cursor(fixture, HAN, 2), 2);
    fixture_reopen(fixture);
    fixture_expect_state(fixture, HAN, 3, 2);
    assert_int_equal(move_cursor(fixture, HAN, 3), 3);
    fixture_sent(fixture, HAN, "leia", "and after");
    fixture_reopen(fixture);
    fixture_expect_state(fixture, HAN, 4, 4);
}

/* ---- quotas ---- */

static void a_sender_fills_only_his_part_of_an_inbox(void **state) {
    struct fixture *fixture = *state;
    for (int i = 0; i < 4; i++)
        expect_send(fixture, HAN, "leia", STORE_OK);
    expect_send(fixture, HAN, "leia", STORE_QUOTA_SENDER);
    expect_send(fixture, LUKE, "leia", STORE_OK);
    expect_send(fixture, LUKE, "leia", STORE_OK);
    expect_send(fixture, LUKE, "leia", STORE_QUOTA_INBOX);
    expect_send(fixture, HAN, "leia", STORE_QUOTA_INBOX);
    fixture_reopen(fixture);
    expect_send(fixture, LUKE, "leia", STORE_QUOTA_INBOX);
    assert_int_equal(move_cursor(fixture, LEIA, 1), 1);
    expect_send(fixture, HAN, "leia", STORE_OK);
    expect_send(fixture, HAN, "leia", STORE_QUOTA_INBOX);
    assert_int_equal(move_cursor(fixture, LEIA, 5), 5);
    expect_send(fixture, HAN, "leia", STORE_OK);
    fixture_expect_state(fixture, LEIA, 8, 5);
}

static void what_one_sends_fills_no_inbox_of_ones_own(void **state) {
    struct fixture *fixture = *state;
    expect_send(fixture, HAN, "leia", STORE_OK);
    for (int i = 0; i < 4; i++)
        expect_send(fixture, LEIA, "luke", STORE_OK);
    expect_send(fixture, LEIA, "luke", STORE_QUOTA_SENDER);
    for (int i = 0; i < 3; i++)
        expect_send(fixture, HAN, "leia", STORE_OK);
    expect_send(fixture, HAN, "leia", STORE_QUOTA_SENDER);
}

/* Texts of which each counts 1,128 bytes with its entry. */
#define LONG_TEXT_BYTES 1000

static void expect_long(struct fixture *fixture, int64_t from, const char *to,
                        enum store_status expected) {
    struct store_message_stored stored;
    char text[LONG_TEXT_BYTES + 1];
    memset(text, 'x', LONG_TEXT_BYTES);
    text[LONG_TEXT_BYTES] = 0;
    fixture_begin(fixture);
    assert_int_equal(fixture_send(fixture, NULL, from, to, text, &stored), expected);
    fixture_commit(fixture);
}

/* More messages than can count, and 4 or 6 long texts, the last one of which may go beyond. */
static void limit_bytes(struct fixture *fixture) {
    fixture->options.unread_max = fixture->options.unread_per_sender_max = 1000;
    fixture->options.unread_bytes_per_sender_max = 4 * 1100;
    fixture->options.unread_bytes_max = 6 * 1100;
    fixture_reopen(fixture);
}

static void a_sender_fills_only_his_part_of_an_inbox_in_bytes(void **state) {
    struct fixture *fixture = *state;
    limit_bytes(fixture);
    for (int i = 0; i < 4; i++)
        expect_long(fixture, HAN, "leia", STORE_OK);
    expect_long(fixture, HAN, "leia", STORE_QUOTA_SENDER);
    expect_send(fixture, HAN, "leia", STORE_QUOTA_SENDER);
    expect_long(fixture, LUKE, "leia", STORE_OK);
    expect_long(fixture, LUKE, "leia", STORE_OK);
    expect_long(fixture, LUKE, "leia", STORE_QUOTA_INBOX);
    expect_long(fixture, HAN, "luke", STORE_OK);
}

static void bytes_that_were_read_are_free_again(void **state) {
    struct fixture *fixture = *state;
    limit_bytes(fixture);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 4; i++)
            expect_long(fixture, HAN, "leia", STORE_OK);
        expect_long(fixture, HAN, "leia", STORE_QUOTA_SENDER);
        for (uint64_t read = 1; read <= 4; read++) {
            assert_int_equal(move_cursor(fixture, LEIA, (uint64_t)(round * 8) + read),
                             (uint64_t)(round * 8) + read);
            expect_long(fixture, HAN, "leia", STORE_OK);
            expect_long(fixture, HAN, "leia", STORE_QUOTA_SENDER);
        }
        move_cursor(fixture, LEIA, UINT64_MAX);
    }
}

static void bytes_unread_at_the_start_count(void **state) {
    struct fixture *fixture = *state;
    limit_bytes(fixture);
    for (int i = 0; i < 3; i++)
        expect_long(fixture, HAN, "leia", STORE_OK);
    fixture_merge_all(fixture);
    fixture_reopen(fixture);
    expect_long(fixture, HAN, "leia", STORE_OK);
    fixture_reopen(fixture);
    expect_long(fixture, HAN, "leia", STORE_QUOTA_SENDER);
    move_cursor(fixture, LEIA, 2);
    fixture_reopen(fixture);
    expect_long(fixture, HAN, "leia", STORE_OK);
    expect_long(fixture, HAN, "leia", STORE_OK);
    expect_long(fixture, HAN, "leia", STORE_QUOTA_SENDER);
}

/* What was there already is counted by and by, and refuses what comes after. */
static void a_message_to_a_full_inbox_costs_little_after_a_start(void **state) {
    struct fixture *fixture = *state;
    enum { MANY = 5000, LITTLE = 30000 };
    struct store_message_stored stored;
    int more = 0;
    fixture->options.unread_max = 2 * MANY;
    fixture->options.unread_per_sender_max = MANY;
    fixture_reopen(fixture);
    for (int i = 0; i < MANY; i++)
        fixture_sent(fixture, HAN, "leia", "hello");
    expect_send(fixture, HAN, "leia", STORE_QUOTA_SENDER);
    fixture_merge_all(fixture);
    fixture_reopen(fixture);
    enum store_status status = STORE_OK;
    for (; status == STORE_OK; more++) {
        (void)fixture_steps(fixture);
        fixture_begin(fixture);
        status = fixture_send(fixture, NULL, HAN, "leia", "hello", &stored);
        fixture_commit(fixture);
        assert_true(fixture_steps(fixture) < LITTLE);
    }
    assert_int_equal(status, STORE_QUOTA_SENDER);
    assert_true(more <= MANY / 1000);
    move_cursor(fixture, LEIA, (uint64_t)more - 1 + 10);
    for (int i = 0; i <= 10; i++)
        expect_send(fixture, HAN, "leia", i < 10 ? STORE_OK : STORE_QUOTA_SENDER);
    (void)fixture_steps(fixture);
    move_cursor(fixture, LEIA, MANY / 2);
    assert_true(fixture_steps(fixture) < LITTLE);
}

static void short_messages_are_counted_as_what_they_take(void **state) {
    struct fixture *fixture = *state;
    limit_bytes(fixture); /* 34 with 5 bytes and their entry */
    for (int i = 0; i < 34; i++)
        expect_send(fixture, HAN, "leia", STORE_OK);
    expect_send(fixture, HAN, "leia", STORE_QUOTA_SENDER);
}

static void a_retry_is_no_matter_of_quotas(void **state) {
    struct fixture *fixture = *state;
    struct store_message_stored stored;
    unsigned char id[ID_BYTES];
    fixture_id(fixture, id);
    fixture_begin(fixture);
    assert_ok(fixture_send(fixture, id, HAN, "leia", "hello", &stored));
    fixture_commit(fixture);
    for (int i = 0; i < 3; i++)
        expect_send(fixture, HAN, "leia", STORE_OK);
    expect_send(fixture, HAN, "leia", STORE_QUOTA_SENDER);
    fixture_begin(fixture);
    assert_ok(fixture_send(fixture, id, HAN, "leia", "hello", &stored));
    assert_true(stored.again);
    assert_int_equal(fixture_send(fixture, id, HAN, "leia", "bye", &stored), STORE_ID_REUSED);
    fixture_commit(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_in_both_inboxes),
        TEST(sends_that_can_not_be_are_refused),
        TEST(a_retry_gets_the_first_answer),
        TEST(what_may_only_be_a_retry_stores_nothing_new),
        TEST(an_id_names_one_message),
        TEST(a_transaction_that_is_not_committed_is_nothing),
        TEST(reading_commits_nothing),
        TEST(a_text_of_the_largest_size_comes_back),
        TEST(reading_beyond_the_end_gives_nothing),
        TEST(a_message_is_found_by_its_author_alone),
        TEST(a_cursor_moves_forward_and_not_beyond_the_head),
        TEST(who_has_read_everything_has_read_his_own_message),
        TEST(a_sender_fills_only_his_part_of_an_inbox),
        TEST(what_one_sends_fills_no_inbox_of_ones_own),
        TEST(a_sender_fills_only_his_part_of_an_inbox_in_bytes),
        TEST(bytes_that_were_read_are_free_again),
        TEST(bytes_unread_at_the_start_count),
        TEST(a_message_to_a_full_inbox_costs_little_after_a_start),
        TEST(short_messages_are_counted_as_what_they_take),
        TEST(a_retry_is_no_matter_of_quotas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
