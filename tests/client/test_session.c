/* Sessions over lost connections: what is resumed, what is asked again under the same ids, what is
 * answered as unknown, and what the broker's word ends for good. */
#include "stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEND  ZCHAT__V1__COMMAND__BODY_SEND_MESSAGE
#define LOGIN ZCHAT__V1__COMMAND__BODY_LOGIN

static int setup(void **state) {
    *state = stage_new();
    return 0;
}

static int teardown(void **state) {
    stage_free(*state);
    return 0;
}

static void send_text(struct stage *stage, long number) {
    char text[32];
    snprintf(text, sizeof text, "t%ld", number);
    assert_int_equal(zchat_send(stage->z, "bob", text, NULL, false, stage_answer, (void *)number),
                     ZCHAT_OK);
}

static void answer_send(struct stage *stage, const Zchat__V1__Command *command) {
    Zchat__V1__SendMessageResponse body = ZCHAT__V1__SEND_MESSAGE_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    body.id = command->send_message->id;
    body.seq = 7;
    reply.request = command->request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_SEND_MESSAGE;
    reply.send_message = &body;
    fake_reply(stage->fake, &reply);
}

static void answer_empty(struct stage *stage, uint64_t request,
                         Zchat__V1__Reply__BodyCase body_case) {
    Zchat__V1__BlockUserResponse empty = ZCHAT__V1__BLOCK_USER_RESPONSE__INIT;
    Zchat__V1__LogoutResponse out = ZCHAT__V1__LOGOUT_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    reply.request = request;
    reply.body_case = body_case;
    reply.block_user = &empty;
    if (body_case == ZCHAT__V1__REPLY__BODY_LOGOUT)
        reply.logout = &out;
    fake_reply(stage->fake, &reply);
}

static void end_session(struct stage *stage, Zchat__V1__EndReason reason) {
    Zchat__V1__SessionEnded ended = ZCHAT__V1__SESSION_ENDED__INIT;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    ended.reason = reason;
    ended.text = (char *)"it is over";
    event.time_us = 1;
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_SESSION_ENDED;
    event.session_ended = &ended;
    fake_event(stage->fake, &event);
}

static void a_lost_session_is_resumed_with_the_device_key(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    const Zchat__V1__LoginRequest *first = stage_command(stage, LOGIN)->login;
    assert_string_equal(first->password, "secret");
    assert_string_equal(zchat_user(stage->z), "me");
    fake_break(stage->fake);
    stage_await(stage, ZCHAT_EVENT_RESUMED, 1);
    const Zchat__V1__LoginRequest *second = stage_command(stage, LOGIN)->login;
    assert_string_equal(second->password, "");
    assert_string_equal(second->user, "me");
    assert_true(second->online);
    assert_int_equal(first->instance.len, INSTANCE_BYTES);
    assert_memory_equal(first->instance.data, second->instance.data, INSTANCE_BYTES);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_LOST), 1);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_CONNECTED), 1);
}

static void without_trust_it_is_resumed_with_the_password(void **state) {
    struct stage *stage = *state;
    stage->fake->trusted = false;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    stage_command(stage, LOGIN);
    fake_break(stage->fake);
    stage_await(stage, ZCHAT_EVENT_RESUMED, 1);
    assert_string_equal(stage_command(stage, LOGIN)->login->password, "secret");
}

static void unanswered_sends_are_repeated_with_their_ids_in_their_order(void **state) {
    struct stage *stage = *state;
    unsigned char ids[3][ID_BYTES];
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    for (long i = 0; i < 3; i++)
        send_text(stage, i);
    for (long i = 0; i < 3; i++)
        memcpy(ids[i], stage_command(stage, SEND)->send_message->id.data, ID_BYTES);
    fake_break(stage->fake);
    send_text(stage, 3); /* one more, while nobody is there */
    stage_await(stage, ZCHAT_EVENT_RESUMED, 1);
    for (long i = 0; i < 4; i++) {
        const Zchat__V1__Command *command = stage_command(stage, SEND);
        char text[32];
        snprintf(text, sizeof text, "t%ld", i);
        assert_string_equal(command->send_message->text, text);
        if (i < 3)
            assert_memory_equal(command->send_message->id.data, ids[i], ID_BYTES);
        answer_send(stage, command);
    }
    size_t before = 1; /* the login's */
    stage_await(stage, 0, before + 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(stage_told(stage, 0, before + i)->arg, i);
        assert_int_equal(stage_told(stage, 0, before + i)->code, ZCHAT_OK);
    }
    assert_memory_equal(stage_told(stage, 0, before)->id.bytes, ids[0], ID_BYTES);
    assert_int_equal(zchat_pending(stage->z), 0);
}

