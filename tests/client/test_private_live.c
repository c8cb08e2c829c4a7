/* Private chats between handles against a real broker: how they begin, what passes through them,
 * what breaks and ends them. */
#include "live.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct test {
    struct live *live;
    struct client *alice;
    struct client *bob;
};

static int setup(void **state) {
    struct test *test = calloc(1, sizeof *test);
    assert_non_null(test);
    test->live = live_new();
    test->alice = live_client(test->live, "alice", ZCHAT_PUBLIC_NONE);
    test->bob = live_client(test->live, "bob", ZCHAT_PUBLIC_NONE);
    *state = test;
    return 0;
}

static int teardown(void **state) {
    struct test *test = *state;
    live_free(test->live);
    free(test);
    return 0;
}

static const struct heard *last(const struct client *client, zchat_event_kind kind) {
    for (size_t i = client->heard_count; i-- > 0;) {
        if (client->heard[i].kind == kind) {
            return &client->heard[i];
        }
    }
    fail_msg("event %d was not told", (int)kind);
    return NULL;
}

static void await(struct test *test, const struct client *client, zchat_event_kind kind,
                  size_t count) {
    LIVE_UNTIL(test->live, client_count(client, kind) >= count);
}

/* alice invites, bob accepts. */
static void open_chat(struct test *test) {
    struct answer started = {0};
    struct answer accepted = {0};
    size_t invited = client_count(test->bob, ZCHAT_EVENT_PRIVATE_INVITED);
    size_t open[2] = {client_count(test->alice, ZCHAT_EVENT_PRIVATE_OPEN),
                      client_count(test->bob, ZCHAT_EVENT_PRIVATE_OPEN)};
    assert_int_equal(zchat_private_start(test->alice->z, "bob", live_answer, &started), ZCHAT_OK);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_INVITED, invited + 1);
    assert_int_equal(zchat_private_accept(test->bob->z, "alice", live_answer, &accepted), ZCHAT_OK);
    live_expect(test->live, &started, ZCHAT_OK);
    live_expect(test->live, &accepted, ZCHAT_OK);
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_OPEN, open[0] + 1);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_OPEN, open[1] + 1);
}

static void send_line(struct test *test, struct client *from, const char *to, const char *text) {
    struct answer answer = {0};
    assert_int_equal(zchat_private_send(from->z, to, text, live_answer, &answer), ZCHAT_OK);
    live_expect(test->live, &answer, ZCHAT_OK);
}

static void lines_pass_both_ways(void **state) {
    struct test *test = *state;
    open_chat(test);
    assert_true(last(test->alice, ZCHAT_EVENT_PRIVATE_OPEN)->online);
    assert_int_equal(strlen(last(test->alice, ZCHAT_EVENT_PRIVATE_OPEN)->text), 39);
    assert_int_equal(zchat_private_count(test->alice->z), 1);
    assert_string_equal(zchat_private_user(test->bob->z, 0), "alice");
    send_line(test, test->alice, "bob", "one\033[31m");
    send_line(test, test->bob, "alice", "two");
    assert_string_equal(last(test->bob, ZCHAT_EVENT_PRIVATE_LINE)->text, "one");
    assert_string_equal(last(test->bob, ZCHAT_EVENT_PRIVATE_LINE)->user, "alice");
    assert_string_equal(last(test->alice, ZCHAT_EVENT_PRIVATE_LINE)->text, "two");
}

/* One thread of the process answers who may connect to any of them. */
static void two_handles_that_wait_for_a_peer_each_get_their_own(void **state) {
    struct test *test = *state;
    struct client *carol = live_client(test->live, "carol", ZCHAT_PUBLIC_NONE);
    struct answer started = {0};
    struct answer accepted = {0};
    open_chat(test);
    assert_int_equal(zchat_private_start(carol->z, "alice", live_answer, &started), ZCHAT_OK);
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_INVITED, 1);
    assert_int_equal(zchat_private_accept(test->alice->z, "carol", live_answer, &accepted),
                     ZCHAT_OK);
    await(test, carol, ZCHAT_EVENT_PRIVATE_OPEN, 1);
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_OPEN, 2);
    send_line(test, carol, "alice", "one");
    send_line(test, test->alice, "bob", "two");
    send_line(test, test->alice, "carol", "three");
    assert_string_equal(last(test->alice, ZCHAT_EVENT_PRIVATE_LINE)->user, "carol");
    assert_string_equal(last(test->bob, ZCHAT_EVENT_PRIVATE_LINE)->text, "two");
    assert_string_equal(last(carol, ZCHAT_EVENT_PRIVATE_LINE)->text, "three");
}

