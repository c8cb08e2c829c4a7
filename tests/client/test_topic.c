/* Public events: on the command connection or on a SUB socket, in order, holes filled, nothing of
 * oneself and of those whom one blocked. */
#include "stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SYNC       ZCHAT__V1__COMMAND__BODY_SYNC
#define KEEP_ALIVE ZCHAT__V1__COMMAND__BODY_KEEP_ALIVE

static int setup(void **state) {
    struct stage *stage = stage_new();
    stage->fake->topic_head = 100;
    *state = stage;
    return 0;
}

static int teardown(void **state) {
    stage_free(*state);
    return 0;
}

/* An event and what it points to. */
struct public {
    Zchat__V1__ServerEvent event;
    Zchat__V1__PresenceEvent presence;
    Zchat__V1__BroadcastEvent broadcast;
    Zchat__V1__NoticeEvent notice;
    unsigned char id[ID_BYTES];
};

static Zchat__V1__ServerEvent *presence(struct public *public, uint64_t seq, const char *user) {
    zchat__v1__server_event__init(&public->event);
    zchat__v1__presence_event__init(&public->presence);
    public->presence.user = (char *)user;
    public->presence.online = true;
    public->event.seq = seq;
    public->event.time_us = 1;
    public->event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_PRESENCE;
    public->event.presence = &public->presence;
    return &public->event;
}

static Zchat__V1__ServerEvent *broadcast(struct public *public, uint64_t seq, const char *from) {
    zchat__v1__server_event__init(&public->event);
    zchat__v1__broadcast_event__init(&public->broadcast);
    memset(public->id, 0x70, sizeof public->id);
    public->broadcast.id.data = public->id;
    public->broadcast.id.len = ID_BYTES;
    public->broadcast.sender = (char *)from;
    public->broadcast.text = (char *)"hello";
    public->event.seq = seq;
    public->event.time_us = 1;
    public->event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_BROADCAST;
    public->event.broadcast = &public->broadcast;
    return &public->event;
}

static Zchat__V1__ServerEvent *notice(struct public *public, uint64_t seq, const char *from) {
    zchat__v1__server_event__init(&public->event);
    zchat__v1__notice_event__init(&public->notice);
    public->notice.sender = (char *)from;
    public->notice.text = (char *)"hear";
    public->event.seq = seq;
    public->event.time_us = 1;
    public->event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_NOTICE;
    public->event.notice = &public->notice;
    return &public->event;
}

/* Answers a Sync of presence with the arrivals of "u" first..last. */
static void answer_page(struct stage *stage, const Zchat__V1__Command *sync, uint64_t first,
                        uint64_t last, uint64_t head) {
    struct public publics[16];
    Zchat__V1__ServerEvent *events[16];
    Zchat__V1__SyncResponse page = ZCHAT__V1__SYNC_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    for (uint64_t seq = first; seq <= last; seq++) {
        events[page.n_events] = presence(&publics[page.n_events], seq, "u");
        page.n_events++;
    }
    page.stream = sync->sync->stream;
    page.events = events;
    page.head = head;
    reply.request = sync->request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_SYNC;
    reply.sync = &page;
    fake_reply(stage->fake, &reply);
}

static void publish(struct stage *stage, Zchat__V1__ServerEvent *event) {
    const char *topic = event->body_case == ZCHAT__V1__SERVER_EVENT__BODY_PRESENCE ? "presence"
                        : event->body_case == ZCHAT__V1__SERVER_EVENT__BODY_NOTICE ? "notice"
                                                                                   : "broadcast";
    fake_publish(stage->fake, topic, event, 0);
}

/* Logged in with a SUB socket, and subscribed. */
static void subscribe(struct stage *stage) {
    stage_login(stage, ZCHAT_PUBLIC_SUB, true);
    stage_command(stage, KEEP_ALIVE);
    stage_settle(stage);
}