static void nothing_is_sent_before_the_resumed_login_is_answered(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    send_text(stage, 0);
    stage_command(stage, SEND);
    stage->fake->logins_silent = true;
    fake_break(stage->fake);
    Zchat__V1__Command *login = stage_command(stage, LOGIN);
    for (int i = 0; i < 5; i++)
        stage_step(stage);
    assert_null(fake_next(stage->fake, SEND));
    fake_error(stage->fake, login->request, ZCHAT__V1__CODE__CODE_BUSY, "later");
    stage->fake->logins_silent = false;
    stage_await(stage, ZCHAT_EVENT_RESUMED, 1); /* BUSY is no reason to give up */
    stage_command(stage, SEND);
}

static void what_cant_be_repeated_is_answered_unreachable(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    assert_int_equal(zchat_thread_remove(stage->z, "plans", stage_answer, (void *)1), ZCHAT_OK);
    assert_int_equal(zchat_thread_follow(stage->z, "plans", stage_answer, (void *)2), ZCHAT_OK);
    assert_int_equal(zchat_who(stage->z, NULL, 0, stage_answer, (void *)3), ZCHAT_OK);
    stage_command(stage, ZCHAT__V1__COMMAND__BODY_WHO);
    fake_break(stage->fake);
    stage_await(stage, 0, 1 + 2);
    for (size_t i = 1; i <= 2; i++) {
        assert_int_equal(stage_told(stage, 0, i)->arg, i);
        assert_int_equal(stage_told(stage, 0, i)->code, ZCHAT_UNREACHABLE);
        assert_non_null(strstr(stage_told(stage, 0, i)->text, "look whether it happened"));
    }
    stage_command(stage, ZCHAT__V1__COMMAND__BODY_WHO);
    assert_null(fake_next(stage->fake, ZCHAT__V1__COMMAND__BODY_REMOVE_THREAD));
}

static void refuse(struct stage *stage, uint64_t request, Zchat__V1__Reason reason) {
    Zchat__V1__CommandError error = ZCHAT__V1__COMMAND_ERROR__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    error.code = (Zchat__V1__Code)(reason / 100);
    error.reason = reason;
    error.message = (char *)"it is so already";
    reply.request = request;
    reply.error = &error;
    fake_reply(stage->fake, &reply);
}

static const struct {
    Zchat__V1__Command__BodyCase body;
    Zchat__V1__Reason reason;
} done_already[] = {
    {ZCHAT__V1__COMMAND__BODY_BLOCK_USER, ZCHAT__V1__REASON__REASON_ALREADY_BLOCKED},
    {ZCHAT__V1__COMMAND__BODY_UNBLOCK_USER, ZCHAT__V1__REASON__REASON_NOT_BLOCKED},
    {ZCHAT__V1__COMMAND__BODY_REVOKE_DEVICE, ZCHAT__V1__REASON__REASON_NO_SUCH_DEVICE},
    {ZCHAT__V1__COMMAND__BODY_UNFOLLOW_THREAD, ZCHAT__V1__REASON__REASON_NOT_FOLLOWING},
};
#define DONE_ALREADY (sizeof done_already / sizeof *done_already)

/* Each with the answers to come as 1 to DONE_ALREADY. */
static void ask_all(struct stage *stage) {
    assert_int_equal(zchat_block(stage->z, "bob", stage_answer, (void *)1), ZCHAT_OK);
    assert_int_equal(zchat_unblock(stage->z, "carol", stage_answer, (void *)2), ZCHAT_OK);
    assert_int_equal(zchat_revoke(stage->z, 4, stage_answer, (void *)3), ZCHAT_OK);
    assert_int_equal(zchat_thread_unfollow(stage->z, "plans", stage_answer, (void *)4), ZCHAT_OK);
}

