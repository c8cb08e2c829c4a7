/* A private chat with a peer that misbehaves: a wrong nonce, another key, a second connection, a
 * line twice, a line too far, and what the broker's events end. The peer "eve" is a PAIR socket of
 * the test's own. */
#include "stage.h"

#include <errno.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#include <cmocka.h>

struct eve {
    struct stage *stage; /* owned */
    void *context;       /* owned, like the socket */
    void *socket;
    void *other;              /* owned: who should not be heard; NULL: nobody */
    void *watch;              /* owned: the other one's monitor */
    struct wire_arena *arena; /* owned */
    unsigned char public_key[KEY_BYTES];
    unsigned char secret_key[KEY_BYTES];
    unsigned char chat[ID_BYTES];
    unsigned char nonce[NONCE_BYTES];
    unsigned port;
};

static int setup_idle(void **state, uint32_t idle_timeout_s) {
    struct eve *eve = calloc(1, sizeof *eve);
    assert_non_null(eve);
    eve->stage = stage_new();
    eve->stage->fake->idle_timeout_s = idle_timeout_s;
    stage_login(eve->stage, ZCHAT_PUBLIC_NONE, false);
    eve->context = zmq_ctx_new();
    eve->arena = wire_arena_new(DECODE_BYTES_MAX);
    randombytes_buf(eve->secret_key, KEY_BYTES);
    crypto_scalarmult_base(eve->public_key, eve->secret_key);
    *state = eve;
    return 0;
}

static int setup(void **state) {
    return setup_idle(state, 0);
}

static int setup_idle_4_s(void **state) {
    return setup_idle(state, 4);
}

static int teardown(void **state) {
    struct eve *eve = *state;
    void *const sockets[] = {eve->socket, eve->other, eve->watch};
    for (size_t i = 0; i < 3; i++) {
        if (sockets[i]) {
            zmq_close(sockets[i]);
        }
    }
    zmq_ctx_term(eve->context);
    wire_arena_free(eve->arena);
    stage_free(eve->stage);
    free(eve);
    return 0;
}

/* ---- the broker ---- */

static ProtobufCBinaryData data(unsigned char *bytes, size_t count) {
    return (ProtobufCBinaryData){.data = bytes, .len = count};
}

static void new_id(unsigned char id[ID_BYTES]) {
    zchat_id made;
    zchat_id_new(&made);
    memcpy(id, made.bytes, ID_BYTES);
}

static void say_invited(struct eve *eve, unsigned char *id, unsigned char *again) {
    Zchat__V1__PrivateInvited body = ZCHAT__V1__PRIVATE_INVITED__INIT;
    Zchat__V1__Event event = ZCHAT__V1__EVENT__INIT;
    body.id = data(id, ID_BYTES);
    body.user = (char *)"eve";
    body.key = data(eve->public_key, KEY_BYTES);
    body.again = data(again, again ? ID_BYTES : 0);
    body.expires_us = 1;
    event.body_case = ZCHAT__V1__EVENT__BODY_PRIVATE_INVITED;
    event.private_invited = &body;
    fake_event(eve->stage->fake, &event);
}

static void say_ended(struct eve *eve, Zchat__V1__PrivateEnd reason) {
    Zchat__V1__PrivateEnded body = ZCHAT__V1__PRIVATE_ENDED__INIT;
    Zchat__V1__Event event = ZCHAT__V1__EVENT__INIT;
    body.id = data(eve->chat, ID_BYTES);
    body.user = (char *)"eve";
    body.reason = reason;
    event.body_case = ZCHAT__V1__EVENT__BODY_PRIVATE_ENDED;
    event.private_ended = &body;
    fake_event(eve->stage->fake, &event);
}

static void say_answered(struct eve *eve, const Zchat__V1__Command *invite,
                         Zchat__V1__PrivateAnswer answer) {
    Zchat__V1__PrivateAnswered body = ZCHAT__V1__PRIVATE_ANSWERED__INIT;
    Zchat__V1__Event event = ZCHAT__V1__EVENT__INIT;
    body.id = invite->invite_private->id;
    body.user = (char *)"eve";
    body.answer = answer;
    event.body_case = ZCHAT__V1__EVENT__BODY_PRIVATE_ANSWERED;
    event.private_answered = &body;
    fake_event(eve->stage->fake, &event);
}

