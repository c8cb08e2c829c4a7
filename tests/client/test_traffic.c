/* What came over a connection beyond its frames: what may be there, and what is noticed. */
#include "traffic.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define BYTES_MAX   10000
#define WAITING_MAX 40000
#define EVERY_US    1000

struct line {
    int near; /* who watches is here, and reads */
    int far;
};

struct world {
    struct wake *wake; /* owned */
    struct traffic traffic;
    struct line line;
    int64_t now_us;
};

static struct line line_open(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t bytes = sizeof at;
    struct line line = {.far = socket(AF_INET, SOCK_STREAM, 0)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, bytes), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &bytes), 0);
    assert_int_equal(connect(line.far, (struct sockaddr *)&at, bytes), 0);
    line.near = accept(listener, NULL, NULL);
    assert_true(line.near >= 0);
    close(listener);
    return line;
}

static void line_close(const struct line *line) {
    close(line->near);
    close(line->far);
}

/* They come, and are read. */
static void bring(const struct line *line, size_t count) {
    char bytes[4096] = {0};
    while (count > 0) {
        size_t some = count < sizeof bytes ? count : sizeof bytes;
        assert_int_equal(send(line->far, bytes, some, 0), some);
        assert_int_equal(recv(line->near, bytes, some, MSG_WAITALL), some);
        count -= some;
    }
}

static int setup(void **state) {
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->wake = wake_new();
    assert_non_null(world->wake);
    world->line = line_open();
    world->now_us = 1000000;
    traffic_init(&world->traffic, world->wake, EVERY_US, BYTES_MAX, WAITING_MAX);
    traffic_add(&world->traffic, world->line.near);
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = *state;
    traffic_release(&world->traffic);
    line_close(&world->line);
    wake_free(world->wake);
    free(world);
    return 0;
}

/* Time passes until it is looked; the verdict. */
static bool is_fine(struct world *world, uint64_t out_bytes, bool waiting) {
    wake_collect(world->wake, 0);
    traffic_is_due(&world->traffic, world->now_us, out_bytes > 0);
    assert_int_not_equal(traffic_deadline_us(&world->traffic), WAKE_NEVER);
    world->now_us = traffic_deadline_us(&world->traffic);
    assert_true(traffic_is_due(&world->traffic, world->now_us, false));
    traffic_read(&world->traffic);
    return traffic_is_bounded(&world->traffic, world->now_us, out_bytes, waiting);
}

static bool is_bounded(struct world *world) {
    return is_fine(world, 0, false);
}

/* As the first bytes after a silence do, although they are read at once. */
static void waken(struct world *world) {
    char byte = 0;
    assert_int_equal(send(world->line.far, &byte, 1, 0), 1);
    assert_int_equal(recv(world->line.near, &byte, 1, 0), 1);
    assert_true(wake_collect(world->wake, 1000));
}

static void nothing_is_asked_while_nothing_comes(void **state) {
    struct world *world = *state;
    wake_collect(world->wake, 0);
    assert_false(traffic_is_due(&world->traffic, INT64_MAX - 1, false));
    assert_int_equal(traffic_deadline_us(&world->traffic), WAKE_NEVER);
}

static void the_first_bytes_after_a_silence_are_noticed(void **state) {
    struct world *world = *state;
    for (int i = 0; i < 2; i++) {
        waken(world);
        assert_false(traffic_is_due(&world->traffic, world->now_us, false));
        assert_int_equal(traffic_deadline_us(&world->traffic), world->now_us + EVERY_US);
        assert_true(is_bounded(world));
        assert_true(is_bounded(world)); /* nothing more came */
        assert_int_equal(traffic_deadline_us(&world->traffic), WAKE_NEVER);
    }
}

static void as_much_as_a_frame_may_wait_for_its_end(void **state) {
    struct world *world = *state;
    waken(world);
    bring(&world->line, BYTES_MAX - 1);
    assert_true(is_bounded(world));
}

static void more_without_a_frame_is_without_an_end(void **state) {
    struct world *world = *state;
    waken(world);
    bring(&world->line, BYTES_MAX / 2);
    assert_true(is_bounded(world));
    bring(&world->line, BYTES_MAX / 2 + 100);
    assert_false(is_bounded(world));
}