static void refuse_all(struct stage *stage) {
    for (size_t i = 0; i < DONE_ALREADY; i++)
        refuse(stage, stage_command(stage, done_already[i].body)->request, done_already[i].reason);
    stage_await(stage, 0, 1 + DONE_ALREADY);
}

static void what_a_repeated_one_finds_done_is_done(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    ask_all(stage);
    stage_command(stage, ZCHAT__V1__COMMAND__BODY_UNFOLLOW_THREAD);
    fake_break(stage->fake);
    refuse_all(stage);
    for (size_t i = 1; i <= DONE_ALREADY; i++) {
        assert_int_equal(stage_told(stage, 0, i)->arg, i);
        assert_int_equal(stage_told(stage, 0, i)->code, ZCHAT_OK);
    }
}

static void what_a_first_one_finds_done_is_refused(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    ask_all(stage);
    refuse_all(stage);
    for (size_t i = 1; i <= DONE_ALREADY; i++)
        assert_int_equal(stage_told(stage, 0, i)->code, done_already[i - 1].reason / 100);
}

static void what_was_not_yet_sent_waits_for_the_connection(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    fake_close(stage->fake);
    stage_await(stage, ZCHAT_EVENT_LOST, 1);
    assert_int_equal(zchat_block(stage->z, "bob", stage_answer, (void *)1), ZCHAT_OK);
    fake_open(stage->fake);
    Zchat__V1__Command *command = stage_command(stage, ZCHAT__V1__COMMAND__BODY_BLOCK_USER);
    answer_empty(stage, command->request, ZCHAT__V1__REPLY__BODY_BLOCK_USER);
    assert_int_equal(stage_await(stage, 0, 2)->code, ZCHAT_OK);
}

static void a_login_that_is_no_longer_accepted_ends_it(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    send_text(stage, 1);
    stage_command(stage, SEND);
    stage->fake->logins_silent = true;
    fake_break(stage->fake);
    fake_error(stage->fake, stage_command(stage, LOGIN)->request, ZCHAT__V1__CODE__CODE_AUTH,
               "This device's key is not trusted.");
    const struct told *told = stage_await(stage, ZCHAT_EVENT_REFUSED, 1);
    assert_int_equal(told->code, ZCHAT_AUTH);
    assert_non_null(strstr(told->text, "not trusted"));
    assert_int_equal(stage_told(stage, 0, 1)->code, ZCHAT_AUTH);
}

static void no_reconnect_gives_up_at_once(void **state) {
    struct stage *stage = *state;
    stage->options.no_reconnect = true;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    send_text(stage, 1);
    stage_command(stage, SEND);
    fake_break(stage->fake);
    assert_int_equal(stage_await(stage, ZCHAT_EVENT_REFUSED, 1)->code, ZCHAT_UNREACHABLE);
    assert_int_equal(stage_told(stage, 0, 1)->code, ZCHAT_UNREACHABLE);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_LOST), 0);
}

static void a_session_that_the_broker_ended_is_not_resumed(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, true);
    end_session(stage, ZCHAT__V1__END_REASON__END_REASON_IDLE);
    assert_string_equal(stage_await(stage, ZCHAT_EVENT_SESSION_ENDED, 1)->text, "it is over");
    assert_string_equal(zchat_user(stage->z), "");
    assert_int_equal(zchat_ack(stage->z, 1, NULL, NULL), ZCHAT_AUTH);
    fake_break(stage->fake);
    stage_await(stage, ZCHAT_EVENT_CONNECTED, 2);
    assert_int_equal(stage->fake->logins, 1);
    zchat_login_options again = {.user = "other", .password = "x"};
    assert_int_equal(zchat_login(stage->z, &again, stage_answer, NULL), ZCHAT_OK);
    stage_await(stage, 0, 2);
    assert_string_equal(zchat_user(stage->z), "other");
}

static void a_broker_that_stops_and_comes_back_has_the_session_again(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    end_session(stage, ZCHAT__V1__END_REASON__END_REASON_SHUTDOWN);
    assert_string_equal(stage_await(stage, ZCHAT_EVENT_NOTICE, 1)->text, "it is over");
    send_text(stage, 1); /* waits: nobody would take it now */
    for (int i = 0; i < 5; i++)
        stage_step(stage);
    assert_null(fake_next(stage->fake, SEND));
    fake_break(stage->fake);
    stage_await(stage, ZCHAT_EVENT_RESUMED, 1);
    stage_command(stage, SEND);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_SESSION_ENDED), 0);
}

