/* The schema by its names, as protobuf-c's descriptors have it: its messages, its enums, and its
 * commands with their results. Whatever is added to the schema is here without any change.
 * Everything that is pointed to is static. */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEMA_NAME_BYTES 64  /* a name with its NUL */
#define SCHEMA_TYPES_MAX  512 /* more than the schema will have */

struct schema_command {
    const char *name; /* "send_message" */
    uint32_t number;  /* in Command.body and Reply.body */
    const ProtobufCMessageDescriptor *request;
    const ProtobufCMessageDescriptor *result;
};

/* The command at this place, from 0, in the order of numbers; false behind the last one. */
bool schema_command_at(size_t place, struct schema_command *command);
/* "send_message", "sendMessage", "SendMessage" or "SendMessageRequest"; false: there is none. */
bool schema_command_find(const char *name, struct schema_command *command);

/* A message or an enum: the other one is NULL. */
struct schema_type {
    const ProtobufCMessageDescriptor *message;
    const ProtobufCEnumDescriptor *choice;
};

/* All types, each once; a type comes after those that it uses. Returns how many there are. */
size_t schema_types(struct schema_type types[SCHEMA_TYPES_MAX]);
const char *schema_type_name(const struct schema_type *type);
/* "SendMessageRequest", or with "zchat.v1." before it; false: there is none. */
bool schema_type_find(const char *name, struct schema_type *type);

/* A field's name in JSON: "retry_after_s" is "retryAfterS". */
void schema_json_name(const char *field, char name[SCHEMA_NAME_BYTES]);
/* The field with that name in JSON, in either spelling; NULL: there is none. */
const ProtobufCFieldDescriptor *schema_field(const ProtobufCMessageDescriptor *type,
                                             const char *name);

/* How many bytes one value of a field takes in the memory of its message. */
size_t schema_value_bytes(ProtobufCType type);

/* Both tell fields of protobuf-c apart that its descriptors only hint at. */
static inline bool schema_is_repeated(const ProtobufCFieldDescriptor *field) {
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}
static inline bool schema_is_one_of(const ProtobufCFieldDescriptor *field) {
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

#endif
