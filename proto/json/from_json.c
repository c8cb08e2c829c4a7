/* Reads JSON along the descriptors. A message is built in an arena, which bounds how much memory a
 * small text can need; its texts are borrowed from the JSON. The path to the value that is being
 * read is kept for the fault. It is as deep as the schema nests; jansson itself bounds how deep the
 * JSON may nest (2,048). */
#include "json/from_json.h"

#include "id.h"
#include "wire.h"
#include "json/base64.h"
#include "json/schema.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WAY_BYTES 160

struct reader {
    struct wire_arena *arena; /* borrowed */
    char *fault;              /* borrowed: JSON_FAULT_BYTES; "": none yet */
    char way[WAY_BYTES];      /* "thread.posts[3]"; "": at the top */
    size_t way_bytes;
};

/* ---- faults ---- */

__attribute__((format(printf, 2, 3))) static bool refuse(const struct reader *reader,
                                                         const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int bytes = snprintf(reader->fault, JSON_FAULT_BYTES, "%s%s", reader->way,
                         reader->way_bytes ? ": " : "");
    if (bytes >= 0 && bytes < JSON_FAULT_BYTES)
        vsnprintf(reader->fault + bytes, JSON_FAULT_BYTES - (size_t)bytes, format, arguments);
    va_end(arguments);
    return false;
}

static bool refuse_size(const struct reader *reader) {
    return refuse(reader, "it is more than a frame takes");
}

/* Adds one step to the path; what does not fit is cut. Returns where the step began, for
 * step_back. */
__attribute__((format(printf, 2, 3))) static size_t step(struct reader *reader, const char *format,
                                                         ...) {
    size_t before = reader->way_bytes, room = WAY_BYTES - before;
    va_list arguments;
    va_start(arguments, format);
    int bytes = vsnprintf(reader->way + before, room, format, arguments);
    va_end(arguments);
    if (bytes > 0)
        reader->way_bytes += (size_t)bytes < room ? (size_t)bytes : room - 1;
    return before;
}

static void step_back(struct reader *reader, size_t before) {
    reader->way[before] = '\0';
    reader->way_bytes = before;
}

static const char *kind_of(const json_t *json) {
    static const char *const kinds[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",  [JSON_STRING] = "a text",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a number", [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };
    return kinds[json_typeof(json)];
}

/* ---- numbers ---- */

struct integer {
    bool negative;
    uint64_t size;
};

/* Reads decimal digits after an optional sign. */
static bool integer_of_text(const char *text, struct integer *out) {
    out->negative = *text == '-';
    out->size = 0;
    text += *text == '-' || *text == '+';
    if (!*text)
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (out->size > (UINT64_MAX - digit) / 10)
            return false;
        out->size = out->size * 10 + digit;
    }
    return !*text;
}

/* 1e3 and 5.0 are integers; 0.5 is not. */
static bool integer_of_real(double real, struct integer *out) {
    double size = real < 0 ? -real : real;
    out->negative = real < 0;
    if (!(size < 18446744073709551616.0))
        return false;
    out->size = (uint64_t)size;
    return (double)out->size == size;
}

static bool integer_of(const json_t *json, struct integer *out) {
    json_int_t value = json_integer_value(json);
    switch (json_typeof(json)) {
    case JSON_INTEGER:
        *out = (struct integer){value < 0, value < 0 ? 0 - (uint64_t)value : (uint64_t)value};
        return true;
    case JSON_REAL:
        return integer_of_real(json_real_value(json), out);
    case JSON_STRING:
        return integer_of_text(json_string_value(json), out);
    default:
        return false;
    }
}

struct range {
    uint64_t below; /* how far below zero */
    uint64_t above;
};

static struct range range_of(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return (struct range){0, UINT32_MAX};
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return (struct range){0, UINT64_MAX};
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return (struct range){(uint64_t)INT64_MAX + 1, INT64_MAX};
    default:
        return (struct range){(uint64_t)INT32_MAX + 1, INT32_MAX};
    }
}

static bool read_integer(const struct reader *reader, ProtobufCType type, const json_t *json,
                         void *member, size_t member_bytes) {
    struct range range = range_of(type);
    struct integer integer;
    if (!integer_of(json, &integer))
        return refuse(reader, "an integer is wanted, as a number or as a text of digits");
    if (integer.size > (integer.negative ? range.below : range.above))
        return refuse(reader, "the number is out of its range, which is %s%llu to %llu",
                      range.below ? "-" : "", (unsigned long long)range.below,
                      (unsigned long long)range.above);
    uint64_t value = integer.negative ? 0 - integer.size : integer.size;
    uint32_t low = (uint32_t)value;
    memcpy(member, member_bytes == sizeof low ? (void *)&low : (void *)&value, member_bytes);
    return true;
}

