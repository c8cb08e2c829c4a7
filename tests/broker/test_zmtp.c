/* ZMTP as the greeter speaks it: whatever comes, in whatever pieces. */
#include "zmtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char ready[] = "\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03REQ";

static size_t put_greeting(uint8_t *out) {
    memset(out, 0, 64);
    out[0] = 0xff;
    out[9] = 0x7f;
    out[10] = 3;
    out[11] = 1;
    memcpy(out + 12, "NULL", 4);
    return 64;
}

static size_t put(uint8_t *out, size_t at, const char *bytes, size_t count) {
    memcpy(out + at, bytes, count);
    return at + count;
}

/* Feeds the bytes in pieces, and returns the last news that was any. */
static struct zmtp_news feed(struct zmtp *zmtp, const uint8_t *bytes, size_t count, size_t piece) {
    struct zmtp_news last = {.event = ZMTP_NOTHING};

    for (size_t at = 0; at < count && last.event != ZMTP_WRONG;) {
        size_t room, some = count - at < piece ? count - at : piece;
        uint8_t *to = zmtp_room(zmtp, &room);
        struct zmtp_news news;

        assert_true(room > 0);
        some = some < room ? some : room;
        memcpy(to, bytes + at, some);
        zmtp_add(zmtp, some);
        at += some;
        while ((news = zmtp_next(zmtp)).event != ZMTP_NOTHING) {
            last = news;
            if (news.event == ZMTP_WRONG)
                break;
        }
    }
    return last;
}

static void test_a_request_is_read_in_pieces_of_any_size(void **state) {
    uint8_t bytes[256];
    size_t count = put_greeting(bytes);

    (void)state;
    count = put(bytes, count, ready, sizeof ready - 1);
    count = put(bytes, count, "\x01\x00\x00\x05hello", 9);
    for (size_t piece = 1; piece <= count; piece++) {
        struct zmtp zmtp;
        struct zmtp_news news;

        zmtp_init(&zmtp);
        news = feed(&zmtp, bytes, count, piece);
        assert_int_equal(news.event, ZMTP_REQUEST);
        assert_true(news.delimited);
        assert_int_equal(news.length, 5);
        assert_memory_equal(news.bytes, "hello", 5);
    }
}

static void test_a_ping_is_to_be_answered_with_its_context(void **state) {
    uint8_t bytes[256], pong[64];
    size_t count = put_greeting(bytes);
    struct zmtp_news news;
    struct zmtp zmtp;

    (void)state;
    zmtp_init(&zmtp);
    count = put(bytes, count, ready, sizeof ready - 1);
    count = put(bytes, count, "\x04\x0a\x04PING\x00\x00xyz", 12);
    news = feed(&zmtp, bytes, count, count);
    assert_int_equal(news.event, ZMTP_PING);
    assert_int_equal(zmtp_pong(pong, news.bytes, news.length), 10);
    assert_memory_equal(pong, "\x04\x08\x04PONGxyz", 10);
}

static void assert_wrong(const char *more, size_t more_bytes, bool after_ready) {
    uint8_t bytes[1024];
    size_t count = put_greeting(bytes);
    struct zmtp zmtp;

    zmtp_init(&zmtp);
    if (after_ready)
        count = put(bytes, count, ready, sizeof ready - 1);
    count = put(bytes, count, more, more_bytes);
    assert_int_equal(feed(&zmtp, bytes, count, 7).event, ZMTP_WRONG);
    assert_int_equal(zmtp_next(&zmtp).event, ZMTP_WRONG);
}

static void test_what_the_greeter_does_not_serve_is_wrong(void **state) {
    struct zmtp zmtp;

    (void)state;
    zmtp_init(&zmtp);
    assert_int_equal(feed(&zmtp, (const uint8_t *)"GET / HTTP/1.1\r\n\r\n", 18, 1).event,
                     ZMTP_WRONG);
    assert_wrong("\x00\x05hello", 7, false);     /* no READY */
    assert_wrong("\x04\x06\x05READY", 8, false); /* of no type */
    assert_wrong("\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03PUB", 27, false);
    assert_wrong("\x04\x19\x05READY\x0bSocket-Type\xff\xff\xff\xffREQ", 27, false);
    assert_wrong("\x04\x07\x05READY\xff", 9, false);
    assert_wrong("\x02\xff\xff\xff\xff\xff\xff\xff\xff", 9, true); /* too long */
    assert_wrong("\x02\x00\x00\x00\x00\x00\x00\x02\x01", 9, true); /* by one byte */
    assert_wrong("\x01\x01x", 3, true);                            /* a part before the last */
    assert_wrong("\x01\x00\x01\x00", 4, true);                     /* two delimiters */
    assert_wrong("\x08\x00", 2, true);                             /* unknown flags */
    assert_wrong("\x04\x06\x05"
                 "ERROR",
                 8, true);
    assert_wrong("\x04\x05\x04PING", 7, true); /* without its time to live */
}

static void test_a_message_has_the_header_that_its_length_needs(void **state) {
    uint8_t out[400 + ZMTP_OVERHEAD_BYTES], body[300] = {7};

    (void)state;
    assert_int_equal(zmtp_message(out, body, 255, false), 257);
    assert_memory_equal(out, "\x00\xff\x07", 3);
    assert_int_equal(zmtp_message(out, body, 300, true), 2 + 9 + 300);
    assert_memory_equal(out, "\x01\x00\x02\x00\x00\x00\x00\x00\x00\x01\x2c\x07", 12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_is_read_in_pieces_of_any_size),
        cmocka_unit_test(test_a_ping_is_to_be_answered_with_its_context),
        cmocka_unit_test(test_what_the_greeter_does_not_serve_is_wrong),
        cmocka_unit_test(test_a_message_has_the_header_that_its_length_needs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
