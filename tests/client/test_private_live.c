/* Private chats between handles against a real broker: how they begin, what passes through them,
 * what breaks and ends them. */
#include "live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct test {
    struct live *live;
    struct client *alice;
    struct client *bob;
};

static int setup(void **state) {
    struct test *test = calloc(1, sizeof *test);
    assert_non_null(test);
    test->live = live_new();
    test->alice = live_client(test->live, "alice", ZCHAT_PUBLIC_NONE);
    test->bob = live_client(test->live, "bob", ZCHAT_PUBLIC_NONE);
    *state = test;
    return 0;
}

static int teardown(void **state) {
    struct test *test = *state;
    live_free(test->live);
    free(test);
    return 0;
}

static const struct heard *last(const struct client *client, zchat_event_kind kind) {
    for (size_t i = client->heard_count; i-- > 0;) {
        if (client->heard[i].kind == kind) {
            return &client->heard[i];
        }
    }
    fail_msg("event %d was not told", (int)kind);
    return NULL;
}

static void await(struct test *test, const struct client *client, zchat_event_kind kind,
                  size_t count) {
    LIVE_UNTIL(test->live, client_count(client, kind) >= count);
}

/* alice invites, bob accepts. */
static void open_chat(struct test *test) {
    struct answer started = {0};
    struct answer accepted = {0};
    size_t invited = client_count(test->bob, ZCHAT_EVENT_PRIVATE_INVITED);
    size_t open[2] = {client_count(test->alice, ZCHAT_EVENT_PRIVATE_OPEN),
                      client_count(test->bob, ZCHAT_EVENT_PRIVATE_OPEN)};
    assert_int_equal(zchat_private_start(test->alice->z, "bob", live_answer, &started), ZCHAT_OK);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_INVITED, invited + 1);
    assert_int_equal(zchat_private_accept(test->bob->z, "alice", live_answer, &accepted), ZCHAT_OK);
    live_expect(test->live, &started, ZCHAT_OK);
    live_expect(test->live, &accepted, ZCHAT_OK);
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_OPEN, open[0] + 1);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_OPEN, open[1] + 1);
}

static void send_line(struct test *test, struct client *from, const char *to, const char *text) {
    struct answer answer = {0};
    assert_int_equal(zchat_private_send(from->z, to, text, live_answer, &answer), ZCHAT_OK);
    live_expect(test->live, &answer, ZCHAT_OK);
}

static void lines_pass_both_ways(void **state) {
    struct test *test = *state;
    open_chat(test);
    assert_true(last(test->alice, ZCHAT_EVENT_PRIVATE_OPEN)->online);
    assert_int_equal(strlen(last(test->alice, ZCHAT_EVENT_PRIVATE_OPEN)->text), 39);
    assert_int_equal(zchat_private_count(test->alice->z), 1);
    assert_string_equal(zchat_private_user(test->bob->z, 0), "alice");
    send_line(test, test->alice, "bob", "one\033[31m");
    send_line(test, test->bob, "alice", "two");
    assert_string_equal(last(test->bob, ZCHAT_EVENT_PRIVATE_LINE)->text, "one");
    assert_string_equal(last(test->bob, ZCHAT_EVENT_PRIVATE_LINE)->user, "alice");
    assert_string_equal(last(test->alice, ZCHAT_EVENT_PRIVATE_LINE)->text, "two");
}

static void a_stop_is_told_and_a_new_chat_may_begin(void **state) {
    struct test *test = *state;
    struct answer stopped = {0};
    open_chat(test);
    assert_int_equal(zchat_private_stop(test->bob->z, "alice", live_answer, &stopped), ZCHAT_OK);
    live_expect(test->live, &stopped, ZCHAT_OK);
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_string_equal(last(test->alice, ZCHAT_EVENT_PRIVATE_CLOSED)->text,
                        "bob ended the private chat.");
    assert_int_equal(client_count(test->bob, ZCHAT_EVENT_PRIVATE_CLOSED), 1);
    assert_int_equal(zchat_private_send(test->alice->z, "bob", "x", NULL, NULL), ZCHAT_NOT_FOUND);
    assert_int_equal(client_count(test->alice, ZCHAT_EVENT_PRIVATE_BROKEN), 0);
    open_chat(test);
    assert_false(last(test->alice, ZCHAT_EVENT_PRIVATE_OPEN)->online);
}

