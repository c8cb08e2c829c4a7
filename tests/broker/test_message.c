/* Messages through the core: frames go in, frames come out. */
#include "core.h"
#include "fixture.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

struct town {
    struct fixture *fixture;
    struct core *core;
    struct peer *sender, *recipient;
    uint64_t request;
};

static void command(struct town *town, struct peer *peer, Zchat__V1__Command *command) {
    Zchat__V1__CommandBatch batch = ZCHAT__V1__COMMAND_BATCH__INIT;
    uint8_t frame[1024];

    command->request = ++town->request;
    batch.commands = &command;
    batch.n_commands = 1;
    assert_true(wire_size(&batch.base) <= sizeof frame);
    core_frame(town->core, peer, frame, wire_pack(&batch.base, frame), 1000000);
}

static void login(struct town *town, struct peer *peer, const char *user) {
    Zchat__V1__Command envelope = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__LoginRequest body = ZCHAT__V1__LOGIN_REQUEST__INIT;

    body.protocol = PROTOCOL_VERSION;
    body.user = (char *)user;
    body.online = body.inbox = true;
    envelope.body_case = ZCHAT__V1__COMMAND__BODY_LOGIN;
    envelope.login = &body;
    command(town, peer, &envelope);
}

static void send(struct town *town, const char *to, const char *text) {
    Zchat__V1__Command envelope = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__SendMessageRequest body = ZCHAT__V1__SEND_MESSAGE_REQUEST__INIT;
    uint8_t id[ID_BYTES] = {0, 0, 0, 0, 0, 0, 0x70, 0, 0x80};

    body.id = (ProtobufCBinaryData){sizeof id, id};
    body.to = (char *)to;
    body.text = (char *)text;
    envelope.body_case = ZCHAT__V1__COMMAND__BODY_SEND_MESSAGE;
    envelope.send_message = &body;
    command(town, town->sender, &envelope);
}

/* Ends the turn; the peers that are sent something, in order, at most two. */
static size_t turn(struct town *town, struct peer *peers[2]) {
    struct core_frame frame;
    size_t count = 0;

    assert_true(core_commit(town->core));
    while (core_next_frame(town->core, &frame)) {
        if (count < 2)
            peers[count] = frame.peer;
        count++;
        free(frame.bytes);
    }
    return count;
}

static struct peer *member(struct town *town, const char *name, unsigned char number) {
    unsigned char key[KEY_BYTES] = {number};
    int64_t account;

    fixture_begin(town->fixture);
    assert_ok(store_account_add(town->fixture->store, name, NULL, false, key, "x", 1, &account));
    fixture_commit(town->fixture);
    return core_peer_open(town->core, key, "10.0.0.1", NULL, 1000000);
}

static int setup(void **state) {
    const struct core_options options = {
        .sessions_per_user = 1, .password_workers = 1, .admin_password = "", .software = "test"};
    struct town *town = calloc(1, sizeof *town);
    struct peer *peers[2];

    town->fixture = fixture_in_memory(1);
    fixture_open(town->fixture);
    town->core = core_new(town->fixture->store, &options, 1000000);
    core_set_wall(town->core, 0);
    town->sender = member(town, "sender", 1);
    town->recipient = member(town, "recipient", 2);
    login(town, town->sender, "sender");
    login(town, town->recipient, "recipient");
    turn(town, peers);
    *state = town;
    return 0;
}

static int teardown(void **state) {
    struct town *town = *state;

    core_free(town->core);
    fixture_free(town->fixture);
    free(town);
    return 0;
}

static void who_sends_is_answered_before_it_is_handed_on(void **state) {
    struct town *town = *state;
    struct peer *peers[2];

    send(town, "recipient", "hello");
    assert_int_equal(turn(town, peers), 2);
    assert_ptr_equal(peers[0], town->sender);
    assert_ptr_equal(peers[1], town->recipient);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_sends_is_answered_before_it_is_handed_on, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
