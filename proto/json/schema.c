/* Finds what the schema has. The types are found from the frames down, so a type that no frame can
 * hold is not found. The schema has no recursive types. */
#include "json/schema.h"

#include "wire.h"

#include <assert.h>
#include <string.h>

static const ProtobufCMessageDescriptor *const frames[] = {
    &zchat__v1__greeting_request__descriptor, &zchat__v1__greeting__descriptor,
    &zchat__v1__command_batch__descriptor,    &zchat__v1__server_batch__descriptor,
    &zchat__v1__publication__descriptor,      &zchat__v1__peer_batch__descriptor,
};
#define FRAMES (sizeof frames / sizeof *frames)

/* ---- names ---- */

static char upper(char c) {
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

void schema_json_name(const char *field, char name[SCHEMA_NAME_BYTES]) {
    size_t bytes = 0;
    bool raise = false;
    for (; *field && bytes < SCHEMA_NAME_BYTES - 1; field++) {
        if (*field != '_')
            name[bytes++] = raise ? upper(*field) : *field;
        raise = *field == '_';
    }
    name[bytes] = '\0';
}

static bool is_named(const char *field, const char *name) {
    char json[SCHEMA_NAME_BYTES];
    schema_json_name(field, json);
    return strcmp(json, name) == 0 || strcmp(field, name) == 0;
}

const ProtobufCFieldDescriptor *schema_field(const ProtobufCMessageDescriptor *type,
                                             const char *name) {
    for (unsigned i = 0; i < type->n_fields; i++)
        if (is_named(type->fields[i].name, name))
            return &type->fields[i];
    return NULL;
}

size_t schema_value_bytes(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return sizeof(uint64_t);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_ENUM:
        return sizeof(int);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return sizeof(uint32_t);
    }
}

/* ---- commands ---- */

static void describe(const ProtobufCFieldDescriptor *field, struct schema_command *command) {
    const ProtobufCFieldDescriptor *result =
        protobuf_c_message_descriptor_get_field(&zchat__v1__reply__descriptor, field->id);
    assert(result && result->type == PROTOBUF_C_TYPE_MESSAGE);
    *command = (struct schema_command){.name = field->name,
                                       .number = field->id,
                                       .request = field->descriptor,
                                       .result = result->descriptor};
}

bool schema_command_at(size_t place, struct schema_command *command) {
    const ProtobufCMessageDescriptor *commands = &zchat__v1__command__descriptor;
    for (unsigned i = 0; i < commands->n_fields; i++) {
        if (schema_is_one_of(&commands->fields[i]) && place-- == 0) {
            describe(&commands->fields[i], command);
            return true;
        }
    }
    return false;
}

/* Whether the name is the request's, with or without its ending. */
static bool is_request(const char *request, const char *name) {
    size_t bytes = strlen(name);
    return strncmp(request, name, bytes) == 0 &&
           (request[bytes] == '\0' || strcmp(request + bytes, "Request") == 0);
}

bool schema_command_find(const char *name, struct schema_command *command) {
    for (size_t i = 0; schema_command_at(i, command); i++)
        if (is_named(command->name, name) || is_request(command->request->short_name, name))
            return true;
    return false;
}

/* ---- types ---- */

static bool is_there(const struct schema_type *types, size_t count, const void *descriptor) {
    for (size_t i = 0; i < count; i++)
        if (types[i].message == descriptor || types[i].choice == descriptor)
            return true;
    return false;
}

static size_t add(struct schema_type *types, size_t count, struct schema_type type) {
    assert(count < SCHEMA_TYPES_MAX);
    types[count] = type;
    return count + 1;
}

static size_t add_message(struct schema_type *types, size_t count,
                          const ProtobufCMessageDescriptor *message) {
    for (unsigned i = 0; i < message->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->fields[i];
        if (!field->descriptor || is_there(types, count, field->descriptor))
            continue;
        if (field->type == PROTOBUF_C_TYPE_MESSAGE)
            count = add_message(types, count, field->descriptor);
        else
            count = add(types, count, (struct schema_type){.choice = field->descriptor});
    }
    return add(types, count, (struct schema_type){.message = message});
}

size_t schema_types(struct schema_type types[SCHEMA_TYPES_MAX]) {
    size_t count = 0;
    for (size_t i = 0; i < FRAMES; i++)
        count = add_message(types, count, frames[i]);
    return count;
}

const char *schema_type_name(const struct schema_type *type) {
    return type->message ? type->message->short_name : type->choice->short_name;
}

bool schema_type_find(const char *name, struct schema_type *type) {
    static const char package[] = "zchat.v1.";
    struct schema_type types[SCHEMA_TYPES_MAX];
    size_t count = schema_types(types);
    if (strncmp(name, package, sizeof package - 1) == 0)
        name += sizeof package - 1;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(schema_type_name(&types[i]), name) == 0) {
            *type = types[i];
            return true;
        }
    }
    return false;
}
