/* Reading a frame and looking at all of what came out. */
#include "fuzz_frame.h"

#include "text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void walk_member(const ProtobufCFieldDescriptor *field, const void *member) {
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        const ProtobufCMessage *inner = *(ProtobufCMessage *const *)member;
        if (inner != NULL)
            fuzz_walk(inner);
    } else if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = *(char *const *)member;
        assert(text_is_utf8(text, strlen(text)));
    } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
        const ProtobufCBinaryData *bytes = member;
        volatile uint8_t sum = 0;
        for (size_t i = 0; i < bytes->len; i++)
            sum = (uint8_t)(sum + bytes->data[i]);
    }
}

static void walk_repeated(const ProtobufCFieldDescriptor *field, const unsigned char *message) {
    size_t count = *(const size_t *)(const void *)(message + field->quantifier_offset);
    void *const *elements = *(void *const *const *)(const void *)(message + field->offset);
    for (size_t i = 0; i < count; i++)
        walk_member(field, &elements[i]);
}

void fuzz_walk(const ProtobufCMessage *message) {
    const unsigned char *start = (const unsigned char *)message;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            walk_repeated(field, start);
        else if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 ||
                 *(const uint32_t *)(const void *)(start + field->quantifier_offset) == field->id)
            walk_member(field, start + field->offset);
    }
}

/* What is packed from what was read is read again, and packs to the same. */
static void read_again(fuzz_reader *read, const ProtobufCMessage *message) {
    size_t bytes = wire_size(message);
    uint8_t *first = malloc(bytes + 1), *second = malloc(bytes + 1);
    struct wire_arena *arena = wire_arena_new(256 * bytes + 4096);
    ProtobufCMessage *again;
    assert(first != NULL && second != NULL && arena != NULL);
    size_t packed = wire_pack(message, first);
    assert(packed == bytes);
    enum wire_fault fault = read(arena, first, bytes, &again);
    assert(fault == WIRE_FINE || fault == WIRE_TOO_LARGE);
    if (fault == WIRE_FINE) {
        assert(wire_size(again) == bytes);
        packed = wire_pack(again, second);
        assert(packed == bytes && memcmp(first, second, bytes) == 0);
    }
    wire_arena_free(arena);
    free(first);
    free(second);
}

void fuzz_frame(fuzz_reader *read, const uint8_t *data, size_t size) {
    /* A cap that is too small for some inputs, and enough for nearly all others. */
    size_t cap = size > 0 && data[size - 1] % 4 == 0 ? 16 * size : 256 * size + 4096;
    struct wire_arena *arena = wire_arena_new(cap);
    ProtobufCMessage *message;
    assert(arena != NULL);
    enum wire_fault fault = read(arena, data, size, &message);
    assert((message != NULL) == (fault == WIRE_FINE));
    assert(wire_fault_text(fault) != NULL);
    if (message != NULL) {
        fuzz_walk(message);
        read_again(read, message);
    }
    wire_arena_free(arena);
}
