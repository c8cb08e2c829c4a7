/* Finding a broker and trusting its key: every way in which that fails has its own clear end. */
#include "stage.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state) {
    *state = stage_new();
    return 0;
}

static int teardown(void **state) {
    stage_free(*state);
    return 0;
}

static void has(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static void lacks(const char *text, const char *part) {
    if (strstr(text, part))
        fail_msg("\"%s\" says \"%s\"", text, part);
}

static const struct told *refused(struct stage *stage, zchat_code code) {
    const struct told *told = stage_await(stage, ZCHAT_EVENT_REFUSED, 1);
    assert_int_equal(told->code, code);
    assert_int_equal(zchat_process(stage->z), code);
    assert_string_equal(zchat_error(stage->z), told->text);
    assert_int_equal(zchat_ping(stage->z, NULL, NULL), code);
    return told;
}

static void a_new_broker_is_pinned_with_trust_new(void **state) {
    struct stage *stage = *state;
    char path[128];
    char line[128] = "";
    stage_connect(stage);
    snprintf(path, sizeof path, "%s/known_brokers", stage->folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    assert_int_equal(
        strncmp(line, stage->fake->greeter_address, strlen(stage->fake->greeter_address)), 0);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_pinned_broker_is_known_the_next_time(void **state) {
    struct stage *stage = *state;
    stage_connect(stage);
    zchat_free(stage->z);
    stage->options.trust_new = false;
    stage_open(stage);
    stage_await(stage, ZCHAT_EVENT_CONNECTED, 2);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_UNKNOWN_KEY), 0);
}

static void an_unknown_key_waits_for_trust(void **state) {
    struct stage *stage = *state;
    stage->options.trust_new = false;
    stage_open(stage);
    assert_int_equal(zchat_trust(stage->z), ZCHAT_INVALID);
    const struct told *told = stage_await(stage, ZCHAT_EVENT_UNKNOWN_KEY, 1);
    assert_int_equal(strlen(told->text), 39);
    assert_string_equal(told->text, zchat_fingerprint(stage->z));
    assert_int_equal(stage->fake->received_count, 0); /* nothing was sent to it */
    assert_int_equal(zchat_trust(stage->z), ZCHAT_OK);
    stage_await(stage, ZCHAT_EVENT_CONNECTED, 1);
}

static void another_key_than_the_pinned_one_is_refused(void **state) {
    struct stage *stage = *state;
    stage_connect(stage);
    char pinned[64];
    strcpy(pinned, zchat_fingerprint(stage->z));
    zchat_free(stage->z);
    stage->fake->greeting_key[0] ^= 1;
    stage_open(stage);
    const struct told *told = refused(stage, ZCHAT_WRONG_KEY);
    has(told->text, pinned);
    has(told->text, "shows the key");
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_CONNECTED), 1);
}

static void another_key_than_the_given_one_is_refused(void **state) {
    struct stage *stage = *state;
    stage->options.server_key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    stage_open(stage);
    has(refused(stage, ZCHAT_WRONG_KEY)->text, "given server key");
}

