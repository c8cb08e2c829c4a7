/* See record_line.h. A new kind or key is a row; a key that may be missing stands for a value of
 * zero, so that what an older zchat exported can be read. */
#include "record_line.h"

#include "common/option.h"
#include "common/time_text.h"
#include "id.h"
#include "text.h"
#include "unicode.h"
#include "json/base64.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum field_kind {
    FIELD_TEXT,  /* characters in the record, ended by a NUL */
    FIELD_NAME,  /* a user's name */
    FIELD_TITLE, /* a thread's title or a file's name */
    FIELD_ID,
    FIELD_BYTES,  /* as hex digits */
    FIELD_NUMBER, /* also at most 2^63 - 1 */
    FIELD_TIME,
    FIELD_TRUTH,
    FIELD_LONG, /* text and text_bytes: a message's text */
    FIELD_DATA, /* the same in base64 */
};

enum field_trait {
    OPTIONAL = 1, /* left out if it is zero */
    POSITIVE = 2,
    EMPTY = 4, /* may be empty */
};

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset;
    size_t bytes;
    unsigned traits;
};

#define FIELDS_MAX 12

struct shape {
    const char *type;
    struct field fields[FIELDS_MAX];
};

#define AT(of) offsetof(struct record, of), sizeof((struct record){0}.of)
#define LONG   AT(text)

