/* wire.h: every fault, at every place of the schema where it can be. The places are found by
 * walking the descriptors, so that a new message is tested without a line here. */
#include "wire.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX      8
#define BUILD_MAX      512
#define BYTES(literal) (const uint8_t *)(literal), sizeof(literal) - 1

/* Any wire_read_*, by the descriptor of what it reads. */
static enum wire_fault read_any(const ProtobufCMessageDescriptor *type, struct wire_arena *arena,
                                const void *frame, size_t frame_bytes, ProtobufCMessage **message) {
    enum wire_fault fault;
    if (type == &zchat__v1__command_batch__descriptor) {
        fault = wire_read_commands(arena, frame, frame_bytes, (Zchat__V1__CommandBatch **)message);
    } else if (type == &zchat__v1__server_batch__descriptor) {
        fault = wire_read_server(arena, frame, frame_bytes, (Zchat__V1__ServerBatch **)message);
    } else if (type == &zchat__v1__publication__descriptor) {
        fault =
            wire_read_publication(arena, frame, frame_bytes, (Zchat__V1__Publication **)message);
    } else if (type == &zchat__v1__greeting__descriptor) {
        fault = wire_read_greeting(arena, frame, frame_bytes, (Zchat__V1__Greeting **)message);
    } else if (type == &zchat__v1__peer_batch__descriptor) {
        fault = wire_read_peer(arena, frame, frame_bytes, (Zchat__V1__PeerBatch **)message);
    } else {
        assert_ptr_equal(type, &zchat__v1__greeting_request__descriptor);
        fault = wire_read_greeting_request(arena, frame, frame_bytes,
                                           (Zchat__V1__GreetingRequest **)message);
    }
    assert_int_equal(!*message, fault != WIRE_FINE);
    return fault;
}

static const ProtobufCMessageDescriptor *const roots[] = {
    &zchat__v1__command_batch__descriptor,    &zchat__v1__server_batch__descriptor,
    &zchat__v1__publication__descriptor,      &zchat__v1__greeting__descriptor,
    &zchat__v1__greeting_request__descriptor, &zchat__v1__peer_batch__descriptor,
};
#define ROOTS (sizeof roots / sizeof *roots)

/* A field on the way from a frame down to a place in it. */
struct place {
    const ProtobufCMessageDescriptor *root, *message;
    const ProtobufCFieldDescriptor *field;
    uint32_t way[DEPTH_MAX]; /* field numbers from root to message */
    size_t depth;
};

static size_t put_varint(uint8_t *out, uint64_t value) {
    size_t bytes = 0;
    for (; value >= 0x80; value >>= 7)
        out[bytes++] = (uint8_t)(value | 0x80);
    out[bytes++] = (uint8_t)value;
    return bytes;
}

static size_t put_field(uint8_t *out, uint32_t number, const uint8_t *data, size_t data_bytes) {
    size_t at = put_varint(out, number << 3 | PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
    at += put_varint(out + at, data_bytes);
    memcpy(out + at, data, data_bytes);
    return at + data_bytes;
}

/* A frame in which nothing is set but what `data` holds at the place's message. */
static enum wire_fault read_at(const struct place *place, const uint8_t *data, size_t data_bytes) {
    uint8_t frame[BUILD_MAX], inner[BUILD_MAX];
    memcpy(frame, data, data_bytes);
    for (size_t i = place->depth; i-- > 0;) {
        memcpy(inner, frame, data_bytes);
        data_bytes = put_field(frame, place->way[i], inner, data_bytes);
    }
    struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
    assert_non_null(arena);
    ProtobufCMessage *message;
    enum wire_fault fault = read_any(place->root, arena, frame, data_bytes, &message);
    wire_arena_free(arena);
    return fault;
}

static size_t visit_message(struct place *place, const ProtobufCMessageDescriptor *message,
                            void (*visit)(const struct place *)) {
    size_t visited = 0;
    for (unsigned i = 0; i < message->n_fields; i++) {
        place->message = message;
        place->field = &message->fields[i];
        visit(place);
        visited++;
        if (place->field->type == PROTOBUF_C_TYPE_MESSAGE) {
            assert_true(place->depth < DEPTH_MAX);
            place->way[place->depth++] = place->field->id;
            visited += visit_message(place, message->fields[i].descriptor, visit);
            place->depth--;
        }
    }
    return visited;
}

static void visit_all(void (*visit)(const struct place *)) {
    size_t visited = 0;
    for (size_t i = 0; i < ROOTS; i++) {
        struct place place = {.root = roots[i]};
        visited += visit_message(&place, roots[i], visit);
    }
    assert_true(visited > 200);
}

static bool is_strict(const struct place *place) {
    return place->root == &zchat__v1__command_batch__descriptor;
}

static void check_text(const struct place *place) {
    static const char *const bad[] = {"\xff", "\xc0\x80", "\xed\xa0\x80", "ok\xe2\x82", "\x80"};
    uint8_t data[32];
    bool text = place->field->type == PROTOBUF_C_TYPE_STRING;
    if (!text && place->field->type != PROTOBUF_C_TYPE_BYTES)
        return;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t bytes = put_field(data, place->field->id, (const uint8_t *)bad[i], strlen(bad[i]));
        assert_int_equal(read_at(place, data, bytes), text ? WIRE_BAD_TEXT : WIRE_FINE);
    }
    size_t bytes = put_field(data, place->field->id, BYTES("a\0b"));
    assert_int_equal(read_at(place, data, bytes), text ? WIRE_BAD_TEXT : WIRE_FINE);
    bytes = put_field(data, place->field->id, BYTES("\xe2\x82\xac"));
    assert_int_equal(read_at(place, data, bytes), WIRE_FINE);
}