static void with_a_given_key_nothing_is_pinned(void **state) {
    struct stage *stage = *state;
    char key[2 * KEY_BYTES + 1];
    char path[128];
    for (size_t i = 0; i < KEY_BYTES; i++)
        snprintf(key + 2 * i, 3, "%02x", (unsigned)stage->fake->public_key[i]);
    stage->options.server_key = key;
    stage->options.trust_new = false;
    stage_connect(stage);
    snprintf(path, sizeof path, "%s/known_brokers", stage->folder);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void a_key_that_is_not_proved_is_not_believed(void **state) {
    struct stage *stage = *state;
    stage->options.no_reconnect = true;
    stage->fake->greeting_key[0] ^= 1;
    stage_open(stage);
    has(refused(stage, ZCHAT_UNREACHABLE)->text, "closed the connection");
}

/* CURVE is through by then: only a broker that has the key gets so far. */
static void silence_after_the_handshake_is_not_taken_for_a_wrong_key(void **state) {
    struct stage *stage = *state;
    stage->options.no_reconnect = true;
    stage->fake->pings_silent = true;
    stage_open(stage);
    const struct told *told = refused(stage, ZCHAT_UNREACHABLE);
    has(told->text, "did not answer within 5 s");
    lacks(told->text, "key");
}

/* A plain socket that takes each connection and closes it, as a broker does that is stopping. */
struct closer {
    int listener;
    char address[64];
};

static void closer_open(struct closer *closer) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t bytes = sizeof address;
    closer->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(closer->listener, (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(listen(closer->listener, 8), 0);
    assert_int_equal(getsockname(closer->listener, (struct sockaddr *)&address, &bytes), 0);
    snprintf(closer->address, sizeof closer->address, "127.0.0.1:%d", ntohs(address.sin_port));
}

static void closer_step(const struct closer *closer) {
    int peer = accept(closer->listener, NULL, NULL);
    if (peer >= 0)
        close(peer);
}

static void a_greeter_that_closes_is_told_as_closed(void **state) {
    struct stage *stage = *state;
    struct closer closer;
    closer_open(&closer);
    stage->options.server = closer.address;
    stage->options.no_reconnect = true;
    stage_open(stage);
    STAGE_UNTIL(stage, (closer_step(&closer), stage_count(stage, ZCHAT_EVENT_REFUSED) > 0));
    const struct told *told = refused(stage, ZCHAT_UNREACHABLE);
    has(told->text, "closed the connection");
    lacks(told->text, "no zchat broker");
    lacks(told->text, "key");
    close(closer.listener);
}

static void a_command_port_that_closes_is_told_as_closed(void **state) {
    struct stage *stage = *state;
    struct closer closer;
    closer_open(&closer);
    snprintf(stage->fake->commands_endpoint, sizeof stage->fake->commands_endpoint, "tcp://%.50s",
             closer.address);
    stage->options.no_reconnect = true;
    stage_open(stage);
    STAGE_UNTIL(stage, (closer_step(&closer), stage_count(stage, ZCHAT_EVENT_REFUSED) > 0));
    const struct told *told = refused(stage, ZCHAT_UNREACHABLE);
    has(told->text, "closed the connection");
    lacks(told->text, "prove");
    close(closer.listener);
}

static void who_closes_again_and_again_may_be_somebody_else(void **state) {
    struct stage *stage = *state;
    stage->fake->greeting_key[0] ^= 1;
    stage_open(stage);
    lacks(stage_await(stage, ZCHAT_EVENT_LOST, 1)->text, "prove");
    has(stage_await(stage, ZCHAT_EVENT_LOST, 3)->text, "did not prove its key");
}

/* ---- another key while the broker was away ---- */

static void another_key_after_a_first_contact_is_refused_and_tried_again(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    stage->fake->greeting_key[0] ^= 1;
    fake_break(stage->fake);
    const struct told *told = stage_await(stage, ZCHAT_EVENT_LOST, 2);
    assert_int_equal(told->code, ZCHAT_WRONG_KEY);
    has(told->text, "shows the key");
    assert_in_range(told->retry_ms, 1000, 30000);
    assert_int_equal(zchat_send(stage->z, "bob", "kept", NULL, false, stage_answer, NULL),
                     ZCHAT_OK);
    stage->fake->greeting_key[0] ^= 1;
    stage_await(stage, ZCHAT_EVENT_RESUMED, 1);
    stage_command(stage, ZCHAT__V1__COMMAND__BODY_SEND_MESSAGE);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_REFUSED), 0);
}

static void another_protocol_after_a_first_contact_is_tried_again(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    stage->fake->protocol = PROTOCOL_VERSION + 1;
    fake_break(stage->fake);
    assert_int_equal(stage_await(stage, ZCHAT_EVENT_LOST, 2)->code, ZCHAT_WRONG_PROTOCOL);
    stage->fake->protocol = PROTOCOL_VERSION;
    stage_await(stage, ZCHAT_EVENT_RESUMED, 1);
}

static void another_protocol_is_refused(void **state) {
    struct stage *stage = *state;
    stage->fake->protocol = PROTOCOL_VERSION + 7;
    stage_open(stage);
    const struct told *told = refused(stage, ZCHAT_WRONG_PROTOCOL);
    has(told->text, "8 to 8");
    has(told->text, "speaks 1");
}

