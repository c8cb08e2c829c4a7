/* The golden messages of messages.txt: C packs each of them to exactly these bytes, and reads them
 * back. Each field is set by one rule, the same as in golden.py, so that no field can be forgotten.
 * An entry of which the schema has outgrown the rule (a name with "@") must still be readable. */
#include "wire.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_MAX 1024
#define NO_BODY   UINT32_MAX

static void set_number(const ProtobufCFieldDescriptor *field, void *member) {
    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT32:
        *(uint32_t *)member = 300 + field->id;
        break;
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)member = (UINT64_C(1) << 40) + field->id;
        break;
    case PROTOBUF_C_TYPE_INT64:
        *(int64_t *)member = INT64_C(1700000000000000) + field->id;
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)member = true;
        break;
    case PROTOBUF_C_TYPE_ENUM:
        *(uint32_t *)member = 1;
        break;
    default:
        fail_msg("%s has a type that this test and golden.py lack", field->name);
    }
}

static void set_string(struct wire_arena *arena, const ProtobufCFieldDescriptor *field,
                       char **text) {
    size_t bytes = strlen(field->name) + sizeof " \xc3\xa9";
    *text = wire_arena_take(arena, bytes);
    assert_non_null(*text);
    snprintf(*text, bytes, "%s \xc3\xa9", field->name);
}

static void set_bytes(struct wire_arena *arena, ProtobufCBinaryData *data) {
    data->len = 16;
    data->data = wire_arena_take(arena, data->len);
    assert_non_null(data->data);
    for (size_t i = 0; i < data->len; i++)
        data->data[i] = (uint8_t)(17 * i);
}

static ProtobufCMessage *filled(struct wire_arena *arena, const ProtobufCMessageDescriptor *type,
                                uint32_t body);

static void set_member(struct wire_arena *arena, const ProtobufCFieldDescriptor *field,
                       void *member, uint32_t body) {
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        *(ProtobufCMessage **)member = filled(arena, field->descriptor, body);
    else if (field->type == PROTOBUF_C_TYPE_STRING)
        set_string(arena, field, member);
    else if (field->type == PROTOBUF_C_TYPE_BYTES)
        set_bytes(arena, member);
    else
        set_number(field, member);
}

/* Two elements, both the same. */
static void set_repeated(struct wire_arena *arena, const ProtobufCFieldDescriptor *field,
                         unsigned char *message, uint32_t body) {
    assert_true(field->type == PROTOBUF_C_TYPE_MESSAGE || field->type == PROTOBUF_C_TYPE_STRING);
    void **elements = wire_arena_take(arena, 2 * sizeof *elements);
    assert_non_null(elements);
    set_member(arena, field, &elements[0], body);
    set_member(arena, field, &elements[1], body);
    *(void ***)(void *)(message + field->offset) = elements;
    *(size_t *)(void *)(message + field->quantifier_offset) = 2;
}

static bool is_one_of(const ProtobufCFieldDescriptor *field) {
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

/* The number of the first member of the message's oneof; 0: it has none. */
static uint32_t first_body(const ProtobufCMessageDescriptor *type) {
    for (unsigned i = 0; i < type->n_fields; i++)
        if (is_one_of(&type->fields[i]))
            return type->fields[i].id;
    return 0;
}

/* A message with every field set; of its oneof the one with the number `body`, or the first. */
static ProtobufCMessage *filled(struct wire_arena *arena, const ProtobufCMessageDescriptor *type,
                                uint32_t body) {
    unsigned char *message = wire_arena_take(arena, type->sizeof_message);
    assert_non_null(message);
    type->message_init((ProtobufCMessage *)(void *)message);
    uint32_t first = first_body(type), inner = first != 0 ? 0 : body;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        bool error = type == &zchat__v1__reply__descriptor && strcmp(field->name, "error") == 0;
        if ((is_one_of(field) && field->id != (body != 0 ? body : first)) ||
            (error && body != NO_BODY))
            continue;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            set_repeated(arena, field, message, inner);
            continue;
        }
        if (is_one_of(field))
            *(uint32_t *)(void *)(message + field->quantifier_offset) = field->id;
        set_member(arena, field, message + field->offset, inner);
    }
    return (ProtobufCMessage *)(void *)message;
}

