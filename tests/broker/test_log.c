/* The log: its lines' form, its level, and that no text makes a second line or an escape. */
#include "files.h"
#include "log.h"

#include <fcntl.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char text[8192];

static void a_line_is_logfmt_with_the_time(void **state) {
    (void)state;
    regex_t form;
    assert_int_equal(regcomp(&form,
                             "^time=20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
                             "\\.[0-9]{6}Z level=info event=session_open user=yoda session=7\n"
                             "time=[^ ]* level=error event=bye\n$",
                             REG_EXTENDED | REG_NOSUB),
                     0);
    files_catch(STDERR_FILENO);
    log_info("session_open", "user=%s session=%d", "yoda", 7);
    log_error("bye", NULL);
    files_caught(text, sizeof text);
    assert_int_equal(regexec(&form, text, 0, NULL, 0), 0);
    regfree(&form);
}

static void below_the_level_nothing_is_written(void **state) {
    (void)state;
    files_catch(STDERR_FILENO);
    log_debug("one", NULL);
    log_set_level(LOG_LEVEL_WARN);
    log_info("two", NULL);
    log_warn("three", NULL);
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("four", NULL);
    log_set_level(LOG_LEVEL_INFO);
    files_caught(text, sizeof text);
    assert_null(strstr(text, "one"));
    assert_null(strstr(text, "two"));
    assert_non_null(strstr(text, "level=warn event=three\n"));
    assert_non_null(strstr(text, "level=debug event=four\n"));
}

static void an_event_is_one_line_whatever_is_in_it(void **state) {
    (void)state;
    char longer[2 * LOG_LINE_BYTES];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    files_catch(STDERR_FILENO);
    log_info("odd", "a=%s", "b\nlevel=error\033[31m\r");
    log_info("long", "a=%s", longer);
    files_caught(text, sizeof text);
    assert_non_null(strstr(text, "a=b?level=error?[31m?\n"));
    char *second = strchr(text, '\n') + 1;
    assert_int_equal(strlen(second), LOG_LINE_BYTES - 1);
    assert_ptr_equal(strchr(second, '\n'), second + LOG_LINE_BYTES - 2);
}

static void quoted(const char *input, size_t input_bytes, const char *expected) {
    char out[LOG_QUOTE_BYTES];
    assert_ptr_equal(log_quote(out, sizeof out, input, input_bytes), out);
    assert_string_equal(out, expected);
}

static void a_peers_text_is_quoted_escaped_and_harmless(void **state) {
    (void)state;
    quoted("", 0, "\"\"");
    quoted(NULL, 0, "\"\"");
    quoted("say \"a\\b\"", 9, "\"say \\\"a\\\\b\\\"\"");
    quoted("a\033[31mb\nc", 9, "\"ab c\"");
    quoted("a\xff\xc3", 3, "\"a\"");
    quoted("\xe2\x80\xae" /* NOLINT(misc-misleading-bidirectional): the test's */
           "x",
           4, "\"x\"");
}

static void a_peers_text_is_cut_at_64_characters(void **state) {
    (void)state;
    char input[4 * 1000], expected[LOG_QUOTE_BYTES] = "\"";
    for (size_t i = 0; i < 1000; i++)
        memcpy(input + 4 * i, "\xf0\x9f\x98\x80", 4);
    for (size_t i = 0; i < LOG_QUOTE_CHARACTERS; i++)
        strcat(expected, "\xf0\x9f\x98\x80");
    strcat(expected, "\"");
    quoted(input, (size_t)4 * LOG_QUOTE_CHARACTERS, expected);
    strcat(expected, "...");
    quoted(input, (size_t)4 * LOG_QUOTE_CHARACTERS + 4, expected);
    quoted(input, sizeof input, expected);
}

static void a_reason_is_one_value_whatever_is_quoted_in_it(void **state) {
    (void)state;
    files_catch(STDERR_FILENO);
    log_reason(LOG_LEVEL_ERROR, "refused", "c:1: port wants 1, not \"a\\b\"\n");
    files_caught(text, sizeof text);
    assert_non_null(strstr(text, " level=error event=refused "
                                 "reason=\"c:1: port wants 1, not \\\"a\\\\b\\\"?\"\n"));
}

/* The bytes that are in a pipe, or in a terminal. */
static size_t drained(int from) {
    size_t used = 0;
    ssize_t got;
    assert_int_equal(fcntl(from, F_SETFL, O_NONBLOCK), 0);
    memset(text, 0, sizeof text);
    while ((got = read(from, text + used % (sizeof text / 2), sizeof text / 2)) > 0)
        used += (size_t)got;
    return used;
}

/* One that waits is ended by the alarm. */
static void nobody_waits_for_who_does_not_read(void **state) {
    (void)state;
    int ends[2], kept = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    log_open();
    alarm(20);
    for (int i = 0; i < 5000; i++)
        log_info("filler", "number=%d", i);
    size_t filled = drained(ends[0]);
    log_info("after", NULL);
    drained(ends[0]);
    alarm(0);
    log_close();
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(ends[0]);
    close(ends[1]);
    assert_true(filled > 4096);
    assert_non_null(strstr(text, "level=warn event=log_lines_lost lines="));
    assert_non_null(strstr(text, "event=after\n"));
    assert_null(strstr(text, "filler"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_logfmt_with_the_time),
        cmocka_unit_test(below_the_level_nothing_is_written),
        cmocka_unit_test(an_event_is_one_line_whatever_is_in_it),
        cmocka_unit_test(a_peers_text_is_quoted_escaped_and_harmless),
        cmocka_unit_test(a_reason_is_one_value_whatever_is_quoted_in_it),
        cmocka_unit_test(a_peers_text_is_cut_at_64_characters),
        cmocka_unit_test(nobody_waits_for_who_does_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