static void nobody_there_is_told_at_once(void **state) {
    struct stage *stage = *state;
    stage->options.no_reconnect = true;
    fake_close(stage->fake);
    stage_open(stage);
    const struct told *told = refused(stage, ZCHAT_UNREACHABLE);
    has(told->text, "no broker answers at tcp://127.0.0.1:");
    has(told->text, "Connection refused");
    has(told->text, "is zchatd running there?");
}

static void nobody_there_is_tried_again_until_somebody_is(void **state) {
    struct stage *stage = *state;
    fake_close(stage->fake);
    stage_open(stage);
    const struct told *told = stage_await(stage, ZCHAT_EVENT_LOST, 2);
    assert_int_equal(told->code, ZCHAT_UNREACHABLE);
    assert_in_range(told->retry_ms, 100, 2000);
    fake_open(stage->fake);
    stage_await(stage, ZCHAT_EVENT_CONNECTED, 1);
}

static void the_name_localhost_reaches_a_broker_on_ipv4(void **state) {
    struct stage *stage = *state;
    char server[64];
    snprintf(server, sizeof server, "tcp://LocalHost:%d", stage->fake->greeter_port);
    stage->options.server = server;
    stage->options.no_reconnect = true;
    stage_connect(stage);
    has(zchat_server(stage->z), "tcp://localhost:");
}

static void an_unknown_host_is_named(void **state) {
    struct stage *stage = *state;
    stage->options.server = "nowhere.invalid";
    stage->options.no_reconnect = true;
    stage_open(stage);
    has(refused(stage, ZCHAT_UNREACHABLE)->text, "nowhere.invalid");
}

static void silence_of_the_greeter_ends_after_3_s(void **state) {
    struct stage *stage = *state;
    stage->options.no_reconnect = true;
    stage->fake->greeter_silent = true;
    stage_open(stage);
    has(refused(stage, ZCHAT_UNREACHABLE)->text, "no greeting came within 3 s");
}

/* Something that accepts and talks, but not ZMTP. */
static void another_service_never_greets(void **state) {
    struct stage *stage = *state;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t bytes = sizeof address;
    char server[64];
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &bytes), 0);
    snprintf(server, sizeof server, "127.0.0.1:%d", ntohs(address.sin_port));
    stage->options.server = server;
    stage->options.no_reconnect = true;
    stage_open(stage);
    stage_step(stage);
    int peer = accept(listener, NULL, NULL);
    const char noise[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    assert_int_equal(write(peer, noise, sizeof noise - 1), sizeof noise - 1);
    close(peer);
    has(refused(stage, ZCHAT_UNREACHABLE)->text, "closed the connection");
    close(listener);
}

static void what_was_called_before_is_answered_when_it_gives_up(void **state) {
    struct stage *stage = *state;
    stage->fake->protocol = PROTOCOL_VERSION + 1;
    stage_open(stage);
    assert_int_equal(zchat_ping(stage->z, stage_answer, NULL), ZCHAT_OK);
    assert_int_equal(zchat_pending(stage->z), 1);
    refused(stage, ZCHAT_WRONG_PROTOCOL);
    assert_int_equal(stage_told(stage, 0, 0)->code, ZCHAT_WRONG_PROTOCOL);
    assert_int_equal(zchat_pending(stage->z), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_broker_is_pinned_with_trust_new, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pinned_broker_is_known_the_next_time, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unknown_key_waits_for_trust, setup, teardown),
        cmocka_unit_test_setup_teardown(another_key_than_the_pinned_one_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(another_key_than_the_given_one_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(with_a_given_key_nothing_is_pinned, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_that_is_not_proved_is_not_believed, setup, teardown),
        cmocka_unit_test_setup_teardown(silence_after_the_handshake_is_not_taken_for_a_wrong_key,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_greeter_that_closes_is_told_as_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_command_port_that_closes_is_told_as_closed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_closes_again_and_again_may_be_somebody_else, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            another_key_after_a_first_contact_is_refused_and_tried_again, setup, teardown),
        cmocka_unit_test_setup_teardown(another_protocol_after_a_first_contact_is_tried_again,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(another_protocol_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_there_is_told_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_there_is_tried_again_until_somebody_is, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_name_localhost_reaches_a_broker_on_ipv4, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_unknown_host_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(silence_of_the_greeter_ends_after_3_s, setup, teardown),
        cmocka_unit_test_setup_teardown(another_service_never_greets, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_called_before_is_answered_when_it_gives_up, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
