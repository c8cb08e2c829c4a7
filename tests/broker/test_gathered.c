/* What is gathered of public events, through the core: frames go in, frames come out, and no time
 * passes but what a test says. */
#include "core.h"
#include "fixture.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

#define WATCHER 1 /* accounts, in the order in which they are made */
#define VISITS  (GATHERED_MAX + 100)

struct told {
    struct peer *peer;
    size_t presence, heads, broadcasts, frames;
    uint64_t last;           /* number of the last presence event, */
    uint64_t last_broadcast; /* and of the last broadcast; 0: none, or hidden from some */
    bool is_ordered; /* each follows the one before it, but for what is missing at the start */
};

/* What was published, as far as there is room: a letter for each event, a space behind each frame.
 */
#define PUBLISHED_MAX 64

struct town {
    struct fixture *fixture;
    struct core *core;
    struct wire_arena *arena;
    struct told watcher, plain; /* with public events; without */
    char published[PUBLISHED_MAX];
    size_t published_count;   /* events, all of them */
    size_t published_longest; /* bytes of a frame */
    uint64_t request;
    int64_t now_us;
};

static void command(struct town *town, struct peer *peer, Zchat__V1__Command *command) {
    Zchat__V1__CommandBatch batch = ZCHAT__V1__COMMAND_BATCH__INIT;
    static uint8_t frame[32 * 1024];

    command->request = ++town->request;
    batch.commands = &command;
    batch.n_commands = 1;
    assert_true(wire_size(&batch.base) <= sizeof frame);
    core_frame(town->core, peer, frame, wire_pack(&batch.base, frame), town->now_us);
}

static void login(struct town *town, struct peer *peer, const char *user, bool public_events) {
    Zchat__V1__Command envelope = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__LoginRequest body = ZCHAT__V1__LOGIN_REQUEST__INIT;

    body.protocol = PROTOCOL_VERSION;
    body.user = (char *)user;
    body.online = true;
    body.public_events = public_events;
    envelope.body_case = ZCHAT__V1__COMMAND__BODY_LOGIN;
    envelope.login = &body;
    command(town, peer, &envelope);
}

static void logout(struct town *town, struct peer *peer) {
    Zchat__V1__Command envelope = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__LogoutRequest body = ZCHAT__V1__LOGOUT_REQUEST__INIT;

    envelope.body_case = ZCHAT__V1__COMMAND__BODY_LOGOUT;
    envelope.logout = &body;
    command(town, peer, &envelope);
}

static void broadcast(struct town *town, struct peer *peer, const char *text) {
    Zchat__V1__Command envelope = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__BroadcastRequest body = ZCHAT__V1__BROADCAST_REQUEST__INIT;
    uint8_t id[ID_BYTES] = {0, 0, 0, 0, 0, 0, 0x70, 0, 0x80};

    memcpy(id + ID_BYTES - sizeof(uint32_t), &town->request, sizeof(uint32_t));
    body.id = (ProtobufCBinaryData){sizeof id, id};
    body.text = (char *)text;
    envelope.body_case = ZCHAT__V1__COMMAND__BODY_BROADCAST;
    envelope.broadcast = &body;
    command(town, peer, &envelope);
}

static void ping(struct town *town, struct peer *peer) {
    Zchat__V1__Command envelope = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__PingRequest body = ZCHAT__V1__PING_REQUEST__INIT;

    envelope.body_case = ZCHAT__V1__COMMAND__BODY_PING;
    envelope.ping = &body;
    command(town, peer, &envelope);
}

static void take_broadcast(struct told *told, const Zchat__V1__ServerEvent *event) {
    told->is_ordered =
        told->is_ordered && (told->last_broadcast == 0 || event->seq == told->last_broadcast + 1);
    told->last_broadcast = event->seq;
    told->broadcasts++;
}

static void take_event(struct told *told, const Zchat__V1__ServerEvent *event) {
    told->heads += event->body_case == ZCHAT__V1__SERVER_EVENT__BODY_HEADS;
    if (event->body_case == ZCHAT__V1__SERVER_EVENT__BODY_BROADCAST)
        take_broadcast(told, event);
    if (event->body_case != ZCHAT__V1__SERVER_EVENT__BODY_PRESENCE)
        return;
    told->is_ordered = told->is_ordered && (told->presence == 0 || event->seq == told->last + 1);
    told->last = event->seq;
    told->presence++;
}

