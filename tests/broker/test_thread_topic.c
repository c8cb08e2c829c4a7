/* What is gathered of a thread's events, through the core: frames go in, frames come out, and no
 * time passes but what a test says. */
#include "core.h"
#include "fixture.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SILENCE_US (2 * HEAD_REPEAT_US)
#define EVENTS_MAX 4096
#define THREADS    100

/* What came on one way: the numbers of events in order, and how many frames had some. */
struct told {
    uint64_t seqs[EVENTS_MAX];
    size_t count, frames;
    bool is_removed; /* the last of them said so */
};

struct town {
    struct fixture *fixture;
    struct core *core;
    struct wire_arena *arena;
    struct peer *author, *inline_reader, *sub_reader;
    struct told pushed, published;
    uint64_t head;      /* published alone; 0: none */
    size_t replies;     /* to the author */
    size_t after_reply; /* events to the inline reader, in batches behind its last reply's */
    size_t longest;     /* of what was published */
    uint64_t request;
    int64_t now_us;
};

/* ---- commands ---- */

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
    body.public_events = public_events;
    envelope.body_case = ZCHAT__V1__COMMAND__BODY_LOGIN;
    envelope.login = &body;
    command(town, peer, &envelope);
}

static ProtobufCBinaryData new_id(struct town *town, uint8_t id[ID_BYTES]) {
    memset(id, 0, ID_BYTES);
    id[6] = 0x70;
    id[8] = 0x80;
    memcpy(id + ID_BYTES - sizeof(uint32_t), &town->request, sizeof(uint32_t));
    return (ProtobufCBinaryData){ID_BYTES, id};
}

static void create(struct town *town, const char *title) {
    Zchat__V1__Command envelope = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__CreateThreadRequest body = ZCHAT__V1__CREATE_THREAD_REQUEST__INIT;
    uint8_t id[ID_BYTES];

    body.id = new_id(town, id);
    body.title = (char *)title;
    envelope.body_case = ZCHAT__V1__COMMAND__BODY_CREATE_THREAD;
    envelope.create_thread = &body;
    command(town, town->author, &envelope);
}

static void post(struct town *town, const char *title, const char *text) {
    Zchat__V1__Command envelope = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__PostToThreadRequest body = ZCHAT__V1__POST_TO_THREAD_REQUEST__INIT;
    uint8_t id[ID_BYTES];

    body.id = new_id(town, id);
    body.thread = (char *)title;
    body.text = (char *)text;
    envelope.body_case = ZCHAT__V1__COMMAND__BODY_POST_TO_THREAD;
    envelope.post_to_thread = &body;
    command(town, town->author, &envelope);
}

static void remove_thread(struct town *town, const char *title) {
    Zchat__V1__Command envelope = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__RemoveThreadRequest body = ZCHAT__V1__REMOVE_THREAD_REQUEST__INIT;

    body.thread = (char *)title;
    envelope.body_case = ZCHAT__V1__COMMAND__BODY_REMOVE_THREAD;
    envelope.remove_thread = &body;
    command(town, town->author, &envelope);
}

static void follow(struct town *town, struct peer *peer, const char *title) {
    Zchat__V1__Command envelope = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__FollowThreadRequest body = ZCHAT__V1__FOLLOW_THREAD_REQUEST__INIT;

    body.thread = (char *)title;
    envelope.body_case = ZCHAT__V1__COMMAND__BODY_FOLLOW_THREAD;
    envelope.follow_thread = &body;
    command(town, peer, &envelope);
}

static void unfollow(struct town *town, struct peer *peer, const char *title) {
    Zchat__V1__Command envelope = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__UnfollowThreadRequest body = ZCHAT__V1__UNFOLLOW_THREAD_REQUEST__INIT;

    body.thread = (char *)title;
    envelope.body_case = ZCHAT__V1__COMMAND__BODY_UNFOLLOW_THREAD;
    envelope.unfollow_thread = &body;
    command(town, peer, &envelope);
}

static void logout(struct town *town, struct peer *peer) {
    Zchat__V1__Command envelope = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__LogoutRequest body = ZCHAT__V1__LOGOUT_REQUEST__INIT;

    envelope.body_case = ZCHAT__V1__COMMAND__BODY_LOGOUT;
    envelope.logout = &body;
    command(town, peer, &envelope);
}

/* ---- what comes ---- */