static void frames_between_them_make_any_number_fine(void **state) {
    struct world *world = *state;
    waken(world);
    for (int i = 0; i < 10; i++) {
        bring(&world->line, 3 * BYTES_MAX);
        assert_true(is_fine(world, 100, false));
    }
}

static void whole_frames_may_wait_up_to_their_own_bound(void **state) {
    struct world *world = *state;
    waken(world);
    bring(&world->line, WAITING_MAX - 1);
    assert_true(is_fine(world, 0, true));
    bring(&world->line, 10000);
    assert_true(is_fine(world, 10000, true)); /* as many were read */
    bring(&world->line, 100);
    assert_false(is_fine(world, 0, true));
}

static void a_few_bytes_a_second_are_forgiven_for_ever(void **state) {
    struct world *world = *state;
    for (int i = 0; i < 1000; i++) {
        waken(world);
        bring(&world->line, 99);
        world->now_us += 1000 * 1000;
        assert_true(is_bounded(world));
        assert_true(is_bounded(world));
    }
}

static void what_the_kernel_still_holds_is_not_counted(void **state) {
    struct world *world = *state;
    char bytes[2 * BYTES_MAX] = {0};
    waken(world);
    assert_int_equal(send(world->line.far, bytes, sizeof bytes, 0), sizeof bytes);
    assert_true(is_bounded(world));
}

static void the_number_of_a_closed_one_may_be_anothers(void **state) {
    struct world *world = *state;
    waken(world);
    int number = world->line.near;
    line_close(&world->line);
    world->line = line_open();
    assert_true(world->line.near == number || world->line.far == number);
    bring(&world->line, 3 * BYTES_MAX);
    assert_true(is_bounded(world));
}

/* Of those that knock the one that fills the memory is never forgotten. */
static void many_that_say_nothing_hide_nobody(void **state) {
    struct world *world = *state;
    struct line others[2 * TRAFFIC_LINES];
    waken(world);
    for (size_t i = 0; i < 2 * TRAFFIC_LINES; i++) {
        bring(&world->line, 1);
        others[i] = line_open();
        traffic_add(&world->traffic, others[i].near);
    }
    bring(&world->line, 2 * BYTES_MAX);
    assert_false(is_bounded(world));
    for (size_t i = 0; i < 2 * TRAFFIC_LINES; i++)
        line_close(&others[i]);
}

/* Nor the first one, of which nothing came before the others did. */
static void the_first_one_stays_where_nothing_came_of_any(void **state) {
    struct world *world = *state;
    struct line others[2 * TRAFFIC_LINES];
    for (size_t i = 0; i < 2 * TRAFFIC_LINES; i++) {
        others[i] = line_open();
        traffic_add(&world->traffic, others[i].near);
    }
    waken(world);
    bring(&world->line, 2 * BYTES_MAX);
    assert_false(is_bounded(world));
    for (size_t i = 0; i < 2 * TRAFFIC_LINES; i++)
        line_close(&others[i]);
}

static void others_count_no_more_once_it_is_known(void **state) {
    struct world *world = *state;
    struct line other = line_open();
    traffic_add(&world->traffic, other.near);
    traffic_settle(&world->traffic, world->line.near);
    waken(world);
    bring(&other, 2 * BYTES_MAX);
    assert_true(is_bounded(world));
    bring(&world->line, 2 * BYTES_MAX);
    assert_false(is_bounded(world));
    line_close(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_asked_while_nothing_comes),
        TEST(the_first_bytes_after_a_silence_are_noticed),
        TEST(as_much_as_a_frame_may_wait_for_its_end),
        TEST(more_without_a_frame_is_without_an_end),
        TEST(frames_between_them_make_any_number_fine),
        TEST(whole_frames_may_wait_up_to_their_own_bound),
        TEST(a_few_bytes_a_second_are_forgiven_for_ever),
        TEST(what_the_kernel_still_holds_is_not_counted),
        TEST(the_number_of_a_closed_one_may_be_anothers),
        TEST(many_that_say_nothing_hide_nobody),
        TEST(the_first_one_stays_where_nothing_came_of_any),
        TEST(others_count_no_more_once_it_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
