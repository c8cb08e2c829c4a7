/* call, describe, list: the schema from the shell. They know no command by name: what is added to
 * the schema is here by itself. */
#include "command_text.h"
#include "verb.h"

#include "json/schema_text.h"
#include "json/to_json.h"

#include <stdlib.h>
#include <string.h>

/* ---- call ---- */

/* What is asked for, on its way. */
struct asked {
    struct schema_command command;
    uint8_t *request; /* owned */
    size_t request_bytes;
};

static enum status print_result(struct call *call, const zchat_reply *reply) {
    const struct asked *asked = call->arg;
    return output_ascii(call->output,
                        to_json(asked->command.result, reply->result, reply->result_bytes));
}

/* What a registration or a Ping needs is no account. */
static enum status open_session(struct call *call) {
    return option_is_set(call->options, OPTION_USER) ? call_start(call) : call_open(call);
}

static enum status ask(struct call *call, struct asked *asked) {
    enum status status = open_session(call);
    call->arg = asked;
    if (status == STATUS_DONE)
        status = call_answer(call,
                             zchat_command(call->z, asked->command.number, asked->request,
                                           asked->request_bytes, call_replied, call),
                             print_result);
    call->arg = NULL;
    return status;
}

static enum status run_call(struct call *call) {
    struct asked asked = {.request = NULL};
    json_t *json = NULL;
    char fault[JSON_FAULT_BYTES];
    enum status status = command_text_find(call, call->words[0], &asked.command);
    if (status == STATUS_DONE)
        status = command_text_read(call, 1, &json);
    if (status == STATUS_DONE) {
        asked.request = from_json(asked.command.request, json, &asked.request_bytes, fault);
        status = asked.request ? ask(call, &asked)
                               : output_error(call->output, ZCHAT_INVALID, 0, "%s", fault);
    }
    json_decref(json);
    free(asked.request);
    return status;
}

static const struct verb call_verb = {
    .name = "call",
    .words = "COMMAND [JSON|@FILE|-]",
    .words_min = 1,
    .words_max = 2,
    .run = run_call,
    .examples = VERB_EXAMPLES("zmq-cli call who",
                              "zmq-cli call send_message '{\"to\": \"bob\", \"text\": \"hi\"}'"),
    .help = "send any command of the schema and print its result, both as JSON; - is stdin",
    .more =
        "JSON is an object in proto3's mapping, such as '{\"to\": \"bob\", \"text\": \"hi\"}'; "
        "stdin is the place for what holds a password; ids may be UUIDs, and what is made gets a "
        "new one unless it is given; without a user nobody is logged in; see list and describe",
};

/* ---- describe ---- */

static bool begins(const char *line, const char *kind, const char *name) {
    size_t kind_bytes = strlen(kind), bytes = strlen(name);
    return strncmp(line, kind, kind_bytes) == 0 && line[kind_bytes] == ' ' &&
           strncmp(line + kind_bytes + 1, name, bytes) == 0 &&
           strncmp(line + kind_bytes + 1 + bytes, " {", 2) == 0;
}

/* The place of a type's first line; the schema nests none. */
static size_t find_lines(const struct schema_type *type) {
    const char *kind = type->message ? "message" : "enum", *name = schema_type_name(type);
    size_t at = 0;
    while (schema_text[at] && !begins(schema_text[at], kind, name))
        at++;
    return at;
}

static bool is_comment(const char *line) {
    return strncmp(line, "//", 2) == 0;
}

static bool ends(const char *line) {
    size_t bytes = strlen(line);
    return *line != ' ' && bytes > 0 && line[bytes - 1] == '}';
}

/* With the comment above it, up to the brace at the beginning of a line. */
static void print_lines(struct output *output, const struct schema_type *type) {
    size_t at = find_lines(type), last = at;
    if (!schema_text[at])
        return;
    while (at > 0 && is_comment(schema_text[at - 1]))
        at--;
    while (!ends(schema_text[last]) && schema_text[last + 1])
        last++;
    for (; at <= last; at++)
        output_format(output, "%s\n", schema_text[at]);
}

static const char *type_name(const ProtobufCFieldDescriptor *field) {
    static const char *const names[] = {
        [PROTOBUF_C_TYPE_INT32] = "int32",       [PROTOBUF_C_TYPE_SINT32] = "sint32",
        [PROTOBUF_C_TYPE_SFIXED32] = "sfixed32", [PROTOBUF_C_TYPE_INT64] = "int64",
        [PROTOBUF_C_TYPE_SINT64] = "sint64",     [PROTOBUF_C_TYPE_SFIXED64] = "sfixed64",
        [PROTOBUF_C_TYPE_UINT32] = "uint32",     [PROTOBUF_C_TYPE_FIXED32] = "fixed32",
        [PROTOBUF_C_TYPE_UINT64] = "uint64",     [PROTOBUF_C_TYPE_FIXED64] = "fixed64",
        [PROTOBUF_C_TYPE_FLOAT] = "float",       [PROTOBUF_C_TYPE_DOUBLE] = "double",
        [PROTOBUF_C_TYPE_BOOL] = "bool",         [PROTOBUF_C_TYPE_STRING] = "string",
        [PROTOBUF_C_TYPE_BYTES] = "bytes",
    };
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return ((const ProtobufCMessageDescriptor *)field->descriptor)->short_name;
    if (field->type == PROTOBUF_C_TYPE_ENUM)
        return ((const ProtobufCEnumDescriptor *)field->descriptor)->short_name;
    return names[field->type];
}

