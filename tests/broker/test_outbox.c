/* outbox.h: who is sent less than they wait for is given up at once. */
#include "core.h"
#include "outbox.h"

#include "session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
    struct stats stats;
    struct core_options options;
    struct outbox *outbox;
    struct peer peer;
    size_t gave_up;
};

static void gave_up(void *arg, void *owner) {
    struct world *world = arg;

    assert_ptr_equal(owner, &world->peer);
    world->gave_up++;
}

static void catch_up(void *arg, struct outbox_line *line) {
    (void)arg;
    (void)line;
}

static int set_up(void **state) {
    static struct world world;

    memset(&world, 0, sizeof world);
    world.options.gave_up = gave_up;
    world.options.note_arg = &world;
    world.peer.owner = &world.peer;
    world.outbox = outbox_new(&world.stats, &world.options, catch_up, NULL);
    outbox_line_init(&world.peer.line, &world.peer, world.peer.owner);
    *state = &world;
    return 0;
}

static int tear_down(void **state) {
    struct world *world = *state;

    outbox_line_release(world->outbox, &world->peer.line);
    outbox_free(world->outbox);
    return 0;
}

static void add_reply(struct world *world) {
    static char text[16 * 1024];
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__CommandError error = ZCHAT__V1__COMMAND_ERROR__INIT;

    memset(text, 'x', sizeof text - 1);
    error.message = text;
    reply.error = &error;
    outbox_reply(world->outbox, &world->peer.line, &reply);
}

/* Its pipe takes nothing. */
static void fill_pipe(struct world *world) {
    struct core_frame frame;

    add_reply(world);
    outbox_seal(world->outbox);
    assert_true(outbox_next(world->outbox, &frame));
    outbox_refused(world->outbox, &world->peer.line, &frame, 0);
}

static void test_a_dropped_reply_is_told_once_before_any_frame_is_refused_again(void **state) {
    struct world *world = *state;

    fill_pipe(world);
    for (int i = 0; i < 90; i++)
        add_reply(world);
    assert_int_equal(world->gave_up, 0);
    for (int i = 0; i < 90; i++)
        add_reply(world);
    assert_true(world->stats.replies_dropped_total > 1);
    assert_int_equal(world->gave_up, 1);
    assert_true(core_peer_lost_replies(&world->peer));
}

static void test_one_whose_commands_are_refused_and_refused_is_given_up(void **state) {
    struct world *world = *state;

    outbox_line_give_up(world->outbox, &world->peer.line);
    assert_int_equal(world->gave_up, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_a_dropped_reply_is_told_once_before_any_frame_is_refused_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_whose_commands_are_refused_and_refused_is_given_up,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