static void start_fails(struct test *test, const char *user, zchat_code code, const char *text) {
    struct answer answer = {0};
    zchat_code at_once = zchat_private_start(test->alice->z, user, live_answer, &answer);
    if (at_once == ZCHAT_OK) {
        live_expect(test->live, &answer, code);
        if (!strstr(answer.text, text)) {
            fail_msg("\"%s\" lacks \"%s\"", answer.text, text);
        }
    } else {
        assert_int_equal(at_once, code);
        assert_non_null(strstr(zchat_error(test->alice->z), text));
    }
}

static void each_failure_has_its_own_text(void **state) {
    struct test *test = *state;
    struct answer answer = {0};
    start_fails(test, "nobody", ZCHAT_NOT_FOUND, "no user nobody");
    start_fails(test, "alice", ZCHAT_INVALID, "oneself");
    start_fails(test, "!", ZCHAT_INVALID, "no name");
    zchat_block(test->bob->z, "alice", live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    start_fails(test, "bob", ZCHAT_FORBIDDEN, "blocked");
    answer = (struct answer){0};
    zchat_unblock(test->bob->z, "alice", live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    open_chat(test);
    start_fails(test, "bob", ZCHAT_CONFLICT, "open already");
    client_drop(test->bob);
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_string_equal(last(test->alice, ZCHAT_EVENT_PRIVATE_CLOSED)->text, "bob left.");
    start_fails(test, "bob", ZCHAT_FORBIDDEN, "not online");
}

static void an_invitation_is_declined_or_taken_back(void **state) {
    struct test *test = *state;
    struct answer started = {0};
    struct answer answer = {0};
    zchat_private_start(test->alice->z, "bob", live_answer, &started);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_INVITED, 1);
    assert_int_equal(zchat_private_start(test->bob->z, "alice", NULL, NULL), ZCHAT_CONFLICT);
    assert_int_equal(zchat_private_decline(test->bob->z, "alice", live_answer, &answer), ZCHAT_OK);
    live_expect(test->live, &started, ZCHAT_FORBIDDEN);
    assert_string_equal(started.text, "bob declined.");
    live_expect(test->live, &answer, ZCHAT_OK);
    assert_int_equal(zchat_private_accept(test->bob->z, "alice", NULL, NULL), ZCHAT_NOT_FOUND);
    started = answer = (struct answer){0};
    zchat_private_start(test->alice->z, "bob", live_answer, &started);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_INVITED, 2);
    assert_int_equal(zchat_private_stop(test->alice->z, "bob", live_answer, &answer), ZCHAT_OK);
    live_expect(test->live, &started, ZCHAT_CANCELLED);
    live_expect(test->live, &answer, ZCHAT_OK);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_non_null(strstr(last(test->bob, ZCHAT_EVENT_PRIVATE_CLOSED)->text, "took"));
    open_chat(test);
}

static void a_logout_and_a_block_end_the_chat(void **state) {
    struct test *test = *state;
    struct answer answer = {0};
    open_chat(test);
    zchat_block(test->bob->z, "alice", live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_non_null(strstr(last(test->alice, ZCHAT_EVENT_PRIVATE_CLOSED)->text, "block"));
    answer = (struct answer){0};
    zchat_unblock(test->bob->z, "alice", live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    open_chat(test);
    answer = (struct answer){0};
    zchat_logout(test->alice->z, live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_CLOSED, 2);
    assert_string_equal(last(test->bob, ZCHAT_EVENT_PRIVATE_CLOSED)->text, "alice logged out.");
    assert_int_equal(client_count(test->bob, ZCHAT_EVENT_PRIVATE_BROKEN), 0);
}

static void the_brokers_death_ends_no_chat(void **state) {
    struct test *test = *state;
    open_chat(test);
    live_kill(test->live);
    await(test, test->alice, ZCHAT_EVENT_LOST, 1);
    await(test, test->bob, ZCHAT_EVENT_LOST, 1);
    send_line(test, test->alice, "bob", "still here");
    send_line(test, test->bob, "alice", "me too");
    live_start(test->live);
    await(test, test->alice, ZCHAT_EVENT_RESUMED, 1);
    await(test, test->bob, ZCHAT_EVENT_RESUMED, 1);
    send_line(test, test->alice, "bob", "and after");
    struct answer answer = {0};
    zchat_block(test->bob->z, "alice", live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(lines_pass_both_ways),
        TEST(a_stop_is_told_and_a_new_chat_may_begin),
        TEST(each_failure_has_its_own_text),
        TEST(an_invitation_is_declined_or_taken_back),
        TEST(a_logout_and_a_block_end_the_chat),
        TEST(the_brokers_death_ends_no_chat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