/* eve invites; the client is told. */
static void invite(struct eve *eve) {
    size_t told = stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_INVITED);
    new_id(eve->chat);
    say_invited(eve, eve->chat, NULL);
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_INVITED, told + 1);
}

static void hear_answer(struct eve *eve) {
    const Zchat__V1__Command *answer =
        stage_command(eve->stage, ZCHAT__V1__COMMAND__BODY_ANSWER_PRIVATE);
    assert_true(answer->answer_private->accept);
    assert_int_equal(answer->answer_private->nonce.len, NONCE_BYTES);
    eve->port = answer->answer_private->port;
    memcpy(eve->nonce, answer->answer_private->nonce.data, NONCE_BYTES);
}

/* ... and accepts. */
static void be_accepted(struct eve *eve) {
    invite(eve);
    assert_int_equal(zchat_private_accept(eve->stage->z, "eve", stage_answer, (void *)1), ZCHAT_OK);
    hear_answer(eve);
}

/* ---- eve's socket ---- */

static void *plug(struct eve *eve, const unsigned char *public_key,
                  const unsigned char *secret_key) {
    unsigned char server[KEY_BYTES];
    int zero = 0;
    void *socket = zmq_socket(eve->context, ZMQ_PAIR);
    assert_non_null(socket);
    assert_int_equal(zmq_z85_decode(server, zchat_device_key(eve->stage->z)) == NULL, 0);
    zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server, KEY_BYTES);
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, public_key, KEY_BYTES);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret_key, KEY_BYTES);
    return socket;
}

static void connect_to_the_client(const struct eve *eve, void *socket) {
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", eve->port);
    assert_int_equal(zmq_connect(socket, endpoint), 0);
}

static void *dial(struct eve *eve, const unsigned char *public_key,
                  const unsigned char *secret_key) {
    void *socket = plug(eve, public_key, secret_key);
    connect_to_the_client(eve, socket);
    return socket;
}

static void say(void *socket, Zchat__V1__PeerMessage *message) {
    uint8_t frame[1024];
    size_t bytes = wire_element_pack(WIRE_MESSAGES, &message->base, frame);
    assert_int_equal(zmq_send(socket, frame, bytes, 0), (int)bytes);
}

static void say_hello(struct eve *eve, void *socket) {
    Zchat__V1__PeerHello body = ZCHAT__V1__PEER_HELLO__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    body.protocol_min = body.protocol_max = PROTOCOL_VERSION;
    body.nonce = data(eve->nonce, NONCE_BYTES);
    body.user = (char *)"eve";
    body.chat = data(eve->chat, ID_BYTES);
    message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_HELLO;
    message.hello = &body;
    say(socket, &message);
}

static void say_line(struct eve *eve, uint64_t number, const char *text) {
    unsigned char id[ID_BYTES];
    Zchat__V1__PeerLine body = ZCHAT__V1__PEER_LINE__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    new_id(id);
    body.number = number;
    body.id = data(id, ID_BYTES);
    body.text = (char *)text;
    body.time_us = 1;
    message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_LINE;
    message.line = &body;
    say(eve->socket, &message);
}

static void say_lines(struct eve *eve, uint64_t number, char **texts, size_t count) {
    Zchat__V1__PeerLines body = ZCHAT__V1__PEER_LINES__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    body.number = number;
    body.id = data(eve->chat, ID_BYTES);
    body.time_us = 1;
    body.text = texts;
    body.n_text = count;
    message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_LINES;
    message.lines = &body;
    say(eve->socket, &message);
}

static void say_ack(struct eve *eve, uint64_t received) {
    Zchat__V1__PeerAck body = ZCHAT__V1__PEER_ACK__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    body.received = received;
    message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_ACK;
    message.ack = &body;
    say(eve->socket, &message);
}

/* The next message of that kind that eve hears. */
static Zchat__V1__PeerMessage *hear(struct eve *eve, Zchat__V1__PeerMessage__BodyCase body) {
    char frame[4096];
    for (;;) {
        Zchat__V1__PeerBatch *batch = NULL;
        int bytes = zmq_recv(eve->socket, frame, sizeof frame, ZMQ_DONTWAIT);
        if (bytes < 0) {
            assert_true(stage_step(eve->stage));
            continue;
        }
        assert_int_equal(wire_read_peer(eve->arena, frame, (size_t)bytes, &batch), WIRE_FINE);
        for (size_t i = 0; i < batch->n_messages; i++) {
            if (batch->messages[i]->body_case == body) {
                return batch->messages[i];
            }
        }
    }
}

