/* json/: base64, the schema's names, and what JSON may say and may not. That it is equal to
 * Google's mapping on random messages shows test_json.py. */
#include "wire.h"
#include "json/base64.h"
#include "json/from_json.h"
#include "json/schema.h"
#include "json/schema_text.h"
#include "json/to_json.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const ProtobufCMessageDescriptor *message(const char *name) {
    struct schema_type type;
    assert_true(schema_type_find(name, &type));
    assert_non_null(type.message);
    return type.message;
}

/* What the text becomes as that message and back: owned; NULL: `fault` has the sentence. */
static char *there_and_back(const char *name, const char *text, char fault[JSON_FAULT_BYTES]) {
    size_t bytes = 0;
    json_t *json = from_json_text(text, strlen(text), fault);
    uint8_t *packed = json ? from_json(message(name), json, &bytes, fault) : NULL;
    json_t *back = packed ? to_json(message(name), packed, bytes) : NULL;
    assert_int_equal(packed != NULL, back != NULL);
    char *out = back ? json_dumps(back, JSON_COMPACT) : NULL;
    json_decref(json);
    json_decref(back);
    free(packed);
    return out;
}

static void assert_becomes(const char *name, const char *text, const char *expected) {
    char fault[JSON_FAULT_BYTES] = "";
    char *out = there_and_back(name, text, fault);
    if (!out || strcmp(out, expected) != 0)
        fail_msg("%s becomes %s (%s), not %s", text, out ? out : "nothing", fault, expected);
    free(out);
}

static void assert_refused(const char *name, const char *text, const char *part) {
    char fault[JSON_FAULT_BYTES] = "";
    char *out = there_and_back(name, text, fault);
    if (out || !strstr(fault, part))
        fail_msg("%s becomes %s, or \"%s\" does not say \"%s\"", text, out ? out : "nothing", fault,
                 part);
}

/* ---- base64 ---- */

static void base64_is_that_of_the_standard(void **state) {
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    char text[16];
    uint8_t data[16];
    size_t count;
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        base64_write((const uint8_t *)pairs[i][0], strlen(pairs[i][0]), text);
        assert_string_equal(text, pairs[i][1]);
        assert_true(base64_read(text, strlen(text), data, &count));
        assert_int_equal(count, strlen(pairs[i][0]));
        assert_memory_equal(data, pairs[i][0], count);
    }
}

static void base64_is_read_in_both_alphabets_and_without_padding(void **state) {
    static const char *const same[] = {"+/+/AA==", "-_-_AA==", "-/+_AA", "-_-_AA=", "+/+/AB"};
    static const uint8_t meant[] = {0xfb, 0xff, 0xbf, 0};
    uint8_t data[16];
    size_t count;
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_true(base64_read(same[i], strlen(same[i]), data, &count));
        assert_int_equal(count, sizeof meant);
        assert_memory_equal(data, meant, count);
    }
}

static void what_is_no_base64_is_refused(void **state) {
    static const char *const bad[] = {"A",     "AAAAA", "====",     "=",    "AA===",
                                      "AAA==", "AAAA=", "A A=",     "AA\n", "A=AA",
                                      "AA==A", "AA=A",  "\xc3\xa9", "A,AA"};
    uint8_t data[16];
    size_t count;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (base64_read(bad[i], strlen(bad[i]), data, &count))
            fail_msg("\"%s\" was read", bad[i]);
}

/* ---- the schema ---- */

static void every_type_of_the_schema_is_known_to_json(void **state) {
    struct schema_type types[SCHEMA_TYPES_MAX];
    size_t count = schema_types(types);
    (void)state;
    assert_true(count > 100 && count < SCHEMA_TYPES_MAX / 2);
    for (size_t i = 0; i < count; i++) {
        struct schema_type found;
        assert_true(schema_type_find(schema_type_name(&types[i]), &found));
        assert_ptr_equal(found.message, types[i].message);
        assert_ptr_equal(found.choice, types[i].choice);
        for (unsigned k = 0; types[i].message && k < types[i].message->n_fields; k++) {
            const ProtobufCFieldDescriptor *field = &types[i].message->fields[k];
            assert_true(field->type != PROTOBUF_C_TYPE_FLOAT);
            assert_true(field->type != PROTOBUF_C_TYPE_DOUBLE);
            assert_true(strlen(field->name) < SCHEMA_NAME_BYTES);
            assert_ptr_equal(schema_field(types[i].message, field->name), field);
        }
    }
}