static const struct shape shapes[] = {
    [RECORD_HEADER] = {"header",
                       {{"format", FIELD_TEXT, AT(name), 0},
                        {"version", FIELD_NUMBER, AT(number), 0}}},
    [RECORD_ACCOUNT] = {"account",
                        {{"user", FIELD_NAME, AT(user), 0},
                         {"password_hash", FIELD_TEXT, AT(password_hash), OPTIONAL},
                         {"admin", FIELD_TRUTH, AT(admin), OPTIONAL},
                         {"locked", FIELD_TRUTH, AT(locked), OPTIONAL},
                         {"no_receipts", FIELD_TRUTH, AT(no_receipts), OPTIONAL},
                         {"devices", FIELD_NUMBER, AT(number), OPTIONAL},
                         {"created", FIELD_TIME, AT(time_us), 0},
                         {"last_seen", FIELD_TIME, AT(later_us), OPTIONAL}}},
    [RECORD_DEVICE] = {"device",
                       {{"user", FIELD_NAME, AT(user), 0},
                        {"device", FIELD_NUMBER, AT(number), POSITIVE},
                        {"key", FIELD_BYTES, AT(key), 0},
                        {"label", FIELD_TEXT, AT(name), 0},
                        {"trusted", FIELD_TIME, AT(time_us), 0},
                        {"used", FIELD_TIME, AT(later_us), OPTIONAL}}},
    [RECORD_THREAD] = {"thread",
                       {{"id", FIELD_ID, AT(id), 0},
                        {"title", FIELD_TITLE, AT(name), 0},
                        {"creator", FIELD_NAME, AT(user), 0},
                        {"created", FIELD_TIME, AT(time_us), 0}}},
    [RECORD_REMOVED] = {"removed_thread", {{"id", FIELD_ID, AT(id), 0}}},
    [RECORD_MESSAGE] = {"message",
                        {{"id", FIELD_ID, AT(id), 0},
                         {"seq", FIELD_NUMBER, AT(seq), POSITIVE},
                         {"from_seq", FIELD_NUMBER, AT(own_seq), POSITIVE},
                         {"from", FIELD_NAME, AT(user), 0},
                         {"to", FIELD_NAME, AT(other), 0},
                         {"time", FIELD_TIME, AT(time_us), 0},
                         {"delivered", FIELD_TRUTH, AT(delivered), OPTIONAL},
                         {"text", FIELD_LONG, LONG, 0}}},
    [RECORD_CORRECTION] = {"correction",
                           {{"id", FIELD_ID, AT(id), 0},
                            {"seq", FIELD_NUMBER, AT(seq), POSITIVE},
                            {"from_seq", FIELD_NUMBER, AT(own_seq), POSITIVE},
                            {"from", FIELD_NAME, AT(user), 0},
                            {"to", FIELD_NAME, AT(other), 0},
                            {"corrects", FIELD_ID, AT(post), 0},
                            {"time", FIELD_TIME, AT(time_us), 0},
                            {"delivered", FIELD_TRUTH, AT(delivered), OPTIONAL},
                            {"text", FIELD_LONG, LONG, 0}}},
    [RECORD_RETRACTION] = {"retraction",
                           {{"id", FIELD_ID, AT(id), 0},
                            {"seq", FIELD_NUMBER, AT(seq), POSITIVE},
                            {"from_seq", FIELD_NUMBER, AT(own_seq), POSITIVE},
                            {"from", FIELD_NAME, AT(user), 0},
                            {"to", FIELD_NAME, AT(other), 0},
                            {"retracts", FIELD_ID, AT(post), 0},
                            {"time", FIELD_TIME, AT(time_us), 0},
                            {"delivered", FIELD_TRUTH, AT(delivered), OPTIONAL}}},
    [RECORD_POST] = {"post",
                     {{"id", FIELD_ID, AT(id), 0},
                      {"thread", FIELD_ID, AT(thread), 0},
                      {"seq", FIELD_NUMBER, AT(seq), POSITIVE},
                      {"user", FIELD_NAME, AT(user), 0},
                      {"time", FIELD_TIME, AT(time_us), 0},
                      {"text", FIELD_LONG, LONG, 0}}},
    [RECORD_EDIT] = {"edit",
                     {{"id", FIELD_ID, AT(id), 0},
                      {"thread", FIELD_ID, AT(thread), 0},
                      {"seq", FIELD_NUMBER, AT(seq), POSITIVE},
                      {"post", FIELD_ID, AT(post), 0},
                      {"user", FIELD_NAME, AT(user), 0},
                      {"time", FIELD_TIME, AT(time_us), 0},
                      {"text", FIELD_LONG, LONG, 0}}},
    [RECORD_DELETION] = {"deletion",
                         {{"id", FIELD_ID, AT(id), 0},
                          {"thread", FIELD_ID, AT(thread), 0},
                          {"seq", FIELD_NUMBER, AT(seq), POSITIVE},
                          {"post", FIELD_ID, AT(post), 0},
                          {"user", FIELD_NAME, AT(user), 0},
                          {"time", FIELD_TIME, AT(time_us), 0}}},
    [RECORD_FILE_DELETION] = {"file_deletion",
                              {{"id", FIELD_ID, AT(id), 0},
                               {"thread", FIELD_ID, AT(thread), 0},
                               {"seq", FIELD_NUMBER, AT(seq), POSITIVE},
                               {"upload", FIELD_ID, AT(post), 0},
                               {"file", FIELD_TITLE, AT(name), 0},
                               {"user", FIELD_NAME, AT(user), 0},
                               {"time", FIELD_TIME, AT(time_us), 0}}},
    [RECORD_FILE_GONE] = {"deleted_file",
                          {{"id", FIELD_ID, AT(id), 0},
                           {"thread", FIELD_ID, AT(thread), 0},
                           {"seq", FIELD_NUMBER, AT(seq), POSITIVE},
                           {"user", FIELD_NAME, AT(user), 0},
                           {"time", FIELD_TIME, AT(time_us), 0}}},
    [RECORD_FILE] = {"file",
                     {{"id", FIELD_ID, AT(id), 0},
                      {"thread", FIELD_ID, AT(thread), 0},
                      {"seq", FIELD_NUMBER, AT(seq), POSITIVE},
                      {"user", FIELD_NAME, AT(user), 0},
                      {"file", FIELD_TITLE, AT(name), 0},
                      {"size", FIELD_NUMBER, AT(size), 0},
                      {"hash", FIELD_BYTES, AT(hash), 0},
                      {"time", FIELD_TIME, AT(time_us), 0},
                      {"damaged", FIELD_TRUTH, AT(damaged), OPTIONAL}}},
    [RECORD_UPLOAD] = {"upload",
                       {{"id", FIELD_ID, AT(id), 0},
                        {"thread", FIELD_ID, AT(thread), 0},
                        {"user", FIELD_NAME, AT(user), 0},
                        {"file", FIELD_TITLE, AT(name), 0},
                        {"size", FIELD_NUMBER, AT(size), 0},
                        {"received", FIELD_NUMBER, AT(received), 0},
                        {"hash", FIELD_BYTES, AT(hash), OPTIONAL},
                        {"time", FIELD_TIME, AT(time_us), 0},
                        {"last_chunk", FIELD_TIME, AT(later_us), 0}}},
    [RECORD_PIECE] = {"piece",
                      {{"file", FIELD_ID, AT(id), 0},
                       {"offset", FIELD_NUMBER, AT(number), 0},
                       {"data", FIELD_DATA, LONG, 0}}},
    [RECORD_LOST] = {"lost",
                     {{"user", FIELD_NAME, AT(user), OPTIONAL},
                      {"thread", FIELD_ID, AT(thread), OPTIONAL},
                      {"seq", FIELD_NUMBER, AT(seq), POSITIVE},
                      {"post", FIELD_TRUTH, AT(is_post), OPTIONAL}}},
    [RECORD_FOLLOW] = {"follow",
                       {{"user", FIELD_NAME, AT(user), 0},
                        {"thread", FIELD_ID, AT(thread), 0},
                        {"cursor", FIELD_NUMBER, AT(number), 0}}},
    [RECORD_BLOCK] = {"block",
                      {{"user", FIELD_NAME, AT(user), 0},
                       {"blocked", FIELD_NAME, AT(other), 0},
                       {"time", FIELD_TIME, AT(time_us), 0}}},
    [RECORD_FAILURE] = {"wrong_passwords",
                        {{"name", FIELD_TEXT, AT(name), EMPTY},
                         {"failures", FIELD_NUMBER, AT(number), 0},
                         {"locked_until", FIELD_TIME, AT(later_us), OPTIONAL},
                         {"time", FIELD_TIME, AT(time_us), 0}}},
    [RECORD_CURSOR] = {"cursor",
                       {{"user", FIELD_NAME, AT(user), 0},
                        {"read", FIELD_NUMBER, AT(number), POSITIVE}}},
    [RECORD_TOPICS] = {"topics", {{"head", FIELD_NUMBER, AT(number), POSITIVE}}},
    [RECORD_END] = {"end", {{"lines", FIELD_NUMBER, AT(number), 0}}},
};
#define SHAPES (sizeof shapes / sizeof shapes[0])