static void bad_text_is_found_in_every_string(void **state) {
    (void)state;
    visit_all(check_text);
}

static bool fits(ProtobufCType type, unsigned wire_type) {
    bool prefixed = type == PROTOBUF_C_TYPE_STRING || type == PROTOBUF_C_TYPE_BYTES ||
                    type == PROTOBUF_C_TYPE_MESSAGE;
    return wire_type == (prefixed ? 2 : 0); /* the schema has no fixed numbers */
}

static void check_wire_types(const struct place *place) {
    for (unsigned type = 0; type < 8; type++) {
        /* A number of 0; 8 bytes; no data; a group that ends; 4 bytes. */
        static const uint8_t values[8][9] = {{0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}};
        static const size_t value_bytes[8] = {1, 8, 1, 0, 0, 4, 1, 1};
        uint8_t data[16];
        size_t bytes = put_varint(data, place->field->id << 3 | type);
        memcpy(data + bytes, values[type], value_bytes[type]);
        bytes += value_bytes[type];
        if (type == 3)
            bytes += put_varint(data + bytes, place->field->id << 3 | 4);
        bool fine = fits(place->field->type, type);
        assert_int_equal(read_at(place, data, bytes), fine ? WIRE_FINE : WIRE_MALFORMED);
    }
}

static void a_wrong_wire_type_is_malformed_in_every_field(void **state) {
    (void)state;
    visit_all(check_wire_types);
}

static void check_unknown_fields(const struct place *place) {
    static const uint32_t numbers[] = {9, 15000, 536870911};
    if (place->field != place->message->fields)
        return; /* once for each message */
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint8_t data[32];
        if (protobuf_c_message_descriptor_get_field(place->message, numbers[i]))
            continue; /* a Login has a field 9 */
        bool command = place->message == &zchat__v1__command__descriptor && numbers[i] >= 10;
        size_t bytes = put_field(data, numbers[i], BYTES("\xff\xff"));
        enum wire_fault wanted = is_strict(place) && !command ? WIRE_UNKNOWN_FIELD : WIRE_FINE;
        assert_int_equal(read_at(place, data, bytes), wanted);
        bytes = put_varint(data, (uint64_t)numbers[i] << 3);
        bytes += put_varint(data + bytes, UINT64_MAX);
        assert_int_equal(read_at(place, data, bytes),
                         is_strict(place) ? WIRE_UNKNOWN_FIELD : WIRE_FINE);
        bytes = put_varint(data, (uint64_t)numbers[i] << 3 | 3);
        bytes += put_varint(data + bytes, (uint64_t)numbers[i] << 3 | 4);
        assert_int_equal(read_at(place, data, bytes), WIRE_MALFORMED); /* a group */
    }
}

static void unknown_fields_are_refused_from_clients_and_passed_over_from_the_broker(void **state) {
    (void)state;
    visit_all(check_unknown_fields);
}

static enum wire_fault read_commands(const uint8_t *frame, size_t frame_bytes) {
    const struct place top = {.root = &zchat__v1__command_batch__descriptor};
    return read_at(&top, frame, frame_bytes);
}