static void seqs(struct stage *stage, int kind, uint64_t first, uint64_t last) {
    stage_await(stage, kind, last - first + 1);
    stage_settle(stage);
    assert_int_equal(stage_count(stage, kind), last - first + 1);
    for (uint64_t seq = first; seq <= last; seq++)
        assert_int_equal(stage_told(stage, kind, seq - first)->seq, seq);
}

static void inline_events_come_in_order_once(void **state) {
    struct stage *stage = *state;
    struct public public;
    stage_login(stage, ZCHAT_PUBLIC_INLINE, false);
    Zchat__V1__Command *login = stage_command(stage, ZCHAT__V1__COMMAND__BODY_LOGIN);
    assert_true(login->login->public_events);
    fake_event(stage->fake, presence(&public, 100, "u"));
    fake_event(stage->fake, presence(&public, 101, "u"));
    fake_event(stage->fake, presence(&public, 102, "u"));
    fake_event(stage->fake, presence(&public, 102, "u"));
    fake_event(stage->fake, broadcast(&public, 101, "u"));
    seqs(stage, ZCHAT_EVENT_PRESENCE, 101, 102);
    seqs(stage, ZCHAT_EVENT_BROADCAST, 101, 101);
    const struct told *told = stage_told(stage, ZCHAT_EVENT_BROADCAST, 0);
    assert_string_equal(told->text, "hello");
    assert_string_equal(told->user, "u");
    assert_int_equal(told->id.bytes[0], 0x70);
}

static void a_hole_is_filled(void **state) {
    struct stage *stage = *state;
    struct public public;
    stage_login(stage, ZCHAT_PUBLIC_INLINE, false);
    fake_event(stage->fake, presence(&public, 103, "u"));
    Zchat__V1__Command *sync = stage_command(stage, SYNC);
    assert_string_equal(sync->sync->stream, "presence");
    assert_int_equal(sync->sync->after_seq, 100);
    answer_page(stage, sync, 101, 103, 103);
    seqs(stage, ZCHAT_EVENT_PRESENCE, 101, 103);
}

static void what_the_broker_no_longer_has_is_passed_over(void **state) {
    struct stage *stage = *state;
    struct public public;
    stage_login(stage, ZCHAT_PUBLIC_INLINE, false);
    fake_event(stage->fake, presence(&public, 5000, "u"));
    answer_page(stage, stage_command(stage, SYNC), 4999, 5000, 5000);
    seqs(stage, ZCHAT_EVENT_PRESENCE, 4999, 5000);
    fake_event(stage->fake, presence(&public, 9000, "u"));
    answer_page(stage, stage_command(stage, SYNC), 1, 0, 9000); /* nothing at all */
    stage_settle(stage);
    fake_event(stage->fake, presence(&public, 9001, "u"));
    assert_int_equal(stage_await(stage, ZCHAT_EVENT_PRESENCE, 3)->seq, 9001);
}

static void events_come_on_the_sub_socket(void **state) {
    struct stage *stage = *state;
    struct public public;
    subscribe(stage);
    Zchat__V1__Command *login = stage->fake->received[1];
    assert_int_equal(login->body_case, ZCHAT__V1__COMMAND__BODY_LOGIN);
    assert_false(login->login->public_events);
    publish(stage, presence(&public, 101, "u"));
    publish(stage, presence(&public, 102, "u"));
    publish(stage, presence(&public, 102, "u"));
    seqs(stage, ZCHAT_EVENT_PRESENCE, 101, 102);
}

static void what_was_published_before_the_subscription_is_fetched(void **state) {
    struct stage *stage = *state;
    stage_connect(stage);
    zchat_login_options options = {
        .user = "me", .password = "x", .public_events = ZCHAT_PUBLIC_SUB};
    assert_int_equal(zchat_login(stage->z, &options, stage_answer, NULL), ZCHAT_OK);
    stage_await(stage, 0, 1);
    stage->fake->topic_head = 101;
    stage_command(stage, KEEP_ALIVE);
    Zchat__V1__Command *sync = stage_command(stage, SYNC);
    assert_int_equal(sync->sync->after_seq, 100);
}