static void a_broker_that_said_it_stops_is_left_after_2_s(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    end_session(stage, ZCHAT__V1__END_REASON__END_REASON_SHUTDOWN);
    stage_await(stage, ZCHAT_EVENT_LOST, 1);
    stage_await(stage, ZCHAT_EVENT_RESUMED, 1);
}

static void calls_behind_a_login_wait_for_its_answer(void **state) {
    struct stage *stage = *state;
    zchat_login_options options = {.user = "me", .password = "secret"};
    stage->fake->logins_silent = true;
    stage_open(stage); /* nothing is connected yet: all calls wait */
    assert_int_equal(zchat_login(stage->z, &options, stage_answer, (void *)1), ZCHAT_OK);
    send_text(stage, 2);
    assert_int_equal(zchat_login(stage->z, &options, NULL, NULL), ZCHAT_CONFLICT);
    Zchat__V1__Command *login = stage_command(stage, LOGIN);
    stage_step(stage);
    assert_null(fake_next(stage->fake, SEND));
    fake_error(stage->fake, login->request, ZCHAT__V1__CODE__CODE_AUTH, "wrong name or password");
    stage_await(stage, 0, 1);
    stage_command(stage, SEND);
    /* and after a failed login one may try again */
    assert_int_equal(zchat_login(stage->z, &options, NULL, NULL), ZCHAT_OK);
}

static void a_logout_wipes_the_session_and_another_login_follows(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, true);
    assert_int_equal(zchat_logout(stage->z, stage_answer, (void *)1), ZCHAT_OK);
    assert_int_equal(zchat_logout(stage->z, NULL, NULL), ZCHAT_AUTH);
    zchat_login_options other = {.user = "Other", .password = "x"};
    assert_int_equal(zchat_login(stage->z, &other, stage_answer, (void *)2), ZCHAT_OK);
    Zchat__V1__Command *out = stage_command(stage, ZCHAT__V1__COMMAND__BODY_LOGOUT);
    answer_empty(stage, out->request, ZCHAT__V1__REPLY__BODY_LOGOUT);
    stage_await(stage, 0, 3);
    assert_string_equal(zchat_user(stage->z), "other");
}

static void a_logout_with_the_connection_gone_is_done(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    assert_int_equal(zchat_logout(stage->z, stage_answer, (void *)1), ZCHAT_OK);
    stage_command(stage, ZCHAT__V1__COMMAND__BODY_LOGOUT);
    fake_break(stage->fake);
    assert_int_equal(stage_await(stage, 0, 2)->code, ZCHAT_OK);
    stage_await(stage, ZCHAT_EVENT_CONNECTED, 2);
    assert_int_equal(stage->fake->logins, 1);
}

static void noise_from_the_broker_changes_nothing(void **state) {
    struct stage *stage = *state;
    unsigned char noise[256];
    stage_login(stage, ZCHAT_PUBLIC_NONE, true);
    for (unsigned i = 0; i < 64; i++) {
        for (unsigned j = 0; j < sizeof noise; j++)
            noise[j] = (unsigned char)(i * 37 + j * (i + 3));
        fake_frame(stage->fake, noise, i * 4);
    }
    Zchat__V1__Reply unknown = ZCHAT__V1__REPLY__INIT;
    unknown.request = UINT64_MAX;
    fake_reply(stage->fake, &unknown);
    stage_settle(stage);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_LOST), 0);
}

static void an_answer_that_does_not_fit_is_an_error(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    assert_int_equal(zchat_who(stage->z, NULL, 0, stage_answer, (void *)1), ZCHAT_OK);
    Zchat__V1__Command *who = stage_command(stage, ZCHAT__V1__COMMAND__BODY_WHO);
    answer_empty(stage, who->request, ZCHAT__V1__REPLY__BODY_BLOCK_USER);
    assert_int_equal(stage_await(stage, 0, 2)->code, ZCHAT_UNIMPLEMENTED);
}