static void an_unknown_command_comes_out_without_a_body(void **state) {
    struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
    Zchat__V1__CommandBatch *batch;
    (void)state;
    assert_non_null(arena);
    /* request 5 and command 99; then a Ping with request 6 */
    assert_int_equal(wire_read_commands(arena,
                                        BYTES("\x0a\x06\x08\x05\x9a\x06\x01\xff"
                                              "\x0a\x05\x08\x06\xc2\x02\x00"),
                                        &batch),
                     WIRE_FINE);
    assert_int_equal(batch->n_commands, 2);
    assert_int_equal(batch->commands[0]->request, 5);
    assert_int_equal(batch->commands[0]->body_case, ZCHAT__V1__COMMAND__BODY__NOT_SET);
    assert_int_equal(batch->commands[1]->request, 6);
    assert_int_equal(batch->commands[1]->body_case, ZCHAT__V1__COMMAND__BODY_PING);
    wire_arena_free(arena);
}

static void a_known_and_an_unknown_command_in_one_are_refused(void **state) {
    (void)state;
    assert_int_equal(read_commands(BYTES("\x0a\x06\xc2\x02\x00\x9a\x06\x00")), WIRE_UNKNOWN_FIELD);
    assert_int_equal(read_commands(BYTES("\x0a\x06\x9a\x06\x00\xc2\x02\x00")), WIRE_UNKNOWN_FIELD);
}

static void one_body_given_twice_is_read(void **state) {
    (void)state;
    assert_int_equal(read_commands(BYTES("\x0a\x06\xc2\x02\x00\xc2\x02\x00")), WIRE_FINE);
    assert_int_equal(read_commands(BYTES("\x0a\x05\xc2\x02\x00\x5a\x00")), WIRE_FINE);
}

static void an_unknown_value_of_an_enum_is_read(void **state) {
    struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
    Zchat__V1__ServerBatch *batch;
    (void)state;
    assert_non_null(arena);
    assert_int_equal(wire_read_server(arena, BYTES("\x0a\x04\x12\x02\x08\x63"), &batch), WIRE_FINE);
    assert_int_equal(batch->replies[0]->error->code, 99);
    wire_arena_free(arena);
}

static void more_commands_than_64_are_too_many(void **state) {
    uint8_t frame[2 * (FRAME_COMMANDS_MAX + 1)];
    (void)state;
    for (size_t i = 0; i < sizeof frame; i += 2)
        memcpy(frame + i, "\x0a\x00", 2);
    assert_int_equal(read_commands(frame, sizeof frame - 2), WIRE_FINE);
    assert_int_equal(read_commands(frame, sizeof frame), WIRE_TOO_MANY);
}