static void a_stop_is_told_and_a_new_chat_may_begin(void **state) {
    struct test *test = *state;
    struct answer stopped = {0};
    open_chat(test);
    assert_int_equal(zchat_private_stop(test->bob->z, "alice", live_answer, &stopped), ZCHAT_OK);
    live_expect(test->live, &stopped, ZCHAT_OK);
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_string_equal(last(test->alice, ZCHAT_EVENT_PRIVATE_CLOSED)->text,
                        "bob ended the private chat.");
    assert_int_equal(client_count(test->bob, ZCHAT_EVENT_PRIVATE_CLOSED), 1);
    assert_int_equal(zchat_private_send(test->alice->z, "bob", "x", NULL, NULL), ZCHAT_NOT_FOUND);
    assert_int_equal(client_count(test->alice, ZCHAT_EVENT_PRIVATE_BROKEN), 0);
    open_chat(test);
    assert_false(last(test->alice, ZCHAT_EVENT_PRIVATE_OPEN)->online);
}

static void start_fails(struct test *test, const char *user, zchat_code code, const char *text) {
    struct answer answer = {0};
    zchat_code at_once = zchat_private_start(test->alice->z, user, live_answer, &answer);
    if (at_once == ZCHAT_OK) {
        live_expect(test->live, &answer, code);
        if (!strstr(answer.text, text)) {
            fail_msg("\"%s\" lacks \"%s\"", answer.text, text);
        }
    } else {
        assert_int_equal(at_once, code);
        assert_non_null(strstr(zchat_error(test->alice->z), text));
    }
}

static void each_failure_has_its_own_text(void **state) {
    struct test *test = *state;
    struct answer blocked = {0}, unblocked = {0}, left = {0};
    start_fails(test, "nobody", ZCHAT_NOT_FOUND, "no user nobody");
    start_fails(test, "alice", ZCHAT_INVALID, "oneself");
    start_fails(test, "!", ZCHAT_INVALID, "no name");
    zchat_block(test->bob->z, "alice", live_answer, &blocked);
    live_expect(test->live, &blocked, ZCHAT_OK);
    start_fails(test, "bob", ZCHAT_FORBIDDEN, "blocked");
    zchat_unblock(test->bob->z, "alice", live_answer, &unblocked);
    live_expect(test->live, &unblocked, ZCHAT_OK);
    open_chat(test);
    start_fails(test, "bob", ZCHAT_CONFLICT, "open already");
    zchat_logout(test->bob->z, live_answer, &left);
    live_expect(test->live, &left, ZCHAT_OK);
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    start_fails(test, "bob", ZCHAT_FORBIDDEN, "not online");
}

static void an_invitation_is_declined_or_taken_back(void **state) {
    struct test *test = *state;
    struct answer started = {0};
    struct answer answer = {0};
    zchat_private_start(test->alice->z, "bob", live_answer, &started);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_INVITED, 1);
    assert_int_equal(zchat_private_decline(test->bob->z, "alice", live_answer, &answer), ZCHAT_OK);
    live_expect(test->live, &started, ZCHAT_FORBIDDEN);
    assert_string_equal(started.text, "bob declined.");
    live_expect(test->live, &answer, ZCHAT_OK);
    assert_int_equal(zchat_private_accept(test->bob->z, "alice", NULL, NULL), ZCHAT_NOT_FOUND);
    started = answer = (struct answer){0};
    zchat_private_start(test->alice->z, "bob", live_answer, &started);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_INVITED, 2);
    assert_int_equal(zchat_private_stop(test->alice->z, "bob", live_answer, &answer), ZCHAT_OK);
    live_expect(test->live, &started, ZCHAT_CANCELLED);
    live_expect(test->live, &answer, ZCHAT_OK);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_non_null(strstr(last(test->bob, ZCHAT_EVENT_PRIVATE_CLOSED)->text, "took"));
    open_chat(test);
}

