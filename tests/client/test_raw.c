/* zchat_command: any command by its number, packed. It is asked again, made an id for, and changes
 * what its answer has to change, like the calls that have functions of their own. */
#include "stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BODY(name) ZCHAT__V1__COMMAND__BODY_##name

static uint8_t last_result[1024];
static size_t last_result_bytes;

static int setup(void **state) {
    *state = stage_new();
    last_result_bytes = 0;
    return 0;
}

static int teardown(void **state) {
    stage_free(*state);
    return 0;
}

static void on_answer(void *arg, const zchat_reply *reply) {
    assert_true(reply->result_bytes <= sizeof last_result);
    if (reply->result_bytes > 0)
        memcpy(last_result, reply->result, reply->result_bytes);
    last_result_bytes = reply->result_bytes;
    stage_answer(arg, reply);
}

static zchat_code ask(struct stage *stage, uint32_t number, const ProtobufCMessage *body) {
    uint8_t packed[1024];
    assert_true(wire_size(body) <= sizeof packed);
    return zchat_command(stage->z, number, packed, wire_pack(body, packed), on_answer, (void *)7);
}

static void ask_send(struct stage *stage, const unsigned char *id, size_t id_bytes) {
    Zchat__V1__SendMessageRequest body = ZCHAT__V1__SEND_MESSAGE_REQUEST__INIT;
    body.id = (ProtobufCBinaryData){.data = (uint8_t *)id, .len = id_bytes};
    body.to = (char *)"bob";
    body.text = (char *)"hi";
    assert_int_equal(ask(stage, BODY(SEND_MESSAGE), &body.base), ZCHAT_OK);
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

static void answer_empty(struct stage *stage, const Zchat__V1__Command *command) {
    Zchat__V1__BlockUserResponse empty = ZCHAT__V1__BLOCK_USER_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    reply.request = command->request;
    reply.body_case = (Zchat__V1__Reply__BodyCase)command->body_case;
    reply.block_user = &empty;
    fake_reply(stage->fake, &reply);
}

static void the_result_comes_as_the_broker_packed_it(void **state) {
    struct stage *stage = *state;
    unsigned char id[ID_BYTES] = {1, 2, 3, 4, 5, 6, 0x77, 8, 0x89};
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    size_t before = stage_count(stage, 0);
    ask_send(stage, id, sizeof id);
    const Zchat__V1__Command *command = stage_command(stage, BODY(SEND_MESSAGE));
    assert_string_equal(command->send_message->to, "bob");
    answer_send(stage, command);
    const struct told *told = stage_await(stage, 0, before + 1);
    assert_int_equal(told->code, ZCHAT_OK);
    assert_int_equal(told->seq, 7);
    assert_memory_equal(told->id.bytes, id, sizeof id);
    struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
    ProtobufCMessage *result;
    assert_int_equal(wire_read_any(arena, &zchat__v1__send_message_response__descriptor,
                                   last_result, last_result_bytes, &result),
                     WIRE_FINE);
    assert_int_equal(((Zchat__V1__SendMessageResponse *)result)->seq, 7);
    wire_arena_free(arena);
}

static void what_is_made_gets_an_id_and_keeps_it_when_it_is_asked_again(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    size_t before = stage_count(stage, 0);
    ask_send(stage, NULL, 0);
    const Zchat__V1__Command *first = stage_command(stage, BODY(SEND_MESSAGE));
    assert_int_equal(first->send_message->id.len, ID_BYTES);
    fake_break(stage->fake);
    stage_await(stage, ZCHAT_EVENT_RESUMED, 1);
    const Zchat__V1__Command *again = stage_command(stage, BODY(SEND_MESSAGE));
    assert_memory_equal(again->send_message->id.data, first->send_message->id.data, ID_BYTES);
    answer_send(stage, again);
    const struct told *told = stage_await(stage, 0, before + 1);
    assert_memory_equal(told->id.bytes, first->send_message->id.data, ID_BYTES);
}

static void what_is_there_already_gets_no_id(void **state) {
    struct stage *stage = *state;
    Zchat__V1__ClosePrivateRequest body = ZCHAT__V1__CLOSE_PRIVATE_REQUEST__INIT;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    assert_int_equal(ask(stage, BODY(CLOSE_PRIVATE), &body.base), ZCHAT_OK);
    assert_int_equal(stage_command(stage, BODY(CLOSE_PRIVATE))->close_private->id.len, 0);
}

static void refusals_have_their_reason(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    size_t before = stage_count(stage, 0);
    ask_send(stage, NULL, 0);
    const Zchat__V1__Command *command = stage_command(stage, BODY(SEND_MESSAGE));
    fake_error(stage->fake, command->request, ZCHAT__V1__CODE__CODE_NOT_FOUND, "nobody there");
    const struct told *told = stage_await(stage, 0, before + 1);
    assert_int_equal(told->code, ZCHAT_NOT_FOUND);
    assert_string_equal(told->text, "nobody there");
    assert_int_equal(last_result_bytes, 0);
}

static void publish_broadcast(struct stage *stage, uint64_t seq, const char *sender) {
    Zchat__V1__BroadcastEvent body = ZCHAT__V1__BROADCAST_EVENT__INIT;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    body.sender = (char *)sender;
    body.text = (char *)"hear me";
    event.seq = seq;
    event.time_us = 1;
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_BROADCAST;
    event.broadcast = &body;
    fake_event(stage->fake, &event);
}

/* The moment that it returns nothing of them arrives, however the name was written. */
static void a_block_silences_at_once(void **state) {
    struct stage *stage = *state;
    Zchat__V1__BlockUserRequest body = ZCHAT__V1__BLOCK_USER_REQUEST__INIT;
    stage_login(stage, ZCHAT_PUBLIC_INLINE, false);
    size_t before = stage_count(stage, 0);
    body.user = (char *)"Bob";
    assert_int_equal(ask(stage, BODY(BLOCK_USER), &body.base), ZCHAT_OK);
    answer_empty(stage, stage_command(stage, BODY(BLOCK_USER)));
    publish_broadcast(stage, 1, "bob");
    publish_broadcast(stage, 2, "carol");
    stage_await(stage, 0, before + 1);
    assert_string_equal(stage_await(stage, ZCHAT_EVENT_BROADCAST, 1)->user, "carol");
}

static void ack_stream(struct stage *stage, const char *stream, uint64_t cursor) {
    Zchat__V1__AckRequest body = ZCHAT__V1__ACK_REQUEST__INIT;
    Zchat__V1__AckResponse done = ZCHAT__V1__ACK_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    size_t before = stage_count(stage, 0);
    body.read = done.cursor = cursor;
    body.stream = (char *)stream;
    assert_int_equal(ask(stage, BODY(ACK), &body.base), ZCHAT_OK);
    reply.request = stage_command(stage, BODY(ACK))->request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_ACK;
    reply.ack = &done;
    fake_reply(stage->fake, &reply);
    stage_await(stage, 0, before + 1);
}

static void only_the_inbox_s_cursor_is_told(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    ack_stream(stage, "thread/01923d5f6b007abc9eef0123456789ab", 5);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_READ), 0);
    ack_stream(stage, "inbox", 6);
    assert_int_equal(stage_await(stage, ZCHAT_EVENT_READ, 1)->seq, 6);
    ack_stream(stage, "", 7);
    assert_int_equal(stage_await(stage, ZCHAT_EVENT_READ, 2)->seq, 7);
}

