/* What may be called how: what can't be right is refused at once with a sentence, and never
 * travels. And what needs no broker: names of codes, ids, texts, addresses. */
#include "stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state) {
    *state = stage_new();
    stage_open(*state);
    return 0;
}

static int teardown(void **state) {
    stage_free(*state);
    return 0;
}

/* The call was refused, its sentence says `part`, and nothing was queued. */
static void invalid(struct stage *stage, zchat_code code, const char *part) {
    assert_int_equal(code, ZCHAT_INVALID);
    if (!strstr(zchat_error(stage->z), part))
        fail_msg("\"%s\" does not say \"%s\"", zchat_error(stage->z), part);
    assert_int_equal(zchat_pending(stage->z), 0);
}

static void names_are_checked(void **state) {
    struct stage *stage = *state;
    zchat *z = stage->z;
    const char *const bad[] = {NULL,
                               "",
                               "b ob",
                               "bob\n",
                               "b\xc3\xb6"
                               "b",
                               "abcdefghijklmnopqrstuvwxyz0123456"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        zchat_login_options login = {.user = bad[i]};
        invalid(stage, zchat_send(z, bad[i], "x", NULL, false, NULL, NULL), "is no name");
        invalid(stage, zchat_block(z, bad[i], NULL, NULL), "is no name");
        invalid(stage, zchat_unblock(z, bad[i], NULL, NULL), "is no name");
        invalid(stage, zchat_register(z, bad[i], "x", false, NULL, NULL), "is no name");
        invalid(stage, zchat_login(z, &login, NULL, NULL), "is no name");
    }
}

static void texts_are_checked(void **state) {
    struct stage *stage = *state;
    zchat *z = stage->z;
    char *text = malloc(TEXT_BYTES_MAX + 2);
    assert_non_null(text);
    memset(text, 'x', TEXT_BYTES_MAX + 1);
    text[TEXT_BYTES_MAX + 1] = '\0';
    invalid(stage, zchat_send(z, "bob", NULL, NULL, false, NULL, NULL), "empty");
    invalid(stage, zchat_send(z, "bob", "", NULL, false, NULL, NULL), "empty");
    invalid(stage, zchat_send(z, "bob", text, NULL, false, NULL, NULL), "at most 16384");
    invalid(stage, zchat_send(z, "bob", "\xff", NULL, false, NULL, NULL), "not UTF-8");
    invalid(stage, zchat_broadcast(z, "", NULL, NULL), "empty");
    invalid(stage, zchat_broadcast(z, text, NULL, NULL), "at most 16384");
    text[TEXT_BYTES_MAX] = '\0';
    assert_int_equal(zchat_send(z, "bob", text, NULL, false, NULL, NULL), ZCHAT_OK);
    assert_int_equal(zchat_pending(z), 1);
    free(text);
}

static void passwords_are_checked(void **state) {
    struct stage *stage = *state;
    zchat *z = stage->z;
    char longer[PASSWORD_BYTES_MAX + 2];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    zchat_login_options login = {.user = "bob", .password = longer};
    invalid(stage, zchat_login(z, &login, NULL, NULL), "1 to 1024");
    login.password = "";
    invalid(stage, zchat_login(z, &login, NULL, NULL), "1 to 1024");
    invalid(stage, zchat_register(z, "bob", NULL, false, NULL, NULL), "1 to 1024");
    invalid(stage, zchat_passwd(z, "old", "", NULL, NULL), "1 to 1024");
    invalid(stage, zchat_passwd(z, longer, "new", NULL, NULL), "1 to 1024");
    invalid(stage, zchat_passwd(z, "old", "\xc0\x80", NULL, NULL), "not UTF-8");
    assert_int_equal(zchat_passwd(z, NULL, "new", NULL, NULL), ZCHAT_OK);
}

static void numbers_are_checked(void **state) {
    struct stage *stage = *state;
    zchat *z = stage->z;
    zchat_id id = {{0}};
    invalid(stage, zchat_since(z, 0, NULL, 0, NULL, NULL), "positive");
    invalid(stage, zchat_revoke(z, 0, NULL, NULL), "from 1");
    invalid(stage, zchat_ack(z, 0, NULL, NULL), "from 1");
    invalid(stage, zchat_sync(z, 0, 501, NULL, NULL), "at most 500");
    invalid(stage, zchat_send(z, "bob", "x", &id, false, NULL, NULL), "version 7");
}

static void what_needs_a_session_says_so(void **state) {
    struct stage *stage = *state;
    assert_int_equal(zchat_logout(stage->z, NULL, NULL), ZCHAT_AUTH);
    assert_int_equal(zchat_ack(stage->z, 1, NULL, NULL), ZCHAT_AUTH);
    assert_string_equal(zchat_error(stage->z), "nobody is logged in");
}

static void names_are_folded_and_ids_kept(void **state) {
    struct stage *stage = *state;
    zchat_id id;
    zchat_id_new(&id);
    assert_int_equal(zchat_send(stage->z, "BoB", "x", &id, true, NULL, NULL), ZCHAT_OK);
    Zchat__V1__Command *command = stage_command(stage, ZCHAT__V1__COMMAND__BODY_SEND_MESSAGE);
    assert_string_equal(command->send_message->to, "bob");
    assert_true(command->send_message->require_online);
    assert_memory_equal(command->send_message->id.data, id.bytes, ID_BYTES);
}