static void two_who_invite_each_other_have_a_chat(void **state) {
    struct test *test = *state;
    struct answer hers = {0};
    struct answer his = {0};
    assert_int_equal(zchat_private_start(test->alice->z, "bob", live_answer, &hers), ZCHAT_OK);
    assert_int_equal(zchat_private_start(test->bob->z, "alice", live_answer, &his), ZCHAT_OK);
    live_expect(test->live, &hers, ZCHAT_OK);
    live_expect(test->live, &his, ZCHAT_OK);
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_OPEN, 1);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_OPEN, 1);
    send_line(test, test->alice, "bob", "one");
    send_line(test, test->bob, "alice", "two");
}

/* The second of bob's programs, in the same folder. */
static struct client *second_program(struct test *test, const char *user) {
    struct client *client = calloc(1, sizeof *client);
    assert_non_null(client);
    client->live = test->live;
    client->next = test->live->clients;
    test->live->clients = client;
    live_path(test->live, user, client->folder);
    client_login(client, user, ZCHAT_PUBLIC_NONE);
    return client;
}

static void cut_links(const struct test *test);

static void a_second_program_leaves_a_renewal_to_the_one_that_has_the_chat(void **state) {
    struct test *test = *state;
    open_chat(test);
    struct client *second = second_program(test, "bob");
    for (size_t i = 0; i < 3; i++) {
        cut_links(test);
        await(test, test->alice, ZCHAT_EVENT_PRIVATE_OPEN, i + 2);
        await(test, test->bob, ZCHAT_EVENT_PRIVATE_OPEN, i + 2);
    }
    send_line(test, test->alice, "bob", "one");
    assert_int_equal(client_count(test->alice, ZCHAT_EVENT_PRIVATE_CLOSED), 0);
    assert_int_equal(client_count(second, ZCHAT_EVENT_PRIVATE_INVITED), 0);
}

