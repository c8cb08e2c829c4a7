/* Frames and messages. A frame is scanned once, field by field along protobuf-c's descriptors, for
 * everything that protobuf-c does not check; then protobuf-c decodes it into the arena. The scan
 * descends only into messages of the schema, which has no recursive types, so a frame can't make it
 * deep. Nothing is allocated outside of the arena, and nothing in it is freed before the reset. */
#define _DEFAULT_SOURCE /* explicit_bzero */
#include "wire.h"

#include "text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Any type's alignment. */
#define ARENA_ALIGN 16
/* Field numbers below it belong to the envelope of a command, the others to commands. */
#define FIRST_COMMAND   10
#define COMMAND_REQUEST 1
/* Key (below field 16) and length (at most FRAME_BYTES_MAX) of an element. */
#define ELEMENT_KEY_BYTES 1

struct wire_arena {
    unsigned char *block; /* owned */
    size_t bytes_max;
    size_t used_bytes;
    bool refused; /* since the last reset or read, more was asked for than there is */
};

struct wire_arena *wire_arena_new(size_t bytes_max) {
    struct wire_arena *arena = calloc(1, sizeof *arena);
    if (!arena)
        return NULL;
    arena->bytes_max = bytes_max;
    arena->block = malloc(bytes_max > 0 ? bytes_max : 1);
    if (!arena->block) {
        free(arena);
        return NULL;
    }
    return arena;
}

void wire_arena_free(struct wire_arena *arena) {
    if (arena) {
        free(arena->block);
        free(arena);
    }
}

void wire_arena_reset(struct wire_arena *arena) {
    arena->used_bytes = 0;
    arena->refused = false;
}

void wire_arena_wipe(struct wire_arena *arena) {
    explicit_bzero(arena->block, arena->used_bytes);
    wire_arena_reset(arena);
}