static void a_frame_that_the_broker_cant_read_leaves_nobody_waiting(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    send_text(stage, 1);
    stage_command(stage, SEND);
    fake_error(stage->fake, 0, ZCHAT__V1__CODE__CODE_INVALID, "no protobuf");
    const struct told *told = stage_await(stage, 0, 2);
    assert_int_equal(told->code, ZCHAT_INVALID);
    assert_non_null(strstr(told->text, "no protobuf"));
}

static void calls_are_packed_into_few_frames(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    size_t frames = stage->fake->frames;
    for (long i = 0; i < 200; i++)
        send_text(stage, i);
    assert_int_equal(zchat_pending(stage->z), 200);
    for (int i = 0; i < 200; i++)
        answer_send(stage, stage_command(stage, SEND));
    stage_await(stage, 0, 201);
    assert_int_equal(stage->fake->frames - frames, 4); /* of 64, 64, 64, 8 */
}

static void freeing_answers_what_is_open(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    send_text(stage, 1);
    stage_command(stage, SEND);
    send_text(stage, 2);
    zchat_free(stage->z);
    stage->z = NULL;
    assert_int_equal(stage_told(stage, 0, 1)->code, ZCHAT_CANCELLED);
    assert_int_equal(stage_told(stage, 0, 2)->code, ZCHAT_CANCELLED);
}

static void free_inside(void *arg, const zchat_reply *reply) {
    struct stage *stage = arg;
    assert_int_equal(reply->code, ZCHAT_OK);
    assert_int_equal(zchat_process(stage->z), ZCHAT_INVALID);
    assert_int_equal(zchat_run(stage->z, 0, NULL), ZCHAT_INVALID);
    zchat_free(stage->z);
    stage->told_count++;
}

static void a_callback_may_free_the_handle(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    send_text(stage, 1);
    assert_int_equal(zchat_ping(stage->z, free_inside, stage), ZCHAT_OK);
    stage_command(stage, ZCHAT__V1__COMMAND__BODY_PING);
    zchat_code code = ZCHAT_OK;
    while (code == ZCHAT_OK) {
        fake_step(stage->fake);
        code = zchat_process(stage->z);
    }
    stage->z = NULL;
    assert_int_equal(code, ZCHAT_CANCELLED);
    assert_int_equal(stage_told(stage, 0, 1)->code, ZCHAT_CANCELLED);
}

static void run_ends_when_the_time_is_over(void **state) {
    struct stage *stage = *state;
    bool done = false;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    assert_int_equal(zchat_run(stage->z, 30, &done), ZCHAT_EXPIRED);
    assert_int_equal(zchat_run(stage->z, 0, NULL), ZCHAT_EXPIRED);
    done = true;
    assert_int_equal(zchat_run(stage->z, -1, &done), ZCHAT_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_lost_session_is_resumed_with_the_device_key),
        TEST(without_trust_it_is_resumed_with_the_password),
        TEST(unanswered_sends_are_repeated_with_their_ids_in_their_order),
        TEST(nothing_is_sent_before_the_resumed_login_is_answered),
        TEST(what_cant_be_repeated_is_answered_unreachable),
        TEST(what_a_repeated_one_finds_done_is_done),
        TEST(what_a_first_one_finds_done_is_refused),
        TEST(what_was_not_yet_sent_waits_for_the_connection),
        TEST(a_login_that_is_no_longer_accepted_ends_it),
        TEST(no_reconnect_gives_up_at_once),
        TEST(a_session_that_the_broker_ended_is_not_resumed),
        TEST(a_broker_that_stops_and_comes_back_has_the_session_again),
        TEST(a_broker_that_said_it_stops_is_left_after_2_s),
        TEST(calls_behind_a_login_wait_for_its_answer),
        TEST(a_logout_wipes_the_session_and_another_login_follows),
        TEST(a_logout_with_the_connection_gone_is_done),
        TEST(noise_from_the_broker_changes_nothing),
        TEST(an_answer_that_does_not_fit_is_an_error),
        TEST(a_frame_that_the_broker_cant_read_leaves_nobody_waiting),
        TEST(calls_are_packed_into_few_frames),
        TEST(freeing_answers_what_is_open),
        TEST(a_callback_may_free_the_handle),
        TEST(run_ends_when_the_time_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
