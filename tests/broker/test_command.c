/* The rows of commands and of their refusals, and what becomes of a status without a row. */
#include "command.h"

#include <ctype.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const ProtobufCEnumValue *reason_of(Zchat__V1__Reason reason) {
    return protobuf_c_enum_descriptor_get_value(&zchat__v1__reason__descriptor, (int)reason);
}

/* The command's fields that are bodies: all but its number. */
static const ProtobufCFieldDescriptor *body_of(unsigned i) {
    const ProtobufCFieldDescriptor *field = &zchat__v1__command__descriptor.fields[i];

    return field->type == PROTOBUF_C_TYPE_MESSAGE ? field : NULL;
}

static void every_command_of_the_schema_has_a_row(void **state) {
    size_t bodies = 0;
    (void)state;

    for (unsigned i = 0; i < zchat__v1__command__descriptor.n_fields; i++) {
        const ProtobufCFieldDescriptor *body = body_of(i);
        if (!body)
            continue;
        const struct command_row *row = command_row((int)body->id);
        bodies++;
        if (!row)
            fail_msg("%s has no row", body->name);
        assert_non_null(row->done);
        assert_true(row->cost > 0);
    }
    assert_true(bodies > 30);
}

static void what_is_no_command_has_no_row(void **state) {
    (void)state;
    assert_null(command_row(0));
    assert_null(command_row(-1));
    assert_null(command_row(INT32_MAX));
}

static void expect_refusal(const struct refusal *refusal) {
    const char *place = strstr(refusal->text, "%s");

    assert_true(refusal->status != STORE_OK && refusal->status < STORE_FULL);
    assert_non_null(reason_of(refusal->reason));
    assert_true(refusal->reason >= 100); /* its code */
    assert_false(isupper((unsigned char)refusal->text[0]));
    assert_true(refusal->text[strlen(refusal->text) - 1] != '.');
    assert_true(!place == !refusal->about);
    assert_true(!place || !strchr(place + 1, '%'));
}

static void every_refusal_says_one_thing_of_one_status(void **state) {
    size_t refusals = 0;
    (void)state;

    for (unsigned i = 0; i < zchat__v1__command__descriptor.n_fields; i++) {
        const ProtobufCFieldDescriptor *body = body_of(i);
        const struct refusal *all = body ? command_row((int)body->id)->refusals : NULL;
        for (const struct refusal *one = all; one && one->text; one++, refusals++) {
            expect_refusal(one);
            for (const struct refusal *other = all; other < one; other++)
                assert_true(other->status != one->status);
        }
    }
    assert_true(refusals > 40);
}

static const char *long_title(struct call *call) {
    return call_about_title(call,
                            "100%s \x1b[31m "
                            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

static const char *number(struct call *call) {
    return call_about_number(call, UINT64_MAX);
}

static const struct refusal refusals[] = {
    {STORE_NOT_FOUND, REASON(NO_SUCH_THREAD), "there is no thread %s, sorry", long_title},
    {STORE_EXISTS, REASON(QUOTA), "%s", number},
    {STORE_SELF, REASON(ONESELF), "one can't", NULL},
    {0},
};

static void a_refusal_is_the_row_of_the_status(void **state) {
    struct call call = {0};
    (void)state;

    assert_true(call_refused(&call, refusals, STORE_SELF));
    assert_int_equal(call.fault.reason, REASON(ONESELF));
    assert_string_equal(call.fault.text, "one can't");
}

static void what_a_refusal_is_about_is_cleaned_and_cut_and_no_format(void **state) {
    struct call call = {0};
    (void)state;

    assert_true(call_refused(&call, refusals, STORE_NOT_FOUND));
    assert_non_null(strstr(call.fault.text, "there is no thread 100%s "));
    assert_non_null(strstr(call.fault.text, "aaa, sorry"));
    assert_null(strchr(call.fault.text, '\x1b'));
    call.fault.reason = REASON(UNSPECIFIED);
    assert_true(call_refused(&call, refusals, STORE_EXISTS));
    assert_string_equal(call.fault.text, "18446744073709551615");
}

static void what_a_handler_refused_itself_stands(void **state) {
    struct call call = {0};
    (void)state;

    call_fail(&call, REASON(OFFLINE), "away");
    assert_true(call_refused(&call, NULL, STORE_NOT_FOUND));
    assert_true(call_refused(&call, refusals, STORE_SELF));
    assert_string_equal(call.fault.text, "away");
}

static void no_failure_and_no_refusal_need_a_row(void **state) {
    struct call call = {0};
    (void)state;

    assert_false(call_refused(&call, NULL, STORE_OK));
    assert_true(call_refused(&call, NULL, STORE_FAILED));
    assert_false(call_failed(&call));
}

/* How a process ends for which the status means nothing. */
static int signal_of(const struct refusal *rows, enum store_status status) {
    int how = 0;
    pid_t child = fork();

    if (child == 0) {
        struct call call = {0};
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        close(STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        call_refused(&call, rows, status);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    return WIFSIGNALED(how) ? WTERMSIG(how) : 0;
}

static void a_status_without_a_row_is_our_bug_and_no_success(void **state) {
    (void)state;
    assert_int_equal(signal_of(refusals, STORE_SELF), 0);
    assert_int_equal(signal_of(refusals, STORE_BLOCKED), SIGABRT);
    assert_int_equal(signal_of(NULL, STORE_NOT_FOUND), SIGABRT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_of_the_schema_has_a_row),
        cmocka_unit_test(what_is_no_command_has_no_row),
        cmocka_unit_test(every_refusal_says_one_thing_of_one_status),
        cmocka_unit_test(a_refusal_is_the_row_of_the_status),
        cmocka_unit_test(what_a_refusal_is_about_is_cleaned_and_cut_and_no_format),
        cmocka_unit_test(what_a_handler_refused_itself_stands),
        cmocka_unit_test(no_failure_and_no_refusal_need_a_row),
        cmocka_unit_test(a_status_without_a_row_is_our_bug_and_no_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
