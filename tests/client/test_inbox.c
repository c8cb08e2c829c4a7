/* The inbox: every entry once, in order, without holes, whatever is dropped on the way. */
#include "stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SYNC ZCHAT__V1__COMMAND__BODY_SYNC
#define ACK  ZCHAT__V1__COMMAND__BODY_ACK

static int setup(void **state) {
    *state = stage_new();
    return 0;
}

static int teardown(void **state) {
    stage_free(*state);
    return 0;
}

/* What was handed out is first, first + 1 ... last, once each. */
static void handed_out(struct stage *stage, uint64_t first, uint64_t last) {
    stage_await(stage, ZCHAT_EVENT_MESSAGE, last - first + 1);
    stage_settle(stage);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_MESSAGE), last - first + 1);
    for (uint64_t seq = first; seq <= last; seq++)
        assert_int_equal(stage_told(stage, ZCHAT_EVENT_MESSAGE, seq - first)->seq, seq);
}

static void heads(struct stage *stage, uint64_t head, uint64_t cursor) {
    Zchat__V1__Heads body = ZCHAT__V1__HEADS__INIT;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    body.inbox = head;
    body.cursor = cursor;
    event.time_us = 1;
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_HEADS;
    event.heads = &body;
    fake_event(stage->fake, &event);
}

static void an_empty_inbox_is_synced_at_once(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, true);
    stage_await(stage, ZCHAT_EVENT_SYNCED, 1);
    assert_null(fake_next(stage->fake, SYNC));
}

static void what_was_missed_comes_first_in_pages_and_marked(void **state) {
    struct stage *stage = *state;
    stage->fake->inbox_cursor = 10;
    stage->fake->inbox_head = 700;
    stage_login(stage, ZCHAT_PUBLIC_NONE, true);
    Zchat__V1__Command *sync = stage_command(stage, SYNC);
    assert_string_equal(sync->sync->stream, "inbox");
    assert_int_equal(sync->sync->after_seq, 10);
    assert_int_equal(sync->sync->limit, 500);
    fake_page(stage->fake, sync, 11, 510, 700);
    sync = stage_command(stage, SYNC);
    assert_int_equal(sync->sync->after_seq, 510);
    fake_page(stage->fake, sync, 511, 702, 702); /* two came meanwhile */
    handed_out(stage, 11, 702);
    assert_true(stage_told(stage, ZCHAT_EVENT_MESSAGE, 689)->missed);
    assert_false(stage_told(stage, ZCHAT_EVENT_MESSAGE, 690)->missed);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_SYNCED), 1);
    assert_int_equal(stage->told[1 + 690 + 1].kind, ZCHAT_EVENT_SYNCED); /* right behind 700 */
}

static void pushed_entries_are_handed_out_once(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, true);
    fake_message(stage->fake, 1, "bob");
    fake_message(stage->fake, 2, "me");
    fake_message(stage->fake, 2, "me");
    fake_message(stage->fake, 1, "bob");
    fake_message(stage->fake, 0, "bob");
    fake_message(stage->fake, 3, "bob");
    handed_out(stage, 1, 3);
    assert_false(stage_told(stage, ZCHAT_EVENT_MESSAGE, 0)->sent);
    assert_true(stage_told(stage, ZCHAT_EVENT_MESSAGE, 1)->sent);
    assert_false(stage_told(stage, ZCHAT_EVENT_MESSAGE, 2)->missed);
    assert_null(fake_next(stage->fake, SYNC));
}

static void a_hole_is_filled_and_only_one_page_is_under_way(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, true);
    fake_message(stage->fake, 1, "bob");
    fake_message(stage->fake, 4, "bob");
    fake_message(stage->fake, 5, "bob");
    Zchat__V1__Command *sync = stage_command(stage, SYNC);
    assert_int_equal(sync->sync->after_seq, 1);
    fake_message(stage->fake, 6, "bob");
    stage_settle(stage);
    assert_null(fake_next(stage->fake, SYNC));
    fake_page(stage->fake, sync, 2, 5, 5);
    sync = stage_command(stage, SYNC); /* 6 was known of */
    assert_int_equal(sync->sync->after_seq, 5);
    fake_page(stage->fake, sync, 6, 6, 6);
    handed_out(stage, 1, 6);
}