static void print_shape(const struct shape *shape, FILE *out) {
    char keys[512] = "";
    size_t length = 0;
    for (const struct field *field = shape->fields; field->key && length < sizeof keys; field++) {
        bool may_lack = (field->traits & OPTIONAL) != 0;
        length += (size_t)snprintf(keys + length, sizeof keys - length, "%s%s%s%s",
                                   field == shape->fields ? "" : " ", may_lack ? "[" : "",
                                   field->key, may_lack ? "]" : "");
    }
    fprintf(out, "    %-18s", shape->type);
    option_print_wrapped(out, keys, 22);
}

void record_print_types(FILE *out) {
    for (size_t i = 1; i < SHAPES; i++)
        print_shape(&shapes[i], out);
}

/* ---- writing ---- */

static void hex_write(const unsigned char *bytes, size_t count, char *text) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
}

static bool is_zero(const struct field *field, const struct record *record) {
    const unsigned char *at = (const unsigned char *)record + field->offset;
    bool is_text = field->kind == FIELD_TEXT || field->kind == FIELD_NAME;
    for (size_t i = 0; i < (is_text ? 1 : field->bytes); i++)
        if (at[i] != 0)
            return false;
    return true;
}

static void write_field(struct line *line, const struct field *field, const struct record *record) {
    const char *at = (const char *)record + field->offset;
    char text[2 * HASH_BYTES];
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_NAME:
    case FIELD_TITLE:
        line_text(line, field->key, at, strlen(at));
        break;
    case FIELD_ID:
        id_format((const unsigned char *)at, text);
        line_text(line, field->key, text, strlen(text));
        break;
    case FIELD_BYTES:
        hex_write((const unsigned char *)at, field->bytes, text);
        line_text(line, field->key, text, 2 * field->bytes);
        break;
    case FIELD_NUMBER:
        line_number(line, field->key, *(const uint64_t *)(const void *)at);
        break;
    case FIELD_TIME:
        time_precise(*(const int64_t *)(const void *)at, text);
        line_text(line, field->key, text, strlen(text));
        break;
    case FIELD_TRUTH:
        line_truth(line, field->key, *(const bool *)at);
        break;
    case FIELD_LONG:
        line_text(line, field->key, record->text, record->text_bytes);
        break;
    case FIELD_DATA:
        line_base64(line, field->key, record->text, record->text_bytes);
        break;
    }
}

bool record_write(struct line *line, const struct record *record) {
    const struct shape *shape = &shapes[record->kind];
    line->length = 0;
    line_text(line, "type", shape->type, strlen(shape->type));
    for (const struct field *field = shape->fields; field->key; field++)
        if (!(field->traits & OPTIONAL) || !is_zero(field, record))
            write_field(line, field, record);
    return line_end(line);
}

/* ---- reading: each function takes a value into its field; false: it is none of that kind ---- */

struct taking {
    const struct field *field;
    const struct line_value *value;
    struct record *record;
    struct record_room *room;
    void *at;
};