static void commands_are_found_by_all_their_names(void **state) {
    static const char *const names[] = {"send_message", "sendMessage", "SendMessage",
                                        "SendMessageRequest"};
    struct schema_command command;
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_true(schema_command_find(names[i], &command));
        assert_string_equal(command.name, "send_message");
        assert_int_equal(command.number, ZCHAT__V1__COMMAND__BODY_SEND_MESSAGE);
        assert_string_equal(command.request->short_name, "SendMessageRequest");
        assert_string_equal(command.result->short_name, "SendMessageResponse");
    }
    assert_false(schema_command_find("", &command));
    assert_false(schema_command_find("request", &command));
    assert_false(schema_command_find("Send", &command));
    assert_false(schema_command_find("SendMessageRequestX", &command));
}

static void names_are_those_of_json(void **state) {
    static const char *const pairs[][2] = {{"id", "id"},
                                           {"retry_after_s", "retryAfterS"},
                                           {"after_seq", "afterSeq"},
                                           {"a_1b", "a1b"},
                                           {"_x", "X"},
                                           {"x__y_", "xY"}};
    char name[SCHEMA_NAME_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        schema_json_name(pairs[i][0], name);
        assert_string_equal(name, pairs[i][1]);
    }
}

static void the_text_of_the_schema_has_every_type(void **state) {
    struct schema_type types[SCHEMA_TYPES_MAX];
    size_t count = schema_types(types);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        char first[128];
        size_t found = 0;
        int bytes = snprintf(first, sizeof first, "%s %s {", types[i].message ? "message" : "enum",
                             schema_type_name(&types[i]));
        for (size_t at = 0; schema_text[at]; at++)
            found += strncmp(schema_text[at], first, (size_t)bytes) == 0;
        assert_int_equal(found, 1);
    }
}

/* ---- what may be said ---- */

static void names_are_taken_in_both_spellings(void **state) {
    (void)state;
    assert_becomes("SinceRequest", "{\"after_seen_us\":\"5\"}", "{\"afterSeenUs\":\"5\"}");
    assert_becomes("SinceRequest", "{\"afterSeenUs\":5}", "{\"afterSeenUs\":\"5\"}");
    assert_refused("SinceRequest", "{\"AfterSeenUs\":5}", "no field \"AfterSeenUs\"");
    assert_refused("SinceRequest", "{\"afterSeenUs\":5,\"after_seen_us\":5}", "twice");
    assert_refused("SinceRequest", "{\"seconds\":null,\"seconds\":5}", "duplicate");
    assert_refused("SinceRequest", "{\"\":5}", "no field");
}

static void integers_are_taken_as_numbers_and_texts(void **state) {
    static const char *const five[] = {"5", "\"5\"", "5.0", "0.5e1", "500E-2", "\"+5\"", "\"005\""};
    char text[64];
    (void)state;
    for (size_t i = 0; i < sizeof five / sizeof *five; i++) {
        snprintf(text, sizeof text, "{\"seconds\":%s,\"limit\":%s}", five[i], five[i]);
        assert_becomes("SinceRequest", text, "{\"seconds\":\"5\",\"limit\":5}");
    }
    assert_becomes("SinceRequest", "{\"limit\":1e3}", "{\"limit\":1000}");
    assert_becomes("SinceRequest", "{\"limit\":-0,\"seconds\":\"-0\"}", "{}");
    assert_becomes("SinceRequest", "{\"seconds\":1e-999}", "{}");
    assert_becomes("SinceRequest", "{\"afterSeenUs\":-9223372036854775808}",
                   "{\"afterSeenUs\":\"-9223372036854775808\"}");
}