static size_t take_events(struct told *told, Zchat__V1__ServerEvent **events, size_t count) {
    size_t before = told->count;

    for (size_t i = 0; i < count; i++) {
        if (events[i]->body_case != ZCHAT__V1__SERVER_EVENT__BODY_THREAD)
            continue;
        assert_true(told->count < EVENTS_MAX);
        told->seqs[told->count++] = events[i]->seq;
        told->is_removed = events[i]->thread->body_case == ZCHAT__V1__THREAD_EVENT__BODY_REMOVED;
    }
    told->frames += told->count > before;
    return told->count - before;
}

static void take_published(struct town *town, const struct core_frame *frame) {
    Zchat__V1__Publication *publication;

    assert_int_equal(wire_read_publication(town->arena, frame->bytes, frame->length, &publication),
                     WIRE_FINE);
    if (frame->length > town->longest)
        town->longest = frame->length;
    if (strncmp(publication->topic, "thread/", 7) != 0)
        return;
    if (publication->head)
        town->head = publication->head;
    take_events(&town->published, publication->events, publication->n_events);
}

static void take(struct town *town, const struct core_frame *frame) {
    Zchat__V1__ServerBatch *batch;
    size_t events;

    wire_arena_reset(town->arena);
    if (!frame->peer) {
        take_published(town, frame);
        return;
    }
    assert_int_equal(wire_read_server(town->arena, frame->bytes, frame->length, &batch), WIRE_FINE);
    for (size_t i = 0; i < batch->n_replies; i++)
        assert_null(batch->replies[i]->error);
    if (frame->peer == town->author)
        town->replies += batch->n_replies;
    if (frame->peer != town->inline_reader)
        return;
    events = take_events(&town->pushed, batch->events, batch->n_events);
    town->after_reply = batch->n_replies > 0 ? 0 : town->after_reply + events;
}

static void turn(struct town *town) {
    struct core_frame frame;

    assert_true(core_commit(town->core));
    if (core_is_committing(town->core))
        assert_true(core_commit_end(town->core));
    while (core_next_frame(town->core, &frame)) {
        take(town, &frame);
        free(frame.bytes);
    }
}

/* A turn as the broker has it: commands, a tick where one is due, what is sent. */
static void go(struct town *town, int64_t after_us) {
    town->now_us += after_us;
    if (town->now_us >= core_deadline(town->core))
        core_tick(town->core, town->now_us);
    turn(town);
}

/* All was told long ago; nothing of it counts. */
static void begin(struct town *town) {
    go(town, SILENCE_US);
    go(town, SILENCE_US);
    memset(&town->pushed, 0, sizeof town->pushed);
    memset(&town->published, 0, sizeof town->published);
    town->head = 0;
    town->replies = town->after_reply = 0;
}