static void a_page_overlapping_what_was_pushed_doubles_nothing(void **state) {
    struct stage *stage = *state;
    stage->fake->inbox_head = 2;
    stage_login(stage, ZCHAT_PUBLIC_NONE, true);
    Zchat__V1__Command *sync = stage_command(stage, SYNC);
    fake_message(stage->fake, 1, "bob"); /* while the page is under way */
    fake_message(stage->fake, 2, "bob");
    fake_page(stage->fake, sync, 1, 3, 3);
    handed_out(stage, 1, 3);
}

static void a_lost_last_entry_shows_in_the_heads(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, true);
    heads(stage, 2, 0);
    fake_page(stage->fake, stage_command(stage, SYNC), 1, 2, 2);
    handed_out(stage, 1, 2);
}

static void a_refused_page_is_asked_again(void **state) {
    struct stage *stage = *state;
    stage->fake->inbox_head = 1;
    stage_login(stage, ZCHAT_PUBLIC_NONE, true);
    fake_error(stage->fake, stage_command(stage, SYNC)->request, ZCHAT__V1__CODE__CODE_BUSY, "b");
    fake_page(stage->fake, stage_command(stage, SYNC), 1, 1, 1);
    handed_out(stage, 1, 1);
}

static void after_a_lost_connection_it_goes_on_where_it_was(void **state) {
    struct stage *stage = *state;
    stage->fake->inbox_head = 3;
    stage_login(stage, ZCHAT_PUBLIC_NONE, true);
    fake_page(stage->fake, stage_command(stage, SYNC), 1, 2, 3); /* the next page is under way */
    stage_command(stage, SYNC);
    stage->fake->inbox_head = 5;
    fake_break(stage->fake);
    Zchat__V1__Command *sync = stage_command(stage, SYNC);
    assert_int_equal(sync->sync->after_seq, 2);
    fake_page(stage->fake, sync, 1, 5, 5); /* and a page that says too much */
    handed_out(stage, 1, 5);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_SYNCED), 1);
}

static void a_restored_store_with_a_lower_head_is_followed(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, true);
    for (uint64_t seq = 1; seq <= 9; seq++)
        fake_message(stage->fake, seq, "bob");
    handed_out(stage, 1, 9);
    stage->fake->inbox_head = 4;
    fake_break(stage->fake);
    stage_await(stage, ZCHAT_EVENT_RESUMED, 1);
    fake_message(stage->fake, 5, "bob");
    assert_int_equal(stage_await(stage, ZCHAT_EVENT_MESSAGE, 10)->seq, 5);
}

static void from_seq_overrides_the_cursor(void **state) {
    struct stage *stage = *state;
    stage->fake->inbox_head = 8;
    stage->fake->inbox_cursor = 8;
    stage_connect(stage);
    zchat_login_options options = {
        .user = "me", .inbox = true, .from_seq_set = true, .from_seq = 7};
    assert_int_equal(zchat_login(stage->z, &options, NULL, NULL), ZCHAT_OK);
    Zchat__V1__Command *sync = stage_command(stage, SYNC);
    assert_int_equal(sync->sync->after_seq, 6);
    fake_page(stage->fake, sync, 7, 8, 8);
    handed_out(stage, 7, 8);
}

static void from_seq_in_the_future_waits_for_it(void **state) {
    struct stage *stage = *state;
    stage->fake->inbox_head = 2;
    stage_connect(stage);
    zchat_login_options options = {
        .user = "me", .inbox = true, .from_seq_set = true, .from_seq = 4};
    assert_int_equal(zchat_login(stage->z, &options, NULL, NULL), ZCHAT_OK);
    stage_await(stage, ZCHAT_EVENT_SYNCED, 1);
    fake_message(stage->fake, 3, "bob");
    fake_message(stage->fake, 4, "bob");
    handed_out(stage, 4, 4);
    assert_null(fake_next(stage->fake, SYNC));
}