static void integers_keep_all_their_bits(void **state) {
    static const char *const big[] = {"9007199254740993", "9223372036854775807",
                                      "9223372036854775808", "18446744073709551615"};
    char text[64], expected[64];
    (void)state;
    for (size_t i = 0; i < sizeof big / sizeof *big; i++) {
        snprintf(text, sizeof text, "{\"seconds\":\"%s\"}", big[i]);
        assert_becomes("SinceRequest", text, text);
    }
    for (size_t i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "{\"seconds\":%s}", big[i]);
        snprintf(expected, sizeof expected, "{\"seconds\":\"%s\"}", big[i]);
        assert_becomes("SinceRequest", text, expected);
    }
    assert_becomes("SinceRequest", "{\"seconds\":1e19}", "{\"seconds\":\"10000000000000000000\"}");
    assert_refused("SinceRequest", "{\"seconds\":18446744073709551615}", "written as a text");
}

static void what_is_no_integer_is_refused(void **state) {
    static const char *const bad[] = {"0.5",         "true",     "{}",      "[]",    "\"\"",
                                      "\" 5\"",      "\"5 \"",   "\"-\"",   "\"+\"", "\"1e3\"",
                                      "\"0x5\"",     "\"5.0\"",  "\"--5\"", "1e-1",  "[5]",
                                      "\"\\u0665\"", "\"5\\n\"", "\"five\""};
    char text[64];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "{\"seconds\":%s}", bad[i]);
        assert_refused("SinceRequest", text, "seconds: an integer is wanted");
    }
}