static void what_a_message_is_about_is_checked_and_travels(void **state) {
    struct stage *stage = *state;
    zchat *z = stage->z;
    zchat_send_options how = {.about = ZCHAT_ABOUT_RETRACTS};
    invalid(stage, zchat_send_with(z, "bob", "", &how, NULL, NULL), "version 7");
    zchat_id_new(&how.original);
    invalid(stage, zchat_send_with(z, "bob", "x", &how, NULL, NULL), "has no text");
    how.about = ZCHAT_ABOUT_CORRECTS;
    invalid(stage, zchat_send_with(z, "bob", "", &how, NULL, NULL), "empty");
    assert_int_equal(zchat_send_with(z, "bob", "x", &how, NULL, NULL), ZCHAT_OK);
    const Zchat__V1__SendMessageRequest *sent =
        stage_command(stage, ZCHAT__V1__COMMAND__BODY_SEND_MESSAGE)->send_message;
    assert_int_equal(sent->corrects.len, ID_BYTES);
    assert_memory_equal(sent->corrects.data, how.original.bytes, ID_BYTES);
    assert_int_equal(sent->retracts.len, 0);
}

static void refused_options(const zchat_options *options, zchat_code expected, const char *part) {
    zchat *z = (zchat *)&z;
    char error[512] = "";
    assert_int_equal(zchat_new(&z, options, error, sizeof error), expected);
    assert_null(z);
    if (!strstr(error, part))
        fail_msg("\"%s\" does not say \"%s\"", error, part);
    assert_int_equal(zchat_new(&z, options, NULL, 0), expected);
}

static void options_are_checked(void **state) {
    struct stage *stage = *state;
    const char *const bad[] = {NULL,       "",        "host:", "host:0", "host:65536",
                               "host:12x", "a b",     "[::1",  "::1",    "tcp://",
                               "[::1]x",   "ipc://x", "h/..",  "host\n"};
    zchat_options options = stage->options;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        options.server = bad[i];
        refused_options(&options, ZCHAT_INVALID, "can't be read");
    }
    options = stage->options;
    options.server_key = "short";
    refused_options(&options, ZCHAT_INVALID, "key can't be read");
    options = stage->options;
    options.client = "0123456789012345678901234567890123456789012345678901234567890123456789";
    refused_options(&options, ZCHAT_INVALID, "at most 64");
    options = stage->options;
    options.device = options.client = NULL;
    options.device = "\xff";
    refused_options(&options, ZCHAT_INVALID, "at most 64");
}

static void addresses_are_normal(void **state) {
    struct stage *stage = *state;
    const char *const pairs[][2] = {
        {"Host", "tcp://host:4000"},
        {"h:1", "tcp://h:1"},
        {"tcp://h-1.example:65535", "tcp://h-1.example:65535"},
        {"[::1]", "tcp://[::1]:4000"},
        {"[FE80::1%eth0]:7", "tcp://[fe80::1%eth0]:7"},
        {"127.0.0.1:4001", "tcp://127.0.0.1:4001"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        zchat *z;
        zchat_options options = stage->options;
        options.server = pairs[i][0];
        assert_int_equal(zchat_new(&z, &options, NULL, 0), ZCHAT_OK);
        assert_string_equal(zchat_server(z), pairs[i][1]);
        assert_string_equal(zchat_fingerprint(z), "");
        assert_string_equal(zchat_user(z), "");
        zchat_free(z);
    }
}

static void codes_have_names(void **state) {
    (void)state;
    assert_string_equal(zchat_code_name(ZCHAT_OK), "OK");
    assert_string_equal(zchat_code_name(ZCHAT_NOT_FOUND), "NOT_FOUND");
    assert_string_equal(zchat_code_name(ZCHAT_CANCELLED), "CANCELLED");
    assert_non_null(zchat_code_name((zchat_code)77));
}

static void ids_grow_and_have_a_text(void **state) {
    (void)state;
    zchat_id id;
    zchat_id again;
    char text[ZCHAT_ID_TEXT];
    zchat_id_new(&id);
    zchat_id_format(&id, text);
    assert_int_equal(text[14], '7');
    assert_true(zchat_id_parse(text, &again));
    assert_memory_equal(id.bytes, again.bytes, sizeof id.bytes);
    assert_false(zchat_id_parse("nonsense", &again));
}

static void a_text_is_cleaned_in_place(void **state) {
    (void)state;
    char text[] = "a\033[2Jb\ac\td";
    zchat_text_clean(text);
    assert_string_equal(text, "abc\td");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(names_are_checked),
        TEST(texts_are_checked),
        TEST(passwords_are_checked),
        TEST(numbers_are_checked),
        TEST(what_needs_a_session_says_so),
        TEST(names_are_folded_and_ids_kept),
        TEST(what_a_message_is_about_is_checked_and_travels),
        TEST(options_are_checked),
        TEST(addresses_are_normal),
        cmocka_unit_test(codes_have_names),
        cmocka_unit_test(ids_grow_and_have_a_text),
        cmocka_unit_test(a_text_is_cleaned_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