static void a_logout_and_a_block_end_the_chat(void **state) {
    struct test *test = *state;
    struct answer answer = {0};
    open_chat(test);
    zchat_block(test->bob->z, "alice", live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_non_null(strstr(last(test->alice, ZCHAT_EVENT_PRIVATE_CLOSED)->text, "block"));
    answer = (struct answer){0};
    zchat_unblock(test->bob->z, "alice", live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    open_chat(test);
    answer = (struct answer){0};
    zchat_logout(test->alice->z, live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_CLOSED, 2);
    assert_string_equal(last(test->bob, ZCHAT_EVENT_PRIVATE_CLOSED)->text, "alice logged out.");
    assert_int_equal(client_count(test->bob, ZCHAT_EVENT_PRIVATE_BROKEN), 0);
}

static void the_brokers_death_ends_no_chat(void **state) {
    struct test *test = *state;
    open_chat(test);
    live_kill(test->live);
    await(test, test->alice, ZCHAT_EVENT_LOST, 1);
    await(test, test->bob, ZCHAT_EVENT_LOST, 1);
    send_line(test, test->alice, "bob", "still here");
    send_line(test, test->bob, "alice", "me too");
    live_start(test->live);
    await(test, test->alice, ZCHAT_EVENT_RESUMED, 1);
    await(test, test->bob, ZCHAT_EVENT_RESUMED, 1);
    send_line(test, test->alice, "bob", "and after");
    struct answer answer = {0};
    zchat_block(test->bob->z, "alice", live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
}

/* ---- broken links ---- */

static int port_of(const struct sockaddr_storage *at) {
    return ntohs(at->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)at)->sin6_port
                                           : ((const struct sockaddr_in *)at)->sin_port);
}

static bool is_link(const struct test *test, int fd) {
    struct sockaddr_storage own;
    struct sockaddr_storage far;
    socklen_t own_bytes = sizeof own;
    socklen_t far_bytes = sizeof far;
    return getsockname(fd, (struct sockaddr *)&own, &own_bytes) == 0 &&
           (own.ss_family == AF_INET || own.ss_family == AF_INET6) &&
           getpeername(fd, (struct sockaddr *)&far, &far_bytes) == 0 &&
           (port_of(&far) < test->live->port || port_of(&far) > test->live->port + 2);
}

/* Cuts what does not lead to the broker: all links between peers. */
static void cut_links(const struct test *test) {
    size_t cut = 0;
    for (int fd = 3; fd < 256; fd++) {
        if (is_link(test, fd)) {
            shutdown(fd, SHUT_RDWR);
            cut++;
        }
    }
    assert_true(cut > 0);
}

#define LINES 1000

struct sent {
    size_t delivered;
    size_t refused;
};

static void count_line(void *arg, const zchat_reply *reply) {
    struct sent *sent = arg;
    if (reply->code == ZCHAT_OK) {
        assert_int_equal(sent->refused, 0);
        sent->delivered++;
    } else {
        assert_true(reply->code == ZCHAT_UNREACHABLE || reply->code == ZCHAT_UNKNOWN);
        sent->refused++;
    }
}

/* It heard that many lines, each once, in order. */
static void has_lines(const struct client *client, size_t count) {
    size_t next = 0;
    for (size_t i = 0; i < client->heard_count; i++) {
        if (client->heard[i].kind == ZCHAT_EVENT_PRIVATE_LINE) {
            char text[32];
            snprintf(text, sizeof text, "line %zu", next++);
            assert_string_equal(client->heard[i].text, text);
        }
    }
    assert_int_equal(next, count);
}

static void send_lines(struct client *from, const char *to, size_t first, size_t count,
                       struct sent *sent) {
    for (size_t i = first; i < first + count; i++) {
        char text[32];
        snprintf(text, sizeof text, "line %zu", i);
        assert_int_equal(zchat_private_send(from->z, to, text, count_line, sent), ZCHAT_OK);
    }
}

static void a_cut_link_is_made_anew_and_nothing_is_lost_or_doubled(void **state) {
    struct test *test = *state;
    struct sent sent[2] = {{0}, {0}};
    open_chat(test);
    for (size_t i = 0; i < 4; i++) {
        send_lines(test->alice, "bob", i * LINES, LINES, &sent[0]);
        send_lines(test->bob, "alice", i * LINES, LINES, &sent[1]);
        LIVE_UNTIL(test->live, sent[0].delivered > i * LINES && sent[1].delivered > i * LINES);
        cut_links(test);
        await(test, test->alice, ZCHAT_EVENT_PRIVATE_OPEN, i + 2);
        await(test, test->bob, ZCHAT_EVENT_PRIVATE_OPEN, i + 2);
    }
    LIVE_UNTIL(test->live, sent[0].delivered == 4 * LINES && sent[1].delivered == 4 * LINES);
    has_lines(test->bob, 4 * LINES);
    has_lines(test->alice, 4 * LINES);
    assert_int_equal(client_count(test->alice, ZCHAT_EVENT_PRIVATE_BROKEN), 4);
    assert_int_equal(client_count(test->bob, ZCHAT_EVENT_PRIVATE_BROKEN), 4);
    assert_int_equal(client_count(test->bob, ZCHAT_EVENT_PRIVATE_INVITED), 1);
}

static void lines_of_a_chat_that_ends_are_told_undelivered(void **state) {
    struct test *test = *state;
    struct sent sent = {0};
    open_chat(test);
    send_lines(test->alice, "bob", 0, LINES, &sent);
    LIVE_UNTIL(test->live, sent.delivered > 0);
    send_lines(test->alice, "bob", LINES, LINES, &sent);
    client_drop(test->bob);
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_string_equal(last(test->alice, ZCHAT_EVENT_PRIVATE_CLOSED)->text, "bob left.");
    assert_int_equal(sent.delivered + sent.refused, 2 * LINES);
    assert_true(sent.refused > 0);
    assert_int_equal(client_count(test->bob, ZCHAT_EVENT_PRIVATE_LINE), sent.delivered);
}

static void a_link_that_breaks_while_the_broker_is_away_waits_for_it(void **state) {
    struct test *test = *state;
    struct sent sent = {0};
    open_chat(test);
    live_kill(test->live);
    await(test, test->alice, ZCHAT_EVENT_LOST, 1);
    cut_links(test);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_BROKEN, 1);
    send_lines(test->alice, "bob", 0, 10, &sent);
    live_start(test->live);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_OPEN, 2);
    LIVE_UNTIL(test->live, sent.delivered == 10);
    has_lines(test->bob, 10);
}

/* ---- another process ---- */

/* A new user in a process of his own, who accepts whatever alice asks. */
static pid_t start_dave(struct test *test) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0) {
        return child;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    test->live->clients = NULL;
    struct client *dave = live_client(test->live, "dave", ZCHAT_PUBLIC_NONE);
    for (size_t asked = 0;;) {
        if (client_count(dave, ZCHAT_EVENT_PRIVATE_INVITED) > asked) {
            asked++;
            zchat_private_accept(dave->z, "alice", NULL, NULL);
        }
        live_step(test->live);
    }
}

static void end_dave(pid_t dave) {
    kill(dave, SIGKILL);
    assert_int_equal(waitpid(dave, NULL, 0), dave);
}