static void take_published(struct town *town, const struct core_frame *frame) {
    size_t at = strlen(town->published);
    Zchat__V1__Publication *publication;

    wire_arena_reset(town->arena);
    assert_int_equal(wire_read_publication(town->arena, frame->bytes, frame->length, &publication),
                     WIRE_FINE);
    town->published_count += publication->n_events;
    if (frame->length > town->published_longest)
        town->published_longest = frame->length;
    if (publication->n_events == 0 || at + publication->n_events + 2 > PUBLISHED_MAX)
        return;
    for (size_t i = 0; i < publication->n_events; i++)
        town->published[at++] =
            publication->events[i]->body_case == ZCHAT__V1__SERVER_EVENT__BODY_PRESENCE ? 'P' : 'B';
    town->published[at++] = ' ';
    town->published[at] = '\0';
}

static void take(struct town *town, const struct core_frame *frame) {
    struct told *told = frame->peer == town->watcher.peer ? &town->watcher
                        : frame->peer == town->plain.peer ? &town->plain
                                                          : NULL;
    Zchat__V1__ServerBatch *batch;

    if (!frame->peer)
        take_published(town, frame);
    if (!told)
        return;
    wire_arena_reset(town->arena);
    assert_int_equal(wire_read_server(town->arena, frame->bytes, frame->length, &batch), WIRE_FINE);
    told->frames += batch->n_events > 0;
    for (size_t i = 0; i < batch->n_events; i++)
        take_event(told, batch->events[i]);
}

static void turn(struct town *town) {
    struct core_frame frame;

    assert_true(core_commit(town->core));
    while (core_next_frame(town->core, &frame)) {
        take(town, &frame);
        free(frame.bytes);
    }
}

static struct peer *peer_of(struct town *town, unsigned char number) {
    unsigned char key[KEY_BYTES] = {number};

    return core_peer_open(town->core, key, "10.0.0.1", NULL, 1000000);
}

static void account(struct town *town, const char *name, unsigned char number) {
    unsigned char key[KEY_BYTES] = {number};
    int64_t account;

    fixture_begin(town->fixture);
    assert_ok(store_account_add(town->fixture->store, name, NULL, false, key, "x", 1, &account));
    fixture_commit(town->fixture);
}

/* A clock by which each look takes so long. */
static int64_t look_us;

static int64_t clock_us(void) {
    static int64_t now_us;

    return now_us += look_us;
}

static int setup(void **state) {
    const struct core_options options = {.sessions_per_user = 4,
                                         .password_workers = 1,
                                         .admin_password = "",
                                         .software = "test",
                                         .clock_us = clock_us};
    struct town *town = calloc(1, sizeof *town);

    town->now_us = 1000000;
    town->fixture = fixture_in_memory(1);
    town->arena = wire_arena_new(DECODE_BYTES_MAX);
    fixture_open(town->fixture);
    account(town, "watcher", 1);
    account(town, "plain", 2);
    account(town, "visitor", 3);
    town->core = core_new(town->fixture->store, &options, 1000000);
    core_set_wall(town->core, 0);
    town->watcher = (struct told){.peer = peer_of(town, 1), .is_ordered = true};
    town->plain = (struct told){.peer = peer_of(town, 2), .is_ordered = true};
    login(town, town->watcher.peer, "watcher", true);
    login(town, town->plain.peer, "plain", false);
    turn(town);
    *state = town;
    return 0;
}

static int teardown(void **state) {
    struct town *town = *state;

    core_free(town->core);
    wire_arena_free(town->arena);
    fixture_free(town->fixture);
    free(town);
    return 0;
}

/* Each visit is two events; no tick comes in between. */
static void visits(struct town *town, size_t count) {
    struct peer *visitor = peer_of(town, 3);

    for (size_t i = 0; i < count; i++) {
        login(town, visitor, "visitor", false);
        logout(town, visitor);
        turn(town);
    }
}

static void tick(struct town *town, int64_t now_us) {
    core_tick(town->core, now_us);
    turn(town);
}

static void what_fits_is_told_whole_and_in_order(void **state) {
    struct town *town = *state;
    size_t before;

    tick(town, 1000000 + GATHER_US);
    before = town->watcher.presence;
    visits(town, 100);
    tick(town, 1000000 + 2 * GATHER_US);
    assert_int_equal(town->watcher.presence, before + 200);
    assert_true(town->watcher.is_ordered);
    assert_int_equal(town->plain.presence, 0);
}

/* What libzmq writes to a connection at once; around what is encrypted ZMTP has 9 bytes, CURVE 33.
 */
