/* The configuration: precedence, errors that name what is wrong, what is printed, HUP. */
#include "config_load.h"
#include "files.h"
#include "log.h"
#include "option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char error[2048];

/* argv, which ends with NULL. */
#define WORDS(...) ((const char *[]){"zchatd", __VA_ARGS__, NULL})

static enum config_result load(struct config *config, const char **words) {
    memset(error, 0, sizeof error);
    return config_load(config, (char **)(uintptr_t)words, error, sizeof error);
}

/* What is refused, and with what in the sentence. */
static void refused(const char **words, const char *sentence) {
    struct config config;
    assert_int_equal(load(&config, words), CONFIG_ERROR);
    if (!strstr(error, sentence))
        fail_msg("\"%s\" is not in \"%s\"", sentence, error);
    assert_null(strchr(error, '\n'));
    config_release(&config);
}

static void defaults_are_those_of_the_table(void **state) {
    (void)state;
    struct config config;
    assert_int_equal(load(&config, WORDS("--data", "/d")), CONFIG_RUN);
    assert_string_equal(config.bind, "*");
    assert_string_equal(config.advertise, "");
    assert_string_equal(config.admin_password_file, "");
    assert_int_equal(config.port, 4000);
    assert_int_equal(config.block_duration_s, 60);
    assert_int_equal(config.timeout_s, 0);
    assert_int_equal(config.registration, REGISTRATION_OPEN);
    assert_int_equal(config.sessions_per_user, 8);
    assert_int_equal(config.log_level, LOG_LEVEL_INFO);
    assert_int_equal(config.rate_account, 20000);
    assert_int_equal(config.rate_key, 20000);
    assert_int_equal(config.rate_address, 50000);
    assert_int_equal(config.rate_passwords, 20);
    assert_int_equal(config.password_workers, 2);
    assert_int_equal(config.io_threads, 1);
    config_release(&config);
}

static void every_option_has_help_and_a_default_that_it_takes(void **state) {
    (void)state;
    char fault[OPTION_FAULT_BYTES];
    for (size_t i = 0; option_at(i); i++) {
        struct config config = {0};
        assert_true(strlen(option_at(i)->help) > 20);
        assert_ptr_equal(option_find(&option_table, option_at(i)->name, strlen(option_at(i)->name)),
                         option_at(i));
        assert_true(option_keep_standard(option_at(i), &config, fault));
        option_release(option_at(i), &config);
    }
}

static void argv_beats_the_file_and_the_file_the_default(void **state) {
    char path[FILES_PATH_BYTES];
    struct config config;
    files_write(*state, "c", "port = 1234 # a comment\n# another\n\ntimeout = 9\nbind = \"::1\"\n",
                path);
    assert_int_equal(load(&config, WORDS("--port=77", "--config", path)), CONFIG_RUN);
    assert_int_equal(config.port, 77);
    assert_int_equal(config.timeout_s, 9);
    assert_string_equal(config.bind, "::1");
    assert_int_equal(config.sessions_per_user, 8);
    config_release(&config);
}

static void a_bad_flag_is_named_with_what_is_allowed(void **state) {
    (void)state;
    refused(WORDS("--port", "65534"), "--port wants a whole number from 0 to 65533, not \"65534\"");
    refused(WORDS("--port", "-1"), "--port wants");
    refused(WORDS("--port="), "--port wants");
    refused(WORDS("--colour", "1"), "--colour is no option; zchatd --help lists them");
    refused(WORDS("--port", "4000x"), "--port wants");
    refused(WORDS("--port", "99999999999999999999999"), "--port wants");
    refused(WORDS("--block-duration", "0"), "from 1 to 31536000 (seconds)");
    refused(WORDS("--registration", "Open"), "--registration wants open or closed, not \"Open\"");
    refused(WORDS("--log-level", "trace"), "debug or info or warn or error");
    refused(WORDS("--bind", "127.0.0.1:4000"), "without a port");
    refused(WORDS("--bind", "ipc:///tmp/x"), "--bind wants");
    refused(WORDS("--bind", ""), "--bind wants");
    refused(WORDS("--data", "a\"b"), "--data wants");
    refused(WORDS("--port"), "--port needs a value");
    refused(WORDS("--data", "--port", "1"), "--data needs a value");
    refused(WORDS("--port", "1", "--port=1"), "--port is given twice");
    refused(WORDS("--ports", "1"), "--ports is no option, did you mean --port?");
    refused(WORDS("--"), "-- is no option");
    refused(WORDS("4000"), "4000 is no option");
    refused(WORDS("-p", "1"), "-p is no option");
}