static void integers_stay_in_their_range(void **state) {
    static const char *const bad[] = {"{\"limit\":4294967296}",
                                      "{\"limit\":-1}",
                                      "{\"limit\":\"4294967296\"}",
                                      "{\"limit\":1e10}",
                                      "{\"seconds\":-1}",
                                      "{\"seconds\":\"-1\"}",
                                      "{\"afterSeenUs\":9223372036854775808.0}",
                                      "{\"afterSeenUs\":\"9223372036854775808\"}",
                                      "{\"afterSeenUs\":\"-9223372036854775809\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused("SinceRequest", bad[i], "out of its range");
    assert_becomes("SinceRequest", "{\"limit\":4294967295}", "{\"limit\":4294967295}");
    assert_refused("SinceRequest", "{\"seconds\":\"18446744073709551616\"}", "seconds: ");
    assert_refused("SinceRequest", "{\"seconds\":1e20}", "seconds: ");
    assert_refused("SinceRequest", "{\"seconds\":1e999}", "real number overflow");
    assert_refused("SinceRequest", "{\"seconds\":NaN}", "invalid token");
    assert_refused("SinceRequest", "{\"seconds\":-Infinity}", "invalid token");
}

static void enums_are_taken_by_name_and_number(void **state) {
    (void)state;
    assert_becomes("CommandError", "{\"code\":\"CODE_BUSY\",\"reason\":301}",
                   "{\"code\":\"CODE_BUSY\",\"reason\":\"REASON_NOT_LOGGED_IN\"}");
    assert_becomes("CommandError", "{\"code\":\"7\",\"reason\":-5}",
                   "{\"code\":\"CODE_BUSY\",\"reason\":-5}");
    assert_becomes("CommandError", "{\"code\":\"CODE_UNSPECIFIED\"}", "{}");
    assert_refused("CommandError", "{\"code\":\"BUSY\"}", "no value of Code");
    assert_refused("CommandError", "{\"code\":\"code_busy\"}", "no value of Code");
    assert_refused("CommandError", "{\"code\":true}", "no value of Code");
    assert_refused("CommandError", "{\"code\":7.5}", "no value of Code");
    assert_refused("CommandError", "{\"code\":2147483648}", "out of its range");
}

static void bytes_are_base64_or_the_uuid_of_an_id(void **state) {
    static const char id[] = "{\"id\":\"AZI9X2sAerye7wEjRWeJqw==\"}";
    (void)state;
    assert_becomes("CancelUploadRequest", id, id);
    assert_becomes("CancelUploadRequest", "{\"id\":\"AZI9X2sAerye7wEjRWeJqw\"}", id);
    assert_becomes("CancelUploadRequest", "{\"id\":\"01923d5f-6b00-7abc-9eef-0123456789ab\"}", id);
    assert_becomes("CancelUploadRequest", "{\"id\":\"01923D5F-6B00-7ABC-9EEF-0123456789AB\"}", id);
    /* Of another version it is what Google's parser takes it for. */
    assert_becomes("CancelUploadRequest", "{\"id\":\"01923d5f-6b00-4abc-9eef-0123456789ab\"}",
                   "{\"id\":\"01923d5f+6b00+4abc+9eef+0123456789ab\"}");
    assert_refused("CancelUploadRequest", "{\"id\":\"no id\"}", "id: it is neither base64");
    assert_refused("CancelUploadRequest", "{\"id\":7}", "not a number");
    assert_refused("CancelUploadRequest", "{\"id\":[1,2]}", "not a list");
}

static void other_kinds_are_refused(void **state) {
    (void)state;
    assert_refused("SendMessageRequest", "{\"to\":5}", "to: a text is wanted, not a number");
    assert_refused("SendMessageRequest", "{\"to\":[\"bob\"]}", "not a list");
    assert_refused("SendMessageRequest", "{\"requireOnline\":\"true\"}", "true or false is wanted");
    assert_refused("SendMessageRequest", "{\"requireOnline\":1}", "true or false is wanted");
    assert_refused("Reply", "{\"error\":[]}", "error: an object is wanted, not a list");
    assert_refused("Reply", "{\"error\":\"\"}", "error: an object is wanted, not a text");
    assert_refused("ListBlockedResponse", "{\"users\":\"bob\"}", "users: a list is wanted");
    assert_refused("ListBlockedResponse", "{\"users\":{}}", "users: a list is wanted");
    assert_refused("ListBlockedResponse", "{\"users\":[\"a\",7]}", "users[1]: a text is wanted");
    assert_refused("WhoResponse", "{\"people\":[{},{\"user\":1}]}", "people[1].user: a text");
}

static void null_is_what_is_not_there(void **state) {
    (void)state;
    assert_becomes("SendMessageRequest", "{\"id\":null,\"to\":null,\"requireOnline\":null}", "{}");
    assert_becomes("WhoResponse", "{\"people\":null,\"more\":true}", "{\"more\":true}");
    assert_becomes("Reply", "{\"error\":null}", "{}");
    assert_refused("WhoResponse", "{\"people\":[null]}", "people[0]: a list holds no null");
    assert_refused("ListBlockedResponse", "{\"users\":[null]}", "users[0]: a list holds no null");
}

static void only_one_of_a_oneof_may_be_there(void **state) {
    (void)state;
    assert_becomes("EditPostRequest", "{\"number\":0}", "{\"number\":\"0\"}");
    assert_becomes("EditPostRequest", "{\"post\":\"\",\"number\":null}", "{\"post\":\"\"}");
    assert_becomes("Command", "{\"ping\":{}}", "{\"ping\":{}}");
    assert_refused("EditPostRequest", "{\"post\":\"AAAA\",\"number\":5}", "only one of");
    assert_refused("Command", "{\"ping\":{},\"who\":{}}", "only one of who and ping");
}

static void what_is_no_json_is_refused(void **state) {
    static const char *const bad[] = {"",
                                      " ",
                                      "[]",
                                      "7",
                                      "\"x\"",
                                      "null",
                                      "{",
                                      "{}}",
                                      "{} {}",
                                      "{,}",
                                      "{'a':1}",
                                      "{a:1}",
                                      "{\"a\":1,}",
                                      "{\"a\" 1}",
                                      "{\"a\":01}",
                                      "{\"a\":.5}",
                                      "{\"a\":5.}",
                                      "{\"a\":+5}",
                                      "{\"a\":\"\x01\"}",
                                      "{\"a\":\"\\x\"}",
                                      "{\"a\":tru}",
                                      "\xef\xbb\xbf{}",
                                      "// x\n{}"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused("SendMessageRequest", bad[i], "");
}

static void texts_are_strict_utf_8(void **state) {
    static const char *const bad[] = {
        "\xff",    "\xc0\x80",       "\xed\xa0\x80",   "\xf4\x90\x80\x80", "\xe2\x82", "\\ud800",
        "\\udc00", "\\ud800\\u0041", "\\udc00\\ud800", "\\u0000",          "\\u12"};
    char text[64];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "{\"text\":\"%s\"}", bad[i]);
        assert_refused("SendMessageRequest", text, "line 1");
    }
    assert_refused("SendMessageRequest", "{\"te\\u0000xt\":1}", "line 1");
    assert_becomes("SendMessageRequest", "{\"text\":\"\\ud83d\\ude00\\u00e9\"}",
                   "{\"text\":\"\xf0\x9f\x98\x80\xc3\xa9\"}");
}

