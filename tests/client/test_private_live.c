/* Private chats between handles against a real broker: how they begin, what passes through them,
 * what breaks and ends them. */
#include "pair.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void send_line(struct pair *pair, struct client *from, const char *to, const char *text) {
    struct answer answer = {0};
    assert_int_equal(zchat_private_send(from->z, to, text, live_answer, &answer), ZCHAT_OK);
    live_expect(pair->live, &answer, ZCHAT_OK);
}

static void lines_pass_both_ways(void **state) {
    struct pair *pair = *state;
    pair_open(pair);
    assert_true(pair_last(pair->alice, ZCHAT_EVENT_PRIVATE_OPEN)->online);
    assert_int_equal(strlen(pair_last(pair->alice, ZCHAT_EVENT_PRIVATE_OPEN)->text), 39);
    assert_int_equal(zchat_private_count(pair->alice->z), 1);
    assert_string_equal(zchat_private_user(pair->bob->z, 0), "alice");
    send_line(pair, pair->alice, "bob", "one\033[31m");
    send_line(pair, pair->bob, "alice", "two");
    assert_string_equal(pair_last(pair->bob, ZCHAT_EVENT_PRIVATE_LINE)->text, "one");
    assert_string_equal(pair_last(pair->bob, ZCHAT_EVENT_PRIVATE_LINE)->user, "alice");
    assert_string_equal(pair_last(pair->alice, ZCHAT_EVENT_PRIVATE_LINE)->text, "two");
}

/* One thread of the process answers who may connect to any of them. */
static void two_handles_that_wait_for_a_peer_each_get_their_own(void **state) {
    struct pair *pair = *state;
    struct client *carol = live_client(pair->live, "carol", ZCHAT_PUBLIC_NONE);
    struct answer started = {0};
    struct answer accepted = {0};
    pair_open(pair);
    assert_int_equal(zchat_private_start(carol->z, "alice", live_answer, &started), ZCHAT_OK);
    pair_await(pair, pair->alice, ZCHAT_EVENT_PRIVATE_INVITED, 1);
    assert_int_equal(zchat_private_accept(pair->alice->z, "carol", live_answer, &accepted),
                     ZCHAT_OK);
    pair_await(pair, carol, ZCHAT_EVENT_PRIVATE_OPEN, 1);
    pair_await(pair, pair->alice, ZCHAT_EVENT_PRIVATE_OPEN, 2);
    send_line(pair, carol, "alice", "one");
    send_line(pair, pair->alice, "bob", "two");
    send_line(pair, pair->alice, "carol", "three");
    assert_string_equal(pair_last(pair->alice, ZCHAT_EVENT_PRIVATE_LINE)->user, "carol");
    assert_string_equal(pair_last(pair->bob, ZCHAT_EVENT_PRIVATE_LINE)->text, "two");
    assert_string_equal(pair_last(carol, ZCHAT_EVENT_PRIVATE_LINE)->text, "three");
}