/* The other one is turned away before he can say anything. */
static void is_refused(struct eve *eve, const unsigned char *public_key,
                       const unsigned char *secret_key) {
    uint16_t event = 0;
    eve->other = plug(eve, public_key, secret_key);
    zmq_socket_monitor(eve->other, "inproc://watch",
                       ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    eve->watch = zmq_socket(eve->context, ZMQ_PAIR);
    assert_int_equal(zmq_connect(eve->watch, "inproc://watch"), 0);
    connect_to_the_client(eve, eve->other);
    say_hello(eve, eve->other);
    while (zmq_recv(eve->watch, &event, sizeof event, ZMQ_DONTWAIT) < 0) {
        assert_true(stage_step(eve->stage));
    }
    assert_int_equal(event, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
}

/* Whether the socket hears nothing, though everybody had time. */
static bool is_deaf(struct eve *eve, void *socket) {
    char frame[64];
    time_t until = time(NULL) + 2;
    while (time(NULL) < until) {
        assert_true(stage_step(eve->stage));
    }
    return zmq_recv(socket, frame, sizeof frame, ZMQ_DONTWAIT) < 0 && errno == EAGAIN;
}

static void open_chat(struct eve *eve) {
    be_accepted(eve);
    eve->socket = dial(eve, eve->public_key, eve->secret_key);
    say_hello(eve, eve->socket);
    hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_HELLO);
    assert_int_equal(stage_await(eve->stage, 0, 2)->code, ZCHAT_OK);
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_OPEN, 1);
}

/* ---- tests ---- */

static void a_wrong_nonce_uses_the_consent_up(void **state) {
    struct eve *eve = *state;
    be_accepted(eve);
    eve->nonce[0] ^= 1;
    eve->socket = dial(eve, eve->public_key, eve->secret_key);
    say_hello(eve, eve->socket);
    Zchat__V1__PeerMessage *bye = hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_BYE);
    assert_non_null(strstr(bye->bye->reason, "nonce"));
    const struct told *answer = stage_await(eve->stage, 0, 2);
    assert_int_equal(answer->code, ZCHAT_FORBIDDEN);
    assert_non_null(strstr(answer->text, "wrong nonce"));
    eve->nonce[0] ^= 1;
    zmq_close(eve->socket);
    eve->socket = dial(eve, eve->public_key, eve->secret_key);
    say_hello(eve, eve->socket);
    assert_true(is_deaf(eve, eve->socket));
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_OPEN), 0);
}

static void a_third_party_with_another_key_is_not_heard(void **state) {
    struct eve *eve = *state;
    unsigned char public_key[KEY_BYTES];
    unsigned char secret_key[KEY_BYTES];
    randombytes_buf(secret_key, KEY_BYTES);
    crypto_scalarmult_base(public_key, secret_key);
    be_accepted(eve);
    is_refused(eve, public_key, secret_key);
    eve->socket = dial(eve, eve->public_key, eve->secret_key);
    say_hello(eve, eve->socket);
    hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_HELLO);
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_OPEN, 1);
    say_line(eve, 1, "still there");
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_LINE, 1);
}

static void a_second_connection_of_the_same_key_is_not_heard(void **state) {
    struct eve *eve = *state;
    open_chat(eve);
    is_refused(eve, eve->public_key, eve->secret_key);
    say_line(eve, 1, "first");
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_LINE, 1);
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_BROKEN), 0);
}

static void a_line_that_comes_twice_is_told_once_and_acknowledged_twice(void **state) {
    struct eve *eve = *state;
    open_chat(eve);
    say_line(eve, 1, "one\033[2J");
    assert_int_equal(hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_ACK)->ack->received, 1);
    say_line(eve, 1, "again");
    assert_int_equal(hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_ACK)->ack->received, 1);
    say_line(eve, 2, "two");
    assert_int_equal(hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_ACK)->ack->received, 2);
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_LINE), 2);
    assert_string_equal(stage_told(eve->stage, ZCHAT_EVENT_PRIVATE_LINE, 0)->text, "one");
}