#define LIBZMQ_BATCH_BYTES 8192
#define CURVE_BYTES        (9 + 33)

static void libzmq_need_not_hold_a_publication_for_each_subscriber(void **state) {
    struct town *town = *state;

    for (size_t i = 0; i < PUBLICATION_CROWD; i++)
        peer_of(town, 4);
    visits(town, GATHERED_MAX / 2 - 10);
    tick(town, 1000000 + 2 * GATHER_US);
    assert_true(town->published_count >= GATHERED_MAX - 20);
    assert_true(town->published_longest > LIBZMQ_BATCH_BYTES / 2);
    assert_true(town->published_longest + CURVE_BYTES <= LIBZMQ_BATCH_BYTES);
}

/* The oldest go; who has missed them is told the head, so that a hole shows. */
static void a_crowd_beyond_the_bound_costs_the_oldest_only(void **state) {
    struct town *town = *state;

    visits(town, VISITS);
    tick(town, 1000000 + GATHER_US);
    tick(town, 1000000 + 2 * GATHER_US);
    assert_in_range(town->watcher.presence, GATHERED_MAX / 2, GATHERED_MAX);
    assert_true(town->watcher.is_ordered);
    assert_true(town->watcher.heads > 0);
    assert_int_equal(town->plain.presence, 0);
}

static void who_asked_for_no_public_events_gets_none_beyond_the_bound(void **state) {
    struct town *town = *state;
    int64_t blocked;

    fixture_begin(town->fixture);
    assert_ok(store_block_add(town->fixture->store, WATCHER, "visitor", 1, &blocked));
    fixture_commit(town->fixture);
    visits(town, 1); /* hidden from the watcher alone */
    fixture_begin(town->fixture);
    assert_ok(store_block_remove(town->fixture->store, WATCHER, "visitor"));
    fixture_commit(town->fixture);
    visits(town, VISITS); /* and public */
    tick(town, 1000000 + GATHER_US);
    assert_in_range(town->plain.presence, 0, 2);
    assert_int_equal(town->plain.last, 0);
}

/* ---- broadcasts ---- */

/* A turn as the broker has it: commands, a tick where one is due, what is sent. */
static void go(struct town *town, int64_t after_us) {
    town->now_us += after_us;
    if (town->now_us >= core_deadline(town->core))
        core_tick(town->core, town->now_us);
    turn(town);
}

/* All was told long ago; nothing of it counts. */
static void begin(struct town *town) {
    go(town, 10 * GATHER_US);
    go(town, 10 * GATHER_US);
    town->watcher = (struct told){.peer = town->watcher.peer, .is_ordered = true};
    town->plain = (struct told){.peer = town->plain.peer, .is_ordered = true};
    town->published[0] = '\0';
}

static void a_broadcast_after_silence_is_told_in_its_own_turn(void **state) {
    struct town *town = *state;

    begin(town);
    for (size_t i = 1; i <= 3; i++) {
        broadcast(town, town->plain.peer, "hello");
        go(town, 0);
        assert_int_equal(town->watcher.broadcasts, i);
        go(town, BROADCAST_US_MAX);
    }
    assert_string_equal(town->published, "B B B ");
}

static void broadcasts_close_behind_one_are_told_together(void **state) {
    struct town *town = *state;

    begin(town);
    for (size_t i = 0; i < 6; i++) {
        broadcast(town, town->plain.peer, "hello");
        go(town, 0);
    }
    assert_int_equal(town->watcher.broadcasts, 1);
    assert_true(core_deadline(town->core) <= town->now_us + 2 * BROADCAST_HEARER_US);
    go(town, 2 * BROADCAST_HEARER_US);
    assert_int_equal(town->watcher.broadcasts, 6);
    assert_int_equal(town->watcher.frames, 2);
    assert_true(town->watcher.is_ordered);
    assert_string_equal(town->published, "B BBBBB ");
    assert_int_equal(town->plain.broadcasts, 0);
}

static void an_answer_comes_behind_the_broadcasts_before_it(void **state) {
    struct town *town = *state;

    begin(town);
    for (size_t i = 0; i < 3; i++)
        broadcast(town, town->plain.peer, "hello");
    ping(town, town->watcher.peer);
    turn(town);
    assert_int_equal(town->watcher.broadcasts, 3);
    assert_int_equal(town->watcher.frames, 1);
    go(town, BROADCAST_US_MAX);
    assert_int_equal(town->watcher.broadcasts, 3);
}

