/* Invitations to private chats: how they end, that they cross, and that nobody says no in a
 * person's name. */
#include "eve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <zmq.h>

#include <cmocka.h>

/* ---- the broker ---- */

static void say_answered(struct eve *eve, const Zchat__V1__Command *invite,
                         Zchat__V1__PrivateAnswer answer) {
    Zchat__V1__PrivateAnswered body = ZCHAT__V1__PRIVATE_ANSWERED__INIT;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    body.id = invite->invite_private->id;
    body.user = (char *)"eve";
    body.answer = answer;
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_PRIVATE_ANSWERED;
    event.private_answered = &body;
    fake_event(eve->stage->fake, &event);
}

/* ---- eve's socket ---- */

static void an_invitation_ends_with_a_sentence(void **state) {
    struct eve *eve = *state;
    const struct {
        Zchat__V1__PrivateEnd reason;
        const char *text;
    } ends[] = {{ZCHAT__V1__PRIVATE_END__PRIVATE_END_TAKEN,
                 "another of your programs answered eve's invitation"},
                {ZCHAT__V1__PRIVATE_END__PRIVATE_END_WITHDRAWN, "eve took the invitation back"},
                {ZCHAT__V1__PRIVATE_END__PRIVATE_END_EXPIRED, "eve's invitation has expired"}};
    for (size_t i = 0; i < 3; i++) {
        eve_invite(eve);
        eve_say_ended(eve, ends[i].reason);
        const struct told *told = stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_CLOSED, i + 1);
        assert_string_equal(told->text, ends[i].text);
        assert_int_equal(zchat_private_accept(eve->stage->z, "eve", NULL, NULL), ZCHAT_NOT_FOUND);
    }
}

static void an_unanswered_start_says_why(void **state) {
    struct eve *eve = *state;
    const struct {
        Zchat__V1__PrivateAnswer answer;
        zchat_code code;
        const char *text;
    } ends[] = {
        {ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_EXPIRED, ZCHAT_EXPIRED,
         "eve did not answer within 60 s"},
        {ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_DECLINED, ZCHAT_FORBIDDEN, "eve declined"},
        {ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_GONE, ZCHAT_FORBIDDEN, "eve went offline"}};
    for (size_t i = 0; i < 3; i++) {
        zchat_private_start(eve->stage->z, "eve", stage_answer, (void *)1);
        const Zchat__V1__Command *command =
            stage_command(eve->stage, ZCHAT__V1__COMMAND__BODY_INVITE_PRIVATE);
        say_answered(eve, command, ends[i].answer);
        const struct told *told = stage_await(eve->stage, 0, i + 2);
        assert_int_equal(told->code, ends[i].code);
        assert_non_null(strstr(told->text, ends[i].text));
    }
}

/* ---- nobody says no in a person's name ---- */

static bool was_answered(struct eve *eve) {
    stage_settle(eve->stage);
    return fake_next(eve->stage->fake, ZCHAT__V1__COMMAND__BODY_ANSWER_PRIVATE) != NULL;
}

static void an_invitation_that_overtakes_the_farewell_is_the_persons_to_answer(void **state) {
    struct eve *eve = *state;
    eve_open_chat(eve);
    eve_invite(eve);
    assert_false(was_answered(eve));
    assert_int_equal(zchat_private_send(eve->stage->z, "eve", "still open", NULL, NULL), ZCHAT_OK);
    eve_say_bye(eve);
    assert_true(stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_CLOSED, 1)->online);
    zmq_close(eve->socket);
    assert_int_equal(zchat_private_accept(eve->stage->z, "eve", stage_answer, (void *)2), ZCHAT_OK);
    eve_hear_answer(eve);
    eve->socket = eve_dial(eve, eve->public_key, eve->secret_key);
    eve_say_hello(eve, eve->socket);
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_OPEN, 2);
}