static void several_lines_in_one_are_told_once_each(void **state) {
    struct eve *eve = *state;
    char *texts[] = {(char *)"one", (char *)"two", (char *)"three"};
    open_chat(eve);
    eve->chat[ID_BYTES - 1] = 0xFF;
    say_lines(eve, 1, texts, 2);
    assert_int_equal(hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_ACK)->ack->received, 2);
    say_lines(eve, 1, texts, 3);
    assert_int_equal(hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_ACK)->ack->received, 3);
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
    open_chat(eve);
    size_t before = stage_count(eve->stage, 0);
    for (int i = 0; i < 70; i++) {
        snprintf(text, sizeof text, "line %d", i + 1);
        assert_int_equal(zchat_private_send(eve->stage->z, "eve", text, stage_answer, NULL),
                         ZCHAT_OK);
    }
    for (uint64_t next = 1; next <= 70;) {
        const Zchat__V1__PeerLines *lines = hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_LINES)->lines;
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
    for (size_t i = 0; i < 65; i++) {
        texts[i] = (char *)"x";
    }
    open_chat(eve);
    say_lines(eve, 1, texts, 65);
    hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_BYE);
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_LINE), 0);
}

static void what_breaks_the_rules_ends_the_chat(void **state) {
    struct eve *eve = *state;
    open_chat(eve);
    say_line(eve, 5, "too far");
    hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_BYE);
    const struct told *told = stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_non_null(strstr(told->text, "protocol"));
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_LINE), 0);
}

static void a_new_link_is_accepted_by_itself_and_a_foreign_one_is_not(void **state) {
    struct eve *eve = *state;
    unsigned char id[ID_BYTES];
    open_chat(eve);
    say_line(eve, 1, "one");
    hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_ACK);
    new_id(id);
    say_invited(eve, id, eve->chat);
    hear_answer(eve);
    zmq_close(eve->socket);
    eve->socket = dial(eve, eve->public_key, eve->secret_key);
    say_hello(eve, eve->socket);
    assert_int_equal(hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_HELLO)->hello->received, 1);
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_OPEN, 2);
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_BROKEN), 1);
    new_id(id);
    say_invited(eve, id, id);
    const Zchat__V1__Command *answer =
        stage_command(eve->stage, ZCHAT__V1__COMMAND__BODY_ANSWER_PRIVATE);
    assert_false(answer->answer_private->accept);
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_INVITED), 1);
}

static void an_invitation_ends_with_a_sentence(void **state) {
    struct eve *eve = *state;
    const struct {
        Zchat__V1__PrivateEnd reason;
        const char *text;
    } ends[] = {{ZCHAT__V1__PRIVATE_END__PRIVATE_END_TAKEN,
                 "Another of your programs answered eve's invitation."},
                {ZCHAT__V1__PRIVATE_END__PRIVATE_END_WITHDRAWN, "eve took the invitation back."},
                {ZCHAT__V1__PRIVATE_END__PRIVATE_END_EXPIRED, "eve's invitation has expired."}};
    for (size_t i = 0; i < 3; i++) {
        invite(eve);
        say_ended(eve, ends[i].reason);
        const struct told *told = stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_CLOSED, i + 1);
        assert_string_equal(told->text, ends[i].text);
        assert_int_equal(zchat_private_accept(eve->stage->z, "eve", NULL, NULL), ZCHAT_NOT_FOUND);
    }
}

static void a_peer_whose_session_and_link_ended_is_given_up(void **state) {
    struct eve *eve = *state;
    open_chat(eve);
    say_ended(eve, ZCHAT__V1__PRIVATE_END__PRIVATE_END_GONE);
    say_line(eve, 1, "the link lives on");
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_LINE, 1);
    stage_settle(eve->stage);
    assert_int_equal(stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_CLOSED), 0);
    zmq_close(eve->socket);
    eve->socket = NULL;
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_BROKEN, 1);
    const struct told *told = stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_string_equal(told->text, "eve's program is gone.");
}

