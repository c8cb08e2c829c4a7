/* The table of connections: a descriptor's number may have a new owner at any time, and that one is
 * never hit. */
#define _GNU_SOURCE
#include "link.h"

#include "limits.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    struct stats stats;
    struct pace *pace;
    struct links *links;
    int listener;
    size_t closed;
    int64_t account; /* that has a session on each link */
};

struct tcp {
    int server;
    int client;
};

static int64_t account_of(void *arg, const struct link *link) {
    (void)link;
    return ((struct world *)arg)->account;
}

static void closed(void *arg, struct link *link) {
    (void)link;
    ((struct world *)arg)->closed++;
}

static int set_up(void **state) {
    static struct world world;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct links_options options = {.stats = &world.stats,
                                    .descriptors_max = 1024,
                                    .account = account_of,
                                    .closed = closed,
                                    .arg = &world};

    memset(&world, 0, sizeof world);
    options.pace = world.pace = pace_new();
    world.links = links_new(&options);
    world.listener = socket(AF_INET, SOCK_STREAM, 0);
    *state = &world;
    return world.links && bind(world.listener, (struct sockaddr *)&address, sizeof address) == 0 &&
                   listen(world.listener, 16) == 0
               ? 0
               : -1;
}

static int tear_down(void **state) {
    struct world *world = *state;

    links_free(world->links);
    pace_free(world->pace);
    close(world->listener);
    return 0;
}

static struct tcp tcp_open(const struct world *world) {
    struct sockaddr_in address;
    socklen_t bytes = sizeof address;
    struct tcp tcp = {.client = socket(AF_INET, SOCK_STREAM, 0)};

    assert_int_equal(getsockname(world->listener, (struct sockaddr *)&address, &bytes), 0);
    assert_int_equal(connect(tcp.client, (struct sockaddr *)&address, bytes), 0);
    tcp.server = accept(world->listener, NULL, NULL);
    assert_true(tcp.server >= 0);
    return tcp;
}

static void tcp_close(struct tcp *tcp) {
    close(tcp->server);
    close(tcp->client);
}

static bool is_over(int fd) {
    struct pollfd item = {.fd = fd, .events = POLLIN};

    return poll(&item, 1, 0) == 1;
}

static void test_a_cut_ends_both_sides_at_once(void **state) {
    struct world *world = *state;
    struct tcp tcp = tcp_open(world);
    char byte;

    assert_int_equal(send(tcp.client, "on its way", 10, 0), 10);
    links_accepted(world->links, tcp.server, LINK_COMMANDS);
    link_cut(world->links, links_find(world->links, tcp.server), "test", NULL);
    assert_true(recv(tcp.server, &byte, 1, MSG_DONTWAIT) <= 0);
    assert_true(is_over(tcp.client));
    tcp_close(&tcp);
}

static void test_a_number_that_has_a_new_owner_is_not_cut(void **state) {
    struct world *world = *state;
    struct tcp first = tcp_open(world), second = tcp_open(world);
    uint64_t counted = 0;

    links_accepted(world->links, first.server, LINK_COMMANDS);
    assert_int_equal(dup2(second.server, first.server), first.server);
    close(second.server);
    second.server = first.server;
    link_cut(world->links, links_find(world->links, first.server), "test", &counted);
    assert_int_equal(counted, 1);
    assert_false(is_over(second.client));
    assert_int_equal(send(second.server, "x", 1, MSG_NOSIGNAL), 1);
    close(first.client);
    tcp_close(&second);
}

static void test_late_news_of_one_socket_takes_nothing_from_the_other(void **state) {
    struct world *world = *state;
    struct tcp tcp = tcp_open(world);

    links_accepted(world->links, tcp.server, LINK_COMMANDS);
    links_accepted(world->links, tcp.server, LINK_EVENTS); /* of the former owner of the number */
    links_closed(world->links, tcp.server, LINK_EVENTS);
    assert_non_null(links_find(world->links, tcp.server));
    assert_int_equal(links_find(world->links, tcp.server)->socket, LINK_COMMANDS);
    links_closed(world->links, tcp.server, LINK_COMMANDS);
    assert_null(links_find(world->links, tcp.server));
    assert_int_equal(world->closed, 1);
    tcp_close(&tcp);
}

static void test_what_was_closed_already_is_no_link(void **state) {
    struct world *world = *state;
    struct tcp tcp = tcp_open(world);

    close(tcp.server);
    links_accepted(world->links, tcp.server, LINK_EVENTS);
    assert_null(links_find(world->links, tcp.server));
    links_closed(world->links, tcp.server, LINK_EVENTS);
    close(tcp.client);
}

/* Bytes that the kernel holds for whoever reads the server's end. */
static int waiting(const struct tcp *tcp) {
    int bytes = 0;

    assert_int_equal(ioctl(tcp->server, FIONREAD, &bytes), 0);
    return bytes;
}

/* Sends so many, and waits until the other end's kernel has them; at most a minute. */
static void tcp_send(const struct tcp *tcp, size_t bytes) {
    char *zeros = calloc(1, bytes);
    int wanted = waiting(tcp) + (int)bytes;

    assert_non_null(zeros);
    assert_int_equal(send(tcp->client, zeros, bytes, 0), bytes);
    for (int i = 0; i < 60000 && waiting(tcp) < wanted; i++)
        poll(NULL, 0, 1);
    assert_int_equal(waiting(tcp), wanted);
    free(zeros);
}