/* The fields of which only one may be there, itself among them. */
static json_t *one_of(const ProtobufCMessageDescriptor *type, unsigned offset) {
    json_t *names = json_array();
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        if (schema_is_one_of(field) && field->quantifier_offset == offset)
            json_array_append_new(names, json_string(field->name));
    }
    return names;
}

static json_t *field_object(const ProtobufCMessageDescriptor *type,
                            const ProtobufCFieldDescriptor *field) {
    char json[SCHEMA_NAME_BYTES];
    schema_json_name(field->name, json);
    json_t *object = json_pack("{s:s, s:s, s:i, s:s}", "name", field->name, "json", json, "number",
                               (int)field->id, "type", type_name(field));
    if (schema_is_repeated(field))
        json_object_set_new(object, "repeated", json_true());
    if (schema_is_one_of(field))
        json_object_set_new(object, "one_of", one_of(type, field->quantifier_offset));
    return object;
}

static json_t *message_object(const ProtobufCMessageDescriptor *type) {
    json_t *fields = json_array();
    for (unsigned i = 0; i < type->n_fields; i++)
        json_array_append_new(fields, field_object(type, &type->fields[i]));
    return json_pack("{s:s, s:o}", "message", type->short_name, "fields", fields);
}

static json_t *enum_object(const ProtobufCEnumDescriptor *type) {
    json_t *values = json_array();
    for (unsigned i = 0; i < type->n_values; i++)
        json_array_append_new(values, json_pack("{s:s, s:i}", "name", type->values[i].name,
                                                "number", type->values[i].value));
    return json_pack("{s:s, s:o}", "enum", type->short_name, "values", values);
}

static enum status print_type(struct call *call, const struct schema_type *type, bool first) {
    struct output *output = call->output;
    if (output->json)
        return output_object(output, type->message ? message_object(type->message)
                                                   : enum_object(type->choice));
    if (!first)
        output_text(output, "\n");
    print_lines(output, type);
    return STATUS_DONE;
}

static enum status print_all(struct call *call) {
    struct schema_type types[SCHEMA_TYPES_MAX];
    size_t count = schema_types(types);
    enum status status = STATUS_DONE;
    for (size_t i = 0; status == STATUS_DONE && i < count; i++)
        status = print_type(call, &types[i], i == 0);
    return status;
}

/* A command is its request and its result. */
static enum status print_named(struct call *call, const char *name) {
    struct schema_type type;
    struct schema_command command;
    if (schema_type_find(name, &type))
        return print_type(call, &type, true);
    if (!schema_command_find(name, &command))
        return output_error(call->output, ZCHAT_NOT_FOUND, 0,
                            "the schema has no message, enum or command \"%s\"; see zmq-cli list, "
                            "and describe without a name",
                            name);
    enum status status = print_type(call, &(struct schema_type){.message = command.request}, true);
    return status == STATUS_DONE
               ? print_type(call, &(struct schema_type){.message = command.result}, false)
               : status;
}

static enum status run_describe(struct call *call) {
    return call->word_count ? print_named(call, call->words[0]) : print_all(call);
}

static const struct verb describe_verb = {
    .name = "describe",
    .words = "[MESSAGE]",
    .words_max = 1,
    .run = run_describe,
    .examples = VERB_EXAMPLES("zmq-cli describe send_message"),
    .help = "print a message, an enum, or a command's request and result, as the schema has it; "
            "all without a name; asks nobody",
};

/* ---- list ---- */

static enum status print_command(struct output *output, const struct schema_command *command) {
    if (output->json)
        return output_object(output, json_pack("{s:s, s:i, s:s, s:s}", "command", command->name,
                                               "number", (int)command->number, "request",
                                               command->request->short_name, "result",
                                               command->result->short_name));
    output_format(output, "%-18s %-24s %s\n", command->name, command->request->short_name,
                  command->result->short_name);
    return STATUS_DONE;
}

static enum status run_list(struct call *call) {
    struct schema_command command;
    enum status status = STATUS_DONE;
    for (size_t i = 0; status == STATUS_DONE && schema_command_at(i, &command); i++)
        status = print_command(call->output, &command);
    return status;
}

static const struct verb list_verb = {
    .name = "list",
    .words = "",
    .run = run_list,
    .examples = VERB_EXAMPLES("zmq-cli list"),
    .help = "print the commands of the schema, for call and rpc",
    .more = "each with the messages that it takes and returns; asks nobody",
};

const struct verb *const schema_verbs[] = {&call_verb, &list_verb, &describe_verb, NULL};
