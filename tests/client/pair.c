/* See pair.h. */
#include "pair.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

int pair_setup(void **state) {
    struct pair *pair = calloc(1, sizeof *pair);
    assert_non_null(pair);
    pair->live = live_new();
    pair->alice = live_client(pair->live, "alice", ZCHAT_PUBLIC_NONE);
    pair->bob = live_client(pair->live, "bob", ZCHAT_PUBLIC_NONE);
    *state = pair;
    return 0;
}

int pair_teardown(void **state) {
    struct pair *pair = *state;
    live_free(pair->live);
    free(pair);
    return 0;
}

const struct heard *pair_last(const struct client *client, zchat_event_kind kind) {
    for (size_t i = client->heard_count; i-- > 0;)
        if (client->heard[i].kind == kind)
            return &client->heard[i];
    fail_msg("event %d was not told", (int)kind);
    return NULL;
}

void pair_await(struct pair *pair, const struct client *client, zchat_event_kind kind,
                size_t count) {
    LIVE_UNTIL(pair->live, client_count(client, kind) >= count);
}

/* alice invites, bob accepts. */
void pair_open(struct pair *pair) {
    struct answer started = {0};
    struct answer accepted = {0};
    size_t invited = client_count(pair->bob, ZCHAT_EVENT_PRIVATE_INVITED);
    size_t open[2] = {client_count(pair->alice, ZCHAT_EVENT_PRIVATE_OPEN),
                      client_count(pair->bob, ZCHAT_EVENT_PRIVATE_OPEN)};
    assert_int_equal(zchat_private_start(pair->alice->z, "bob", live_answer, &started), ZCHAT_OK);
    pair_await(pair, pair->bob, ZCHAT_EVENT_PRIVATE_INVITED, invited + 1);
    assert_int_equal(zchat_private_accept(pair->bob->z, "alice", live_answer, &accepted), ZCHAT_OK);
    live_expect(pair->live, &started, ZCHAT_OK);
    live_expect(pair->live, &accepted, ZCHAT_OK);
    pair_await(pair, pair->alice, ZCHAT_EVENT_PRIVATE_OPEN, open[0] + 1);
    pair_await(pair, pair->bob, ZCHAT_EVENT_PRIVATE_OPEN, open[1] + 1);
}

static int port_of(const struct sockaddr_storage *at) {
    return ntohs(at->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)at)->sin6_port
                                           : ((const struct sockaddr_in *)at)->sin_port);
}

static bool is_link(const struct pair *pair, int fd) {
    struct sockaddr_storage own;
    struct sockaddr_storage far;
    socklen_t own_bytes = sizeof own;
    socklen_t far_bytes = sizeof far;
    return getsockname(fd, (struct sockaddr *)&own, &own_bytes) == 0 &&
           (own.ss_family == AF_INET || own.ss_family == AF_INET6) &&
           getpeername(fd, (struct sockaddr *)&far, &far_bytes) == 0 &&
           (port_of(&far) < pair->live->port || port_of(&far) > pair->live->port + 2);
}

/* Cuts what does not lead to the broker: all links between peers. */
void pair_cut_links(const struct pair *pair) {
    size_t cut = 0;
    for (int fd = 3; fd < 256; fd++) {
        if (is_link(pair, fd)) {
            shutdown(fd, SHUT_RDWR);
            cut++;
        }
    }
    assert_true(cut > 0);
}