static void what_was_received_is_told_within_a_second(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, true);
    fake_message(stage->fake, 1, "bob");
    fake_message(stage->fake, 2, "bob");
    fake_message(stage->fake, 3, "bob");
    Zchat__V1__Command *ack = stage_command(stage, ACK);
    assert_int_equal(ack->request, 0);
    assert_int_equal(ack->ack->received, 3);
    assert_int_equal(ack->ack->read, 0);
}

static void an_unasked_ack_travels_with_the_next_frame(void **state) {
    struct stage *stage = *state;
    stage->fake->inbox_head = 5;
    stage->fake->inbox_cursor = 2;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    size_t frames = stage->fake->frames;
    assert_int_equal(zchat_ack(stage->z, 4, NULL, NULL), ZCHAT_OK);
    assert_int_equal(zchat_ack(stage->z, 3, NULL, NULL), ZCHAT_OK);
    assert_int_equal(zchat_who(stage->z, NULL, 0, NULL, NULL), ZCHAT_OK);
    Zchat__V1__Command *ack = stage_command(stage, ACK);
    assert_int_equal(ack->request, 0);
    assert_int_equal(ack->ack->read, 4);
    stage_command(stage, ZCHAT__V1__COMMAND__BODY_WHO);
    assert_int_equal(stage->fake->frames - frames, 1);
    assert_int_equal(stage_await(stage, ZCHAT_EVENT_READ, 1)->seq, 4);
}

static void a_last_ack_is_sent_before_the_handle_is_freed(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    assert_int_equal(zchat_ack(stage->z, 4, NULL, NULL), ZCHAT_OK);
    zchat_free(stage->z);
    stage->z = NULL;
    Zchat__V1__Command *ack = NULL;
    for (int i = 0; i < 100000 && !ack; i++) {
        fake_step(stage->fake);
        ack = fake_next(stage->fake, ACK);
    }
    assert_non_null(ack);
    assert_int_equal(ack->ack->read, 4);
}

static void a_cursor_moved_elsewhere_is_told_once(void **state) {
    struct stage *stage = *state;
    stage->fake->inbox_cursor = 2;
    stage->fake->inbox_head = 2;
    stage_login(stage, ZCHAT_PUBLIC_NONE, true);
    heads(stage, 2, 2);
    heads(stage, 2, 3);
    heads(stage, 2, 3);
    stage_settle(stage);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_READ), 1);
    assert_int_equal(stage_told(stage, ZCHAT_EVENT_READ, 0)->seq, 3);
}

static void texts_are_cleaned_again(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_INLINE, true);
    Zchat__V1__NoticeEvent notice = ZCHAT__V1__NOTICE_EVENT__INIT;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    notice.text = (char *)"a\033[31mb\007";
    event.time_us = 1;
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_NOTICE;
    event.notice = &notice;
    fake_event(stage->fake, &event);
    fake_message(stage->fake, 1, "b\033]0;x\007ob\n");
    assert_string_equal(stage_await(stage, ZCHAT_EVENT_NOTICE, 1)->text, "ab");
    assert_string_equal(stage_await(stage, ZCHAT_EVENT_MESSAGE, 1)->user, "bob ");
}

