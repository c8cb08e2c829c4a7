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
};

struct tcp {
    int server;
    int client;
};

static int64_t account_of(void *arg, const struct link *link) {
    (void)arg;
    (void)link;
    return 0;
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_cut_ends_both_sides_at_once),
        TEST(test_a_number_that_has_a_new_owner_is_not_cut),
        TEST(test_late_news_of_one_socket_takes_nothing_from_the_other),
        TEST(test_what_was_closed_already_is_no_link),
        TEST(test_what_waits_in_the_kernel_is_no_endless_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