/* He may still be on his way to the broker. */
static void open_with_dave(struct test *test) {
    struct answer started = {.code = ZCHAT_BUSY};
    while (started.code != ZCHAT_OK) {
        started = (struct answer){0};
        assert_int_equal(zchat_private_start(test->alice->z, "dave", live_answer, &started),
                         ZCHAT_OK);
        LIVE_UNTIL(test->live, started.done);
        live_step(test->live);
    }
}

static void a_silent_link_is_noticed_and_made_anew(void **state) {
    struct test *test = *state;
    struct sent sent = {0};
    pid_t dave = start_dave(test);
    open_with_dave(test);
    kill(dave, SIGSTOP);
    time_t stopped = time(NULL);
    send_lines(test->alice, "dave", 0, 100, &sent);
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_BROKEN, 1);
    assert_true(time(NULL) - stopped <= 15);
    kill(dave, SIGCONT);
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_OPEN, 2);
    LIVE_UNTIL(test->live, sent.delivered == 100);
    end_dave(dave);
}

static void a_program_that_was_restarted_knows_the_chat_no_longer(void **state) {
    struct test *test = *state;
    struct sent sent = {0};
    pid_t dave = start_dave(test);
    open_with_dave(test);
    send_lines(test->alice, "dave", 0, LINES, &sent);
    LIVE_UNTIL(test->live, sent.delivered > 0);
    end_dave(dave);
    send_lines(test->alice, "dave", LINES, LINES, &sent);
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_BROKEN, 1);
    const struct client *again = second_program(test, "dave");
    await(test, test->alice, ZCHAT_EVENT_PRIVATE_CLOSED, 1);
    assert_string_equal(last(test->alice, ZCHAT_EVENT_PRIVATE_CLOSED)->text,
                        "dave's program no longer knows the chat.");
    assert_int_equal(client_count(again, ZCHAT_EVENT_PRIVATE_INVITED), 0);
    assert_int_equal(sent.delivered + sent.refused, 2 * LINES);
}

/* ---- keys and addresses ---- */

static void pin(const struct test *test, const struct client *client, const char *user,
                const char *key) {
    char path[512];
    snprintf(path, sizeof path, "%s/known_peers", client->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%s@%s %s\n", user, test->live->address, key);
    fclose(file);
}

static void another_key_than_the_pinned_one_is_refused(void **state) {
    struct test *test = *state;
    struct answer started = {0};
    pin(test, test->alice, "bob", zchat_device_key(test->alice->z));
    zchat_private_start(test->alice->z, "bob", live_answer, &started);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_INVITED, 1);
    zchat_private_accept(test->bob->z, "alice", NULL, NULL);
    live_expect(test->live, &started, ZCHAT_WRONG_KEY);
    assert_non_null(strstr(started.text, "known_peers"));
    assert_non_null(strstr(started.text, "line of bob@127.0.0.1:"));
    started = (struct answer){0};
    pin(test, test->bob, "alice", zchat_device_key(test->bob->z));
    zchat_private_stop(test->bob->z, "alice", NULL, NULL);
    live_step(test->live);
    zchat_private_start(test->alice->z, "bob", live_answer, &started);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_INVITED, 2);
    assert_int_equal(zchat_private_accept(test->bob->z, "alice", NULL, NULL), ZCHAT_WRONG_KEY);
    assert_non_null(strstr(zchat_error(test->bob->z), "was pinned"));
    live_expect(test->live, &started, ZCHAT_FORBIDDEN);
    assert_non_null(strstr(started.text, "bob accepted, but their program could not"));
}

static void a_link_that_cant_be_made_names_both_addresses(void **state) {
    struct test *test = *state;
    struct answer started = {0};
    struct answer accepted = {0};
    test->live->private_address = "255.255.255.255"; /* to which there never is a way */
    struct client *carol = live_client(test->live, "carol", ZCHAT_PUBLIC_NONE);
    zchat_private_start(test->alice->z, "carol", live_answer, &started);
    await(test, carol, ZCHAT_EVENT_PRIVATE_INVITED, 1);
    assert_int_equal(zchat_private_accept(carol->z, "alice", live_answer, &accepted), ZCHAT_OK);
    live_expect(test->live, &started, ZCHAT_UNREACHABLE);
    assert_non_null(strstr(started.text, "tcp://255.255.255.255:"));
    assert_non_null(strstr(started.text, "from here (127.0.0.1)"));
    live_expect(test->live, &accepted, ZCHAT_UNREACHABLE);
    assert_non_null(strstr(accepted.text, "255.255.255.255"));
}

