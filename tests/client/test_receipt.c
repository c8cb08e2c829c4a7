/* Waiting until messages are read: the broker forgets it with a session, the library does not, and
 * each one is told once. */
#include "stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define AWAIT_READ ZCHAT__V1__COMMAND__BODY_AWAIT_READ

/* The public enum has the schema's numbers. */
_Static_assert((int)ZCHAT_CHOICE_KEEP == (int)ZCHAT__V1__CHOICE__CHOICE_UNSPECIFIED, "keep");
_Static_assert((int)ZCHAT_CHOICE_ON == (int)ZCHAT__V1__CHOICE__CHOICE_ON, "on");
_Static_assert((int)ZCHAT_CHOICE_OFF == (int)ZCHAT__V1__CHOICE__CHOICE_OFF, "off");

static int setup(void **state) {
    *state = stage_new();
    stage_login(*state, ZCHAT_PUBLIC_NONE, false);
    return 0;
}

static int teardown(void **state) {
    stage_free(*state);
    return 0;
}

static void answer(struct stage *stage, const Zchat__V1__Command *command, bool read) {
    Zchat__V1__AwaitReadResponse body = ZCHAT__V1__AWAIT_READ_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    body.id = command->await_read->id;
    body.user = (char *)"bob\x1b[2J";
    body.read = read;
    reply.request = command->request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_AWAIT_READ;
    reply.await_read = &body;
    fake_reply(stage->fake, &reply);
}

static void tell_read(struct stage *stage, zchat_id *id, size_t id_bytes) {
    Zchat__V1__MessageRead body = ZCHAT__V1__MESSAGE_READ__INIT;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    body.id = (ProtobufCBinaryData){.data = id->bytes, .len = id_bytes};
    body.user = (char *)"bob\x1b[2J";
    event.time_us = 1700000000000000;
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE_READ;
    event.message_read = &body;
    fake_event(stage->fake, &event);
}

static const Zchat__V1__Command *expect_asked(struct stage *stage, const zchat_id *id, bool wait) {
    const Zchat__V1__Command *command = stage_command(stage, AWAIT_READ);
    assert_int_equal(command->await_read->id.len, ID_BYTES);
    assert_memory_equal(command->await_read->id.data, id->bytes, ID_BYTES);
    assert_int_equal(command->await_read->wait, wait);
    return command;
}

/* Asks, and is told that it is not read yet. */
static void wait_for(struct stage *stage, zchat_id *id) {
    size_t before = stage_count(stage, 0);
    zchat_id_new(id);
    assert_int_equal(zchat_receipt(stage->z, id, 0, true, stage_answer, NULL), ZCHAT_OK);
    answer(stage, expect_asked(stage, id, true), false);
    assert_int_equal(stage_await(stage, 0, before + 1)->code, ZCHAT_OK);
}

static void expect_told(struct stage *stage, const zchat_id *id, size_t count) {
    const struct told *told = stage_await(stage, ZCHAT_EVENT_MESSAGE_READ, count);
    assert_memory_equal(told->id.bytes, id->bytes, ID_BYTES);
    assert_string_equal(told->user, "bob");
    stage_settle(stage);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_MESSAGE_READ), count);
}

static void expect_nothing_asked(struct stage *stage) {
    stage_settle(stage);
    assert_null(fake_next(stage->fake, AWAIT_READ));
}

static void what_was_read_is_told(void **state) {
    struct stage *stage = *state;
    zchat_id id;
    wait_for(stage, &id);
    tell_read(stage, &id, ID_BYTES);
    expect_told(stage, &id, 1);
}

static void what_is_waited_for_is_asked_again_after_a_lost_connection(void **state) {
    struct stage *stage = *state;
    zchat_id first, second, third;
    wait_for(stage, &first);
    wait_for(stage, &second);
    wait_for(stage, &third);
    tell_read(stage, &first, ID_BYTES);
    expect_told(stage, &first, 1);
    fake_break(stage->fake);
    stage_await(stage, ZCHAT_EVENT_RESUMED, 1);
    answer(stage, expect_asked(stage, &third, true), true); /* it was read meanwhile */
    answer(stage, expect_asked(stage, &second, true), false);
    expect_told(stage, &third, 2);
    tell_read(stage, &second, ID_BYTES);
    expect_told(stage, &second, 3);
    fake_break(stage->fake);
    stage_await(stage, ZCHAT_EVENT_RESUMED, 2);
    expect_nothing_asked(stage);
}

