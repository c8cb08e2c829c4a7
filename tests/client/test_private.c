/* A private chat with a peer that misbehaves: a wrong nonce, another key, a second connection, a
 * line twice, a line too far; and what was seen of what was sent. */
#include "eve.h"

#include <errno.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#include <cmocka.h>

static int setup_idle_4_s(void **state) {
    return eve_setup_idle(state, 4);
}

/* ---- eve's socket ---- */

static void say_lines(struct eve *eve, uint64_t number, char **texts, size_t count) {
    Zchat__V1__PeerLines body = ZCHAT__V1__PEER_LINES__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    body.number = number;
    body.id = eve_data(eve->chat, ID_BYTES);
    body.time_us = 1;
    body.text = texts;
    body.n_text = count;
    message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_LINES;
    message.lines = &body;
    eve_say(eve->socket, &message);
}

static void say_ack(struct eve *eve, uint64_t received) {
    Zchat__V1__PeerAck body = ZCHAT__V1__PEER_ACK__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    body.received = received;
    message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_ACK;
    message.ack = &body;
    eve_say(eve->socket, &message);
}

/* The other one is turned away before he can say anything. */
static void is_refused(struct eve *eve, const unsigned char *public_key,
                       const unsigned char *secret_key) {
    uint16_t event = 0;
    eve->other = eve_plug(eve, public_key, secret_key);
    zmq_socket_monitor(eve->other, "inproc://watch",
                       ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    eve->watch = zmq_socket(eve->context, ZMQ_PAIR);
    assert_int_equal(zmq_connect(eve->watch, "inproc://watch"), 0);
    eve_connect(eve, eve->other);
    eve_say_hello(eve, eve->other);
    while (zmq_recv(eve->watch, &event, sizeof event, ZMQ_DONTWAIT) < 0)
        assert_true(stage_step(eve->stage));
    assert_int_equal(event, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
}

/* Whether the socket hears nothing, though everybody had time. */
static bool is_deaf(struct eve *eve, void *socket) {
    char frame[64];
    time_t until = time(NULL) + 2;
    while (time(NULL) < until)
        assert_true(stage_step(eve->stage));
    return zmq_recv(socket, frame, sizeof frame, ZMQ_DONTWAIT) < 0 && errno == EAGAIN;
}

static void a_wrong_nonce_uses_the_consent_up(void **state) {
    struct eve *eve = *state;
    eve_be_accepted(eve);
    eve->nonce[0] ^= 1;
    eve->socket = eve_dial(eve, eve->public_key, eve->secret_key);
    eve_say_hello(eve, eve->socket);
    Zchat__V1__PeerMessage *bye = eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_BYE);
    assert_non_null(strstr(bye->bye->reason, "nonce"));
    const struct told *answer = stage_await(eve->stage, 0, 2);
    assert_int_equal(answer->code, ZCHAT_FORBIDDEN);
    assert_non_null(strstr(answer->text, "wrong nonce"));
    eve->nonce[0] ^= 1;
    zmq_close(eve->socket);
    eve->socket = eve_dial(eve, eve->public_key, eve->secret_key);
    eve_say_hello(eve, eve->socket);
    assert_true(is_deaf(eve, eve->socket));
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_OPEN), 0);
}

static void a_third_party_with_another_key_is_not_heard(void **state) {
    struct eve *eve = *state;
    unsigned char public_key[KEY_BYTES];
    unsigned char secret_key[KEY_BYTES];
    randombytes_buf(secret_key, KEY_BYTES);
    crypto_scalarmult_base(public_key, secret_key);
    eve_be_accepted(eve);
    is_refused(eve, public_key, secret_key);
    eve->socket = eve_dial(eve, eve->public_key, eve->secret_key);
    eve_say_hello(eve, eve->socket);
    eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_HELLO);
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_OPEN, 1);
    eve_say_line(eve, 1, "still there");
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_LINE, 1);
}

static void a_second_connection_of_the_same_key_is_not_heard(void **state) {
    struct eve *eve = *state;
    eve_open_chat(eve);
    eve->other = eve_dial(eve, eve->public_key, eve->secret_key);
    eve_say_hello(eve, eve->other);
    stage_settle(eve->stage);
    eve_say_line(eve, 1, "first");
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_LINE, 1);
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_BROKEN), 0);
}

static void a_line_that_comes_twice_is_told_once_and_acknowledged_twice(void **state) {
    struct eve *eve = *state;
    eve_open_chat(eve);
    eve_say_line(eve, 1, "one\033[2J");
    assert_int_equal(eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_ACK)->ack->received, 1);
    eve_say_line(eve, 1, "again");
    assert_int_equal(eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_ACK)->ack->received, 1);
    eve_say_line(eve, 2, "two");
    assert_int_equal(eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_ACK)->ack->received, 2);
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_LINE), 2);
    assert_string_equal(stage_told(eve->stage, ZCHAT_EVENT_PRIVATE_LINE, 0)->text, "one");
}

