/* Writes JSON along the descriptors. */
#include "json/to_json.h"

#include "wire.h"
#include "json/base64.h"
#include "json/schema.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static json_t *message_value(const ProtobufCMessage *message);

/* ---- values ---- */

static json_t *bytes_value(const ProtobufCBinaryData *data) {
    char *text = malloc(BASE64_TEXT_BYTES(data->len));
    if (!text)
        return NULL;
    base64_write(data->data, data->len, text);
    json_t *json = json_string(text);
    free(text);
    return json;
}

/* A value that the schema does not have is written as a number. */
static json_t *enum_value(const ProtobufCEnumDescriptor *type, int number) {
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);
    return value ? json_string(value->name) : json_integer(number);
}

static json_t *small_value(ProtobufCType type, const void *member) {
    uint32_t value;
    memcpy(&value, member, sizeof value);
    bool is_unsigned = type == PROTOBUF_C_TYPE_UINT32 || type == PROTOBUF_C_TYPE_FIXED32;
    return json_integer(is_unsigned ? (json_int_t)value : (json_int_t)(int32_t)value);
}

static json_t *big_value(ProtobufCType type, const void *member) {
    uint64_t value;
    memcpy(&value, member, sizeof value);
    bool is_unsigned = type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_FIXED64;
    return is_unsigned ? json_sprintf("%" PRIu64, value) : json_sprintf("%" PRId64, (int64_t)value);
}

static json_t *value_of(const ProtobufCFieldDescriptor *field, const void *member) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return message_value(*(ProtobufCMessage *const *)member);
    case PROTOBUF_C_TYPE_STRING:
        return json_string(*(char *const *)member);
    case PROTOBUF_C_TYPE_BYTES:
        return bytes_value(member);
    case PROTOBUF_C_TYPE_BOOL:
        return json_boolean(*(const protobuf_c_boolean *)member);
    case PROTOBUF_C_TYPE_ENUM:
        return enum_value(field->descriptor, *(const int *)member);
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return small_value(field->type, member);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return NULL; /* the schema has none */
    default:
        return big_value(field->type, member);
    }
}

/* ---- fields ---- */

/* Fields that have their default are not written. */
static bool is_set(const ProtobufCFieldDescriptor *field, const void *member) {
    static const uint64_t zero;
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return *(ProtobufCMessage *const *)member != NULL;
    case PROTOBUF_C_TYPE_STRING:
        return **(char *const *)member != '\0';
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)member)->len > 0;
    default:
        return memcmp(member, &zero, schema_value_bytes(field->type)) != 0;
    }
}

static json_t *list_value(const ProtobufCFieldDescriptor *field, const char *elements,
                          size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; list && i < count; i++) {
        const char *element = elements + i * schema_value_bytes(field->type);
        if (json_array_append_new(list, value_of(field, element)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* NULL: a fault; *told is whether there is anything to tell. */
static json_t *field_value(const ProtobufCFieldDescriptor *field, const char *message, bool *told) {
    const char *member = message + field->offset;
    const char *quantifier = message + field->quantifier_offset;
    uint32_t chosen;
    size_t count;
    if (schema_is_repeated(field)) {
        memcpy(&count, quantifier, sizeof count);
        *told = count > 0;
        return *told ? list_value(field, *(char *const *)(const void *)member, count) : NULL;
    }
    if (schema_is_one_of(field)) {
        memcpy(&chosen, quantifier, sizeof chosen);
        *told = chosen == field->id;
    } else {
        *told = is_set(field, member);
    }
    return *told ? value_of(field, member) : NULL;
}

static json_t *message_value(const ProtobufCMessage *message) {
    json_t *object = json_object();
    const ProtobufCMessageDescriptor *type = message->descriptor;
    for (unsigned i = 0; object && i < type->n_fields; i++) {
        char name[SCHEMA_NAME_BYTES];
        bool told = false;
        json_t *value = field_value(&type->fields[i], (const char *)message, &told);
        schema_json_name(type->fields[i].name, name);
        if (told && json_object_set_new(object, name, value) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

json_t *to_json(const ProtobufCMessageDescriptor *type, const uint8_t *packed, size_t bytes) {
    struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
    ProtobufCMessage *message;
    json_t *json = NULL;
    if (arena && wire_read_any(arena, type, packed, bytes, &message) == WIRE_FINE)
        json = message_value(message);
    wire_arena_free(arena);
    return json;
}