/* Finds an entry of messages.txt and its bytes. */
static bool find_golden(const char *name, uint8_t *bytes, size_t *count) {
    static char line[8 * FRAME_MAX];
    FILE *file = fopen(GOLDEN_MESSAGES, "r");
    bool here = false, found = false;
    assert_non_null(file);
    while (!found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "name ", 5) == 0) {
            here = strcmp(line + 5, name) == 0;
        } else if (here && strncmp(line, "bytes ", 6) == 0) {
            size_t digits = strlen(line + 6);
            assert_true(digits % 2 == 0 && digits / 2 <= FRAME_MAX);
            for (*count = 0; *count < digits / 2; ++*count) {
                unsigned byte;
                assert_int_equal(sscanf(line + 6 + 2 * *count, "%2x", &byte), 1);
                bytes[*count] = (uint8_t)byte;
            }
            found = true;
        }
    }
    fclose(file);
    return found;
}

static enum wire_fault read_named(const char *name, struct wire_arena *arena, const uint8_t *bytes,
                                  size_t count, ProtobufCMessage **message) {
    if (strncmp(name, "command", 7) == 0)
        return wire_read_commands(arena, bytes, count, (Zchat__V1__CommandBatch **)message);
    if (strncmp(name, "greeting_request", 16) == 0) {
        return wire_read_greeting_request(arena, bytes, count,
                                          (Zchat__V1__GreetingRequest **)message);
    }
    if (strncmp(name, "greeting", 8) == 0)
        return wire_read_greeting(arena, bytes, count, (Zchat__V1__Greeting **)message);
    if (strncmp(name, "publication", 11) == 0 || strncmp(name, "subscription", 12) == 0)
        return wire_read_publication(arena, bytes, count, (Zchat__V1__Publication **)message);
    if (strncmp(name, "peer", 4) == 0)
        return wire_read_peer(arena, bytes, count, (Zchat__V1__PeerBatch **)message);
    return wire_read_server(arena, bytes, count, (Zchat__V1__ServerBatch **)message);
}

/* Reads the bytes and packs what they mean again. */
static void assert_read_back(const char *name, const uint8_t *bytes, size_t count) {
    uint8_t again[FRAME_MAX];
    struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
    ProtobufCMessage *message;
    assert_non_null(arena);
    assert_int_equal(read_named(name, arena, bytes, count, &message), WIRE_FINE);
    assert_int_equal(message->n_unknown_fields, 0);
    assert_int_equal(wire_size(message), count);
    assert_int_equal(wire_pack(message, again), count);
    assert_memory_equal(again, bytes, count);
    wire_arena_free(arena);
}

static void assert_golden(const char *group, const char *member, const uint8_t *bytes,
                          size_t count) {
    uint8_t golden[FRAME_MAX];
    size_t golden_count = 0;
    char name[64];
    snprintf(name, sizeof name, "%s%s%s", group, *member != '\0' ? "." : "", member);
    if (!find_golden(name, golden, &golden_count))
        fail_msg("%s has no golden bytes: see golden.py", name);
    if (golden_count != count || memcmp(golden, bytes, count) != 0)
        fail_msg("%s packs to other bytes than its golden ones", name);
    assert_read_back(name, golden, golden_count);
}

/* A batch of one element, with each body that the element may have. */
static void assert_bodies(const char *group, uint32_t batch_field,
                          const ProtobufCMessageDescriptor *type) {
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (!is_one_of(&type->fields[i]))
            continue;
        struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
        uint8_t bytes[FRAME_MAX];
        assert_non_null(arena);
        ProtobufCMessage *element = filled(arena, type, type->fields[i].id);
        assert_true(wire_element_size(element) <= sizeof bytes);
        size_t count = wire_element_pack(batch_field, element, bytes);
        assert_golden(group, type->fields[i].name, bytes, count);
        wire_arena_free(arena);
    }
}

static void assert_whole(const char *group, const char *member,
                         const ProtobufCMessageDescriptor *type, uint32_t body) {
    struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
    uint8_t bytes[FRAME_MAX];
    assert_non_null(arena);
    ProtobufCMessage *message = filled(arena, type, body);
    assert_true(wire_size(message) <= sizeof bytes);
    assert_golden(group, member, bytes, wire_pack(message, bytes));
    wire_arena_free(arena);
}