static void an_unanswered_start_says_why(void **state) {
    struct eve *eve = *state;
    const struct {
        Zchat__V1__PrivateAnswer answer;
        zchat_code code;
        const char *text;
    } ends[] = {
        {ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_EXPIRED, ZCHAT_EXPIRED,
         "eve did not answer within 60 s."},
        {ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_DECLINED, ZCHAT_FORBIDDEN, "eve declined."},
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

static void activity_is_told_once_a_minute(void **state) {
    struct eve *eve = *state;
    open_chat(eve);
    for (int i = 0; i < 3; i++) {
        zchat_private_send(eve->stage->z, "eve", "x", NULL, NULL);
        hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_LINES);
    }
    stage_command(eve->stage, ZCHAT__V1__COMMAND__BODY_ACTIVE);
    stage_settle(eve->stage);
    assert_null(fake_next(eve->stage->fake, ZCHAT__V1__COMMAND__BODY_ACTIVE));
}

static void activity_is_told_in_time_for_the_idle_limit(void **state) {
    struct eve *eve = *state;
    open_chat(eve);
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

static void say_bye(struct eve *eve) {
    Zchat__V1__PeerBye body = ZCHAT__V1__PEER_BYE__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    body.reason = (char *)"eve ended the private chat.";
    message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_BYE;
    message.bye = &body;
    say(eve->socket, &message);
}

static void a_line_that_was_sent_and_not_acknowledged_may_have_been_seen(void **state) {
    struct eve *eve = *state;
    open_chat(eve);
    zchat_private_send(eve->stage->z, "eve", "x", stage_answer, (void *)7);
    hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_LINES);
    zchat_private_stop(eve->stage->z, "eve", stage_answer, (void *)8);
    const struct told *told = stage_await(eve->stage, 0, 3);
    assert_int_equal(told->arg, 7);
    assert_int_equal(told->code, ZCHAT_UNKNOWN);
    assert_non_null(strstr(told->text, "may or may not have been seen"));
    assert_string_equal(zchat_code_name(told->code), "UNKNOWN");
}

static void a_line_that_a_farewell_leaves_unacknowledged_was_not_delivered(void **state) {
    struct eve *eve = *state;
    open_chat(eve);
    zchat_private_send(eve->stage->z, "eve", "x", stage_answer, (void *)7);
    hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_LINES);
    say_bye(eve);
    assert_int_equal(stage_await(eve->stage, 0, 3)->code, ZCHAT_UNREACHABLE);
}

static void a_line_that_was_never_sent_was_not_delivered(void **state) {
    struct eve *eve = *state;
    open_chat(eve);
    zmq_close(eve->socket);
    eve->socket = NULL;
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_BROKEN, 1);
    zchat_private_send(eve->stage->z, "eve", "x", stage_answer, (void *)7);
    zchat_private_stop(eve->stage->z, "eve", stage_answer, (void *)8);
    const struct told *told = stage_await(eve->stage, 0, 3);
    assert_int_equal(told->arg, 7);
    assert_int_equal(told->code, ZCHAT_UNREACHABLE);
}

/* ---- nobody says no in a person's name ---- */

static bool was_answered(struct eve *eve) {
    stage_settle(eve->stage);
    return fake_next(eve->stage->fake, ZCHAT__V1__COMMAND__BODY_ANSWER_PRIVATE) != NULL;
}

static void an_invitation_that_overtakes_the_farewell_is_the_persons_to_answer(void **state) {
    struct eve *eve = *state;
    open_chat(eve);
    invite(eve);
    assert_false(was_answered(eve));
    assert_int_equal(zchat_private_send(eve->stage->z, "eve", "still open", NULL, NULL), ZCHAT_OK);
    say_bye(eve);
    assert_true(stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_CLOSED, 1)->online);
    zmq_close(eve->socket);
    assert_int_equal(zchat_private_accept(eve->stage->z, "eve", stage_answer, (void *)2), ZCHAT_OK);
    hear_answer(eve);
    eve->socket = dial(eve, eve->public_key, eve->secret_key);
    say_hello(eve, eve->socket);
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_OPEN, 2);
}

static void an_invitation_beside_an_open_chat_is_declined_or_ends_without_it(void **state) {
    struct eve *eve = *state;
    open_chat(eve);
    invite(eve);
    say_ended(eve, ZCHAT__V1__PRIVATE_END__PRIVATE_END_WITHDRAWN);
    assert_false(stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_CLOSED, 1)->online);
    invite(eve);
    assert_int_equal(zchat_private_decline(eve->stage->z, "eve", NULL, NULL), ZCHAT_OK);
    assert_false(
        stage_command(eve->stage, ZCHAT__V1__COMMAND__BODY_ANSWER_PRIVATE)->answer_private->accept);
    assert_int_equal(zchat_private_send(eve->stage->z, "eve", "x", NULL, NULL), ZCHAT_OK);
    hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_LINES);
    assert_int_equal(zchat_private_count(eve->stage->z), 1);
}