static void several_lines_in_one_are_told_once_each(void **state) {
    struct eve *eve = *state;
    char *texts[] = {(char *)"one", (char *)"two", (char *)"three"};
    eve_open_chat(eve);
    eve->chat[ID_BYTES - 1] = 0xFF;
    say_lines(eve, 1, texts, 2);
    assert_int_equal(eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_ACK)->ack->received, 2);
    say_lines(eve, 1, texts, 3);
    assert_int_equal(eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_ACK)->ack->received, 3);
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_LINE), 3);
    for (size_t i = 0; i < 3; i++) {
        const struct told *told = stage_told(eve->stage, ZCHAT_EVENT_PRIVATE_LINE, i);
        assert_string_equal(told->text, texts[i]);
        assert_int_equal(told->seq, i + 1);
        assert_memory_equal(told->id.bytes, eve->chat, ID_BYTES - 1);
        assert_int_equal(told->id.bytes[ID_BYTES - 1], (0xFF + i) % 256);
    }
}

/* Each is acknowledged by its number, whatever they came in. */
static void lines_go_out_in_one_and_are_answered_one_by_one(void **state) {
    struct eve *eve = *state;
    char text[16];
    eve_open_chat(eve);
    size_t before = stage_count(eve->stage, 0);
    for (int i = 0; i < 70; i++) {
        snprintf(text, sizeof text, "line %d", i + 1);
        assert_int_equal(zchat_private_send(eve->stage->z, "eve", text, stage_answer, NULL),
                         ZCHAT_OK);
    }
    for (uint64_t next = 1; next <= 70;) {
        const Zchat__V1__PeerLines *lines =
            eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_LINES)->lines;
        assert_int_equal(lines->number, next);
        assert_in_range(lines->n_text, 1, 64);
        snprintf(text, sizeof text, "line %d", (int)next);
        assert_string_equal(lines->text[0], text);
        next += lines->n_text;
    }
    say_ack(eve, 3);
    stage_await(eve->stage, 0, before + 3);
    assert_int_equal(stage_count(eve->stage, 0), before + 3);
    say_ack(eve, 70);
    stage_await(eve->stage, 0, before + 70);
    for (size_t i = 0; i < 70; i++) {
        const struct told *told = stage_told(eve->stage, 0, before + i);
        assert_int_equal(told->code, ZCHAT_OK);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(told->id.bytes, stage_told(eve->stage, 0, before + j)->id.bytes,
                                    ID_BYTES);
        }
    }
}

static void more_lines_in_one_than_64_end_the_chat(void **state) {
    struct eve *eve = *state;
    char *texts[65];
    for (size_t i = 0; i < 65; i++)
        texts[i] = (char *)"x";
    eve_open_chat(eve);
    say_lines(eve, 1, texts, 65);
    eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_BYE);
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_LINE), 0);
}

static void what_breaks_the_rules_ends_the_chat(void **state) {
    struct eve *eve = *state;
    eve_open_chat(eve);
    eve_say_line(eve, 5, "too far");
    eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_BYE);
    const struct told *told = stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_non_null(strstr(told->text, "protocol"));
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_LINE), 0);
}

static void a_new_link_is_accepted_by_itself_and_a_foreign_one_is_not(void **state) {
    struct eve *eve = *state;
    unsigned char id[ID_BYTES];
    eve_open_chat(eve);
    eve_say_line(eve, 1, "one");
    eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_ACK);
    eve_new_id(id);
    eve_say_invited(eve, id, eve->chat);
    eve_hear_answer(eve);
    zmq_close(eve->socket);
    eve->socket = eve_dial(eve, eve->public_key, eve->secret_key);
    eve_say_hello(eve, eve->socket);
    assert_int_equal(eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_HELLO)->hello->received, 1);
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_OPEN, 2);
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_BROKEN), 1);
    eve_new_id(id);
    eve_say_invited(eve, id, id);
    const Zchat__V1__Command *answer =
        stage_command(eve->stage, ZCHAT__V1__COMMAND__BODY_ANSWER_PRIVATE);
    assert_false(answer->answer_private->accept);
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_INVITED), 1);
}

