/* The library's rows against the schema: whoever adds a command and forgets its row learns it here.
 */
#include "command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool is_of_body(const ProtobufCFieldDescriptor *field) {
    return field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}

static void every_command_has_a_row_of_its_name(void **state) {
    const ProtobufCMessageDescriptor *commands = &zchat__v1__command__descriptor;
    size_t rows = 0;
    (void)state;
    for (size_t i = 0; i < command_row_count; i++)
        rows += command_rows[i].name != NULL;
    for (unsigned i = 0; i < commands->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &commands->fields[i];
        if (is_of_body(field)) {
            assert_true(field->id < command_row_count);
            assert_non_null(command_rows[field->id].name);
            assert_string_equal(command_rows[field->id].name, field->name);
            rows--;
        }
    }
    assert_int_equal(rows, 0);
}

/* So one number finds both a command's row and its reply. */
static void a_reply_has_its_command_s_number(void **state) {
    const ProtobufCMessageDescriptor *commands = &zchat__v1__command__descriptor;
    (void)state;
    for (unsigned i = 0; i < commands->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &commands->fields[i];
        if (is_of_body(field)) {
            const ProtobufCFieldDescriptor *reply = protobuf_c_message_descriptor_get_field_by_name(
                &zchat__v1__reply__descriptor, field->name);
            assert_non_null(reply);
            assert_int_equal(reply->id, field->id);
        }
    }
}

static struct request *ask(struct requests *requests, enum request_owner owner,
                           command_number number, ProtobufCMessage *body) {
    struct request *request = requests_add(requests, owner, number, body);
    assert_non_null(request);
    return request;
}

/* The library asks for what it wants by itself once it has the session again. */
static void what_the_library_asked_for_itself_is_not_asked_again(void **state) {
    Zchat__V1__LoginRequest login = ZCHAT__V1__LOGIN_REQUEST__INIT;
    Zchat__V1__SyncRequest sync = ZCHAT__V1__SYNC_REQUEST__INIT;
    Zchat__V1__PingRequest ping = ZCHAT__V1__PING_REQUEST__INIT;
    struct request_list unknown = {0};
    struct requests requests;
    (void)state;
    requests_init(&requests, command_rows);
    ask(&requests, REQUEST_SESSION, COMMAND(LOGIN), &login.base);
    ask(&requests, REQUEST_INBOX, COMMAND(SYNC), &sync.base);
    ask(&requests, REQUEST_CALL, COMMAND(PING), &ping.base);
    while (requests.waiting.first)
        requests_mark_sent(&requests, requests.waiting.first);
    requests_requeue(&requests, &unknown);
    assert_null(unknown.first);
    assert_int_equal(requests.open_own, 0);
    assert_int_equal(requests.waiting.first->command, COMMAND(PING));
    assert_ptr_equal(requests.waiting.first, requests.waiting.last);
    requests_release(&requests);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_has_a_row_of_its_name),
        cmocka_unit_test(a_reply_has_its_command_s_number),
        cmocka_unit_test(what_the_library_asked_for_itself_is_not_asked_again),
    };
    return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
