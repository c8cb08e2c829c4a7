/* pack.h against protobuf-c, on random messages of every type that the schema has. */
#include "pack.h"

#include "random.h"
#include "wire.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS     400
#define MEMORY_MAX 4000000
#define PACKED_MAX 1000000

static const ProtobufCMessageDescriptor *const roots[] = {
    &zchat__v1__command_batch__descriptor,    &zchat__v1__server_batch__descriptor,
    &zchat__v1__publication__descriptor,      &zchat__v1__greeting__descriptor,
    &zchat__v1__greeting_request__descriptor, &zchat__v1__peer_batch__descriptor,
};
#define ROOTS (sizeof roots / sizeof *roots)

struct dice {
    uint64_t seed;
    struct wire_arena *arena; /* owned: the message */
};

static uint64_t roll(struct dice *dice, uint64_t sides) {
    return random_next(&dice->seed) % sides;
}

static void *take(struct dice *dice, size_t bytes) {
    void *memory = wire_arena_take(dice->arena, bytes);
    assert_non_null(memory);
    return memset(memory, 0, bytes);
}

/* Small ones often, and those at the ends of a varint's lengths. */
static uint64_t number(struct dice *dice) {
    return random_next(&dice->seed) >> roll(dice, 64);
}

static char *text(struct dice *dice) {
    size_t bytes = roll(dice, 8) == 0 ? 120 + roll(dice, 20) : roll(dice, 6);
    char *made = take(dice, bytes + 1);
    memset(made, 'x', bytes);
    return made;
}

static ProtobufCMessage *message(struct dice *dice, const ProtobufCMessageDescriptor *type);

static void fill(struct dice *dice, const ProtobufCFieldDescriptor *field, void *member) {
    ProtobufCBinaryData *data = member;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(char **)member = text(dice);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        data->data = (uint8_t *)text(dice);
        data->len = strlen((char *)data->data);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        *(ProtobufCMessage **)member = message(dice, field->descriptor);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)member = (protobuf_c_boolean)roll(dice, 2);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)member = number(dice);
        break;
    default:
        *(uint32_t *)member = (uint32_t)number(dice);
        break;
    }
}

static size_t size_of(ProtobufCType type) {
    return type == PROTOBUF_C_TYPE_BYTES ? 16
           : type == PROTOBUF_C_TYPE_STRING || type == PROTOBUF_C_TYPE_MESSAGE ||
                   type == PROTOBUF_C_TYPE_INT64 || type == PROTOBUF_C_TYPE_UINT64
               ? 8
               : 4;
}

static void fill_repeated(struct dice *dice, const ProtobufCFieldDescriptor *field, uint8_t *base) {
    size_t count = roll(dice, 4), bytes = size_of(field->type);
    uint8_t *values = take(dice, (count + 1) * bytes);
    assert_true(field->type != PROTOBUF_C_TYPE_BOOL); /* of another size; there is none */
    for (size_t i = 0; i < count; i++)
        fill(dice, field, values + i * bytes);
    memcpy(base + field->quantifier_offset, &count, sizeof count);
    memcpy(base + field->offset, &values, sizeof values);
}

static ProtobufCMessage *message(struct dice *dice, const ProtobufCMessageDescriptor *type) {
    uint8_t *base = take(dice, type->sizeof_message);
    protobuf_c_message_init(type, base);
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        bool oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
        if (roll(dice, oneof ? type->n_fields : 3) == 0)
            continue;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            fill_repeated(dice, field, base);
            continue;
        }
        if (oneof)
            memcpy(base + field->quantifier_offset, &field->id, sizeof field->id);
        fill(dice, field, base + field->offset);
    }
    return (ProtobufCMessage *)(void *)base;
}

static struct dice dice_new(void) {
    struct dice dice = {1, wire_arena_new(MEMORY_MAX)};
    assert_non_null(dice.arena);
    return dice;
}

static void every_message_has_protobufs_bytes(void **state) {
    static uint8_t expected[PACKED_MAX], packed[PACKED_MAX];
    struct dice dice = dice_new();
    (void)state;
    for (size_t i = 0; i < ROUNDS * ROOTS; i++) {
        ProtobufCMessage *made = message(&dice, roots[i % ROOTS]);
        size_t bytes = protobuf_c_message_pack(made, expected);
        uint8_t *at = pack_before(made, packed, packed + sizeof packed);
        assert_non_null(at);
        assert_int_equal(packed + sizeof packed - at, bytes);
        assert_memory_equal(at, expected, bytes);
        bytes = wire_element_pack(WIRE_EVENTS, made, expected);
        at = pack_element_before(WIRE_EVENTS, made, packed, packed + sizeof packed);
        assert_int_equal(packed + sizeof packed - at, bytes);
        assert_memory_equal(at, expected, bytes);
        wire_arena_reset(dice.arena);
    }
    wire_arena_free(dice.arena);
}

static void nothing_is_written_before_the_beginning(void **state) {
    static uint8_t packed[PACKED_MAX];
    struct dice dice = dice_new();
    (void)state;
    for (size_t i = 0; i < 10 * ROOTS; i++) {
        ProtobufCMessage *made = message(&dice, roots[i % ROOTS]);
        size_t bytes = protobuf_c_message_get_packed_size(made);
        for (size_t room = 0; room <= bytes; room++) {
            uint8_t *end = packed + 8 + room;
            memset(packed, 0xA5, 8);
            assert_int_equal(pack_before(made, packed + 8, end) != NULL, room == bytes);
            for (size_t k = 0; k < 8; k++)
                assert_int_equal(packed[k], 0xA5);
        }
        wire_arena_reset(dice.arena);
    }
    wire_arena_free(dice.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_has_protobufs_bytes),
        cmocka_unit_test(nothing_is_written_before_the_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