static void an_invitation_beside_an_open_chat_is_declined_or_ends_without_it(void **state) {
    struct eve *eve = *state;
    eve_open_chat(eve);
    eve_invite(eve);
    eve_say_ended(eve, ZCHAT__V1__PRIVATE_END__PRIVATE_END_WITHDRAWN);
    assert_false(stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_CLOSED, 1)->online);
    eve_invite(eve);
    assert_int_equal(zchat_private_decline(eve->stage->z, "eve", NULL, NULL), ZCHAT_OK);
    assert_false(
        stage_command(eve->stage, ZCHAT__V1__COMMAND__BODY_ANSWER_PRIVATE)->answer_private->accept);
    assert_int_equal(zchat_private_send(eve->stage->z, "eve", "x", NULL, NULL), ZCHAT_OK);
    eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_LINES);
    assert_int_equal(zchat_private_count(eve->stage->z), 1);
}

static void accepting_beside_an_open_chat_takes_its_place(void **state) {
    struct eve *eve = *state;
    eve_open_chat(eve);
    eve_invite(eve);
    assert_int_equal(zchat_private_accept(eve->stage->z, "eve", stage_answer, (void *)2), ZCHAT_OK);
    eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_BYE);
    eve_hear_answer(eve);
    zmq_close(eve->socket);
    eve->socket = eve_dial(eve, eve->public_key, eve->secret_key);
    eve_say_hello(eve, eve->socket);
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_OPEN, 2);
    assert_int_equal(zchat_private_count(eve->stage->z), 1);
}

static void a_farewell_before_the_hellos_ends_the_invitation(void **state) {
    struct eve *eve = *state;
    eve_be_accepted(eve);
    eve->socket = eve_dial(eve, eve->public_key, eve->secret_key);
    eve_say_bye(eve);
    const struct told *told = stage_await(eve->stage, 0, 2);
    assert_int_equal(told->code, ZCHAT_FORBIDDEN);
    assert_string_equal(told->text, "eve ended the private chat");
}

/* ---- eve is invited ---- */

static void reply_done(struct eve *eve, const Zchat__V1__Command *command) {
    Zchat__V1__InvitePrivateResponse body = ZCHAT__V1__INVITE_PRIVATE_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    body.expires_us = 1;
    reply.request = command->request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_INVITE_PRIVATE;
    reply.invite_private = &body;
    fake_reply(eve->stage->fake, &reply);
}

/* eve listens, and accepts. */
static void say_accepted(struct eve *eve, const Zchat__V1__Command *invite) {
    Zchat__V1__PrivateAnswered body = ZCHAT__V1__PRIVATE_ANSWERED__INIT;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    char endpoint[64];
    size_t bytes = sizeof endpoint;
    int one = 1;
    int zero = 0;
    memcpy(eve->chat, invite->invite_private->id.data, ID_BYTES);
    eve->socket = zmq_socket(eve->context, ZMQ_PAIR);
    zmq_setsockopt(eve->socket, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(eve->socket, ZMQ_CURVE_SERVER, &one, sizeof one);
    zmq_setsockopt(eve->socket, ZMQ_CURVE_SECRETKEY, eve->secret_key, KEY_BYTES);
    assert_int_equal(zmq_bind(eve->socket, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(eve->socket, ZMQ_LAST_ENDPOINT, endpoint, &bytes), 0);
    body.id = eve_data(eve->chat, ID_BYTES);
    body.user = (char *)"eve";
    body.answer = ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_ACCEPTED;
    body.endpoint = endpoint;
    body.key = eve_data(eve->public_key, KEY_BYTES);
    body.nonce = eve_data(eve->nonce, NONCE_BYTES);
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_PRIVATE_ANSWERED;
    event.private_answered = &body;
    fake_event(eve->stage->fake, &event);
}

static void a_renewal_that_reached_an_ended_session_is_not_waited_for(void **state) {
    struct eve *eve = *state;
    zchat_private_start(eve->stage->z, "eve", stage_answer, (void *)7);
    const Zchat__V1__Command *invite =
        stage_command(eve->stage, ZCHAT__V1__COMMAND__BODY_INVITE_PRIVATE);
    reply_done(eve, invite);
    say_accepted(eve, invite);
    eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_HELLO);
    eve_say_hello(eve, eve->socket);
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_OPEN, 1);
    zmq_close(eve->socket);
    eve->socket = NULL;
    invite = stage_command(eve->stage, ZCHAT__V1__COMMAND__BODY_INVITE_PRIVATE);
    assert_int_equal(invite->invite_private->again.len, ID_BYTES);
    eve_say_ended(eve, ZCHAT__V1__PRIVATE_END__PRIVATE_END_GONE);
    reply_done(eve, invite);
    const struct told *told = stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_string_equal(told->text, "eve's program is gone");
}