static void what_is_not_protobuf_is_malformed(void **state) {
    (void)state;
    assert_int_equal(read_commands(BYTES("")), WIRE_FINE); /* nothing is said */
    assert_int_equal(read_commands(BYTES("GET / HTTP/1.1\r\n\r\n")), WIRE_MALFORMED);
    assert_int_equal(read_commands(BYTES("\x00")), WIRE_MALFORMED);             /* field 0 */
    assert_int_equal(read_commands(BYTES("\x02\x00")), WIRE_MALFORMED);         /* field 0 */
    assert_int_equal(read_commands(BYTES("\x0a")), WIRE_MALFORMED);             /* no length */
    assert_int_equal(read_commands(BYTES("\x0a\x80")), WIRE_MALFORMED);         /* half of it */
    assert_int_equal(read_commands(BYTES("\x0a\x01")), WIRE_MALFORMED);         /* no data */
    assert_int_equal(read_commands(BYTES("\x0a\x02\x08\x80")), WIRE_MALFORMED); /* half a number */
    assert_int_equal(read_commands(BYTES("\x0a\x01\x08\x01")), WIRE_MALFORMED); /* beyond its end */
    assert_int_equal(
        read_commands(BYTES("\x0a\x0c\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")),
        WIRE_MALFORMED); /* a varint of 11 bytes */
    assert_int_equal(read_commands(BYTES("\x8a\x80\x80\x80\x80\x00\x00")), WIRE_MALFORMED);
    assert_int_equal(read_commands(BYTES("\x8a\x80\x80\x80\x10\x00")), WIRE_MALFORMED);
    assert_int_equal(read_commands(BYTES("\x0a\xff\xff\xff\xff\x0f")), WIRE_MALFORMED);
    assert_int_equal(read_commands(BYTES("\x0a\xff\xff\xff\xff\x7f")), WIRE_MALFORMED);
    assert_int_equal(read_commands(BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")),
                     WIRE_MALFORMED);
}

static void deep_nesting_is_harmless(void **state) {
    static uint8_t frame[FRAME_BYTES_MAX];
    struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
    (void)state;
    assert_non_null(arena);
    /* Each pair of bytes opens what follows it as field 1 or 2 of a message, as deep as it goes. */
    for (size_t root = 0; root < ROOTS; root++) {
        for (uint8_t key = 0x0a; key <= 0x12; key += 8) {
            for (size_t at = 0; at < sizeof frame; at += 2) {
                frame[at] = key;
                frame[at + 1] = 0x7e;
            }
            ProtobufCMessage *message;
            wire_arena_reset(arena);
            (void)read_any(roots[root], arena, frame, sizeof frame, &message);
        }
    }
    /* Groups within groups. */
    memset(frame, 0x0b, sizeof frame);
    for (size_t root = 0; root < ROOTS; root++) {
        ProtobufCMessage *message;
        assert_int_not_equal(read_any(roots[root], arena, frame, sizeof frame, &message),
                             WIRE_FINE);
    }
    wire_arena_free(arena);
}

static void frames_beyond_their_limit_are_too_large(void **state) {
    static uint8_t frame[FRAME_BYTES_MAX + 1];
    struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
    (void)state;
    assert_non_null(arena);
    for (size_t i = 0; i < ROOTS; i++) {
        ProtobufCMessage *message;
        assert_int_equal(read_any(roots[i], arena, frame, sizeof frame, &message), WIRE_TOO_LARGE);
    }
    Zchat__V1__GreetingRequest *request;
    assert_int_equal(wire_read_greeting_request(arena, frame, GREETING_BYTES_MAX + 1, &request),
                     WIRE_TOO_LARGE);
    assert_int_equal(wire_read_greeting_request(arena, frame, GREETING_BYTES_MAX, &request),
                     WIRE_MALFORMED);
    wire_arena_free(arena);
}

static void a_frame_that_grows_beyond_the_cap_is_too_large(void **state) {
    static uint8_t frame[FRAME_BYTES_MAX];
    struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
    Zchat__V1__ServerBatch *batch;
    (void)state;
    assert_non_null(arena);
    for (size_t at = 0; at < sizeof frame; at += 2)
        memcpy(frame + at, "\x12\x00", 2); /* half a million empty events */
    assert_int_equal(wire_read_server(arena, frame, sizeof frame, &batch), WIRE_TOO_LARGE);
    wire_arena_reset(arena);
    assert_int_equal(wire_read_server(arena, frame, 2, &batch), WIRE_FINE);
    wire_arena_free(arena);
}

/* A frame of every kind of field: strings, bytes, numbers, messages, repeated ones. */
static size_t some_frame(uint8_t *out) {
    Zchat__V1__SendMessageRequest send = ZCHAT__V1__SEND_MESSAGE_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    uint8_t id[ID_BYTES] = {1, 2, 3};
    send.id = (ProtobufCBinaryData){ID_BYTES, id};
    send.to = "bob";
    send.text = "hello, bob";
    send.require_online = true;
    command.request = 300;
    command.body_case = ZCHAT__V1__COMMAND__BODY_SEND_MESSAGE;
    command.send_message = &send;
    size_t bytes = 0;
    for (int i = 0; i < 20; i++) { /* more fields than protobuf-c keeps on its stack */
        bytes += wire_element_pack(WIRE_COMMANDS, &command.base, out + bytes);
        assert_int_equal(bytes, (size_t)(i + 1) * wire_element_size(&command.base));
    }
    return bytes;
}

static void every_cap_of_memory_is_kept(void **state) {
    uint8_t frame[2048];
    size_t frame_bytes = some_frame(frame), fine = 0;
    Zchat__V1__CommandBatch *batch;
    (void)state;
    for (size_t cap = 0; cap < 12000; cap += 8) {
        struct wire_arena *arena = wire_arena_new(cap);
        assert_non_null(arena);
        enum wire_fault fault = wire_read_commands(arena, frame, frame_bytes, &batch);
        assert_true(fault == WIRE_FINE || (fault == WIRE_TOO_LARGE && fine == 0));
        fine += fault == WIRE_FINE;
        wire_arena_free(arena);
    }
    assert_true(fine > 0);
}

static void every_cut_is_found(void **state) {
    uint8_t frame[2048];
    size_t frame_bytes = some_frame(frame), element_bytes = frame_bytes / 20;
    (void)state;
    for (size_t cut = 0; cut <= 3 * element_bytes; cut++) {
        uint8_t *copy = malloc(cut > 0 ? cut : 1); /* so that a read beyond it is seen */
        assert_non_null(copy);
        memcpy(copy, frame, cut);
        struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
        assert_non_null(arena);
        Zchat__V1__CommandBatch *batch;
        bool whole = cut % element_bytes == 0;
        assert_int_equal(wire_read_commands(arena, copy, cut, &batch),
                         whole ? WIRE_FINE : WIRE_MALFORMED);
        wire_arena_free(arena);
        free(copy);
    }
}

static void what_is_written_is_read_back(void **state) {
    uint8_t frame[2048], again[2048];
    size_t frame_bytes = some_frame(frame);
    struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
    Zchat__V1__CommandBatch *batch;
    (void)state;
    assert_non_null(arena);
    assert_int_equal(wire_read_commands(arena, frame, frame_bytes, &batch), WIRE_FINE);
    assert_int_equal(batch->n_commands, 20);
    const Zchat__V1__SendMessageRequest *send = batch->commands[19]->send_message;
    assert_string_equal(send->to, "bob");
    assert_string_equal(send->text, "hello, bob");
    assert_int_equal(send->id.len, ID_BYTES);
    assert_int_equal(wire_size(&batch->base), frame_bytes);
    assert_int_equal(wire_pack(&batch->base, again), frame_bytes);
    assert_memory_equal(again, frame, frame_bytes);
    wire_arena_free(arena);
}

/* Whatever the pieces are cut by, each is a frame, and together they are the whole one. */
static void a_frame_is_read_in_pieces_of_whole_commands(void **state) {
    static const struct {
        size_t count, bytes, pieces;
    } cuts[] = {{1, SIZE_MAX, 20}, {7, SIZE_MAX, 3}, {SIZE_MAX, 1, 20}, {SIZE_MAX, SIZE_MAX, 1}};
    uint8_t frame[2048];
    size_t frame_bytes = some_frame(frame);
    struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
    Zchat__V1__CommandBatch *batch;
    (void)state;
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        size_t pieces = 0, commands = 0;
        for (size_t at = 0, bytes; at < frame_bytes; at += bytes, pieces++) {
            bytes = wire_commands_bytes(frame + at, frame_bytes - at, cuts[i].count, cuts[i].bytes);
            assert_int_equal(wire_read_commands(arena, frame + at, bytes, &batch), WIRE_FINE);
            commands += batch->n_commands;
            wire_arena_reset(arena);
        }
        assert_int_equal(pieces, cuts[i].pieces);
        assert_int_equal(commands, 20);
    }
    assert_int_equal(wire_commands_bytes(frame, frame_bytes, 0, SIZE_MAX), 0);
    assert_int_equal(wire_commands_bytes(frame, 0, 1, SIZE_MAX), 0);
    wire_arena_free(arena);
}