static void a_peer_whose_session_and_link_ended_is_given_up(void **state) {
    struct eve *eve = *state;
    eve_open_chat(eve);
    eve_say_ended(eve, ZCHAT__V1__PRIVATE_END__PRIVATE_END_GONE);
    eve_say_line(eve, 1, "the link lives on");
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_LINE, 1);
    stage_settle(eve->stage);
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_CLOSED), 0);
    zmq_close(eve->socket);
    eve->socket = NULL;
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_BROKEN, 1);
    const struct told *told = stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_string_equal(told->text, "eve's program is gone");
}

static void activity_is_told_once_a_minute(void **state) {
    struct eve *eve = *state;
    eve_open_chat(eve);
    for (int i = 0; i < 3; i++) {
        zchat_private_send(eve->stage->z, "eve", "x", NULL, NULL);
        eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_LINES);
    }
    stage_command(eve->stage, ZCHAT__V1__COMMAND__BODY_ACTIVE);
    stage_settle(eve->stage);
    assert_null(fake_next(eve->stage->fake, ZCHAT__V1__COMMAND__BODY_ACTIVE));
}

static void activity_is_told_in_time_for_the_idle_limit(void **state) {
    struct eve *eve = *state;
    eve_open_chat(eve);
    zchat_private_send(eve->stage->z, "eve", "one", NULL, NULL);
    stage_command(eve->stage, ZCHAT__V1__COMMAND__BODY_ACTIVE);
    time_t told = time(NULL);
    zchat_private_send(eve->stage->z, "eve", "two", NULL, NULL);
    stage_command(eve->stage, ZCHAT__V1__COMMAND__BODY_ACTIVE);
    assert_true(time(NULL) - told <= 4);
    stage_settle(eve->stage);
    assert_null(fake_next(eve->stage->fake, ZCHAT__V1__COMMAND__BODY_ACTIVE));
}

/* ---- whether a line was seen ---- */

static void a_line_that_was_sent_and_not_acknowledged_may_have_been_seen(void **state) {
    struct eve *eve = *state;
    eve_open_chat(eve);
    zchat_private_send(eve->stage->z, "eve", "x", stage_answer, (void *)7);
    eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_LINES);
    zchat_private_stop(eve->stage->z, "eve", stage_answer, (void *)8);
    const struct told *told = stage_await(eve->stage, 0, 3);
    assert_int_equal(told->arg, 7);
    assert_int_equal(told->code, ZCHAT_UNKNOWN);
    assert_non_null(strstr(told->text, "may or may not have been seen"));
    assert_string_equal(zchat_code_name(told->code), "UNKNOWN");
}

static void a_line_that_a_farewell_leaves_unacknowledged_was_not_delivered(void **state) {
    struct eve *eve = *state;
    eve_open_chat(eve);
    zchat_private_send(eve->stage->z, "eve", "x", stage_answer, (void *)7);
    eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_LINES);
    eve_say_bye(eve);
    assert_int_equal(stage_await(eve->stage, 0, 3)->code, ZCHAT_UNREACHABLE);
}

static void a_line_that_was_never_sent_was_not_delivered(void **state) {
    struct eve *eve = *state;
    eve_open_chat(eve);
    zmq_close(eve->socket);
    eve->socket = NULL;
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_BROKEN, 1);
    zchat_private_send(eve->stage->z, "eve", "x", stage_answer, (void *)7);
    zchat_private_stop(eve->stage->z, "eve", stage_answer, (void *)8);
    const struct told *told = stage_await(eve->stage, 0, 3);
    assert_int_equal(told->arg, 7);
    assert_int_equal(told->code, ZCHAT_UNREACHABLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, eve_setup, eve_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_wrong_nonce_uses_the_consent_up),
        TEST(a_third_party_with_another_key_is_not_heard),
        TEST(a_second_connection_of_the_same_key_is_not_heard),
        TEST(a_line_that_comes_twice_is_told_once_and_acknowledged_twice),
        TEST(several_lines_in_one_are_told_once_each),
        TEST(lines_go_out_in_one_and_are_answered_one_by_one),
        TEST(more_lines_in_one_than_64_end_the_chat),
        TEST(what_breaks_the_rules_ends_the_chat),
        TEST(a_new_link_is_accepted_by_itself_and_a_foreign_one_is_not),
        TEST(a_peer_whose_session_and_link_ended_is_given_up),
        TEST(activity_is_told_once_a_minute),
        cmocka_unit_test_setup_teardown(activity_is_told_in_time_for_the_idle_limit, setup_idle_4_s,
                                        eve_teardown),
        TEST(a_line_that_was_sent_and_not_acknowledged_may_have_been_seen),
        TEST(a_line_that_a_farewell_leaves_unacknowledged_was_not_delivered),
        TEST(a_line_that_was_never_sent_was_not_delivered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
