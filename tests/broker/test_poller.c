/* Waiting for sockets and descriptors, with few questions to the sockets. */
#include "poller.h"

#include <unistd.h>
#include <zmq.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct ends {
    void *context;
    void *here;
    void *there;
};

static int setup(void **state) {
    static struct ends ends;

    ends.context = zmq_ctx_new();
    ends.here = zmq_socket(ends.context, ZMQ_PAIR);
    ends.there = zmq_socket(ends.context, ZMQ_PAIR);
    assert_int_equal(zmq_bind(ends.here, "inproc://ends"), 0);
    assert_int_equal(zmq_connect(ends.there, "inproc://ends"), 0);
    *state = &ends;
    return 0;
}

static int teardown(void **state) {
    struct ends *ends = *state;

    zmq_close(ends->here);
    zmq_close(ends->there);
    zmq_ctx_term(ends->context);
    return 0;
}

static void say(struct ends *ends) {
    assert_int_equal(zmq_send(ends->there, "x", 1, 0), 1);
}

static void hear(struct ends *ends) {
    char byte;

    assert_int_equal(zmq_recv(ends->here, &byte, 1, ZMQ_DONTWAIT), 1);
}

static bool is_ready(struct poller_item *item, int64_t timeout_us) {
    assert_true(poller_wait(item, 1, timeout_us));
    return item->ready;
}

static void a_socket_is_ready_until_all_is_read(void **state) {
    struct ends *ends = *state;
    struct poller_item item = {.socket = ends->here};

    assert_true(poller_begin(&item, 1));
    assert_false(is_ready(&item, 0));
    assert_false(is_ready(&item, 1000));
    say(ends);
    say(ends);
    assert_true(is_ready(&item, -1));
    assert_true(is_ready(&item, -1));
    hear(ends);
    assert_true(is_ready(&item, -1));
    hear(ends);
    assert_false(is_ready(&item, 0));
    say(ends);
    assert_true(is_ready(&item, -1));
    hear(ends);
}

/* Whatever is done with a socket takes note of what happened to it; its descriptor then tells
 * nothing. */
static void what_a_used_socket_took_note_of_is_found(void **state) {
    struct ends *ends = *state;
    struct poller_item item = {.socket = ends->here};
    int events;
    size_t bytes = sizeof events;

    assert_true(poller_begin(&item, 1));
    assert_false(is_ready(&item, 0));
    say(ends);
    assert_int_equal(zmq_getsockopt(ends->here, ZMQ_EVENTS, &events, &bytes), 0);
    item.used = true;
    assert_true(is_ready(&item, -1));
    hear(ends);
}

static void what_is_not_wanted_waits(void **state) {
    struct ends *ends = *state;
    struct poller_item item = {.socket = ends->here};

    assert_true(poller_begin(&item, 1));
    assert_false(is_ready(&item, 0));
    item.wanted = false;
    say(ends);
    assert_false(is_ready(&item, 1000));
    item.wanted = true;
    assert_true(is_ready(&item, -1));
    hear(ends);
}

static void a_descriptor_is_ready_beside_a_socket(void **state) {
    struct ends *ends = *state;
    struct poller_item items[2] = {{.socket = ends->here}};
    int pipes[2];

    assert_int_equal(pipe(pipes), 0);
    items[1].fd = pipes[0];
    assert_true(poller_begin(items, 2));
    assert_int_equal(write(pipes[1], "x", 1), 1);
    assert_true(poller_wait(items, 2, -1));
    assert_false(items[0].ready);
    assert_true(items[1].ready);
    say(ends);
    assert_true(poller_wait(items, 2, -1));
    assert_true(items[0].ready);
    assert_true(items[1].ready);
    close(pipes[0]);
    close(pipes[1]);
    assert_false(poller_wait(items, 2, 0)); /* it is no descriptor any more */
    hear(ends);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_socket_is_ready_until_all_is_read),
        TEST(what_a_used_socket_took_note_of_is_found),
        TEST(what_is_not_wanted_waits),
        TEST(a_descriptor_is_ready_beside_a_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