static void invalid(struct stage *stage, zchat_code code, const char *part) {
    assert_int_equal(code, ZCHAT_INVALID);
    if (!strstr(zchat_error(stage->z), part))
        fail_msg("\"%s\" does not say \"%s\"", zchat_error(stage->z), part);
    assert_int_equal(zchat_pending(stage->z), 0);
}

static void what_can_t_be_right_never_travels(void **state) {
    struct stage *stage = *state;
    static uint8_t much[FRAME_BYTES_MAX];
    stage_connect(stage);
    invalid(stage, zchat_command(stage->z, 0, "", 0, NULL, NULL), "no command 0");
    invalid(stage, zchat_command(stage->z, 1, "", 0, NULL, NULL), "no command 1");
    invalid(stage, zchat_command(stage->z, 4000000000, "", 0, NULL, NULL), "no command");
    invalid(stage, zchat_command(stage->z, BODY(LOGIN), "", 0, NULL, NULL), "login or logout");
    invalid(stage, zchat_command(stage->z, BODY(LOGOUT), "", 0, NULL, NULL), "login or logout");
    invalid(stage, zchat_command(stage->z, BODY(SEND_MESSAGE), "\xff", 1, NULL, NULL), "schema");
    invalid(stage, zchat_command(stage->z, BODY(SEND_MESSAGE), "\x12\x01\xff", 3, NULL, NULL),
            "UTF-8");
    invalid(stage, zchat_command(stage->z, BODY(SEND_MESSAGE), much, FRAME_BYTES_MAX, NULL, NULL),
            "larger than a frame");
}

/* A broker that lacks a part in its answer does no harm. */
static void an_answer_without_its_part_is_an_error(void **state) {
    struct stage *stage = *state;
    Zchat__V1__FollowThreadRequest body = ZCHAT__V1__FOLLOW_THREAD_REQUEST__INIT;
    stage_login(stage, ZCHAT_PUBLIC_INLINE, false);
    size_t before = stage_count(stage, 0);
    body.thread = (char *)"t";
    assert_int_equal(ask(stage, BODY(FOLLOW_THREAD), &body.base), ZCHAT_OK);
    answer_empty(stage, stage_command(stage, BODY(FOLLOW_THREAD)));
    assert_int_equal(stage_await(stage, 0, before + 1)->code, ZCHAT_UNIMPLEMENTED);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_result_comes_as_the_broker_packed_it),
        TEST(what_is_made_gets_an_id_and_keeps_it_when_it_is_asked_again),
        TEST(what_is_there_already_gets_no_id),
        TEST(refusals_have_their_reason),
        TEST(a_block_silences_at_once),
        TEST(only_the_inbox_s_cursor_is_told),
        TEST(what_can_t_be_right_never_travels),
        TEST(an_answer_without_its_part_is_an_error),
    };
    return cmocka_run_group_tests_name("raw", tests, NULL, NULL);
}