static void a_head_told_again_shows_a_lost_last_event(void **state) {
    struct stage *stage = *state;
    Zchat__V1__ServerEvent none = ZCHAT__V1__SERVER_EVENT__INIT;
    subscribe(stage);
    fake_publish(stage->fake, "presence", &none, 102);
    answer_page(stage, stage_command(stage, SYNC), 101, 102, 102);
    seqs(stage, ZCHAT_EVENT_PRESENCE, 101, 102);
}

static void personal_events_need_no_number(void **state) {
    struct stage *stage = *state;
    struct public public;
    subscribe(stage);
    fake_event(stage->fake, presence(&public, 0, "u"));
    fake_event(stage->fake, broadcast(&public, 0, "u"));
    stage_await(stage, ZCHAT_EVENT_BROADCAST, 1);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_PRESENCE), 1);
}

static void ones_own_events_are_dropped(void **state) {
    struct stage *stage = *state;
    struct public public;
    subscribe(stage);
    publish(stage, presence(&public, 101, "me"));
    publish(stage, broadcast(&public, 101, "me"));
    publish(stage, broadcast(&public, 102, "u"));
    seqs(stage, ZCHAT_EVENT_BROADCAST, 102, 102);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_PRESENCE), 0);
}

static void answer_done(struct stage *stage, Zchat__V1__Command__BodyCase body,
                        Zchat__V1__Reply__BodyCase reply_body) {
    Zchat__V1__BlockUserResponse block = ZCHAT__V1__BLOCK_USER_RESPONSE__INIT;
    Zchat__V1__UnblockUserResponse unblock = ZCHAT__V1__UNBLOCK_USER_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    size_t answers = stage_count(stage, 0);
    reply.request = stage_command(stage, body)->request;
    reply.body_case = reply_body;
    reply.block_user = &block;
    if (reply_body == ZCHAT__V1__REPLY__BODY_UNBLOCK_USER)
        reply.unblock_user = &unblock;
    fake_reply(stage->fake, &reply);
    stage_await(stage, 0, answers + 1);
}

static void late_events_of_a_blocked_user_are_dropped_until_unblock(void **state) {
    struct stage *stage = *state;
    struct public public;
    subscribe(stage);
    assert_int_equal(zchat_block(stage->z, "U", stage_answer, NULL), ZCHAT_OK);
    assert_int_equal(zchat_block(stage->z, "a", stage_answer, NULL), ZCHAT_OK);
    answer_done(stage, ZCHAT__V1__COMMAND__BODY_BLOCK_USER, ZCHAT__V1__REPLY__BODY_BLOCK_USER);
    answer_done(stage, ZCHAT__V1__COMMAND__BODY_BLOCK_USER, ZCHAT__V1__REPLY__BODY_BLOCK_USER);
    publish(stage, broadcast(&public, 101, "u"));
    publish(stage, broadcast(&public, 102, "a"));
    publish(stage, broadcast(&public, 103, "v"));
    stage_await(stage, ZCHAT_EVENT_BROADCAST, 1);
    assert_int_equal(zchat_unblock(stage->z, "u", stage_answer, NULL), ZCHAT_OK);
    answer_done(stage, ZCHAT__V1__COMMAND__BODY_UNBLOCK_USER, ZCHAT__V1__REPLY__BODY_UNBLOCK_USER);
    publish(stage, broadcast(&public, 104, "a"));
    publish(stage, broadcast(&public, 105, "u"));
    stage_await(stage, ZCHAT_EVENT_BROADCAST, 2);
    assert_int_equal(stage_told(stage, ZCHAT_EVENT_BROADCAST, 0)->seq, 103);
    assert_int_equal(stage_told(stage, ZCHAT_EVENT_BROADCAST, 1)->seq, 105);
}