/* An element whose length takes one, two and three bytes. */
static void elements_of_every_length_are_packed(void **state) {
    static const size_t sizes[] = {0, 1, 119, 127, 128, 129, 16383, 16384, 200000};
    static uint8_t frame[FRAME_BYTES_MAX];
    static char text[FRAME_BYTES_MAX];
    struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
    (void)state;
    assert_non_null(arena);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        Zchat__V1__CommandError error = ZCHAT__V1__COMMAND_ERROR__INIT;
        Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
        Zchat__V1__ServerBatch *batch;
        memset(text, 'x', sizes[i]);
        text[sizes[i]] = '\0';
        error.message = text;
        reply.error = &error;
        size_t bytes = wire_element_pack(WIRE_REPLIES, &reply.base, frame);
        assert_int_equal(bytes, wire_element_size(&reply.base));
        wire_arena_reset(arena);
        assert_int_equal(wire_read_server(arena, frame, bytes, &batch), WIRE_FINE);
        assert_string_equal(batch->replies[0]->error->message, text);
    }
    wire_arena_free(arena);
}

/* PeerLines as they grow text by text are the same bytes as packed in one. */
static void lines_are_packed_text_by_text(void **state) {
    static const size_t sizes[] = {0, 1, 127, 128, 16383, 16384};
    static uint8_t frame[FRAME_BYTES_MAX], whole[FRAME_BYTES_MAX], texts[FRAME_BYTES_MAX];
    static char text[6][16385];
    char *all[6];
    size_t texts_bytes = 0;
    Zchat__V1__PeerLines lines = ZCHAT__V1__PEER_LINES__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    (void)state;
    lines.number = 300;
    lines.time_us = 1;
    for (size_t i = 0; i < 6; i++) {
        memset(text[i], 'x', sizes[i]);
        all[i] = text[i];
        size_t bytes = wire_text_pack(text[i], sizes[i], texts + texts_bytes);
        assert_true(bytes <= sizes[i] + WIRE_TEXT_ADDS);
        texts_bytes += bytes;
        size_t frame_bytes = wire_lines_pack(&lines, texts, texts_bytes, frame);
        assert_int_equal(frame_bytes, wire_lines_size(&lines, texts_bytes));
        message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_LINES;
        message.lines = &lines;
        lines.text = all;
        lines.n_text = i + 1;
        assert_int_equal(wire_element_pack(WIRE_MESSAGES, &message.base, whole), frame_bytes);
        assert_memory_equal(frame, whole, frame_bytes);
        lines.n_text = 0;
    }
}

