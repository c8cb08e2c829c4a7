/* The targets. Which of them an executable feeds CMake says: FUZZ_TARGET. */
#include "fuzz.h"

#include "text.h"
#include "transfer/record_line.h"
#include "wire.h"
#include "zmtp.h"
#include "json/from_json.h"
#include "json/schema.h"
#include "json/to_json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FUZZ_TARGET(data, size);
    return 0;
}

/* ---- frames: a message that was read holds together, and packs to bytes that are read to the same
 * message ---- */

typedef enum wire_fault reader(struct wire_arena *arena, const void *frame, size_t bytes,
                               ProtobufCMessage **message);

static void walk(const ProtobufCMessage *message);

static void walk_member(const ProtobufCFieldDescriptor *field, const void *member) {
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        const ProtobufCMessage *inner = *(ProtobufCMessage *const *)member;
        if (inner != NULL)
            walk(inner);
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

/* Aborts unless each string, list and message in it can be touched, and texts are UTF-8. */
static void walk(const ProtobufCMessage *message) {
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
static void read_again(reader *read, const ProtobufCMessage *message) {
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

static void read_frame(reader *read, const uint8_t *data, size_t size) {
    /* A cap that is too small for some inputs, and enough for nearly all others. */
    size_t cap = size > 0 && data[size - 1] % 4 == 0 ? 16 * size : 256 * size + 4096;
    struct wire_arena *arena = wire_arena_new(cap);
    ProtobufCMessage *message;
    assert(arena != NULL);
    enum wire_fault fault = read(arena, data, size, &message);
    assert((message != NULL) == (fault == WIRE_FINE));
    assert(wire_fault_text(fault) != NULL);
    if (message != NULL) {
        walk(message);
        read_again(read, message);
    }
    wire_arena_free(arena);
}

static enum wire_fault read_commands(struct wire_arena *arena, const void *frame, size_t bytes,
                                     ProtobufCMessage **message) {
    enum wire_fault faults[FRAME_COMMANDS_MAX];
    enum wire_fault fault =
        wire_read_each_command(arena, frame, bytes, (Zchat__V1__CommandBatch **)message, faults);
    if (*message != NULL) {
        const Zchat__V1__CommandBatch *batch = (Zchat__V1__CommandBatch *)*message;
        assert(batch->n_commands <= FRAME_COMMANDS_MAX && batch->base.n_unknown_fields == 0);
        for (size_t i = 0; i < batch->n_commands; i++) {
            const Zchat__V1__Command *command = batch->commands[i];
            assert((command->base.n_unknown_fields == 0 && faults[i] == WIRE_FINE) ||
                   command->body_case == ZCHAT__V1__COMMAND__BODY__NOT_SET);
        }
    }
    return fault;
}

void fuzz_commands(const uint8_t *data, size_t size) {
    read_frame(read_commands, data, size);
}

static enum wire_fault read_server(struct wire_arena *arena, const void *frame, size_t bytes,
                                   ProtobufCMessage **message) {
    return wire_read_server(arena, frame, bytes, (Zchat__V1__ServerBatch **)message);
}

static enum wire_fault read_publication(struct wire_arena *arena, const void *frame, size_t bytes,
                                        ProtobufCMessage **message) {
    return wire_read_publication(arena, frame, bytes, (Zchat__V1__Publication **)message);
}

static enum wire_fault read_greeting(struct wire_arena *arena, const void *frame, size_t bytes,
                                     ProtobufCMessage **message) {
    return wire_read_greeting(arena, frame, bytes, (Zchat__V1__Greeting **)message);
}

static enum wire_fault read_peer(struct wire_arena *arena, const void *frame, size_t bytes,
                                 ProtobufCMessage **message) {
    return wire_read_peer(arena, frame, bytes, (Zchat__V1__PeerBatch **)message);
}

void fuzz_server(const uint8_t *data, size_t size) {
    read_frame(read_server, data, size);
    read_frame(read_publication, data, size);
    read_frame(read_greeting, data, size);
    read_frame(read_peer, data, size);
}

/* ---- texts ---- */

static void check_cleaner(size_t (*cleaner)(char *, size_t), const uint8_t *data, size_t size) {
    /* Exactly as long as the text, so that the sanitizer sees a step beyond it. */
    char *text = malloc(size > 0 ? size : 1), *again = malloc(size > 0 ? size : 1);
    assert(text != NULL && again != NULL);
    memcpy(text, data, size);
    size_t bytes = cleaner(text, size);
    assert(bytes <= size && text_is_utf8(text, bytes));
    assert(text_characters(text, bytes) <= bytes);
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        assert((c >= 0x20 || c == '\n' || c == '\t') && c != 0x7F);
        assert(c != 0xC2 || (unsigned char)text[i + 1] >= 0xA0);
    }
    memcpy(again, text, bytes);
    size_t same = cleaner(again, bytes);
    assert(same == bytes && memcmp(again, text, bytes) == 0);
    free(text);
    free(again);
}

void fuzz_text(const uint8_t *data, size_t size) {
    if (size == 0)
        data = (const uint8_t *)"";
    check_cleaner(text_clean, data, size);
    check_cleaner(text_clean_line, data, size);
    (void)text_is_utf8((const char *)data, size);
}

/* ---- JSON ---- */

static void check_again(const ProtobufCMessageDescriptor *type, const uint8_t *packed,
                        size_t bytes) {
    char fault[JSON_FAULT_BYTES];
    size_t again_bytes = 0;
    json_t *json = to_json(type, packed, bytes);
    uint8_t *again = json ? from_json(type, json, &again_bytes, fault) : NULL;
    if (!again || again_bytes != bytes || memcmp(again, packed, bytes) != 0)
        abort();
    free(again);
    json_decref(json);
}

void fuzz_json(const uint8_t *data, size_t size) {
    static const char *const names[] = {"Command", "Reply", "ServerEvent", "Greeting",
                                        "PeerMessage"};
    char fault[JSON_FAULT_BYTES];
    size_t bytes = 0;
    struct schema_type type;
    if (size == 0 || !schema_type_find(names[data[0] % (sizeof names / sizeof *names)], &type))
        return;
    json_t *json = from_json_text((const char *)data + 1, size - 1, fault);
    uint8_t *packed = json ? from_json(type.message, json, &bytes, fault) : NULL;
    if (packed)
        check_again(type.message, packed, bytes);
    free(packed);
    json_decref(json);
}

/* ---- lines of an export ---- */

void fuzz_records(const uint8_t *data, size_t size) {
    static struct record record, again;
    static struct record_room room, again_room;
    static struct line line, second;
    char fault[RECORD_FAULT_BYTES] = "";
    if (size > LINE_BYTES_MAX)
        return;
    if (!record_read((const char *)data, size, &record, &room, fault)) {
        assert(fault[0] && text_is_utf8(fault, strlen(fault)) && !strchr(fault, '\n'));
        return;
    }
    assert(text_is_utf8(record.name, strlen(record.name)));
    /* Only a text of nothing but escaped characters is longer written than read, and it fits. */
    bool written = record_write(&line, &record);
    assert(written && line.bytes[line.length - 1] == '\n');
    bool same = record_read(line.bytes, line.length - 1, &again, &again_room, fault);
    assert(same && record_write(&second, &again));
    assert(line.length == second.length && !memcmp(line.bytes, second.bytes, line.length));
}

/* ---- the greeter ---- */

static void take(struct zmtp *zmtp) {
    uint8_t out[ZMTP_BUFFER_BYTES + ZMTP_OVERHEAD_BYTES];
    struct zmtp_news news;

    while ((news = zmtp_next(zmtp)).event == ZMTP_REQUEST || news.event == ZMTP_PING) {
        assert(news.length <= GREETING_BYTES_MAX);
        assert(news.bytes >= zmtp->bytes && news.bytes + news.length <= zmtp->bytes + zmtp->used);
        if (news.event == ZMTP_REQUEST)
            zmtp_message(out, news.bytes, news.length, news.delimited);
        else
            zmtp_pong(out, news.bytes, news.length);
    }
}

void fuzz_zmtp(const uint8_t *data, size_t size) {
    struct zmtp zmtp;
    size_t piece = size > 0 ? (size_t)data[0] + 1 : 1;

    zmtp_init(&zmtp);
    for (size_t at = 1; at < size && zmtp.state != ZMTP_OVER;) {
        size_t room, some = size - at < piece ? size - at : piece;
        uint8_t *to = zmtp_room(&zmtp, &room);

        assert(room > 0);
        some = some < room ? some : room;
        memcpy(to, data + at, some);
        zmtp_add(&zmtp, some);
        at += some;
        take(&zmtp);
    }
}