static void assert_follow_each_other(const struct told *told, uint64_t first, size_t count) {
    assert_int_equal(told->count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(told->seqs[i], first + i);
}

/* ---- the town ---- */

static void account(struct town *town, const char *name, unsigned char number) {
    unsigned char key[KEY_BYTES] = {number};
    int64_t account;

    fixture_begin(town->fixture);
    assert_ok(store_account_add(town->fixture->store, name, NULL, false, key, "x", 1, &account));
    fixture_commit(town->fixture);
}

static struct peer *join(struct town *town, const char *name, unsigned char number,
                         bool public_events) {
    unsigned char key[KEY_BYTES] = {number};
    struct peer *peer = core_peer_open(town->core, key, "10.0.0.1", NULL, town->now_us);

    login(town, peer, name, public_events);
    return peer;
}

static struct town *town_new(struct fixture *fixture) {
    const struct core_options options = {
        .sessions_per_user = 4,
        .password_workers = 1,
        .admin_password = "",
        .software = "test",
        .quotas = {.post_bytes = 1 << 30, .threads = 2 * THREADS, .file_bytes = 1 << 30}};
    struct town *town = calloc(1, sizeof *town);

    town->now_us = 1000000;
    town->fixture = fixture;
    town->arena = wire_arena_new(DECODE_BYTES_MAX);
    fixture_open(town->fixture);
    account(town, "author", 1);
    account(town, "inline", 2);
    account(town, "sub", 3);
    town->core = core_new(town->fixture->store, &options, town->now_us);
    core_set_wall(town->core, 0);
    town->author = join(town, "author", 1, false);
    town->inline_reader = join(town, "inline", 2, true);
    town->sub_reader = join(town, "sub", 3, false);
    create(town, "a thread");
    follow(town, town->inline_reader, "a thread");
    follow(town, town->sub_reader, "a thread");
    begin(town);
    return town;
}

static int setup(void **state) {
    *state = town_new(fixture_in_memory(1));
    return 0;
}

static int setup_with_short_slices(void **state) {
    struct fixture *fixture = fixture_in_memory(1);

    fixture->options.slice_entries = 10;
    *state = town_new(fixture);
    return 0;
}

/* Its log is brought to the disk beside the turns. */
static int setup_in_folder(void **state) {
    *state = town_new(fixture_in_folder());
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

/* Each in a turn of its own, all at one moment. */
static void posts(struct town *town, size_t count) {
    for (size_t i = 0; i < count; i++) {
        post(town, "a thread", "hello");
        go(town, 0);
    }
}

/* ---- tests ---- */

static void a_post_after_silence_is_told_in_its_own_turn(void **state) {
    struct town *town = *state;

    for (size_t i = 1; i <= 3; i++) {
        posts(town, 1);
        assert_int_equal(town->published.count, i);
        assert_int_equal(town->pushed.count, i);
        go(town, THREAD_US_MAX);
    }
    assert_int_equal(town->published.frames, 3);
}

static void what_is_posted_in_one_turn_after_silence_is_told_in_it(void **state) {
    struct town *town = *state;

    for (size_t i = 0; i < 5; i++)
        post(town, "a thread", "hello");
    go(town, 0);
    assert_follow_each_other(&town->published, 1, 5);
    assert_follow_each_other(&town->pushed, 1, 5);
    assert_int_equal(town->published.frames, 1);
}

static void posts_close_behind_one_are_told_together(void **state) {
    struct town *town = *state;

    posts(town, 6);
    assert_int_equal(town->published.count, 1);
    assert_int_equal(town->pushed.count, 1);
    assert_int_equal(core_deadline(town->core), town->now_us + 2 * THREAD_FOLLOWER_US);
    go(town, 2 * THREAD_FOLLOWER_US);
    assert_follow_each_other(&town->published, 1, 6);
    assert_follow_each_other(&town->pushed, 1, 6);
    assert_int_equal(town->published.frames, 2);
    assert_int_equal(town->pushed.frames, 2);
}

static void the_author_is_answered_before_the_post_is_told(void **state) {
    struct town *town = *state;

    posts(town, 6);
    assert_int_equal(town->replies, 6);
}

static void threads_do_not_wait_for_each_other(void **state) {
    struct town *town = *state;

    create(town, "nobody follows");
    go(town, 0);
    posts(town, 2);
    for (size_t i = 0; i < 2; i++) {
        post(town, "nobody follows", "hello");
        go(town, 0);
    }
    assert_int_equal(town->published.count, 3); /* where nobody follows nothing waits */
    go(town, 2 * THREAD_FOLLOWER_US);
    assert_int_equal(town->published.count, 4);
}

/* A deadline that passes while nothing may be sent would be waited for in vain, again and again. */
static void nothing_is_due_while_the_disk_is_not_done(void **state) {
    struct town *town = *state;

    posts(town, 2);
    post(town, "a thread", "hello");
    assert_true(core_commit(town->core));
    assert_true(core_is_committing(town->core));
    town->now_us += THREAD_US_MAX;
    assert_true(core_deadline(town->core) > town->now_us);
    assert_true(core_commit_end(town->core));
    go(town, 0);
    assert_follow_each_other(&town->published, 1, 3);
}

static void long_posts_do_not_wait(void **state) {
    struct town *town = *state;
    static char text[THREAD_BYTES_FULL / 3 + 1];

    memset(text, 'x', sizeof text - 1);
    posts(town, 1);
    for (size_t i = 0; i < 3; i++)
        post(town, "a thread", text);
    turn(town);
    assert_follow_each_other(&town->published, 1, 4);
    assert_follow_each_other(&town->pushed, 1, 4);
    assert_true(town->longest <= PUBLICATION_BYTES_FULL);
}

/* Each subscriber's copy of a longer one would be held in memory. */
static void what_a_crowd_is_told_leaves_in_short_frames(void **state) {
    struct town *town = *state;
    static char text[1024];

    memset(text, 'x', sizeof text - 1);
    core_stats(town->core)->connections = PUBLICATION_CROWD + 1;
    town->longest = 0;
    for (size_t i = 0; i < 30; i++)
        post(town, "a thread", text);
    turn(town);
    go(town, THREAD_US_MAX);
    assert_in_range(town->longest, PUBLICATION_BYTES_CROWD / 2, PUBLICATION_BYTES_CROWD);
    assert_follow_each_other(&town->published, 1, 30);
    assert_follow_each_other(&town->pushed, 1, 30);
}

/* What is due first goes early. */
static void what_waits_of_all_threads_is_bounded(void **state) {
    struct town *town = *state;
    static char text[15 * 1024];
    char title[32];

    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < THREADS; i++) {
        snprintf(title, sizeof title, "thread %d", i);
        create(town, title);
        follow(town, town->sub_reader, title);
        post(town, title, "hello");
        turn(town);
    }
    town->published.count = 0;
    for (int i = 0; i < THREADS; i++) {
        snprintf(title, sizeof title, "thread %d", i);
        post(town, title, text);
        turn(town);
        assert_true(core_queued(town->core) <= THREADS_BYTES_MAX);
    }
    assert_in_range(town->published.count, THREADS / 5, THREADS / 2);
    go(town, THREAD_FOLLOWER_US);
    assert_int_equal(town->published.count, THREADS);
    assert_int_equal(core_queued(town->core), 0);
}

static void a_removal_comes_last_and_at_once(void **state) {
    struct town *town = *state;

    posts(town, 4);
    remove_thread(town, "a thread");
    turn(town);
    assert_follow_each_other(&town->published, 1, 5);
    assert_follow_each_other(&town->pushed, 1, 5);
    assert_true(town->published.is_removed && town->pushed.is_removed);
    go(town, SILENCE_US);
    assert_int_equal(town->published.count, 5);
}

/* Nobody asks for anything meanwhile. */
static void what_a_removal_left_goes_in_turns_of_its_own(void **state) {
    struct town *town = *state;
    size_t turns = 0;

    posts(town, 50);
    remove_thread(town, "a thread");
    turn(town);
    for (; store_has_rubbish(town->fixture->store); turns++) {
        assert_true(core_deadline(town->core) <= town->now_us);
        go(town, 0);
    }
    assert_in_range(turns, 5, 20);
    assert_true(core_deadline(town->core) > town->now_us);
}

static void nothing_comes_behind_the_answer_to_an_unfollow(void **state) {
    struct town *town = *state;

    posts(town, 4);
    unfollow(town, town->inline_reader, "a thread");
    turn(town);
    assert_follow_each_other(&town->pushed, 1, 4);
    posts(town, 1);
    go(town, THREAD_US_MAX);
    assert_int_equal(town->after_reply, 0);
    assert_follow_each_other(&town->published, 1, 5);
}

static void who_follows_is_not_told_what_was_there_before(void **state) {
    struct town *town = *state;

    unfollow(town, town->inline_reader, "a thread");
    begin(town);
    posts(town, 4);
    follow(town, town->inline_reader, "a thread");
    turn(town);
    posts(town, 1);
    go(town, THREAD_US_MAX);
    assert_follow_each_other(&town->pushed, 5, 1);
}

static void nothing_comes_behind_the_answer_to_a_logout(void **state) {
    struct town *town = *state;

    posts(town, 4);
    logout(town, town->inline_reader);
    turn(town);
    go(town, THREAD_US_MAX);
    assert_int_equal(town->after_reply, 0);
    assert_follow_each_other(&town->published, 1, 4);
}

static void the_shutdown_comes_behind_what_waited(void **state) {
    struct town *town = *state;

    posts(town, 4);
    core_shutdown(town->core, "the broker is shutting down", town->now_us);
    turn(town);
    assert_follow_each_other(&town->published, 1, 4);
    assert_follow_each_other(&town->pushed, 1, 4);
}

static void the_head_is_published_after_the_last_that_was_told(void **state) {
    struct town *town = *state;

    posts(town, 3);
    go(town, 2 * THREAD_FOLLOWER_US);
    go(town, HEAD_REPEAT_US - 1);
    assert_int_equal(town->head, 0);
    go(town, 1);
    assert_int_equal(town->head, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_post_after_silence_is_told_in_its_own_turn),
        TEST(what_is_posted_in_one_turn_after_silence_is_told_in_it),
        TEST(posts_close_behind_one_are_told_together),
        TEST(the_author_is_answered_before_the_post_is_told),
        TEST(threads_do_not_wait_for_each_other),
        cmocka_unit_test_setup_teardown(nothing_is_due_while_the_disk_is_not_done, setup_in_folder,
                                        teardown),
        TEST(long_posts_do_not_wait),
        TEST(what_a_crowd_is_told_leaves_in_short_frames),
        TEST(what_waits_of_all_threads_is_bounded),
        TEST(a_removal_comes_last_and_at_once),
        cmocka_unit_test_setup_teardown(what_a_removal_left_goes_in_turns_of_its_own,
                                        setup_with_short_slices, teardown),
        TEST(nothing_comes_behind_the_answer_to_an_unfollow),
        TEST(who_follows_is_not_told_what_was_there_before),
        TEST(nothing_comes_behind_the_answer_to_a_logout),
        TEST(the_shutdown_comes_behind_what_waited),
        TEST(the_head_is_published_after_the_last_that_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