static bool read_enum(const struct reader *reader, const ProtobufCEnumDescriptor *type,
                      const json_t *json, void *member) {
    const ProtobufCEnumValue *value =
        json_is_string(json)
            ? protobuf_c_enum_descriptor_get_value_by_name(type, json_string_value(json))
            : NULL;
    struct integer integer;
    if (value)
        memcpy(member, &value->value, sizeof value->value);
    else if (!integer_of(json, &integer))
        return refuse(reader, "it is no value of %s; see describe %s", type->short_name,
                      type->short_name);
    return value || read_integer(reader, PROTOBUF_C_TYPE_ENUM, json, member, sizeof(int));
}

/* ---- other values ---- */

static bool read_bool(const struct reader *reader, const json_t *json, protobuf_c_boolean *out) {
    if (!json_is_boolean(json))
        return refuse(reader, "true or false is wanted, not %s", kind_of(json));
    *out = json_is_true(json);
    return true;
}

/* jansson has checked that the text is UTF-8, and refuses a NUL. */
static bool read_string(const struct reader *reader, const json_t *json, char **out) {
    if (!json_is_string(json))
        return refuse(reader, "a text is wanted, not %s", kind_of(json));
    *out = (char *)json_string_value(json);
    return true;
}

static bool is_uuid(const char *text, size_t text_bytes, uint8_t *id) {
    return text_bytes == ID_TEXT_BYTES - 1 && id_parse(text, id) && id_is_valid(id, ID_BYTES);
}

static bool read_bytes(const struct reader *reader, const json_t *json, ProtobufCBinaryData *out) {
    const char *text = json_string_value(json);
    size_t text_bytes = json_string_length(json);
    if (!text)
        return refuse(reader, "base64 is wanted, or a UUID, not %s", kind_of(json));
    out->data = wire_arena_take(reader->arena, BASE64_DATA_BYTES(text_bytes));
    if (!out->data)
        return refuse_size(reader);
    out->len = ID_BYTES;
    return is_uuid(text, text_bytes, out->data) ||
           base64_read(text, text_bytes, out->data, &out->len) ||
           refuse(reader, "it is neither base64 nor a UUID");
}

/* ---- fields ---- */

static bool read_message(struct reader *reader, const ProtobufCMessageDescriptor *type,
                         const json_t *json, ProtobufCMessage **out);

static bool read_value(struct reader *reader, const ProtobufCFieldDescriptor *field,
                       const json_t *json, void *member) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return read_message(reader, field->descriptor, json, member);
    case PROTOBUF_C_TYPE_STRING:
        return read_string(reader, json, member);
    case PROTOBUF_C_TYPE_BYTES:
        return read_bytes(reader, json, member);
    case PROTOBUF_C_TYPE_BOOL:
        return read_bool(reader, json, member);
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(reader, field->descriptor, json, member);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return refuse(reader, "a fraction can't be read here"); /* the schema has none */
    default:
        return read_integer(reader, field->type, json, member, schema_value_bytes(field->type));
    }
}

static bool read_elements(struct reader *reader, const ProtobufCFieldDescriptor *field,
                          const json_t *json, char *elements) {
    size_t each = schema_value_bytes(field->type);
    for (size_t i = 0; i < json_array_size(json); i++) {
        size_t before = step(reader, "[%zu]", i);
        const json_t *element = json_array_get(json, i);
        if (json_is_null(element))
            return refuse(reader, "a list holds no null");
        if (!read_value(reader, field, element, elements + i * each))
            return false;
        step_back(reader, before);
    }
    return true;
}

static bool read_list(struct reader *reader, const ProtobufCFieldDescriptor *field,
                      const json_t *json, char *message) {
    if (!json_is_array(json))
        return refuse(reader, "a list is wanted, not %s", kind_of(json));
    size_t count = json_array_size(json);
    char *elements = wire_arena_take(reader->arena, count * schema_value_bytes(field->type));
    if (!elements)
        return refuse_size(reader);
    memcpy(message + field->quantifier_offset, &count, sizeof count);
    memcpy(message + field->offset, &elements, sizeof elements);
    return read_elements(reader, field, json, elements);
}