static void commands_are_golden(void **state) {
    (void)state;
    assert_bodies("command", WIRE_COMMANDS, &zchat__v1__command__descriptor);
}

static void replies_are_golden(void **state) {
    struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
    uint8_t bytes[FRAME_MAX];
    (void)state;
    assert_bodies("reply", WIRE_REPLIES, &zchat__v1__reply__descriptor);
    assert_non_null(arena);
    ProtobufCMessage *error = filled(arena, &zchat__v1__reply__descriptor, NO_BODY);
    assert_golden("reply", "error", bytes, wire_element_pack(WIRE_REPLIES, error, bytes));
    wire_arena_free(arena);
}

static void events_are_golden(void **state) {
    (void)state;
    assert_bodies("event", WIRE_EVENTS, &zchat__v1__server_event__descriptor);
    assert_whole("server_batch", "", &zchat__v1__server_batch__descriptor, 0);
}

static void events_of_threads_are_golden(void **state) {
    const ProtobufCMessageDescriptor *type = &zchat__v1__thread_event__descriptor;
    (void)state;
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (!is_one_of(&type->fields[i]))
            continue;
        struct wire_arena *arena = wire_arena_new(DECODE_BYTES_MAX);
        uint8_t bytes[FRAME_MAX];
        assert_non_null(arena);
        Zchat__V1__ServerEvent *event = (Zchat__V1__ServerEvent *)filled(
            arena, &zchat__v1__server_event__descriptor, ZCHAT__V1__SERVER_EVENT__BODY_THREAD);
        event->thread = (Zchat__V1__ThreadEvent *)filled(arena, type, type->fields[i].id);
        assert_true(wire_element_size(&event->base) <= sizeof bytes);
        assert_golden("event.thread", type->fields[i].name, bytes,
                      wire_element_pack(WIRE_EVENTS, &event->base, bytes));
        wire_arena_free(arena);
    }
}

static void publications_and_subscriptions_are_golden(void **state) {
    static const struct {
        const char *topic;
        uint32_t body;
    } topics[] = {{"presence", ZCHAT__V1__SERVER_EVENT__BODY_PRESENCE},
                  {"broadcast", ZCHAT__V1__SERVER_EVENT__BODY_BROADCAST},
                  {"notice", ZCHAT__V1__SERVER_EVENT__BODY_NOTICE}};
    (void)state;
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        uint8_t bytes[FRAME_MAX];
        assert_whole("publication", topics[i].topic, &zchat__v1__publication__descriptor,
                     topics[i].body);
        assert_golden("subscription", topics[i].topic, bytes,
                      wire_subscription(topics[i].topic, bytes));
    }
}

static void greetings_are_golden(void **state) {
    (void)state;
    assert_whole("greeting_request", "", &zchat__v1__greeting_request__descriptor, 0);
    assert_whole("greeting", "", &zchat__v1__greeting__descriptor, 0);
}

static void what_peers_say_is_golden(void **state) {
    (void)state;
    assert_bodies("peer", WIRE_MESSAGES, &zchat__v1__peer_message__descriptor);
}

static void every_entry_is_still_readable(void **state) {
    char line[8 * FRAME_MAX];
    FILE *file = fopen(GOLDEN_MESSAGES, "r");
    size_t entries = 0;
    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        uint8_t bytes[FRAME_MAX];
        size_t count = 0;
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "name ", 5) == 0) {
            assert_true(find_golden(line + 5, bytes, &count));
            assert_read_back(line + 5, bytes, count);
            entries++;
        }
    }
    fclose(file);
    assert_true(entries > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_golden),
        cmocka_unit_test(replies_are_golden),
        cmocka_unit_test(events_are_golden),
        cmocka_unit_test(events_of_threads_are_golden),
        cmocka_unit_test(publications_and_subscriptions_are_golden),
        cmocka_unit_test(greetings_are_golden),
        cmocka_unit_test(what_peers_say_is_golden),
        cmocka_unit_test(every_entry_is_still_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