/* ---- bounds ---- */

/* Owned. */
static char *many(const char *before, const char *part, size_t count, const char *after) {
    size_t bytes = strlen(part);
    char *text = malloc(strlen(before) + bytes * count + strlen(after) + 1);
    assert_non_null(text);
    char *at = text + sprintf(text, "%s", before);
    for (size_t i = 0; i < count; i++, at += bytes)
        memcpy(at, part, bytes);
    strcpy(at, after);
    return text;
}

static void how_deep_it_goes_is_bounded(void **state) {
    char *lists = many("{\"id\":", "[", 500000, "");
    char *objects = many("", "{\"id\":", 300000, "");
    (void)state;
    assert_refused("SendMessageRequest", lists, "maximum parsing depth");
    assert_refused("SendMessageRequest", objects, "maximum parsing depth");
    free(lists);
    free(objects);
}

static void how_much_it_is_is_bounded(void **state) {
    char *text = many("{\"text\":\"", "x", JSON_TEXT_BYTES_MAX, "\"}");
    char *frame = many("{\"text\":\"", "x", FRAME_BYTES_MAX, "\"}");
    char *people = many("{\"people\":[{}", ",{}", 300000, "]}");
    (void)state;
    assert_refused("SendMessageRequest", text, "more than 2097152 bytes");
    assert_refused("SendMessageRequest", frame, "more than a frame takes");
    assert_refused("WhoResponse", people, "more than a frame takes");
    free(text);
    free(frame);
    free(people);
}

static void a_long_way_is_cut(void **state) {
    char *name = many("{\"", "x", 5000, "\":1}");
    (void)state;
    assert_refused("SendMessageRequest", name, "no field \"xxxx");
    free(name);
}

static void what_is_no_message_becomes_nothing(void **state) {
    static const uint8_t bad[] = {0x0a, 0x05, 'x'}, text[] = {0x12, 0x01, 0xff};
    static const uint8_t unknown[] = {0xf8, 0x07, 0x05};
    (void)state;
    assert_null(to_json(message("SendMessageRequest"), bad, sizeof bad));
    assert_null(to_json(message("SendMessageRequest"), text, sizeof text));
    json_t *json = to_json(message("SendMessageRequest"), unknown, sizeof unknown);
    assert_non_null(json);
    assert_int_equal(json_object_size(json), 0);
    json_decref(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_is_that_of_the_standard),
        cmocka_unit_test(base64_is_read_in_both_alphabets_and_without_padding),
        cmocka_unit_test(what_is_no_base64_is_refused),
        cmocka_unit_test(every_type_of_the_schema_is_known_to_json),
        cmocka_unit_test(commands_are_found_by_all_their_names),
        cmocka_unit_test(names_are_those_of_json),
        cmocka_unit_test(the_text_of_the_schema_has_every_type),
        cmocka_unit_test(names_are_taken_in_both_spellings),
        cmocka_unit_test(integers_are_taken_as_numbers_and_texts),
        cmocka_unit_test(integers_keep_all_their_bits),
        cmocka_unit_test(what_is_no_integer_is_refused),
        cmocka_unit_test(integers_stay_in_their_range),
        cmocka_unit_test(enums_are_taken_by_name_and_number),
        cmocka_unit_test(bytes_are_base64_or_the_uuid_of_an_id),
        cmocka_unit_test(other_kinds_are_refused),
        cmocka_unit_test(null_is_what_is_not_there),
        cmocka_unit_test(only_one_of_a_oneof_may_be_there),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(texts_are_strict_utf_8),
        cmocka_unit_test(how_deep_it_goes_is_bounded),
        cmocka_unit_test(how_much_it_is_is_bounded),
        cmocka_unit_test(a_long_way_is_cut),
        cmocka_unit_test(what_is_no_message_becomes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