/* Refuses a second member of a oneof. */
static bool choose(const struct reader *reader, const ProtobufCFieldDescriptor *field,
                   ProtobufCMessage *message) {
    char *chosen = (char *)message + field->quantifier_offset;
    uint32_t other;
    memcpy(&other, chosen, sizeof other);
    memcpy(chosen, &field->id, sizeof field->id);
    return other == 0 ||
           refuse(reader, "only one of %s and %s may be there", field->name,
                  protobuf_c_message_descriptor_get_field(message->descriptor, other)->name);
}

static bool read_field(struct reader *reader, const ProtobufCFieldDescriptor *field,
                       const json_t *json, ProtobufCMessage *message) {
    if (json_is_null(json))
        return true;
    if (schema_is_repeated(field))
        return read_list(reader, field, json, (char *)message);
    return (!schema_is_one_of(field) || choose(reader, field, message)) &&
           read_value(reader, field, json, (char *)message + field->offset);
}

/* ---- messages ---- */

static bool read_member(struct reader *reader, ProtobufCMessage *message, bool *seen,
                        const char *name, const json_t *json) {
    const ProtobufCMessageDescriptor *type = message->descriptor;
    const ProtobufCFieldDescriptor *field = schema_field(type, name);
    if (!field)
        return refuse(reader, "there is no field \"%.40s\" in %s", name, type->short_name);
    size_t before = step(reader, "%s%s", reader->way_bytes ? "." : "", name);
    bool *this = &seen[field - type->fields];
    if (*this)
        return refuse(reader, "it is there twice");
    *this = true;
    if (!read_field(reader, field, json, message))
        return false;
    step_back(reader, before);
    return true;
}

static bool read_message(struct reader *reader, const ProtobufCMessageDescriptor *type,
                         const json_t *json, ProtobufCMessage **out) {
    if (!json_is_object(json))
        return refuse(reader, "an object is wanted, not %s", kind_of(json));
    ProtobufCMessage *message = wire_arena_take(reader->arena, type->sizeof_message);
    bool *seen = wire_arena_take(reader->arena, type->n_fields * sizeof *seen);
    if (!message || !seen)
        return refuse_size(reader);
    protobuf_c_message_init(type, message);
    memset(seen, 0, type->n_fields * sizeof *seen);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)json, name,
                        value) if (!read_member(reader, message, seen, name, value)) return false;
    *out = message;
    return true;
}

static uint8_t *pack(const struct reader *reader, const ProtobufCMessage *message, size_t *bytes) {
    size_t size = wire_size(message);
    uint8_t *packed = size <= FRAME_BYTES_MAX ? malloc(size + 1) : NULL;
    if (packed)
        *bytes = wire_pack(message, packed);
    else
        refuse_size(reader);
    return packed;
}

uint8_t *from_json(const ProtobufCMessageDescriptor *type, const json_t *object, size_t *bytes,
                   char fault[JSON_FAULT_BYTES]) {
    struct reader reader = {.arena = wire_arena_new(DECODE_BYTES_MAX), .fault = fault};
    ProtobufCMessage *message = NULL;
    uint8_t *packed = NULL;
    if (!reader.arena)
        refuse(&reader, "there is not enough memory");
    else if (read_message(&reader, type, object, &message))
        packed = pack(&reader, message, bytes);
    wire_arena_free(reader.arena);
    return packed;
}

/* ---- text ---- */

static void tell_syntax(const json_error_t *error, char fault[JSON_FAULT_BYTES]) {
    enum json_error_code code = json_error_code(error);
    bool nul = code == json_error_null_character || code == json_error_null_byte_in_key;
    snprintf(fault, JSON_FAULT_BYTES, "line %d, column %d: %s%s", error->line, error->column,
             nul ? "a text holds no NUL" : error->text,
             code == json_error_numeric_overflow ? "; so large a number is written as a text" : "");
}

json_t *from_json_text(const char *text, size_t text_bytes, char fault[JSON_FAULT_BYTES]) {
    json_error_t error;
    if (text_bytes > JSON_TEXT_BYTES_MAX) {
        snprintf(fault, JSON_FAULT_BYTES, "the JSON has more than %d bytes", JSON_TEXT_BYTES_MAX);
        return NULL;
    }
    json_t *json = json_loadb(text, text_bytes, JSON_REJECT_DUPLICATES, &error);
    if (json_is_object(json))
        return json;
    if (json)
        snprintf(fault, JSON_FAULT_BYTES, "the JSON is a list, not an object");
    else
        tell_syntax(&error, fault);
    json_decref(json);
    return NULL;
}