static bool take_text(const struct taking *taking) {
    const struct line_value *value = taking->value;
    if (value->text_bytes >= taking->field->bytes ||
        (value->text_bytes == 0 && !(taking->field->traits & EMPTY)))
        return false;
    memcpy(taking->at, value->text, value->text_bytes);
    ((char *)taking->at)[value->text_bytes] = '\0';
    return true;
}

static bool take_name(const struct taking *taking) {
    char name[NAME_BYTES];
    return take_text(taking) && name_fold(taking->at, name) && !strcmp(name, taking->at);
}

/* Also of an older zchat, which took some that a newer one would not. */
static bool take_title(const struct taking *taking) {
    char form[TITLE_BYTES];
    return take_text(taking) && unicode_title(taking->at, form, sizeof form) &&
           !strcmp(form, taking->at);
}

static bool take_id(const struct taking *taking) {
    char text[ID_TEXT_BYTES] = "";
    if (taking->value->text_bytes != sizeof text - 1)
        return false;
    memcpy(text, taking->value->text, sizeof text - 1);
    return id_parse(text, taking->at) && id_is_valid(taking->at, ID_BYTES);
}

static int hex_digit(char digit) {
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                                          : -1;
}

static bool take_bytes(const struct taking *taking) {
    unsigned char *out = taking->at;
    const char *text = taking->value->text;
    if (taking->value->text_bytes != 2 * taking->field->bytes)
        return false;
    for (size_t i = 0; i < taking->field->bytes; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* A number may be a text, as it is written, or plain. */
static bool take_number(const struct taking *taking) {
    const struct line_value *value = taking->value;
    uint64_t number = value->kind == LINE_NUMBER ? value->number : 0;
    bool digits = value->kind == LINE_NUMBER || value->text_bytes > 0;
    for (size_t i = 0; value->kind == LINE_TEXT && digits && i < value->text_bytes; i++) {
        digits = value->text[i] >= '0' && value->text[i] <= '9' && i < 19;
        number = number * 10 + (uint64_t)(value->text[i] - '0');
    }
    *(uint64_t *)taking->at = number;
    return digits && number <= INT64_MAX && (number > 0 || !(taking->field->traits & POSITIVE));
}

/* "2025-11-21T12:30:00.000001Z". Years have four digits or, up to what 64 bits can hold, more. */
static bool take_time(const struct taking *taking) {
    char text[TIME_TEXT + 8] = "", again[TIME_TEXT];
    long long year;
    unsigned month, day, hour, minute, second, us;
    int end = 0;
    if (taking->value->text_bytes >= sizeof text)
        return false;
    memcpy(text, taking->value->text, taking->value->text_bytes);
    if (sscanf(text, "%6lld-%2u-%2uT%2u:%2u:%2u.%6uZ%n", &year, &month, &day, &hour, &minute,
               &second, &us, &end) != 7 ||
        end == 0 || text[end] || year < 1970 || year > 294000 || month < 1 || month > 12)
        return false;
    /* Days since 1970: years begin in March, so that a leap day is a year's last. */
    long long y = month > 2 ? year : year - 1;
    long long days =
        365 * y + y / 4 - y / 100 + y / 400 + (153 * ((month + 9) % 12) + 2) / 5 + day - 1 - 719468;
    int64_t time_us = (((days * 24 + hour) * 60 + minute) * 60 + second) * INT64_C(1000000) + us;
    *(int64_t *)taking->at = time_us;
    return !strcmp(time_precise(time_us, again), text); /* so there is no 30th of February */
}

static bool take_truth(const struct taking *taking) {
    *(bool *)taking->at = taking->value->truth;
    return true;
}

static bool keep(const struct taking *taking, size_t bytes, size_t max) {
    taking->record->text = (const char *)taking->room->text;
    taking->record->text_bytes = bytes;
    return bytes > 0 && bytes <= max;
}

static bool take_long(const struct taking *taking) {
    size_t bytes = taking->value->text_bytes;
    memcpy(taking->room->text, taking->value->text, bytes);
    return keep(taking, bytes, TEXT_BYTES_MAX);
}

static bool take_data(const struct taking *taking) {
    size_t bytes = 0;
    return base64_read(taking->value->text, taking->value->text_bytes, taking->room->text,
                       &bytes) &&
           keep(taking, bytes, RECORD_PIECE_BYTES);
}

static const struct {
    enum line_kind kind;
    bool (*take)(const struct taking *taking);
    const char *is; /* for a fault: the key "is no ..." */
} kinds[] = {
    [FIELD_TEXT] = {LINE_TEXT, take_text, "text of a fitting length"},
    [FIELD_NAME] = {LINE_TEXT, take_name, "user's name"},
    [FIELD_TITLE] = {LINE_TEXT, take_title, "title or file name"},
    [FIELD_ID] = {LINE_TEXT, take_id, "UUID of version 7"},
    [FIELD_BYTES] = {LINE_TEXT, take_bytes, "text of as many hex digits as there should be"},
    [FIELD_NUMBER] = {LINE_TEXT, take_number, "number that can stand there"},
    [FIELD_TIME] = {LINE_TEXT, take_time, "time (2025-11-21T12:30:00.000001Z)"},
    [FIELD_TRUTH] = {LINE_TRUTH, take_truth, "truth value"},
    [FIELD_LONG] = {LINE_TEXT, take_long, "text of 1 to 16384 bytes"},
    [FIELD_DATA] = {LINE_TEXT, take_data, "base64 of 1 to 262144 bytes"},
};

__attribute__((format(printf, 2, 3))) static bool fail(char fault[RECORD_FAULT_BYTES],
                                                       const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fault, RECORD_FAULT_BYTES, format, arguments);
    va_end(arguments);
    return false;
}

static const struct shape *find_shape(const struct line_value *value) {
    for (size_t i = 1; i < SHAPES; i++)
        if (strlen(shapes[i].type) == value->text_bytes &&
            !memcmp(shapes[i].type, value->text, value->text_bytes))
            return &shapes[i];
    return NULL;
}

/* A key that has none of the letters of keys is not repeated in a fault. */
static bool fail_unknown(const char *key, const struct shape *shape, char *fault) {
    bool is_plain = key[0] && key[strspn(key, "abcdefghijklmnopqrstuvwxyz_0123456789")] == '\0';
    return is_plain ? fail(fault, "a line of type %s has no key \"%s\"", shape->type, key)
                    : fail(fault, "a line of type %s has a key that is not known", shape->type);
}

static bool take_value(const struct shape *shape, const struct line_value *value,
                       struct record *out, struct record_room *room, unsigned *seen, char *fault) {
    const struct field *field = shape->fields;
    while (field->key && strcmp(field->key, value->key) != 0)
        field++;
    unsigned bit = 1u << (field - shape->fields);
    if (!field->key)
        return fail_unknown(value->key, shape, fault);
    if (*seen & bit)
        return fail(fault, "\"%s\" is there twice", field->key);
    *seen |= bit;
    const struct taking taking = {.field = field,
                                  .value = value,
                                  .record = out,
                                  .room = room,
                                  .at = (char *)out + field->offset};
    bool fits = value->kind == kinds[field->kind].kind ||
                (value->kind == LINE_NUMBER && field->kind == FIELD_NUMBER);
    return (fits && kinds[field->kind].take(&taking)) ||
           fail(fault, "\"%s\" is no %s", field->key, kinds[field->kind].is);
}

static bool check_seen(const struct shape *shape, unsigned seen, const struct record *out,
                       char *fault) {
    for (const struct field *field = shape->fields; field->key; field++)
        if (!(field->traits & OPTIONAL) && !(seen & 1u << (field - shape->fields)))
            return fail(fault, "\"%s\" is missing", field->key);
    bool has_user = out->user[0] != '\0', has_thread = out->thread[0] != 0 || out->thread[6] != 0;
    if (out->kind == RECORD_LOST && has_user == has_thread)
        return fail(fault, "what was lost has either a user or a thread");
    return true;
}

static bool fail_line(const struct line_reader *reader, char *fault) {
    return fail(fault, "%s (column %zu)", reader->fault, line_column(reader));
}

bool record_read(const char *line, size_t bytes, struct record *out, struct record_room *room,
                 char fault[RECORD_FAULT_BYTES]) {
    struct line_reader reader;
    struct line_value value;
    unsigned seen = 0;
    *out = (struct record){.text = ""};
    line_begin(&reader, line, bytes, room->value);
    bool first = line_next(&reader, &value);
    if (!first && reader.fault)
        return fail_line(&reader, fault);
    if (!first || strcmp(value.key, "type") != 0 || value.kind != LINE_TEXT)
        return fail(fault, "the first key must be \"type\", with a text");
    const struct shape *shape = find_shape(&value);
    if (!shape)
        return fail(fault, "an unknown type");
    out->kind = (enum record_kind)(shape - shapes);
    while (line_next(&reader, &value))
        if (!take_value(shape, &value, out, room, &seen, fault))
            return false;
    return reader.fault ? fail_line(&reader, fault) : check_seen(shape, seen, out, fault);
}