/* ---- files ---- */

#define CHUNK (256 * 1024)
#define MIB   (1024 * 1024)

static void make_file(const struct test *test, const char *name, size_t bytes, char path[256]) {
    static unsigned char block[CHUNK];
    uint64_t x = bytes * 2 + 1;
    live_path(test->live, name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    while (bytes > 0) {
        size_t count = bytes < sizeof block ? bytes : sizeof block;
        for (size_t i = 0; i < count; i++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            block[i] = (unsigned char)(x >> 56);
        }
        assert_int_equal(fwrite(block, 1, count, file), count);
        bytes -= count;
    }
    assert_int_equal(fclose(file), 0);
}

static void same_files(const char *a, const char *b) {
    char command[600];
    snprintf(command, sizeof command, "cmp -- '%s' '%s'", a, b);
    assert_int_equal(system(command), 0);
}

static void offer(struct test *test, const char *path, struct answer *answer) {
    size_t offered = client_count(test->bob, ZCHAT_EVENT_PRIVATE_OFFERED);
    *answer = (struct answer){0};
    assert_int_equal(
        zchat_private_file(test->alice->z, "bob", path, live_progress, live_answer, answer),
        ZCHAT_OK);
    await(test, test->bob, ZCHAT_EVENT_PRIVATE_OFFERED, offered + 1);
}

static zchat_code take(struct test *test, const char *path, bool force, struct answer *answer) {
    zchat_id id = last(test->bob, ZCHAT_EVENT_PRIVATE_OFFERED)->id;
    *answer = (struct answer){0};
    return zchat_private_file_answer(test->bob->z, "alice", &id, path, force, live_progress,
                                     live_answer, answer);
}

static void files_of_every_size_arrive_the_same(void **state) {
    struct test *test = *state;
    const size_t sizes[] = {0, 1, CHUNK, CHUNK + 1, 9 * CHUNK + 7};
    open_chat(test);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char path[256];
        char target[256];
        char name[32];
        struct answer sent;
        struct answer taken;
        snprintf(name, sizeof name, "f%zu", i);
        make_file(test, name, sizes[i], path);
        live_path(test->live, "taken", target);
        unlink(target);
        offer(test, path, &sent);
        assert_int_equal(take(test, target, false, &taken), ZCHAT_OK);
        live_expect(test->live, &sent, ZCHAT_OK);
        live_expect(test->live, &taken, ZCHAT_OK);
        assert_string_equal(taken.file, name);
        assert_int_equal(taken.size, sizes[i]);
        assert_int_equal(sent.progress_last, sizes[i]);
        same_files(path, target);
    }
    assert_int_equal(zchat_pending(test->alice->z), 0);
    assert_int_equal(zchat_pending(test->bob->z), 0);
}

static void a_file_is_refused_or_given_up(void **state) {
    struct test *test = *state;
    char path[256];
    char target[256];
    struct answer sent;
    struct answer taken;
    open_chat(test);
    make_file(test, "f", 32 * MIB, path);
    live_path(test->live, "taken", target);
    offer(test, path, &sent);
    assert_int_equal(take(test, path, false, &taken), ZCHAT_CONFLICT);
    assert_int_equal(take(test, NULL, false, &taken), ZCHAT_OK);
    live_expect(test->live, &taken, ZCHAT_OK);
    live_expect(test->live, &sent, ZCHAT_FORBIDDEN);
    assert_string_equal(sent.text, "bob does not want f.");
    assert_int_equal(take(test, target, false, &taken), ZCHAT_NOT_FOUND);
    offer(test, path, &sent);
    assert_int_equal(take(test, target, false, &taken), ZCHAT_OK);
    LIVE_UNTIL(test->live, taken.progress_last > MIB);
    zchat_file_cancel(test->alice->z, &sent);
    live_expect(test->live, &sent, ZCHAT_CANCELLED);
    live_expect(test->live, &taken, ZCHAT_UNREACHABLE);
    assert_int_not_equal(access(target, F_OK), 0);
}