static void accepting_beside_an_open_chat_takes_its_place(void **state) {
    struct eve *eve = *state;
    open_chat(eve);
    invite(eve);
    assert_int_equal(zchat_private_accept(eve->stage->z, "eve", stage_answer, (void *)2), ZCHAT_OK);
    hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_BYE);
    hear_answer(eve);
    zmq_close(eve->socket);
    eve->socket = dial(eve, eve->public_key, eve->secret_key);
    say_hello(eve, eve->socket);
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_OPEN, 2);
    assert_int_equal(zchat_private_count(eve->stage->z), 1);
}

static void a_farewell_before_the_hellos_ends_the_invitation(void **state) {
    struct eve *eve = *state;
    be_accepted(eve);
    eve->socket = dial(eve, eve->public_key, eve->secret_key);
    say_bye(eve);
    const struct told *told = stage_await(eve->stage, 0, 2);
    assert_int_equal(told->code, ZCHAT_FORBIDDEN);
    assert_string_equal(told->text, "eve ended the private chat.");
}

/* ---- eve is invited ---- */

static void reply_done(struct eve *eve, const Zchat__V1__Command *command) {
    Zchat__V1__InvitePrivateReply body = ZCHAT__V1__INVITE_PRIVATE_REPLY__INIT;
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
    Zchat__V1__Event event = ZCHAT__V1__EVENT__INIT;
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
    body.id = data(eve->chat, ID_BYTES);
    body.user = (char *)"eve";
    body.answer = ZCHAT__V1__PRIVATE_ANSWER__PRIVATE_ANSWER_ACCEPTED;
    body.endpoint = endpoint;
    body.key = data(eve->public_key, KEY_BYTES);
    body.nonce = data(eve->nonce, NONCE_BYTES);
    event.body_case = ZCHAT__V1__EVENT__BODY_PRIVATE_ANSWERED;
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
    hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_HELLO);
    say_hello(eve, eve->socket);
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_OPEN, 1);
    zmq_close(eve->socket);
    eve->socket = NULL;
    invite = stage_command(eve->stage, ZCHAT__V1__COMMAND__BODY_INVITE_PRIVATE);
    assert_int_equal(invite->invite_private->again.len, ID_BYTES);
    say_ended(eve, ZCHAT__V1__PRIVATE_END__PRIVATE_END_GONE);
    reply_done(eve, invite);
    const struct told *told = stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_string_equal(told->text, "eve's program is gone.");
}

/* ---- crossed invitations ---- */

static void refuse_invite(struct eve *eve, const Zchat__V1__Command *command) {
    Zchat__V1__Error error = ZCHAT__V1__ERROR__INIT;
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
    new_id(eve->chat);
    if (refused_first) {
        refuse_invite(eve, &mine);
        stage_settle(eve->stage);
    }
    say_invited(eve, eve->chat, NULL);
    hear_answer(eve);
    if (!refused_first) {
        refuse_invite(eve, &mine);
    }
    eve->socket = dial(eve, eve->public_key, eve->secret_key);
    say_hello(eve, eve->socket);
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
    invite(eve);
    assert_int_equal(zchat_private_start(eve->stage->z, "eve", stage_answer, (void *)7), ZCHAT_OK);
    hear_answer(eve);
    assert_null(fake_next(eve->stage->fake, ZCHAT__V1__COMMAND__BODY_INVITE_PRIVATE));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
        TEST(an_invitation_ends_with_a_sentence),
        TEST(a_peer_whose_session_and_link_ended_is_given_up),
        TEST(an_unanswered_start_says_why),
        TEST(activity_is_told_once_a_minute),
        cmocka_unit_test_setup_teardown(activity_is_told_in_time_for_the_idle_limit, setup_idle_4_s,
                                        teardown),
        TEST(a_line_that_was_sent_and_not_acknowledged_may_have_been_seen),
        TEST(a_line_that_a_farewell_leaves_unacknowledged_was_not_delivered),
        TEST(a_line_that_was_never_sent_was_not_delivered),
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
