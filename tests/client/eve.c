/* See eve.h. */
#include "eve.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include <cmocka.h>

int eve_setup_idle(void **state, uint32_t idle_timeout_s) {
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

int eve_setup(void **state) {
    return eve_setup_idle(state, 0);
}

int eve_teardown(void **state) {
    struct eve *eve = *state;
    void *const sockets[] = {eve->socket, eve->other, eve->watch};
    for (size_t i = 0; i < 3; i++)
        if (sockets[i])
            zmq_close(sockets[i]);
    zmq_ctx_term(eve->context);
    wire_arena_free(eve->arena);
    stage_free(eve->stage);
    free(eve);
    return 0;
}

/* ---- the broker ---- */

ProtobufCBinaryData eve_data(unsigned char *bytes, size_t count) {
    return (ProtobufCBinaryData){.data = bytes, .len = count};
}

void eve_new_id(unsigned char id[ID_BYTES]) {
    zchat_id made;
    zchat_id_new(&made);
    memcpy(id, made.bytes, ID_BYTES);
}

void eve_say_invited(struct eve *eve, unsigned char *id, unsigned char *again) {
    Zchat__V1__PrivateInvited body = ZCHAT__V1__PRIVATE_INVITED__INIT;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    body.id = eve_data(id, ID_BYTES);
    body.user = (char *)"eve";
    body.key = eve_data(eve->public_key, KEY_BYTES);
    body.again = eve_data(again, again ? ID_BYTES : 0);
    body.expires_us = 1;
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_PRIVATE_INVITED;
    event.private_invited = &body;
    fake_event(eve->stage->fake, &event);
}

void eve_say_ended(struct eve *eve, Zchat__V1__PrivateEnd reason) {
    Zchat__V1__PrivateEnded body = ZCHAT__V1__PRIVATE_ENDED__INIT;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    body.id = eve_data(eve->chat, ID_BYTES);
    body.user = (char *)"eve";
    body.reason = reason;
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_PRIVATE_ENDED;
    event.private_ended = &body;
    fake_event(eve->stage->fake, &event);
}

/* eve invites; the client is told. */
void eve_invite(struct eve *eve) {
    size_t told = stage_count(eve->stage, ZCHAT_EVENT_PRIVATE_INVITED);
    eve_new_id(eve->chat);
    eve_say_invited(eve, eve->chat, NULL);
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_INVITED, told + 1);
}

void eve_hear_answer(struct eve *eve) {
    const Zchat__V1__Command *answer =
        stage_command(eve->stage, ZCHAT__V1__COMMAND__BODY_ANSWER_PRIVATE);
    assert_true(answer->answer_private->accept);
    assert_int_equal(answer->answer_private->nonce.len, NONCE_BYTES);
    eve->port = answer->answer_private->port;
    memcpy(eve->nonce, answer->answer_private->nonce.data, NONCE_BYTES);
}

/* ... and accepts. */
void eve_be_accepted(struct eve *eve) {
    eve_invite(eve);
    assert_int_equal(zchat_private_accept(eve->stage->z, "eve", stage_answer, (void *)1), ZCHAT_OK);
    eve_hear_answer(eve);
}

/* ---- eve's socket ---- */

void *eve_plug(struct eve *eve, const unsigned char *public_key, const unsigned char *secret_key) {
    unsigned char server[KEY_BYTES];
    int zero = 0;
    void *socket = zmq_socket(eve->context, ZMQ_PAIR);
    assert_non_null(socket);
    assert_int_equal(!zmq_z85_decode(server, zchat_device_key(eve->stage->z)), 0);
    zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server, KEY_BYTES);
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, public_key, KEY_BYTES);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret_key, KEY_BYTES);
    return socket;
}

void eve_connect(const struct eve *eve, void *socket) {
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", eve->port);
    assert_int_equal(zmq_connect(socket, endpoint), 0);
}

void *eve_dial(struct eve *eve, const unsigned char *public_key, const unsigned char *secret_key) {
    void *socket = eve_plug(eve, public_key, secret_key);
    eve_connect(eve, socket);
    return socket;
}

void eve_say(void *socket, Zchat__V1__PeerMessage *message) {
    uint8_t frame[1024];
    size_t bytes = wire_element_pack(WIRE_MESSAGES, &message->base, frame);
    assert_int_equal(zmq_send(socket, frame, bytes, 0), (int)bytes);
}

void eve_say_hello(struct eve *eve, void *socket) {
    Zchat__V1__PeerHello body = ZCHAT__V1__PEER_HELLO__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    body.protocol_min = body.protocol_max = PROTOCOL_VERSION;
    body.nonce = eve_data(eve->nonce, NONCE_BYTES);
    body.user = (char *)"eve";
    body.chat = eve_data(eve->chat, ID_BYTES);
    message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_HELLO;
    message.hello = &body;
    eve_say(socket, &message);
}

void eve_say_line(struct eve *eve, uint64_t number, const char *text) {
    unsigned char id[ID_BYTES];
    Zchat__V1__PeerLine body = ZCHAT__V1__PEER_LINE__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    eve_new_id(id);
    body.number = number;
    body.id = eve_data(id, ID_BYTES);
    body.text = (char *)text;
    body.time_us = 1;
    message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_LINE;
    message.line = &body;
    eve_say(eve->socket, &message);
}

/* The next message of that kind that eve hears. */
Zchat__V1__PeerMessage *eve_hear(struct eve *eve, Zchat__V1__PeerMessage__BodyCase body) {
    char frame[4096];
    for (;;) {
        Zchat__V1__PeerBatch *batch = NULL;
        int bytes = zmq_recv(eve->socket, frame, sizeof frame, ZMQ_DONTWAIT);
        if (bytes < 0) {
            assert_true(stage_step(eve->stage));
            continue;
        }
        assert_int_equal(wire_read_peer(eve->arena, frame, (size_t)bytes, &batch), WIRE_FINE);
        for (size_t i = 0; i < batch->n_messages; i++)
            if (batch->messages[i]->body_case == body)
                return batch->messages[i];
    }
}

void eve_open_chat(struct eve *eve) {
    eve_be_accepted(eve);
    eve->socket = eve_dial(eve, eve->public_key, eve->secret_key);
    eve_say_hello(eve, eve->socket);
    eve_hear(eve, ZCHAT__V1__PEER_MESSAGE__BODY_HELLO);
    assert_int_equal(stage_await(eve->stage, 0, 2)->code, ZCHAT_OK);
    stage_await(eve->stage, ZCHAT_EVENT_PRIVATE_OPEN, 1);
}

void eve_say_bye(struct eve *eve) {
    Zchat__V1__PeerBye body = ZCHAT__V1__PEER_BYE__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    body.reason = (char *)"eve ended the private chat";
    message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_BYE;
    message.bye = &body;
    eve_say(eve->socket, &message);
}