static void a_file_goes_on_over_broken_links_and_chats(void **state) {
    struct test *test = *state;
    char path[256];
    char target[256];
    struct answer sent;
    struct answer taken;
    open_chat(test);
    make_file(test, "f", 64 * MIB, path);
    live_path(test->live, "taken", target);
    offer(test, path, &sent);
    assert_int_equal(take(test, target, false, &taken), ZCHAT_OK);
    LIVE_UNTIL(test->live, taken.progress_last > 8 * MIB);
    cut_links(test);
    LIVE_UNTIL(test->live, taken.progress_last > 24 * MIB);
    assert_int_equal(client_count(test->bob, ZCHAT_EVENT_PRIVATE_OFFERED), 1);
    assert_int_equal(zchat_private_stop(test->bob->z, "alice", NULL, NULL), ZCHAT_OK);
    live_expect(test->live, &sent, ZCHAT_UNREACHABLE);
    live_expect(test->live, &taken, ZCHAT_UNREACHABLE);
    open_chat(test);
    offer(test, path, &sent);
    assert_int_equal(take(test, target, false, &taken), ZCHAT_OK);
    live_expect(test->live, &taken, ZCHAT_OK);
    live_expect(test->live, &sent, ZCHAT_OK);
    assert_true(taken.progress_first > 24 * MIB);
    same_files(path, target);
}

static void append_to(const char *path, size_t bytes) {
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    for (size_t i = 0; i < bytes; i++) {
        putc('x', file);
    }
    assert_int_equal(fclose(file), 0);
}

static void a_file_that_changes_while_it_is_sent_is_told_on_both_sides(void **state) {
    struct test *test = *state;
    char path[256];
    char target[256];
    char part[600];
    struct answer sent;
    struct answer taken;
    open_chat(test);
    live_path(test->live, "taken", target);
    for (int grows = 0; grows < 2; grows++) {
        make_file(test, "f", 32 * MIB, path);
        offer(test, path, &sent);
        assert_int_equal(take(test, target, false, &taken), ZCHAT_OK);
        LIVE_UNTIL(test->live, taken.progress_last > MIB);
        if (grows) {
            append_to(path, 1);
        } else {
            assert_int_equal(truncate(path, 2 * MIB), 0);
        }
        live_expect(test->live, &sent, ZCHAT_IO);
        assert_non_null(strstr(sent.text, "changed while it was sent"));
        live_expect(test->live, &taken, ZCHAT_UNREACHABLE);
        assert_int_not_equal(access(target, F_OK), 0);
        snprintf(part, sizeof part, "! ls -A '%s'/.taken.part-* 2> /dev/null", test->live->folder);
        assert_int_equal(system(part), 0);
    }
}

static void a_file_that_does_not_end_where_its_size_says_is_not_sent(void **state) {
    struct test *test = *state;
    struct answer sent = {0};
    open_chat(test);
    assert_int_equal(
        zchat_private_file(test->alice->z, "bob", "/proc/self/status", NULL, live_answer, &sent),
        ZCHAT_IO);
    assert_non_null(strstr(zchat_error(test->alice->z), "that it says it has"));
    assert_int_equal(client_count(test->bob, ZCHAT_EVENT_PRIVATE_OFFERED), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(lines_pass_both_ways),
        TEST(two_handles_that_wait_for_a_peer_each_get_their_own),
        TEST(a_stop_is_told_and_a_new_chat_may_begin),
        TEST(each_failure_has_its_own_text),
        TEST(an_invitation_is_declined_or_taken_back),
        TEST(two_who_invite_each_other_have_a_chat),
        TEST(a_second_program_leaves_a_renewal_to_the_one_that_has_the_chat),
        TEST(a_logout_and_a_block_end_the_chat),
        TEST(the_brokers_death_ends_no_chat),
        TEST(a_cut_link_is_made_anew_and_nothing_is_lost_or_doubled),
        TEST(lines_of_a_chat_that_ends_are_told_undelivered),
        TEST(a_link_that_breaks_while_the_broker_is_away_waits_for_it),
        TEST(a_silent_link_is_noticed_and_made_anew),
        TEST(a_program_that_was_restarted_knows_the_chat_no_longer),
        TEST(another_key_than_the_pinned_one_is_refused),
        TEST(a_link_that_cant_be_made_names_both_addresses),
        TEST(files_of_every_size_arrive_the_same),
        TEST(a_file_is_refused_or_given_up),
        TEST(a_file_goes_on_over_broken_links_and_chats),
        TEST(a_file_that_changes_while_it_is_sent_is_told_on_both_sides),
        TEST(a_file_that_does_not_end_where_its_size_says_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