static void a_subscription_is_a_prefix_of_its_publications(void **state) {
    Zchat__V1__Publication publication = ZCHAT__V1__PUBLICATION__INIT;
    uint8_t subscription[32], frame[64];
    (void)state;
    publication.topic = "presence";
    publication.head = 7;
    size_t bytes = wire_subscription("presence", subscription);
    assert_int_equal(bytes, 10);
    assert_memory_equal(subscription, "\x0a\x08presence", bytes);
    assert_true(wire_pack(&publication.base, frame) > bytes);
    assert_memory_equal(frame, subscription, bytes);
}

static void the_arena_aligns_and_keeps_its_cap(void **state) {
    struct wire_arena *arena = wire_arena_new(64);
    (void)state;
    assert_non_null(arena);
    char *first = wire_arena_take(arena, 1), *second = wire_arena_take(arena, 33);
    assert_non_null(first);
    assert_ptr_equal(second, first + 16);
    assert_int_equal((uintptr_t)first % 16, 0);
    assert_null(wire_arena_take(arena, 1));
    assert_null(wire_arena_take(arena, SIZE_MAX));
    wire_arena_reset(arena);
    assert_ptr_equal(wire_arena_take(arena, 64), first);
    assert_null(wire_arena_take(arena, 1));
    wire_arena_free(arena);
    wire_arena_free(NULL);
}

static void every_fault_has_its_own_name_and_text(void **state) {
    (void)state;
    for (int i = 0; i < WIRE_FAULTS; i++) {
        assert_true(strlen(wire_fault_text((enum wire_fault)i)) > 10);
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(wire_fault_name((enum wire_fault)i),
                                    wire_fault_name((enum wire_fault)j));
            assert_string_not_equal(wire_fault_text((enum wire_fault)i),
                                    wire_fault_text((enum wire_fault)j));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_text_is_found_in_every_string),
        cmocka_unit_test(a_wrong_wire_type_is_malformed_in_every_field),
        cmocka_unit_test(unknown_fields_are_refused_from_clients_and_passed_over_from_the_broker),
        cmocka_unit_test(an_unknown_command_comes_out_without_a_body),
        cmocka_unit_test(a_known_and_an_unknown_command_in_one_are_refused),
        cmocka_unit_test(one_body_given_twice_is_read),
        cmocka_unit_test(an_unknown_value_of_an_enum_is_read),
        cmocka_unit_test(more_commands_than_64_are_too_many),
        cmocka_unit_test(what_is_not_protobuf_is_malformed),
        cmocka_unit_test(deep_nesting_is_harmless),
        cmocka_unit_test(frames_beyond_their_limit_are_too_large),
        cmocka_unit_test(a_frame_that_grows_beyond_the_cap_is_too_large),
        cmocka_unit_test(every_cap_of_memory_is_kept),
        cmocka_unit_test(every_cut_is_found),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_frame_is_read_in_pieces_of_whole_commands),
        cmocka_unit_test(elements_of_every_length_are_packed),
        cmocka_unit_test(lines_are_packed_text_by_text),
        cmocka_unit_test(a_subscription_is_a_prefix_of_its_publications),
        cmocka_unit_test(the_arena_aligns_and_keeps_its_cap),
        cmocka_unit_test(every_fault_has_its_own_name_and_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