/* ---- crossed invitations ---- */

static void refuse_invite(struct eve *eve, const Zchat__V1__Command *command) {
    Zchat__V1__CommandError error = ZCHAT__V1__COMMAND_ERROR__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    error.code = ZCHAT__V1__CODE__CODE_CONFLICT;
    error.message = (char *)"eve has invited you already: accept that";
    reply.request = command->request;
    reply.error = &error;
    fake_reply(eve->stage->fake, &reply);
}

static void her_invitation_is_accepted_by_who_invites_her(void **state, bool refused_first) {
    struct eve *eve = *state;
    zchat_private_start(eve->stage->z, "eve", stage_answer, (void *)7);
    const Zchat__V1__Command *command =
        stage_command(eve->stage, ZCHAT__V1__COMMAND__BODY_INVITE_PRIVATE);
    const Zchat__V1__Command mine = *command;
    eve_new_id(eve->chat);
    if (refused_first) {
        refuse_invite(eve, &mine);
        stage_settle(eve->stage);
    }
    eve_say_invited(eve, eve->chat, NULL);
    eve_hear_answer(eve);
    if (!refused_first)
        refuse_invite(eve, &mine);
    eve->socket = eve_dial(eve, eve->public_key, eve->secret_key);
    eve_say_hello(eve, eve->socket);
    const struct told *told =
        stage_await(eve->stage, 0, refused_first ? 3 : 2); /* after a Ping's */
    assert_int_equal(told->arg, 7);
    assert_int_equal(told->code, ZCHAT_OK);
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_INVITED), 0);
}

static void a_crossed_invitation_is_accepted_before_the_brokers_refusal(void **state) {
    her_invitation_is_accepted_by_who_invites_her(state, false);
}

static void a_crossed_invitation_is_accepted_after_the_brokers_refusal(void **state) {
    her_invitation_is_accepted_by_who_invites_her(state, true);
}

static void a_refusal_without_an_invitation_is_told(void **state) {
    struct eve *eve = *state;
    zchat_private_start(eve->stage->z, "eve", stage_answer, (void *)7);
    const Zchat__V1__Command *command =
        stage_command(eve->stage, ZCHAT__V1__COMMAND__BODY_INVITE_PRIVATE);
    refuse_invite(eve, command);
    const struct told *told = stage_await(eve->stage, 0, 2);
    assert_int_equal(told->code, ZCHAT_CONFLICT);
    assert_non_null(strstr(told->text, "has invited you already"));
}

static void starting_with_who_has_invited_accepts(void **state) {
    struct eve *eve = *state;
    eve_invite(eve);
    assert_int_equal(zchat_private_start(eve->stage->z, "eve", stage_answer, (void *)7), ZCHAT_OK);
    eve_hear_answer(eve);
    assert_null(fake_next(eve->stage->fake, ZCHAT__V1__COMMAND__BODY_INVITE_PRIVATE));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, eve_setup, eve_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_invitation_ends_with_a_sentence),
        TEST(an_unanswered_start_says_why),
        TEST(an_invitation_that_overtakes_the_farewell_is_the_persons_to_answer),
        TEST(an_invitation_beside_an_open_chat_is_declined_or_ends_without_it),
        TEST(accepting_beside_an_open_chat_takes_its_place),
        TEST(a_farewell_before_the_hellos_ends_the_invitation),
        TEST(a_renewal_that_reached_an_ended_session_is_not_waited_for),
        TEST(a_crossed_invitation_is_accepted_before_the_brokers_refusal),
        TEST(a_crossed_invitation_is_accepted_after_the_brokers_refusal),
        TEST(a_refusal_without_an_invitation_is_told),
        TEST(starting_with_who_has_invited_accepts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