/* What libzmq did not even take yet says nothing about messages that have no end. */
static void test_what_waits_in_the_kernel_is_no_endless_message(void **state) {
    struct world *world = *state;
    int room = 4 * UNFINISHED_STRANGER_MAX;
    struct tcp tcp;
    struct link *link;

    assert_int_equal(setsockopt(world->listener, SOL_SOCKET, SO_RCVBUF, &room, sizeof room), 0);
    tcp = tcp_open(world);
    links_accepted(world->links, tcp.server, LINK_COMMANDS);
    link = links_find(world->links, tcp.server);
    tcp_send(&tcp, UNFINISHED_STRANGER_MAX / 2);
    link->frames = 1;
    links_look(world->links);
    tcp_send(&tcp, UNFINISHED_STRANGER_MAX + 1);
    links_look(world->links);
    assert_false(links_doubt(world->links));
    links_drained(world->links, LINK_COMMANDS);
    links_look(world->links);
    assert_int_equal(world->stats.connections_endless_total, 0);
    tcp_close(&tcp);
}

/* The same for bytes that libzmq reads, and makes what it will of them. */
static void tcp_pass(const struct tcp *tcp, size_t bytes) {
    char piece[16 * 1024];

    while (bytes > 0) {
        size_t some = bytes < sizeof piece ? bytes : sizeof piece;

        tcp_send(tcp, some);
        assert_int_equal(recv(tcp->server, piece, some, MSG_WAITALL), some);
        bytes -= some;
    }
}

static struct link *member_open(struct world *world, struct tcp *tcp) {
    struct link *link;

    world->account = 1;
    *tcp = tcp_open(world);
    links_accepted(world->links, tcp->server, LINK_COMMANDS);
    link = links_find(world->links, tcp->server);
    link_set_rank(world->links, link, LINK_MEMBER);
    return link;
}

/* Between the reading of all that is complete and the look at the rest a machine that is busy may
 * let a whole frame come. */
static void test_a_frame_that_is_complete_by_then_is_not_counted_as_the_rest(void **state) {
    struct world *world = *state;
    struct tcp tcp;
    struct link *link = member_open(world, &tcp);

    tcp_pass(&tcp, 600 * 1024);
    links_look(world->links);
    assert_true(links_doubt(world->links));
    links_drained(world->links, LINK_COMMANDS);
    tcp_pass(&tcp, 800 * 1024);
    links_look(world->links);
    assert_int_equal(world->stats.connections_endless_total, 0);
    links_took(world->links, link);
    links_look(world->links);
    assert_int_equal(world->stats.connections_endless_total, 0);
    assert_false(links_doubt(world->links));
    tcp_close(&tcp);
}

static void test_what_never_becomes_complete_is_cut_a_look_later(void **state) {
    struct world *world = *state;
    struct tcp tcp;

    member_open(world, &tcp);
    tcp_pass(&tcp, 600 * 1024);
    links_look(world->links);
    links_drained(world->links, LINK_COMMANDS);
    tcp_pass(&tcp, 800 * 1024);
    links_look(world->links);
    links_drained(world->links, LINK_COMMANDS);
    links_look(world->links);
    assert_int_equal(world->stats.connections_endless_total, 1);
    tcp_close(&tcp);
}

/* The end of a large frame, which libzmq has not read yet, with the head of the next one. */
static void test_the_next_frame_s_head_makes_none_of_many_parts(void **state) {
    struct world *world = *state;
    char end[4096] = {0};
    struct tcp tcp;
    struct link *link = member_open(world, &tcp);

    tcp_pass(&tcp, 500 * 1024);
    links_look(world->links);
    links_drained(world->links, LINK_COMMANDS);
    links_look(world->links); /* the probe begins */
    memcpy(end + 1000, "\x07MESSAGE", 8);
    assert_int_equal(send(tcp.client, end, sizeof end, 0), sizeof end);
    for (int i = 0; i < 60000 && waiting(&tcp) < (int)sizeof end; i++)
        poll(NULL, 0, 1);
    for (int i = 0; i < 3; i++) {
        links_look(world->links);
        links_drained(world->links, LINK_COMMANDS);
    }
    assert_int_equal(world->stats.connections_endless_total, 0);
    assert_int_equal(recv(tcp.server, end, sizeof end, MSG_WAITALL), sizeof end);
    links_took(world->links, link);
    links_look(world->links);
    assert_int_equal(world->stats.connections_endless_total, 0);
    tcp_close(&tcp);
}

static void test_a_crowd_is_cut_in_several_turns(void **state) {
    enum { CROWD = 300, PLACES = 1024 / 4 * STRANGERS_OF_ADDRESS_PERCENT / 100 };
    struct world *world = *state;
    struct tcp crowd[CROWD];
    uint64_t before;
    int turns = 0;

    for (size_t i = 0; i < CROWD; i++) {
        crowd[i] = tcp_open(world);
        links_accepted(world->links, crowd[i].server, LINK_COMMANDS);
    }
    do {
        before = world->stats.connections_crowded_total;
        links_tick(world->links, 0);
        assert_in_range(world->stats.connections_crowded_total - before, 1, 64);
        turns++;
    } while (links_wait_us(world->links) == 0);
    assert_in_range(turns, 2, CROWD);
    assert_int_equal(world->stats.strangers, PLACES);
    for (size_t i = 0; i < CROWD; i++)
        tcp_close(&crowd[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_cut_ends_both_sides_at_once),
        TEST(test_a_number_that_has_a_new_owner_is_not_cut),
        TEST(test_late_news_of_one_socket_takes_nothing_from_the_other),
        TEST(test_what_was_closed_already_is_no_link),
        TEST(test_what_waits_in_the_kernel_is_no_endless_message),
        TEST(test_a_frame_that_is_complete_by_then_is_not_counted_as_the_rest),
        TEST(test_what_never_becomes_complete_is_cut_a_look_later),
        TEST(test_the_next_frame_s_head_makes_none_of_many_parts),
        TEST(test_a_crowd_is_cut_in_several_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
