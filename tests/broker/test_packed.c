/* What goes out: an event is packed once for all who are told of it, and every byte is counted. */
#include "memory.h"
#include "session.h"

#include <stdlib.h>
#include <string.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TEXT_BYTES 3000

struct post_office {
    struct stats stats;
    struct core_options options;
    struct outbox *outbox; /* owned */
    struct peer peers[2];
    char text[TEXT_BYTES + 1];
};

static int setup(void **state) {
    struct post_office *office = calloc(1, sizeof *office);

    office->outbox = outbox_new(&office->stats, &office->options, NULL, NULL);
    for (size_t i = 0; i < 2; i++)
        outbox_line_init(&office->peers[i].line, &office->peers[i], NULL);
    memset(office->text, 'x', TEXT_BYTES);
    *state = office;
    return 0;
}

static int teardown(void **state) {
    struct post_office *office = *state;

    for (size_t i = 0; i < 2; i++)
        outbox_line_release(office->outbox, &office->peers[i].line);
    outbox_free(office->outbox);
    free(office);
    return 0;
}

/* Packed in the outbox, and the same bytes as the wire has them in *expected. */
static struct outbox_packed pack(struct post_office *office, uint64_t seq, uint8_t *expected) {
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    Zchat__V1__BroadcastEvent broadcast = ZCHAT__V1__BROADCAST_EVENT__INIT;

    broadcast.sender = (char *)"han";
    broadcast.text = office->text;
    event.seq = seq;
    event.time_us = 7;
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_BROADCAST;
    event.broadcast = &broadcast;
    wire_element_pack(WIRE_EVENTS, &event.base, expected);
    return outbox_pack(office->outbox, &event);
}

static struct core_frame next(struct post_office *office) {
    struct core_frame frame;

    assert_true(outbox_next(office->outbox, &frame));
    return frame;
}

static void an_event_is_the_same_bytes_for_all(void **state) {
    struct post_office *office = *state;
    uint8_t expected[TEXT_BYTES + 64];
    struct outbox_packed packed = pack(office, 1, expected);
    struct outbox_frame *open = NULL;
    struct core_frame frame;

    outbox_publish(office->outbox, &open, "broadcast", &packed);
    for (size_t i = 0; i < 2; i++)
        assert_true(outbox_push(office->outbox, &office->peers[i].line, &packed));
    pack(office, 2, expected); /* what was told already stays as it was */
    pack(office, 1, expected);
    outbox_seal(office->outbox);
    frame = next(office);
    assert_null(frame.peer);
    assert_int_equal(frame.length, 2 + strlen("broadcast") + packed.length);
    assert_memory_equal(frame.bytes + 2 + strlen("broadcast"), expected, packed.length);
    free(frame.bytes);
    for (size_t i = 0; i < 2; i++) {
        frame = next(office);
        assert_ptr_equal(frame.peer, &office->peers[i]);
        assert_int_equal(frame.length, packed.length);
        assert_memory_equal(frame.bytes, expected, packed.length);
        free(frame.bytes);
    }
    assert_false(outbox_next(office->outbox, &frame));
}

static void what_waits_is_counted_to_the_byte(void **state) {
    struct post_office *office = *state;
    uint8_t expected[TEXT_BYTES + 64];
    struct outbox_line *line = &office->peers[0].line;
    struct core_frame frame;
    size_t bytes = 0;

    for (uint64_t seq = 1; seq <= 20; seq++) { /* so the frame grows */
        struct outbox_packed packed = pack(office, seq, expected);

        outbox_push(office->outbox, line, &packed);
        bytes += packed.length;
        assert_int_equal(outbox_line_queued(line), bytes);
        assert_int_equal(outbox_queued(office->outbox), bytes);
        assert_int_equal(outbox_made(office->outbox), bytes);
    }
    assert_int_equal(outbox_line_queued(&office->peers[1].line), 0);
    outbox_seal(office->outbox);
    frame = next(office);
    assert_int_equal(frame.length, bytes);
    assert_int_equal(outbox_queued(office->outbox), 0);
    outbox_refused(office->outbox, line, &frame, 0);
    assert_int_equal(outbox_line_queued(line), bytes);
    assert_int_equal(outbox_queued(office->outbox), bytes);
    assert_int_equal(outbox_made(office->outbox), bytes);
}

/* The next frame of a line has room for what its last one had; it is counted as what it is. */
static void a_short_frame_after_a_long_one_is_counted_as_short(void **state) {
    struct post_office *office = *state;
    uint8_t expected[TEXT_BYTES + 64];
    struct outbox_line *line = &office->peers[0].line;

    for (size_t text = TEXT_BYTES; text > 0; text = text > 1000 ? text - 1000 : 0) {
        struct outbox_packed packed;
        struct core_frame frame;

        office->text[text] = '\0';
        packed = pack(office, text, expected);
        outbox_push(office->outbox, line, &packed);
        assert_int_equal(outbox_line_queued(line), packed.length);
        outbox_seal(office->outbox);
        frame = next(office);
        assert_int_equal(frame.length, packed.length);
        assert_memory_equal(frame.bytes, expected, packed.length);
        free(frame.bytes);
        assert_int_equal(outbox_line_queued(line), 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_event_is_the_same_bytes_for_all),
        TEST(what_waits_is_counted_to_the_byte),
        TEST(a_short_frame_after_a_long_one_is_counted_as_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