static void a_bad_file_is_named_with_its_line(void **state) {
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"port = 1\nports = 2\n", "c:2: ports is no option of the file; there are bind port"},
        {"config = x\n", "c:1: config is no option"},
        {"\n#\nport = many\n", "c:3: port wants a whole number from 0 to 65533, not \"many\""},
        {"port = 1\nport = 2\n", "c:2: port is given twice"},
        {"port\n", "c:1: the line is not \"name = value\""},
        {"port =\n", "c:1: the line has no value"},
        {"port = # none\n", "c:1: the line has no value"},
        {"bind = \"x\n", "c:1: the line lacks its closing quote"},
        {"bind = 'x' y\n", "c:1: the line has something behind"},
        {"server\n    port = 1\n", "c:1: the line is not"},
        {"bind = x\n    port = 1\n", "c:2: the line is indented"},
    };
    char path[FILES_PATH_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        files_write(*state, "c", cases[i].text, path);
        refused(WORDS("--config", path), cases[i].sentence);
    }
    files_write(*state, "c", "port = many\n", path);
    refused(WORDS("--port", "1", "--config", path), "c:1: port wants"); /* beaten, but bad */
    refused(WORDS("--config", "/nonexistent/c"), "/nonexistent/c can't be read: No such file");
    refused(WORDS("--config", (const char *)*state), "can't be read: Is a directory");
}

static void a_long_line_is_refused(void **state) {
    char path[FILES_PATH_BYTES], text[5000] = "bind = ";
    memset(text + 7, 'x', sizeof text - 8);
    files_write(*state, "c", text, path);
    refused(WORDS("--config", path), "c:1: the line is too long");
}

static void a_printed_config_loads_as_the_same(void **state) {
    char path[FILES_PATH_BYTES], text[16384];
    struct config config, again;
    files_catch(STDOUT_FILENO);
    enum config_result printed =
        load(&config, WORDS("--print-config", "--port", "5", "--data", "/with space#",
                            "--registration", "closed", "--advertise", "chat.example"));
    files_caught(text, sizeof text);
    assert_int_equal(printed, CONFIG_DONE);
    files_write(*state, "c", text, path);
    assert_int_equal(load(&again, WORDS("--config", path)), CONFIG_RUN);
    for (size_t i = 0; option_at(i); i++) {
        bool same = option_equals(option_at(i), &config, &again);
        assert_int_equal(same, option_at(i)->field != offsetof(struct config, config));
        assert_true(!option_at(i)->in_file || strstr(text, option_at(i)->name));
    }
    config_release(&config);
    config_release(&again);
}

static void help_and_version_beat_what_follows(void **state) {
    (void)state;
    struct config config;
    char text[16384];
    files_catch(STDOUT_FILENO);
    assert_int_equal(load(&config, WORDS("--help", "--nonsense")), CONFIG_DONE);
    files_caught(text, sizeof text);
    config_release(&config);
    for (size_t i = 0; option_at(i); i++)
        assert_non_null(strstr(text, option_at(i)->name));
    files_catch(STDOUT_FILENO);
    assert_int_equal(load(&config, WORDS("--version")), CONFIG_DONE);
    files_caught(text, sizeof text);
    config_release(&config);
    assert_string_equal(text, "zchatd " ZCHAT_VERSION_TEXT ", protocol 1\n");
}

