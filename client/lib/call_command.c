/* Any command by its number, for programs that are driven by the schema. Such a command is handled
 * like the calls that have a function of their own: its row says what a lost connection means for
 * it, and what its answer changes in the library. A command without a row, from a schema that is
 * newer than this code, is not sent again. */
#include "call.h"

#include "command.h"
#include "handle.h"

#include <stdlib.h>
#include <string.h>

/* How many bytes a command has besides its request, with the frame around it. */
#define ENVELOPE_BYTES 64

static const ProtobufCMessageDescriptor *request_type(uint32_t number) {
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(&zchat__v1__command__descriptor, number);
    return field && field->type == PROTOBUF_C_TYPE_MESSAGE ? field->descriptor : NULL;
}

/* The request's field of that name and type; NULL: it has none. */
static void *member(ProtobufCMessage *body, const char *name, ProtobufCType type) {
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(body->descriptor, name);
    bool fits = field && field->type == type && field->label != PROTOBUF_C_LABEL_REPEATED;
    return fits ? (char *)body + field->offset : NULL;
}

/* Makes the id of the new thing, unless the command gives one; either way `id` gets it.
 */
static void settle_id(const struct command_row *row, ProtobufCMessage *body, zchat_id *id) {
    ProtobufCBinaryData *own = member(body, "id", PROTOBUF_C_TYPE_BYTES);
    memset(id, 0, sizeof *id);
    if (own && own->len == 0 && row->makes) {
        zchat_id_new(id);
        *own = call_bytes(id);
    } else if (own && own->len == ID_BYTES) {
        memcpy(id->bytes, own->data, ID_BYTES);
    }
}

static zchat_code ask(zchat *z, const struct command_row *row, command_number number,
                      ProtobufCMessage *body, zchat_reply_fn *fn, void *arg) {
    zchat_id id;
    settle_id(row, body, &id);
    char **text = row->about ? member(body, row->about, PROTOBUF_C_TYPE_STRING) : NULL;
    char *about = text ? strdup(*text) : NULL;
    struct request *request =
        about || !text ? client_ask_as(&z->core.client, row, number, body) : NULL;
    if (!request) {
        free(about);
        return fault_set(&z->fault, ZCHAT_NO_MEMORY, "no memory for the call");
    }
    request->fn = fn;
    request->arg = arg;
    request->packed = true;
    request->about = about;
    memcpy(request->id, id.bytes, ID_BYTES);
    return ZCHAT_OK;
}

static zchat_code read_and_ask(zchat *z, const struct command_row *row, command_number number,
                               const void *bytes, size_t count, zchat_reply_fn *fn, void *arg) {
    struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
    ProtobufCMessage *body;
    if (!arena)
        return fault_set(&z->fault, ZCHAT_NO_MEMORY, "no memory for the call");
    enum wire_fault fault = wire_read_any(arena, request_type(number), bytes, count, &body);
    zchat_code code = fault == WIRE_FINE
                          ? ask(z, row, number, body, fn, arg)
                          : fault_set(&z->fault, ZCHAT_INVALID, "%s", wire_fault_text(fault));
    wire_arena_wipe(arena);
    wire_arena_free(arena);
    return code;
}

zchat_code zchat_command(zchat *z, uint32_t number, const void *request, size_t request_bytes,
                         zchat_reply_fn *fn, void *arg) {
    const struct command_row *row = command_row_of((command_number)number);
    if (!call_begin(z))
        return z->fault.code;
    if (!request_type(number))
        return fault_set(&z->fault, ZCHAT_INVALID, "the schema has no command %lu",
                         (unsigned long)number);
    if (row->answer)
        return fault_set(&z->fault, ZCHAT_INVALID,
                         "a login or logout changes the connection: it is no command like others");
    if (request_bytes > FRAME_BYTES_MAX - ENVELOPE_BYTES)
        return fault_set(&z->fault, ZCHAT_INVALID, "the command is larger than a frame");
    return read_and_ask(z, row, (command_number)number, request, request_bytes, fn, arg);
}