static void more_broadcasts_than_may_wait_are_all_told(void **state) {
    struct town *town = *state;

    begin(town);
    for (size_t i = 0; i < 3 * GATHERED_MAX; i++) /* in one turn */
        broadcast(town, town->plain.peer, "hello");
    go(town, BROADCAST_US_MAX);
    assert_int_equal(town->watcher.broadcasts, 3 * GATHERED_MAX);
    assert_true(town->watcher.is_ordered);
    assert_int_equal(town->watcher.heads, 0);
}

/* What long texts cost is their bytes: nothing is won by waiting. */
static void long_broadcasts_do_not_wait(void **state) {
    static char text[TEXT_BYTES_MAX + 1];
    struct town *town = *state;

    begin(town);
    memset(text, 'x', sizeof text - 1);
    for (size_t i = 1; i <= 8; i++) {
        broadcast(town, town->plain.peer, text);
        go(town, 0);
        assert_int_equal(town->watcher.broadcasts, i);
    }
}

static void what_is_to_be_told_goes_on_in_turns_without_room(void **state) {
    struct town *town = *state;

    begin(town);
    broadcast(town, town->plain.peer, "hello");
    login(town, peer_of(town, 3), "visitor", false);
    look_us = TURN_US;
    go(town, 0);
    look_us = 0;
    assert_int_equal(town->watcher.broadcasts, 1);
    assert_int_equal(town->watcher.presence, 1);
}

/* Who leaves right behind their words has not left before them. */
static void what_is_published_keeps_its_order_over_topics(void **state) {
    struct town *town = *state;
    struct peer *visitor = peer_of(town, 3);

    begin(town);
    broadcast(town, town->plain.peer, "hello");
    go(town, 0);
    login(town, visitor, "visitor", false);
    broadcast(town, visitor, "here I am");
    logout(town, visitor);
    broadcast(town, town->plain.peer, "bye");
    broadcast(town, town->plain.peer, "bye");
    go(town, BROADCAST_US_MAX);
    assert_string_equal(town->published, "B P B P BB ");
    assert_int_equal(town->watcher.presence, 2);
    assert_int_equal(town->watcher.broadcasts, 4);
    assert_int_equal(town->watcher.frames, 2);
}

/* A broadcast does not make those wait who come behind it. */
static void a_broadcast_is_no_presence(void **state) {
    struct town *town = *state;

    begin(town);
    broadcast(town, town->plain.peer, "hello");
    go(town, 0);
    login(town, peer_of(town, 3), "visitor", false);
    go(town, 0);
    assert_int_equal(town->watcher.presence, 1);
}

static void a_broadcast_that_some_may_not_hear_waits_as_well(void **state) {
    struct town *town = *state;
    struct peer *visitor = peer_of(town, 3);
    int64_t blocked;

    fixture_begin(town->fixture);
    assert_ok(store_block_add(town->fixture->store, WATCHER, "visitor", 1, &blocked));
    fixture_commit(town->fixture);
    login(town, visitor, "visitor", false);
    begin(town);
    for (size_t i = 0; i < 4; i++) {
        broadcast(town, visitor, "hello");
        go(town, 0);
    }
    assert_int_equal(town->plain.broadcasts, 1);
    go(town, BROADCAST_US_MAX);
    assert_int_equal(town->plain.broadcasts, 4);
    assert_int_equal(town->plain.frames, 2);
    assert_int_equal(town->plain.last_broadcast, 0);
    assert_int_equal(town->watcher.broadcasts, 0);
    assert_string_equal(town->published, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_fits_is_told_whole_and_in_order),
        TEST(libzmq_need_not_hold_a_publication_for_each_subscriber),
        TEST(a_crowd_beyond_the_bound_costs_the_oldest_only),
        TEST(who_asked_for_no_public_events_gets_none_beyond_the_bound),
        TEST(a_broadcast_after_silence_is_told_in_its_own_turn),
        TEST(broadcasts_close_behind_one_are_told_together),
        TEST(an_answer_comes_behind_the_broadcasts_before_it),
        TEST(more_broadcasts_than_may_wait_are_all_told),
        TEST(long_broadcasts_do_not_wait),
        TEST(what_is_to_be_told_goes_on_in_turns_without_room),
        TEST(what_is_published_keeps_its_order_over_topics),
        TEST(a_broadcast_is_no_presence),
        TEST(a_broadcast_that_some_may_not_hear_waits_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