static void notices_tell_whose_they_are_even_ones_own_and_of_the_blocked(void **state) {
    struct stage *stage = *state;
    struct public public;
    subscribe(stage);
    assert_int_equal(zchat_block(stage->z, "u", stage_answer, NULL), ZCHAT_OK);
    answer_done(stage, ZCHAT__V1__COMMAND__BODY_BLOCK_USER, ZCHAT__V1__REPLY__BODY_BLOCK_USER);
    publish(stage, notice(&public, 101, "u\033[2J"));
    publish(stage, notice(&public, 102, "me"));
    publish(stage, notice(&public, 103, ""));
    seqs(stage, ZCHAT_EVENT_NOTICE, 101, 103);
    assert_string_equal(stage_told(stage, ZCHAT_EVENT_NOTICE, 0)->user, "u");
    assert_string_equal(stage_told(stage, ZCHAT_EVENT_NOTICE, 0)->text, "hear");
    assert_string_equal(stage_told(stage, ZCHAT_EVENT_NOTICE, 1)->user, "me");
    assert_string_equal(stage_told(stage, ZCHAT_EVENT_NOTICE, 2)->user, "");
}

static void a_lost_sub_socket_is_opened_again_and_missed_events_fetched(void **state) {
    struct stage *stage = *state;
    struct public public;
    subscribe(stage);
    fake_break_events(stage->fake);
    stage->fake->topic_head = 101;
    stage_command(stage, KEEP_ALIVE);
    Zchat__V1__Command *sync = stage_command(stage, SYNC);
    assert_string_equal(sync->sync->stream, "presence");
    answer_page(stage, sync, 101, 101, 101);
    stage_await(stage, ZCHAT_EVENT_PRESENCE, 1);
    publish(stage, presence(&public, 102, "u"));
    seqs(stage, ZCHAT_EVENT_PRESENCE, 101, 102);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_LOST), 0);
}

static void after_a_resume_missed_events_are_fetched(void **state) {
    struct stage *stage = *state;
    struct public public;
    subscribe(stage);
    stage->fake->topic_head = 7000; /* a broker that started anew */
    fake_break(stage->fake);
    Zchat__V1__Command *sync = stage_command(stage, SYNC);
    assert_int_equal(sync->sync->after_seq, 100);
    answer_page(stage, sync, 6999, 7000, 7000);
    stage_await(stage, ZCHAT_EVENT_PRESENCE, 2);
    stage_command(stage, KEEP_ALIVE); /* subscribed again */
    stage_settle(stage);
    publish(stage, presence(&public, 7001, "u"));
    seqs(stage, ZCHAT_EVENT_PRESENCE, 6999, 7001);
}

static void without_public_events_none_are_handed_out(void **state) {
    struct stage *stage = *state;
    struct public public;
    stage_login(stage, ZCHAT_PUBLIC_NONE, true);
    fake_event(stage->fake, presence(&public, 0, "u"));
    fake_event(stage->fake, presence(&public, 101, "u"));
    stage_settle(stage);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_PRESENCE), 0);
    assert_null(fake_next(stage->fake, SYNC));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(inline_events_come_in_order_once),
        TEST(a_hole_is_filled),
        TEST(what_the_broker_no_longer_has_is_passed_over),
        TEST(events_come_on_the_sub_socket),
        TEST(what_was_published_before_the_subscription_is_fetched),
        TEST(a_head_told_again_shows_a_lost_last_event),
        TEST(personal_events_need_no_number),
        TEST(ones_own_events_are_dropped),
        TEST(late_events_of_a_blocked_user_are_dropped_until_unblock),
        TEST(notices_tell_whose_they_are_even_ones_own_and_of_the_blocked),
        TEST(a_lost_sub_socket_is_opened_again_and_missed_events_fetched),
        TEST(after_a_resume_missed_events_are_fetched),
        TEST(without_public_events_none_are_handed_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
