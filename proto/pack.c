/* See pack.h. Goes along protobuf-c's descriptors, whose fields are in the order of their numbers,
 * from the last to the first, and leaves out what proto3 leaves out. A kind of field that the
 * schema does not have is our bug: tests pack the whole schema. */
#include "pack.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

struct room {
    const uint8_t *begin; /* borrowed: the caller's */
    uint8_t *at;          /* where what was written begins; NULL: it did not fit */
};

static void put_bytes(struct room *room, const void *bytes, size_t count) {
    if (!room->at || count > (size_t)(room->at - room->begin)) {
        room->at = NULL;
        return;
    }
    room->at -= count;
    if (count > 0)
        memcpy(room->at, bytes, count);
}

static void put_varint(struct room *room, uint64_t value) {
    uint8_t bytes[10];
    size_t count = 0;
    if (value < 0x80 && room->at && room->at > room->begin) { /* nearly all are */
        *--room->at = (uint8_t)value;
        return;
    }
    for (; value >= 0x80; value >>= 7)
        bytes[count++] = (uint8_t)(value | 0x80);
    bytes[count++] = (uint8_t)value;
    put_bytes(room, bytes, count);
}

static void put_key(struct room *room, uint32_t number, ProtobufCWireType type) {
    put_varint(room, (uint64_t)number << 3 | type);
}

/* Writes the length of what was written since the place was `end`. */
static void put_length(struct room *room, const uint8_t *end) {
    if (room->at)
        put_varint(room, (uint64_t)(end - room->at));
}

static void put_message(struct room *room, const ProtobufCMessage *message);

static void put_inside(struct room *room, const ProtobufCMessage *message) {
    const uint8_t *end = room->at;
    put_message(room, message);
    put_length(room, end);
}

static void put_text(struct room *room, const char *text) {
    size_t bytes = text ? strlen(text) : 0;
    put_bytes(room, text, bytes);
    put_varint(room, bytes);
}

static void put_data(struct room *room, const ProtobufCBinaryData *data) {
    put_bytes(room, data->data, data->len);
    put_varint(room, data->len);
}

static bool has_length(ProtobufCType type) {
    return type == PROTOBUF_C_TYPE_STRING || type == PROTOBUF_C_TYPE_BYTES ||
           type == PROTOBUF_C_TYPE_MESSAGE;
}

/* A number in the form in which a varint has it. */
static uint64_t number_of(ProtobufCType type, const void *member) {
    switch (type) {
    case PROTOBUF_C_TYPE_BOOL:
        return *(const protobuf_c_boolean *)member != 0;
    case PROTOBUF_C_TYPE_ENUM:
    case PROTOBUF_C_TYPE_INT32:
        return (uint64_t)(int64_t) * (const int32_t *)member;
    case PROTOBUF_C_TYPE_UINT32:
        return *(const uint32_t *)member;
    case PROTOBUF_C_TYPE_INT64:
        return (uint64_t) * (const int64_t *)member;
    default:
        assert(type == PROTOBUF_C_TYPE_UINT64);
        return *(const uint64_t *)member;
    }
}

/* The value of a field, without its key. */
static void put_value(struct room *room, ProtobufCType type, const void *member) {
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
        put_text(room, *(char *const *)member);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        put_data(room, member);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        put_inside(room, *(ProtobufCMessage *const *)member);
        break;
    default:
        put_varint(room, number_of(type, member));
        break;
    }
}

static void put_field(struct room *room, const ProtobufCFieldDescriptor *field,
                      const void *member) {
    put_value(room, field->type, member);
    put_key(room, field->id,
            has_length(field->type) ? PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED
                                    : PROTOBUF_C_WIRE_TYPE_VARINT);
}

/* ---- what is there ---- */

/* Whether the member is sent: not if it has its default, unless it is in a oneof. */
static bool is_there(const ProtobufCFieldDescriptor *field, const void *member) {
    const char *text;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        text = *(char *const *)member;
        return text && *text;
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)member)->len > 0;
    case PROTOBUF_C_TYPE_MESSAGE:
        return *(ProtobufCMessage *const *)member != NULL;
    default:
        return number_of(field->type, member) != 0;
    }
}

static bool is_chosen(const ProtobufCFieldDescriptor *field, const uint8_t *base,
                      const void *member) {
    uint32_t chosen;
    memcpy(&chosen, base + field->quantifier_offset, sizeof chosen);
    if (chosen != field->id)
        return false;
    if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE) {
        const void *pointer = *(void *const *)member;
        return pointer && pointer != field->default_value;
    }
    return true;
}

/* ---- repeated fields ---- */

static size_t size_of(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return sizeof(uint64_t);
    default:
        return sizeof(uint32_t);
    }
}

static void put_repeated(struct room *room, const ProtobufCFieldDescriptor *field,
                         const uint8_t *base, const void *member) {
    const uint8_t *values = *(const uint8_t *const *)member;
    const uint8_t *end = room->at;
    size_t count, bytes = size_of(field->type);
    bool packed = (field->flags & PROTOBUF_C_FIELD_FLAG_PACKED) != 0;
    memcpy(&count, base + field->quantifier_offset, sizeof count);
    for (size_t i = count; i-- > 0 && room->at;)
        if (packed)
            put_value(room, field->type, values + i * bytes);
        else
            put_field(room, field, values + i * bytes);
    if (packed && count > 0) {
        put_length(room, end);
        put_key(room, field->id, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
    }
}

/* ---- messages ---- */

static void put_message(struct room *room, const ProtobufCMessage *message) {
    const ProtobufCMessageDescriptor *type = message->descriptor;
    const uint8_t *base = (const uint8_t *)message;
    assert(message->n_unknown_fields == 0);
    for (size_t i = type->n_fields; i-- > 0 && room->at;) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        const void *member = base + field->offset;
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            put_repeated(room, field, base, member);
        else if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF ? is_chosen(field, base, member)
                                                            : is_there(field, member))
            put_field(room, field, member);
    }
}

uint8_t *pack_before(const ProtobufCMessage *message, const uint8_t *begin, uint8_t *end) {
    struct room room = {begin, end};
    put_message(&room, message);
    return room.at;
}

uint8_t *pack_element_before(uint32_t number, const ProtobufCMessage *message, const uint8_t *begin,
                             uint8_t *end) {
    struct room room = {begin, end};
    put_inside(&room, message);
    put_key(&room, number, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
    return room.at;
}