static void what_was_only_asked_is_not_asked_again(void **state) {
    struct stage *stage = *state;
    zchat_id id;
    wait_for(stage, &id);
    size_t before = stage_count(stage, 0);
    assert_int_equal(zchat_receipt(stage->z, &id, 0, false, stage_answer, NULL), ZCHAT_OK);
    answer(stage, expect_asked(stage, &id, false), false);
    stage_await(stage, 0, before + 1);
    fake_break(stage->fake);
    stage_await(stage, ZCHAT_EVENT_RESUMED, 1);
    expect_nothing_asked(stage);
}

static void who_may_no_longer_know_is_told_nothing(void **state) {
    struct stage *stage = *state;
    zchat_id id;
    wait_for(stage, &id);
    fake_break(stage->fake);
    stage_await(stage, ZCHAT_EVENT_RESUMED, 1);
    const Zchat__V1__Command *again = expect_asked(stage, &id, true);
    fake_error(stage->fake, again->request, ZCHAT__V1__CODE__CODE_FORBIDDEN, "not any more");
    stage_settle(stage);
    fake_break(stage->fake);
    stage_await(stage, ZCHAT_EVENT_RESUMED, 2);
    expect_nothing_asked(stage);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_MESSAGE_READ), 0);
}

static void a_busy_broker_is_asked_again(void **state) {
    struct stage *stage = *state;
    zchat_id id;
    wait_for(stage, &id);
    fake_break(stage->fake);
    stage_await(stage, ZCHAT_EVENT_RESUMED, 1);
    const Zchat__V1__Command *again = expect_asked(stage, &id, true);
    fake_error(stage->fake, again->request, ZCHAT__V1__CODE__CODE_BUSY, "in a moment");
    answer(stage, expect_asked(stage, &id, true), true);
    expect_told(stage, &id, 1);
}

static void waits_end_with_the_session(void **state) {
    struct stage *stage = *state;
    zchat_id id;
    wait_for(stage, &id);
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    Zchat__V1__SessionEnded ended = ZCHAT__V1__SESSION_ENDED__INIT;
    ended.reason = ZCHAT__V1__END_REASON__END_REASON_IDLE;
    ended.text = (char *)"idle";
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_SESSION_ENDED;
    event.session_ended = &ended;
    fake_event(stage->fake, &event);
    stage_await(stage, ZCHAT_EVENT_SESSION_ENDED, 1);
    zchat_login_options login = {.user = "me"};
    size_t logins = stage_count(stage, 0);
    assert_int_equal(zchat_login(stage->z, &login, stage_answer, NULL), ZCHAT_OK);
    stage_await(stage, 0, logins + 1);
    fake_break(stage->fake);
    stage_await(stage, ZCHAT_EVENT_RESUMED, 1);
    expect_nothing_asked(stage);
}

static void what_names_no_message_is_refused_or_passed_over(void **state) {
    struct stage *stage = *state;
    zchat_id nil = {{0}};
    assert_int_equal(zchat_receipt(stage->z, &nil, 0, true, stage_answer, NULL), ZCHAT_INVALID);
    assert_int_equal(zchat_receipt(stage->z, NULL, 0, true, stage_answer, NULL), ZCHAT_INVALID);
    tell_read(stage, &nil, 7);
    stage_settle(stage);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_MESSAGE_READ), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_was_read_is_told),
        TEST(what_is_waited_for_is_asked_again_after_a_lost_connection),
        TEST(what_was_only_asked_is_not_asked_again),
        TEST(who_may_no_longer_know_is_told_nothing),
        TEST(a_busy_broker_is_asked_again),
        TEST(waits_end_with_the_session),
        TEST(what_names_no_message_is_refused_or_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