static void check_config_says_fine_or_why_not(void **state) {
    char path[FILES_PATH_BYTES], text[256];
    struct config config;
    files_write(*state, "p", "secret\n", path);
    files_catch(STDOUT_FILENO);
    assert_int_equal(
        load(&config, WORDS("--check-config", "--port", "0", "--admin-password-file", path)),
        CONFIG_DONE);
    files_caught(text, sizeof text);
    config_release(&config);
    assert_string_equal(text, "configuration is fine\n");
    refused(WORDS("--check-config", "--admin-password-file", "/nonexistent/p"),
            "the password file /nonexistent/p can't be read");
    refused(WORDS("--check-config", "--port", "x"), "--port wants");
}

static void hup_changes_what_may_and_names_what_needs_a_restart(void **state) {
    char path[FILES_PATH_BYTES], restart[256];
    struct config config;
    files_write(*state, "c", "timeout = 5\nport = 1\nbind = x\nadvertise = a\n", path);
    assert_int_equal(load(&config, WORDS("--config", path, "--sessions-per-user", "3")),
                     CONFIG_RUN);
    const char *bind = config.bind;

    files_write(*state, "c",
                "timeout = 6\nport = 2\nbind = y\nsessions-per-user = 4\nadvertise = b\n", path);
    assert_int_equal(config_reload(&config, restart, sizeof restart, error, sizeof error),
                     CONFIG_RUN);
    assert_string_equal(restart, "bind, port, advertise");
    assert_int_equal(config.timeout_s, 6);
    assert_int_equal(config.sessions_per_user, 3); /* argv still beats the file */
    assert_string_equal(config.advertise, "a");
    assert_int_equal(config.port, 1);
    assert_ptr_equal(config.bind, bind);
    assert_string_equal(config.bind, "x");

    files_write(*state, "c", "timeout = 7\nport = no\n", path);
    assert_int_equal(config_reload(&config, restart, sizeof restart, error, sizeof error),
                     CONFIG_ERROR);
    assert_non_null(strstr(error, "c:2: port wants"));
    assert_int_equal(config.timeout_s, 6);

    files_write(*state, "c", "port = 1\nbind = x\nadvertise = a\n", path);
    assert_int_equal(config_reload(&config, restart, sizeof restart, error, sizeof error),
                     CONFIG_RUN);
    assert_string_equal(restart, "");
    assert_int_equal(config.timeout_s, 0); /* what left the file is the default again */
    config_release(&config);
}

static void an_address_may_be_written_as_an_endpoint(void **state) {
    (void)state;
    struct config config;
    assert_int_equal(load(&config, WORDS("--bind", "tcp://*", "--data", "/d")), CONFIG_RUN);
    assert_string_equal(config.bind, "*");
    config_release(&config);
}

static void the_data_folder_is_the_users_or_the_systems(void **state) {
    (void)state;
    struct config config;
    assert_int_equal(setenv("XDG_DATA_HOME", "/x", 1), 0);
    assert_int_equal(load(&config, WORDS("--port", "1")), CONFIG_RUN);
    assert_string_equal(config.data, geteuid() == 0 ? "/var/lib/zchat" : "/x/zchat");
    config_release(&config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_table),
        cmocka_unit_test(every_option_has_help_and_a_default_that_it_takes),
        cmocka_unit_test(argv_beats_the_file_and_the_file_the_default),
        cmocka_unit_test(a_bad_flag_is_named_with_what_is_allowed),
        cmocka_unit_test(a_bad_file_is_named_with_its_line),
        cmocka_unit_test(a_long_line_is_refused),
        cmocka_unit_test(a_printed_config_loads_as_the_same),
        cmocka_unit_test(help_and_version_beat_what_follows),
        cmocka_unit_test(check_config_says_fine_or_why_not),
        cmocka_unit_test(hup_changes_what_may_and_names_what_needs_a_restart),
        cmocka_unit_test(an_address_may_be_written_as_an_endpoint),
        cmocka_unit_test(the_data_folder_is_the_users_or_the_systems),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown);
}