static void a_stop_is_told_and_a_new_chat_may_begin(void **state) {
    struct pair *pair = *state;
    struct answer stopped = {0};
    pair_open(pair);
    assert_int_equal(zchat_private_stop(pair->bob->z, "alice", live_answer, &stopped), ZCHAT_OK);
    live_expect(pair->live, &stopped, ZCHAT_OK);
    pair_await(pair, pair->alice, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_string_equal(pair_last(pair->alice, ZCHAT_EVENT_PRIVATE_CLOSED)->text,
                        "bob ended the private chat");
    assert_int_equal(client_count(pair->bob, ZCHAT_EVENT_PRIVATE_CLOSED), 1);
    assert_int_equal(zchat_private_send(pair->alice->z, "bob", "x", NULL, NULL), ZCHAT_NOT_FOUND);
    assert_int_equal(client_count(pair->alice, ZCHAT_EVENT_PRIVATE_BROKEN), 0);
    pair_open(pair);
    assert_false(pair_last(pair->alice, ZCHAT_EVENT_PRIVATE_OPEN)->online);
}

static void start_fails(struct pair *pair, const char *user, zchat_code code, const char *text) {
    struct answer answer = {0};
    zchat_code at_once = zchat_private_start(pair->alice->z, user, live_answer, &answer);
    if (at_once == ZCHAT_OK) {
        live_expect(pair->live, &answer, code);
        if (!strstr(answer.text, text))
            fail_msg("\"%s\" lacks \"%s\"", answer.text, text);
    } else {
        assert_int_equal(at_once, code);
        assert_non_null(strstr(zchat_error(pair->alice->z), text));
    }
}

static void each_failure_has_its_own_text(void **state) {
    struct pair *pair = *state;
    struct answer blocked = {0}, unblocked = {0}, left = {0};
    start_fails(pair, "nobody", ZCHAT_NOT_FOUND, "no user nobody");
    start_fails(pair, "alice", ZCHAT_INVALID, "oneself");
    start_fails(pair, "!", ZCHAT_INVALID, "no name");
    zchat_block(pair->bob->z, "alice", live_answer, &blocked);
    live_expect(pair->live, &blocked, ZCHAT_OK);
    start_fails(pair, "bob", ZCHAT_FORBIDDEN, "blocked");
    zchat_unblock(pair->bob->z, "alice", live_answer, &unblocked);
    live_expect(pair->live, &unblocked, ZCHAT_OK);
    pair_open(pair);
    start_fails(pair, "bob", ZCHAT_CONFLICT, "open already");
    zchat_logout(pair->bob->z, live_answer, &left);
    live_expect(pair->live, &left, ZCHAT_OK);
    pair_await(pair, pair->alice, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    start_fails(pair, "bob", ZCHAT_FORBIDDEN, "not online");
}

static void an_invitation_is_declined_or_taken_back(void **state) {
    struct pair *pair = *state;
    struct answer started = {0};
    struct answer answer = {0};
    zchat_private_start(pair->alice->z, "bob", live_answer, &started);
    pair_await(pair, pair->bob, ZCHAT_EVENT_PRIVATE_INVITED, 1);
    assert_int_equal(zchat_private_decline(pair->bob->z, "alice", live_answer, &answer), ZCHAT_OK);
    live_expect(pair->live, &started, ZCHAT_FORBIDDEN);
    assert_string_equal(started.text, "bob declined");
    live_expect(pair->live, &answer, ZCHAT_OK);
    assert_int_equal(zchat_private_accept(pair->bob->z, "alice", NULL, NULL), ZCHAT_NOT_FOUND);
    started = answer = (struct answer){0};
    zchat_private_start(pair->alice->z, "bob", live_answer, &started);
    pair_await(pair, pair->bob, ZCHAT_EVENT_PRIVATE_INVITED, 2);
    assert_int_equal(zchat_private_stop(pair->alice->z, "bob", live_answer, &answer), ZCHAT_OK);
    live_expect(pair->live, &started, ZCHAT_CANCELLED);
    live_expect(pair->live, &answer, ZCHAT_OK);
    pair_await(pair, pair->bob, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_non_null(strstr(pair_last(pair->bob, ZCHAT_EVENT_PRIVATE_CLOSED)->text, "took"));
    pair_open(pair);
}

static void two_who_invite_each_other_have_a_chat(void **state) {
    struct pair *pair = *state;
    struct answer hers = {0};
    struct answer his = {0};
    assert_int_equal(zchat_private_start(pair->alice->z, "bob", live_answer, &hers), ZCHAT_OK);
    assert_int_equal(zchat_private_start(pair->bob->z, "alice", live_answer, &his), ZCHAT_OK);
    live_expect(pair->live, &hers, ZCHAT_OK);
    live_expect(pair->live, &his, ZCHAT_OK);
    pair_await(pair, pair->alice, ZCHAT_EVENT_PRIVATE_OPEN, 1);
    pair_await(pair, pair->bob, ZCHAT_EVENT_PRIVATE_OPEN, 1);
    send_line(pair, pair->alice, "bob", "one");
    send_line(pair, pair->bob, "alice", "two");
}

/* The second of bob's programs, in the same folder. */
static struct client *second_program(struct pair *pair, const char *user) {
    struct client *client = calloc(1, sizeof *client);
    assert_non_null(client);
    client->live = pair->live;
    client->next = pair->live->clients;
    pair->live->clients = client;
    live_path(pair->live, user, client->folder);
    client_login(client, user, ZCHAT_PUBLIC_NONE);
    return client;
}

static void a_second_program_leaves_a_renewal_to_the_one_that_has_the_chat(void **state) {
    struct pair *pair = *state;
    pair_open(pair);
    struct client *second = second_program(pair, "bob");
    for (size_t i = 0; i < 3; i++) {
        pair_cut_links(pair);
        pair_await(pair, pair->alice, ZCHAT_EVENT_PRIVATE_OPEN, i + 2);
        pair_await(pair, pair->bob, ZCHAT_EVENT_PRIVATE_OPEN, i + 2);
    }
    send_line(pair, pair->alice, "bob", "one");
    assert_int_equal(client_count(pair->alice, ZCHAT_EVENT_PRIVATE_CLOSED), 0);
    assert_int_equal(client_count(second, ZCHAT_EVENT_PRIVATE_INVITED), 0);
}

static void a_logout_and_a_block_end_the_chat(void **state) {
    struct pair *pair = *state;
    struct answer answer = {0};
    pair_open(pair);
    zchat_block(pair->bob->z, "alice", live_answer, &answer);
    live_expect(pair->live, &answer, ZCHAT_OK);
    pair_await(pair, pair->alice, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    pair_await(pair, pair->bob, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_non_null(strstr(pair_last(pair->alice, ZCHAT_EVENT_PRIVATE_CLOSED)->text, "block"));
    answer = (struct answer){0};
    zchat_unblock(pair->bob->z, "alice", live_answer, &answer);
    live_expect(pair->live, &answer, ZCHAT_OK);
    pair_open(pair);
    answer = (struct answer){0};
    zchat_logout(pair->alice->z, live_answer, &answer);
    live_expect(pair->live, &answer, ZCHAT_OK);
    pair_await(pair, pair->bob, ZCHAT_EVENT_PRIVATE_CLOSED, 2);
    assert_string_equal(pair_last(pair->bob, ZCHAT_EVENT_PRIVATE_CLOSED)->text, "alice logged out");
    assert_int_equal(client_count(pair->bob, ZCHAT_EVENT_PRIVATE_BROKEN), 0);
}

static void the_brokers_death_ends_no_chat(void **state) {
    struct pair *pair = *state;
    pair_open(pair);
    live_kill(pair->live);
    pair_await(pair, pair->alice, ZCHAT_EVENT_LOST, 1);
    pair_await(pair, pair->bob, ZCHAT_EVENT_LOST, 1);
    send_line(pair, pair->alice, "bob", "still here");
    send_line(pair, pair->bob, "alice", "me too");
    live_start(pair->live);
    pair_await(pair, pair->alice, ZCHAT_EVENT_RESUMED, 1);
    pair_await(pair, pair->bob, ZCHAT_EVENT_RESUMED, 1);
    send_line(pair, pair->alice, "bob", "and after");
    struct answer answer = {0};
    zchat_block(pair->bob->z, "alice", live_answer, &answer);
    live_expect(pair->live, &answer, ZCHAT_OK);
    pair_await(pair, pair->alice, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
}

/* ---- broken links ---- */

#define LINES 1000

struct sent {
    size_t delivered;
    size_t refused;
};

static void count_line(void *arg, const zchat_reply *reply) {
    struct sent *sent = arg;
    if (reply->code == ZCHAT_OK) {
        assert_int_equal(sent->refused, 0);
        sent->delivered++;
    } else {
        assert_true(reply->code == ZCHAT_UNREACHABLE || reply->code == ZCHAT_UNKNOWN);
        sent->refused++;
    }
}

/* It heard that many lines, each once, in order. */
static void has_lines(const struct client *client, size_t count) {
    size_t next = 0;
    for (size_t i = 0; i < client->heard_count; i++) {
        if (client->heard[i].kind == ZCHAT_EVENT_PRIVATE_LINE) {
            char text[32];
            snprintf(text, sizeof text, "line %zu", next++);
            assert_string_equal(client->heard[i].text, text);
        }
    }
    assert_int_equal(next, count);
}

static void send_lines(struct client *from, const char *to, size_t first, size_t count,
                       struct sent *sent) {
    for (size_t i = first; i < first + count; i++) {
        char text[32];
        snprintf(text, sizeof text, "line %zu", i);
        assert_int_equal(zchat_private_send(from->z, to, text, count_line, sent), ZCHAT_OK);
    }
}

static void a_cut_link_is_made_anew_and_nothing_is_lost_or_doubled(void **state) {
    struct pair *pair = *state;
    struct sent sent[2] = {{0}, {0}};
    pair_open(pair);
    for (size_t i = 0; i < 4; i++) {
        send_lines(pair->alice, "bob", i * LINES, LINES, &sent[0]);
        send_lines(pair->bob, "alice", i * LINES, LINES, &sent[1]);
        LIVE_UNTIL(pair->live, sent[0].delivered > i * LINES && sent[1].delivered > i * LINES);
        pair_cut_links(pair);
        pair_await(pair, pair->alice, ZCHAT_EVENT_PRIVATE_OPEN, i + 2);
        pair_await(pair, pair->bob, ZCHAT_EVENT_PRIVATE_OPEN, i + 2);
    }
    LIVE_UNTIL(pair->live, sent[0].delivered == 4 * LINES && sent[1].delivered == 4 * LINES);
    has_lines(pair->bob, 4 * LINES);
    has_lines(pair->alice, 4 * LINES);
    assert_int_equal(client_count(pair->alice, ZCHAT_EVENT_PRIVATE_BROKEN), 4);
    assert_int_equal(client_count(pair->bob, ZCHAT_EVENT_PRIVATE_BROKEN), 4);
    assert_int_equal(client_count(pair->bob, ZCHAT_EVENT_PRIVATE_INVITED), 1);
}

static void lines_of_a_chat_that_ends_are_told_undelivered(void **state) {
    struct pair *pair = *state;
    struct sent sent = {0};
    pair_open(pair);
    send_lines(pair->alice, "bob", 0, LINES, &sent);
    LIVE_UNTIL(pair->live, sent.delivered > 0);
    send_lines(pair->alice, "bob", LINES, LINES, &sent);
    client_drop(pair->bob);
    pair_await(pair, pair->alice, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_string_equal(pair_last(pair->alice, ZCHAT_EVENT_PRIVATE_CLOSED)->text, "bob left");
    assert_int_equal(sent.delivered + sent.refused, 2 * LINES);
    assert_true(sent.refused > 0);
    assert_int_equal(client_count(pair->bob, ZCHAT_EVENT_PRIVATE_LINE), sent.delivered);
}

static void a_link_that_breaks_while_the_broker_is_away_waits_for_it(void **state) {
    struct pair *pair = *state;
    struct sent sent = {0};
    pair_open(pair);
    live_kill(pair->live);
    pair_await(pair, pair->alice, ZCHAT_EVENT_LOST, 1);
    pair_cut_links(pair);
    pair_await(pair, pair->bob, ZCHAT_EVENT_PRIVATE_BROKEN, 1);
    send_lines(pair->alice, "bob", 0, 10, &sent);
    live_start(pair->live);
    pair_await(pair, pair->bob, ZCHAT_EVENT_PRIVATE_OPEN, 2);
    LIVE_UNTIL(pair->live, sent.delivered == 10);
    has_lines(pair->bob, 10);
}

/* ---- another process ---- */

/* A new user in a process of his own, who accepts whatever alice asks. */
static pid_t start_dave(struct pair *pair) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pair->live->clients = NULL;
    struct client *dave = live_client(pair->live, "dave", ZCHAT_PUBLIC_NONE);
    for (size_t asked = 0;;) {
        if (client_count(dave, ZCHAT_EVENT_PRIVATE_INVITED) > asked) {
            asked++;
            zchat_private_accept(dave->z, "alice", NULL, NULL);
        }
        live_step(pair->live);
    }
}

static void end_dave(pid_t dave) {
    kill(dave, SIGKILL);
    assert_int_equal(waitpid(dave, NULL, 0), dave);
}

/* He may still be on his way to the broker. */
static void open_with_dave(struct pair *pair) {
    struct answer started = {.code = ZCHAT_BUSY};
    while (started.code != ZCHAT_OK) {
        started = (struct answer){0};
        assert_int_equal(zchat_private_start(pair->alice->z, "dave", live_answer, &started),
                         ZCHAT_OK);
        LIVE_UNTIL(pair->live, started.done);
        live_step(pair->live);
    }
}

static void a_silent_link_is_noticed_and_made_anew(void **state) {
    struct pair *pair = *state;
    struct sent sent = {0};
    pid_t dave = start_dave(pair);
    open_with_dave(pair);
    kill(dave, SIGSTOP);
    time_t stopped = time(NULL);
    send_lines(pair->alice, "dave", 0, 100, &sent);
    pair_await(pair, pair->alice, ZCHAT_EVENT_PRIVATE_BROKEN, 1);
    assert_true(time(NULL) - stopped <= 15);
    kill(dave, SIGCONT);
    pair_await(pair, pair->alice, ZCHAT_EVENT_PRIVATE_OPEN, 2);
    LIVE_UNTIL(pair->live, sent.delivered == 100);
    end_dave(dave);
}

static void a_program_that_was_restarted_knows_the_chat_no_longer(void **state) {
    struct pair *pair = *state;
    struct sent sent = {0};
    pid_t dave = start_dave(pair);
    open_with_dave(pair);
    send_lines(pair->alice, "dave", 0, LINES, &sent);
    LIVE_UNTIL(pair->live, sent.delivered > 0);
    end_dave(dave);
    send_lines(pair->alice, "dave", LINES, LINES, &sent);
    pair_await(pair, pair->alice, ZCHAT_EVENT_PRIVATE_BROKEN, 1);
    const struct client *again = second_program(pair, "dave");
    pair_await(pair, pair->alice, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_string_equal(pair_last(pair->alice, ZCHAT_EVENT_PRIVATE_CLOSED)->text,
                        "dave's program no longer knows the chat");
    assert_int_equal(client_count(again, ZCHAT_EVENT_PRIVATE_INVITED), 0);
    assert_int_equal(sent.delivered + sent.refused, 2 * LINES);
}

/* ---- keys and addresses ---- */

static void pin(const struct pair *pair, const struct client *client, const char *user,
                const char *key) {
    char path[512];
    snprintf(path, sizeof path, "%s/known_peers", client->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%s@%s %s\n", user, pair->live->address, key);
    fclose(file);
}

static void another_key_than_the_pinned_one_is_refused(void **state) {
    struct pair *pair = *state;
    struct answer started = {0};
    pin(pair, pair->alice, "bob", zchat_device_key(pair->alice->z));
    zchat_private_start(pair->alice->z, "bob", live_answer, &started);
    pair_await(pair, pair->bob, ZCHAT_EVENT_PRIVATE_INVITED, 1);
    zchat_private_accept(pair->bob->z, "alice", NULL, NULL);
    live_expect(pair->live, &started, ZCHAT_WRONG_KEY);
    assert_non_null(strstr(started.text, "known_peers"));
    assert_non_null(strstr(started.text, "line of bob@127.0.0.1:"));
    started = (struct answer){0};
    pin(pair, pair->bob, "alice", zchat_device_key(pair->bob->z));
    zchat_private_stop(pair->bob->z, "alice", NULL, NULL);
    live_step(pair->live);
    zchat_private_start(pair->alice->z, "bob", live_answer, &started);
    pair_await(pair, pair->bob, ZCHAT_EVENT_PRIVATE_INVITED, 2);
    assert_int_equal(zchat_private_accept(pair->bob->z, "alice", NULL, NULL), ZCHAT_WRONG_KEY);
    assert_non_null(strstr(zchat_error(pair->bob->z), "was pinned"));
    live_expect(pair->live, &started, ZCHAT_FORBIDDEN);
    assert_non_null(strstr(started.text, "bob accepted, but their program could not"));
}

static void a_link_that_cant_be_made_names_both_addresses(void **state) {
    struct pair *pair = *state;
    struct answer started = {0};
    struct answer accepted = {0};
    pair->live->private_address = "255.255.255.255"; /* to which there never is a way */
    struct client *carol = live_client(pair->live, "carol", ZCHAT_PUBLIC_NONE);
    zchat_private_start(pair->alice->z, "carol", live_answer, &started);
    pair_await(pair, carol, ZCHAT_EVENT_PRIVATE_INVITED, 1);
    assert_int_equal(zchat_private_accept(carol->z, "alice", live_answer, &accepted), ZCHAT_OK);
    live_expect(pair->live, &started, ZCHAT_UNREACHABLE);
    assert_non_null(strstr(started.text, "tcp://255.255.255.255:"));
    assert_non_null(strstr(started.text, "from here (127.0.0.1)"));
    live_expect(pair->live, &accepted, ZCHAT_UNREACHABLE);
    assert_non_null(strstr(accepted.text, "255.255.255.255"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(lines_pass_both_ways),
        TEST(two_handles_that_wait_for_a_peer_each_get_their_own),
        TEST(a_stop_is_told_and_a_new_chat_may_begin),
        TEST(each_failure_has_its_own_text),
        TEST(an_invitation_is_declined_or_taken_back),
        TEST(two_who_invite_each_other_have_a_chat),
        TEST(a_second_program_leaves_a_renewal_to_the_one_that_has_the_chat),
        TEST(a_logout_and_a_block_end_the_chat),
        TEST(the_brokers_death_ends_no_chat),
        TEST(a_cut_link_is_made_anew_and_nothing_is_lost_or_doubled),
        TEST(lines_of_a_chat_that_ends_are_told_undelivered),
        TEST(a_link_that_breaks_while_the_broker_is_away_waits_for_it),
        TEST(a_silent_link_is_noticed_and_made_anew),
        TEST(a_program_that_was_restarted_knows_the_chat_no_longer),
        TEST(another_key_than_the_pinned_one_is_refused),
        TEST(a_link_that_cant_be_made_names_both_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