static void a_damaged_entry_is_handed_out_and_one_of_a_newer_kind_is_passed_over(void **state) {
    struct stage *stage = *state;
    stage->fake->inbox_head = 2;
    stage_login(stage, ZCHAT_PUBLIC_NONE, true);
    Zchat__V1__EntryDamaged damaged = ZCHAT__V1__ENTRY_DAMAGED__INIT;
    Zchat__V1__ServerEvent newer = ZCHAT__V1__SERVER_EVENT__INIT;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    Zchat__V1__ServerEvent *events[] = {&newer, &event};
    Zchat__V1__SyncResponse page = ZCHAT__V1__SYNC_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    newer.seq = 1;
    event.seq = 2;
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_DAMAGED;
    event.damaged = &damaged;
    page.n_events = 2;
    page.events = events;
    page.head = 2;
    reply.request = stage_command(stage, SYNC)->request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_SYNC;
    reply.sync = &page;
    fake_reply(stage->fake, &reply);
    stage_await(stage, ZCHAT_EVENT_SYNCED, 1);
    assert_non_null(strstr(stage_await(stage, ZCHAT_EVENT_MESSAGE, 1)->text, "damaged"));
    fake_message(stage->fake, 3, "bob");
    handed_out(stage, 2, 3);
    assert_null(strstr(stage_told(stage, ZCHAT_EVENT_MESSAGE, 1)->text, "damaged"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A reply and an event in one frame. */
static void fake_both(struct stage *stage, uint64_t request, uint64_t seq) {
    Zchat__V1__ServerBatch batch = ZCHAT__V1__SERVER_BATCH__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT, *replies = &reply;
    Zchat__V1__AckResponse ack = ZCHAT__V1__ACK_RESPONSE__INIT;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT, *events = &event;
    Zchat__V1__MessageEvent message = ZCHAT__V1__MESSAGE_EVENT__INIT;
    uint8_t id[ID_BYTES] = {0}, frame[256];
    reply.request = request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_ACK;
    reply.ack = &ack;
    event.seq = seq;
    event.time_us = 1;
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE;
    event.message = &message;
    message.id = (ProtobufCBinaryData){ID_BYTES, id};
    message.sender = (char *)"bob";
    message.to = (char *)"me";
    message.text = (char *)"hello";
    batch.n_events = batch.n_replies = 1;
    batch.events = &events;
    batch.replies = &replies;
    assert_true(zchat__v1__server_batch__get_packed_size(&batch) <= sizeof frame);
    fake_frame(stage->fake, frame, zchat__v1__server_batch__pack(&batch, frame));
}

static void replies_of_a_frame_come_before_its_events(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, true);
    size_t before = stage->told_count;
    assert_int_equal(zchat_ack(stage->z, 1, stage_answer, (void *)7), ZCHAT_OK);
    fake_both(stage, stage_command(stage, ACK)->request, 1);
    stage_await(stage, ZCHAT_EVENT_MESSAGE, 1);
    const struct told *first = NULL;
    for (size_t i = before; i < stage->told_count && !first; i++) {
        bool either = stage->told[i].kind == 0 || stage->told[i].kind == ZCHAT_EVENT_MESSAGE;
        first = either ? &stage->told[i] : NULL;
    }
    assert_non_null(first);
    assert_int_equal(first->kind, 0);
    assert_int_equal(first->arg, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(replies_of_a_frame_come_before_its_events),
        TEST(an_empty_inbox_is_synced_at_once),
        TEST(what_was_missed_comes_first_in_pages_and_marked),
        TEST(pushed_entries_are_handed_out_once),
        TEST(a_hole_is_filled_and_only_one_page_is_under_way),
        TEST(a_page_overlapping_what_was_pushed_doubles_nothing),
        TEST(a_lost_last_entry_shows_in_the_heads),
        TEST(a_refused_page_is_asked_again),
        TEST(after_a_lost_connection_it_goes_on_where_it_was),
        TEST(a_restored_store_with_a_lower_head_is_followed),
        TEST(from_seq_overrides_the_cursor),
        TEST(from_seq_in_the_future_waits_for_it),
        TEST(what_was_received_is_told_within_a_second),
        TEST(an_unasked_ack_travels_with_the_next_frame),
        TEST(a_last_ack_is_sent_before_the_handle_is_freed),
        TEST(a_cursor_moved_elsewhere_is_told_once),
        TEST(texts_are_cleaned_again),
        TEST(a_damaged_entry_is_handed_out_and_one_of_a_newer_kind_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