void *wire_arena_take(struct wire_arena *arena, size_t bytes) {
    size_t start = (arena->used_bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    if (start > arena->bytes_max || bytes > arena->bytes_max - start) {
        arena->refused = true;
        return NULL;
    }
    arena->used_bytes = start + bytes;
    return arena->block + start;
}

static void *allocate(void *arena, size_t bytes) {
    return wire_arena_take(arena, bytes);
}

static void release(void *arena, void *memory) {
    (void)arena;
    (void)memory;
}

const char *wire_fault_text(enum wire_fault fault) {
    static const char *const texts[WIRE_FAULTS] = {
        [WIRE_FINE] = "nothing is wrong",
        [WIRE_TOO_LARGE] = "the frame is too large; send less in one frame",
        [WIRE_TOO_MANY] = "the frame holds too many commands; send at most 64 in one frame",
        [WIRE_MALFORMED] = "the frame or command is not one of this protocol; check the schema",
        [WIRE_BAD_TEXT] = "a text is not UTF-8 or holds a NUL; send UTF-8 without NUL",
        [WIRE_UNKNOWN_FIELD] = "a message has a field that this broker does not know; leave it out",
    };
    assert((unsigned)fault < WIRE_FAULTS);
    return texts[fault];
}

const char *wire_fault_name(enum wire_fault fault) {
    static const char *const names[WIRE_FAULTS] = {
        [WIRE_FINE] = "fine",         [WIRE_TOO_LARGE] = "too_large",
        [WIRE_TOO_MANY] = "too_many", [WIRE_MALFORMED] = "malformed",
        [WIRE_BAD_TEXT] = "bad_text", [WIRE_UNKNOWN_FIELD] = "unknown_field",
    };
    assert((unsigned)fault < WIRE_FAULTS);
    return names[fault];
}

/* One pass over a frame. */
struct scan {
    const uint8_t *at; /* borrowed: the frame */
    bool strict;
};

/* One field as it is in the frame; `data` and its length are set if it is length-prefixed. */
struct field {
    uint32_t number;
    ProtobufCWireType type;
    const uint8_t *data; /* borrowed: the frame */
    size_t data_bytes;
};

/* Reads a varint of at most `bytes_max` bytes (10 hold 64 bits; bits beyond are dropped, as all
 * decoders do). */
static bool take_varint(struct scan *scan, const uint8_t *end, int bytes_max, uint64_t *value) {
    *value = 0;
    for (int i = 0; i < bytes_max && scan->at < end; i++) {
        uint8_t byte = *scan->at++;
        *value |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool skip_bytes(struct scan *scan, const uint8_t *end, uint64_t count) {
    if (count > (uint64_t)(end - scan->at))
        return false;
    scan->at += count;
    return true;
}

static bool take_data(struct scan *scan, const uint8_t *end, struct field *field) {
    uint64_t bytes;
    if (!take_varint(scan, end, 5, &bytes))
        return false;
    field->data = scan->at;
    field->data_bytes = (size_t)bytes;
    return skip_bytes(scan, end, bytes);
}

/* Reads one field and moves behind it; false if it is malformed, as groups (types 3 and 4) are. */
static bool take_field(struct scan *scan, const uint8_t *end, struct field *field) {
    uint64_t key, ignored;
    if (!take_varint(scan, end, 5, &key) || key > UINT32_MAX || key >> 3 == 0)
        return false;
    field->number = (uint32_t)key >> 3;
    field->type = (ProtobufCWireType)(key & 7);
    switch (key & 7) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        return take_varint(scan, end, 10, &ignored);
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        return skip_bytes(scan, end, 8);
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        return skip_bytes(scan, end, 4);
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        return take_data(scan, end, field);
    default:
        return false;
    }
}

static ProtobufCWireType wire_type(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return PROTOBUF_C_WIRE_TYPE_64BIT;
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return PROTOBUF_C_WIRE_TYPE_32BIT;
    default:
        return PROTOBUF_C_WIRE_TYPE_VARINT;
    }
}

static enum wire_fault scan_message(struct scan *scan, const ProtobufCMessageDescriptor *type,
                                    const uint8_t *end);

/* Checks what a field of the schema holds. */
static enum wire_fault scan_known(struct scan *scan, const ProtobufCFieldDescriptor *known,
                                  const struct field *field) {
    if (field->type != wire_type(known->type))
        return WIRE_MALFORMED;
    if (known->type == PROTOBUF_C_TYPE_STRING) {
        bool good = text_is_utf8((const char *)field->data, field->data_bytes);
        return good ? WIRE_FINE : WIRE_BAD_TEXT;
    }
    if (known->type != PROTOBUF_C_TYPE_MESSAGE)
        return WIRE_FINE;
    scan->at = field->data;
    return scan_message(scan, known->descriptor, field->data + field->data_bytes);
}

/* Whether a field with an unknown number may be a command from a newer schema. */
static bool is_newer_command(const ProtobufCMessageDescriptor *type, const struct field *field) {
    return type == &zchat__v1__command__descriptor && field->number >= FIRST_COMMAND &&
           field->type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
}

/* Checks a message from scan->at up to `end`. */
static enum wire_fault scan_message(struct scan *scan, const ProtobufCMessageDescriptor *type,
                                    const uint8_t *end) {
    bool newer = false, body = false;
    while (scan->at < end) {
        struct field field = {0};
        if (!take_field(scan, end, &field))
            return WIRE_MALFORMED;
        const ProtobufCFieldDescriptor *known =
            protobuf_c_message_descriptor_get_field(type, field.number);
        if (known) {
            enum wire_fault fault = scan_known(scan, known, &field);
            if (fault != WIRE_FINE)
                return fault;
            body = body || field.number >= FIRST_COMMAND;
        } else if (scan->strict && !is_newer_command(type, &field)) {
            return WIRE_UNKNOWN_FIELD;
        } else {
            newer = true;
        }
    }
    /* For the sender the last body counts, for this schema the known one: so it is refused rather
     * than guessed. */
    return scan->strict && newer && body ? WIRE_UNKNOWN_FIELD : WIRE_FINE;
}

static enum wire_fault read_message(struct wire_arena *arena,
                                    const ProtobufCMessageDescriptor *type, bool strict,
                                    const uint8_t *bytes, size_t count,
                                    ProtobufCMessage **message) {
    *message = NULL;
    struct scan scan = {.at = bytes, .strict = strict};
    enum wire_fault fault = scan_message(&scan, type, bytes + count);
    if (fault != WIRE_FINE)
        return fault;
    ProtobufCAllocator allocator = {allocate, release, arena};
    arena->refused = false;
    *message = protobuf_c_message_unpack(type, &allocator, count, bytes);
    if (!*message)
        return arena->refused ? WIRE_TOO_LARGE : WIRE_MALFORMED;
    return WIRE_FINE;
}

static enum wire_fault read_frame(struct wire_arena *arena, const ProtobufCMessageDescriptor *type,
                                  const void *frame, size_t frame_bytes,
                                  ProtobufCMessage **message) {
    *message = NULL;
    if (frame_bytes > FRAME_BYTES_MAX)
        return WIRE_TOO_LARGE;
    const uint8_t *bytes = frame_bytes > 0 ? frame : (const void *)"";
    return read_message(arena, type, false, bytes, frame_bytes, message);
}

/* ---- commands ---- */

/* How many commands a frame has, if it can be split into them. */
static enum wire_fault count_commands(const uint8_t *bytes, size_t frame_bytes, size_t *count) {
    const uint8_t *end = bytes + frame_bytes;
    struct scan scan = {.at = bytes};
    struct field field;
    for (*count = 0; scan.at < end; ++*count) {
        if (!take_field(&scan, end, &field))
            return WIRE_MALFORMED;
        if (field.number != WIRE_COMMANDS)
            return WIRE_UNKNOWN_FIELD;
        if (field.type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
            return WIRE_MALFORMED;
        if (*count == FRAME_COMMANDS_MAX)
            return WIRE_TOO_MANY;
    }
    return WIRE_FINE;
}

/* The number of a faulty command, if it can be read; 0: it can't. */
static uint64_t number_of(const struct field *command) {
    const uint8_t *end = command->data + command->data_bytes;
    struct scan scan = {.at = command->data};
    struct field field;
    uint64_t key, number = 0;
    for (struct scan begin = scan; scan.at < end && take_field(&scan, end, &field); begin = scan)
        if (field.number == COMMAND_REQUEST && field.type == PROTOBUF_C_WIRE_TYPE_VARINT)
            (void)(take_varint(&begin, end, 5, &key) && take_varint(&begin, end, 10, &number));
    return number;
}

/* Reads one command; a faulty one comes out with only its number. False: no memory. */
static bool read_command(struct wire_arena *arena, const struct field *field,
                         Zchat__V1__Command **command, enum wire_fault *fault) {
    *fault = read_message(arena, &zchat__v1__command__descriptor, true, field->data,
                          field->data_bytes, (ProtobufCMessage **)command);
    if (*fault == WIRE_FINE)
        return true;
    *command = wire_arena_take(arena, sizeof **command);
    if (!*command)
        return false;
    zchat__v1__command__init(*command);
    (*command)->request = number_of(field);
    return true;
}

static bool make_batch(struct wire_arena *arena, size_t count, Zchat__V1__CommandBatch **batch) {
    *batch = wire_arena_take(arena, sizeof **batch);
    if (!*batch)
        return false;
    zchat__v1__command_batch__init(*batch);
    (*batch)->n_commands = count;
    (*batch)->commands = wire_arena_take(arena, count * sizeof *(*batch)->commands);
    return (*batch)->commands != NULL;
}

enum wire_fault wire_read_each_command(struct wire_arena *arena, const void *frame,
                                       size_t frame_bytes, Zchat__V1__CommandBatch **batch,
                                       enum wire_fault faults[FRAME_COMMANDS_MAX]) {
    *batch = NULL;
    if (frame_bytes > FRAME_BYTES_MAX)
        return WIRE_TOO_LARGE;
    const uint8_t *bytes = frame_bytes > 0 ? frame : (const void *)"";
    size_t count;
    enum wire_fault fault = count_commands(bytes, frame_bytes, &count);
    if (fault != WIRE_FINE)
        return fault;
    bool good = make_batch(arena, count, batch);
    struct scan scan = {.at = bytes};
    struct field field;
    for (size_t i = 0; good && i < count; i++) {
        good = take_field(&scan, bytes + frame_bytes, &field) &&
               read_command(arena, &field, &(*batch)->commands[i], &faults[i]);
    }
    *batch = good ? *batch : NULL;
    return good ? WIRE_FINE : WIRE_TOO_LARGE;
}

enum wire_fault wire_read_commands(struct wire_arena *arena, const void *frame, size_t frame_bytes,
                                   Zchat__V1__CommandBatch **batch) {
    enum wire_fault faults[FRAME_COMMANDS_MAX];
    enum wire_fault fault = wire_read_each_command(arena, frame, frame_bytes, batch, faults);
    for (size_t i = 0; fault == WIRE_FINE && i < (*batch)->n_commands; i++)
        fault = faults[i];
    *batch = fault == WIRE_FINE ? *batch : NULL;
    return fault;
}

size_t wire_commands_bytes(const void *frame, size_t frame_bytes, size_t count, size_t bytes) {
    const uint8_t *begin = frame, *end = begin + frame_bytes;
    struct scan scan = {.at = begin};
    struct field field;
    while (count-- > 0 && scan.at < end && (size_t)(scan.at - begin) < bytes)
        if (!take_field(&scan, end, &field))
            return frame_bytes;
    return (size_t)(scan.at - begin);
}

enum wire_fault wire_read_server(struct wire_arena *arena, const void *frame, size_t frame_bytes,
                                 Zchat__V1__ServerBatch **batch) {
    return read_frame(arena, &zchat__v1__server_batch__descriptor, frame, frame_bytes,
                      (ProtobufCMessage **)batch);
}

enum wire_fault wire_read_publication(struct wire_arena *arena, const void *frame,
                                      size_t frame_bytes, Zchat__V1__Publication **publication) {
    return read_frame(arena, &zchat__v1__publication__descriptor, frame, frame_bytes,
                      (ProtobufCMessage **)publication);
}

enum wire_fault wire_read_greeting_request(struct wire_arena *arena, const void *frame,
                                           size_t frame_bytes,
                                           Zchat__V1__GreetingRequest **request) {
    *request = NULL;
    if (frame_bytes > GREETING_BYTES_MAX)
        return WIRE_TOO_LARGE;
    return read_frame(arena, &zchat__v1__greeting_request__descriptor, frame, frame_bytes,
                      (ProtobufCMessage **)request);
}

enum wire_fault wire_read_greeting(struct wire_arena *arena, const void *frame, size_t frame_bytes,
                                   Zchat__V1__Greeting **greeting) {
    return read_frame(arena, &zchat__v1__greeting__descriptor, frame, frame_bytes,
                      (ProtobufCMessage **)greeting);
}

enum wire_fault wire_read_peer(struct wire_arena *arena, const void *frame, size_t frame_bytes,
                               Zchat__V1__PeerBatch **batch) {
    return read_frame(arena, &zchat__v1__peer_batch__descriptor, frame, frame_bytes,
                      (ProtobufCMessage **)batch);
}

enum wire_fault wire_read_any(struct wire_arena *arena, const ProtobufCMessageDescriptor *type,
                              const void *packed, size_t bytes, ProtobufCMessage **message) {
    return read_frame(arena, type, packed, bytes, message);
}

size_t wire_size(const ProtobufCMessage *message) {
    return protobuf_c_message_get_packed_size(message);
}

size_t wire_pack(const ProtobufCMessage *message, uint8_t *out) {
    return protobuf_c_message_pack(message, out);
}

static size_t varint_bytes(size_t value) {
    size_t bytes = 1;
    for (; value >= 0x80; value >>= 7)
        bytes++;
    return bytes;
}

/* How many bytes key and length take for an element with so many bytes. */
static size_t prefix_size(size_t bytes) {
    return ELEMENT_KEY_BYTES + varint_bytes(bytes);
}

static uint8_t *prefix_pack(uint32_t field, size_t bytes, uint8_t *out) {
    assert(field > 0 && field < 16);
    *out++ = (uint8_t)(field << 3 | PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
    for (; bytes >= 0x80; bytes >>= 7)
        *out++ = (uint8_t)(bytes | 0x80);
    *out++ = (uint8_t)bytes;
    return out;
}

size_t wire_element_size(const ProtobufCMessage *message) {
    size_t bytes = wire_size(message);
    return prefix_size(bytes) + bytes;
}

/* How many bytes follow key and length in an element that is so long in all. */
static size_t element_body(size_t element_bytes) {
    size_t length_bytes = 1;
    while (varint_bytes(element_bytes - ELEMENT_KEY_BYTES - length_bytes) > length_bytes)
        length_bytes++;
    return element_bytes - ELEMENT_KEY_BYTES - length_bytes;
}

void wire_element_pack_sized(uint32_t field, const ProtobufCMessage *message, size_t element_bytes,
                             uint8_t *out) {
    size_t bytes = element_body(element_bytes);
    size_t packed = wire_pack(message, prefix_pack(field, bytes, out));
    assert(packed == bytes);
}

size_t wire_element_pack(uint32_t field, const ProtobufCMessage *message, uint8_t *out) {
    size_t bytes = wire_element_size(message);
    wire_element_pack_sized(field, message, bytes, out);
    return bytes;
}

size_t wire_text_pack(const char *text, size_t text_bytes, uint8_t *out) {
    uint8_t *at = prefix_pack(WIRE_LINE_TEXTS, text_bytes, out);
    memcpy(at, text, text_bytes);
    return (size_t)(at - out) + text_bytes;
}

size_t wire_lines_size(const Zchat__V1__PeerLines *head, size_t texts_bytes) {
    size_t bytes = wire_size(&head->base) + texts_bytes;
    size_t message_bytes = prefix_size(bytes) + bytes;
    return prefix_size(message_bytes) + message_bytes;
}

size_t wire_lines_pack(const Zchat__V1__PeerLines *head, const uint8_t *texts, size_t texts_bytes,
                       uint8_t *out) {
    size_t bytes = wire_size(&head->base) + texts_bytes;
    uint8_t *at = prefix_pack(WIRE_MESSAGES, prefix_size(bytes) + bytes, out);
    at = prefix_pack(WIRE_LINES, bytes, at);
    at += wire_pack(&head->base, at);
    memcpy(at, texts, texts_bytes);
    return (size_t)(at - out) + texts_bytes;
}

size_t wire_subscription(const char *topic, uint8_t *out) {
    size_t bytes = strlen(topic);
    assert(bytes <= 127);
    out[0] = 1 << 3 | PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    out[1] = (uint8_t)bytes;
    memcpy(out + 2, topic, bytes);
    return 2 + bytes;
}
