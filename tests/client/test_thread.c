/* Calls about threads, and followed threads, of a broker that loses events and connections: what is
 * asked again, what is checked before it travels, and that every event is handed out once. */
#include "id.h"
#include "stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BODY(name) ZCHAT__V1__COMMAND__BODY_##name

static const unsigned char THREAD[ID_BYTES] = {1,    2, 3,  4,  5,  6,  0x70, 7,
                                               0x80, 9, 10, 11, 12, 13, 14,   15};
static const char STREAM[] = "thread/010203040506700780090a0b0c0d0e0f";

static int setup(void **state) {
    *state = stage_new();
    return 0;
}

static int teardown(void **state) {
    stage_free(*state);
    return 0;
}

static ProtobufCBinaryData thread_id(void) {
    return (ProtobufCBinaryData){.data = (uint8_t *)THREAD, .len = ID_BYTES};
}

/* ---- what the broker says ---- */

/* Answers ListFollowed: the one thread, or none. */
static void say_followed(struct stage *stage, const Zchat__V1__Command *command, bool one,
                         uint64_t head, uint64_t cursor) {
    Zchat__V1__FollowedThread thread = ZCHAT__V1__FOLLOWED_THREAD__INIT;
    Zchat__V1__FollowedThread *list = &thread;
    Zchat__V1__ListFollowedResponse body = ZCHAT__V1__LIST_FOLLOWED_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    thread.id = thread_id();
    thread.title = (char *)"t\033[1m";
    thread.head = head;
    thread.cursor = cursor;
    body.n_threads = one;
    body.threads = &list;
    reply.request = command->request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_LIST_FOLLOWED;
    reply.list_followed = &body;
    fake_reply(stage->fake, &reply);
}

struct posted {
    Zchat__V1__ServerEvent event;
    Zchat__V1__ThreadEvent about;
    Zchat__V1__Post post;
    Zchat__V1__ThreadRemoved removed;
};

static Zchat__V1__ServerEvent *posted(struct posted *posted, uint64_t seq) {
    zchat__v1__server_event__init(&posted->event);
    zchat__v1__thread_event__init(&posted->about);
    zchat__v1__post__init(&posted->post);
    posted->post.id = thread_id();
    posted->post.number = seq;
    posted->post.user = (char *)"bob";
    posted->post.text = (char *)"te\033]0;x\007xt";
    posted->about.thread = thread_id();
    posted->about.title = (char *)"t";
    posted->about.body_case = ZCHAT__V1__THREAD_EVENT__BODY_POSTED;
    posted->about.posted = &posted->post;
    posted->event.seq = seq;
    posted->event.time_us = 1;
    posted->event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_THREAD;
    posted->event.thread = &posted->about;
    return &posted->event;
}

static Zchat__V1__ServerEvent *removed(struct posted *event, uint64_t seq) {
    posted(event, seq);
    zchat__v1__thread_removed__init(&event->removed);
    event->removed.user = (char *)"bob";
    event->about.body_case = ZCHAT__V1__THREAD_EVENT__BODY_REMOVED;
    event->about.removed = &event->removed;
    return &event->event;
}

static void say_page(struct stage *stage, const Zchat__V1__Command *sync, uint64_t first,
                     uint64_t last, uint64_t head) {
    struct posted entries[16];
    Zchat__V1__ServerEvent *events[16];
    Zchat__V1__SyncResponse page = ZCHAT__V1__SYNC_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    for (uint64_t seq = first; seq <= last; seq++) {
        events[page.n_events] = posted(&entries[page.n_events], seq);
        page.n_events++;
    }
    page.stream = sync->sync->stream;
    page.events = events;
    page.head = head;
    page.more = last < head;
    reply.request = sync->request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_SYNC;
    reply.sync = &page;
    fake_reply(stage->fake, &reply);
}

static Zchat__V1__Command *sync_of(struct stage *stage, uint64_t after_seq) {
    Zchat__V1__Command *sync = stage_command(stage, BODY(SYNC));
    assert_string_equal(sync->sync->stream, STREAM);
    assert_int_equal(sync->sync->after_seq, after_seq);
    return sync;
}

/* Logged in, following the one thread. */
static void follow(struct stage *stage, zchat_public_events events, uint64_t head,
                   uint64_t cursor) {
    zchat_login_options options = {
        .user = "me", .password = "x", .threads = true, .public_events = events};
    stage_connect(stage);
    assert_int_equal(zchat_login(stage->z, &options, stage_answer, NULL), ZCHAT_OK);
    stage_await(stage, 0, 1);
    say_followed(stage, stage_command(stage, BODY(LIST_FOLLOWED)), true, head, cursor);
}

static void seqs(struct stage *stage, uint64_t first, uint64_t last) {
    stage_await(stage, ZCHAT_EVENT_POSTED, last - first + 1);
    stage_settle(stage);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_POSTED), last - first + 1);
    for (uint64_t seq = first; seq <= last; seq++)
        assert_int_equal(stage_told(stage, ZCHAT_EVENT_POSTED, seq - first)->seq, seq);
}

/* ---- calls ---- */

static void invalid(struct stage *stage, zchat_code code, zchat_code expected, const char *part) {
    assert_int_equal(code, expected);
    if (!strstr(zchat_error(stage->z), part))
        fail_msg("\"%s\" does not say \"%s\"", zchat_error(stage->z), part);
    assert_int_equal(zchat_pending(stage->z), 0);
}

static void titles_and_numbers_are_checked(void **state) {
    struct stage *stage = *state;
    stage_open(stage);
    zchat *z = stage->z;
    char longer[TITLE_BYTES_MAX + 2];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    const char *const bad[] = {NULL, "", " ", "a/b", "a\nb", "a\033b", "\xff", longer};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        invalid(stage, zchat_thread_create(z, bad[i], NULL, NULL, NULL), ZCHAT_INVALID, "128");
    invalid(stage, zchat_thread_post(z, "", "x", NULL, NULL, NULL), ZCHAT_INVALID, "empty");
    invalid(stage, zchat_thread_post(z, longer, "x", NULL, NULL, NULL), ZCHAT_NOT_FOUND,
            "not exist");
    invalid(stage, zchat_thread_post(z, "t", "", NULL, NULL, NULL), ZCHAT_INVALID, "empty");
    invalid(stage, zchat_thread_edit(z, "t", NULL, 0, "x", NULL, NULL), ZCHAT_INVALID, "from 1");
    invalid(stage, zchat_thread_delete(z, "t", NULL, 0, NULL, NULL), ZCHAT_INVALID, "from 1");
    invalid(stage, zchat_thread_read(z, "t", 0, 501, NULL, NULL), ZCHAT_INVALID, "at most 500");
    invalid(stage, zchat_thread_list(z, NULL, 501, NULL, NULL), ZCHAT_INVALID, "at most 500");
    zchat_login_options login = {.user = "me", .threads = true};
    invalid(stage, zchat_login(z, &login, NULL, NULL), ZCHAT_INVALID, "public events");
}

static void after_a_lost_connection_the_same_is_asked_or_said_to_be_unknown(void **state) {
    struct stage *stage = *state;
    zchat_id post = {{0}};
    zchat_id_new(&post);
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    zchat *z = stage->z;
    zchat_thread_create(z, "t", NULL, stage_answer, (void *)1);
    zchat_thread_post(z, "t", "x", NULL, stage_answer, (void *)2);
    zchat_thread_edit(z, "t", &post, 0, "y", stage_answer, (void *)3);
    zchat_thread_delete(z, "t", NULL, 7, stage_answer, (void *)4);
    zchat_thread_follow(z, "t", stage_answer, (void *)5);
    zchat_thread_unfollow(z, "t", stage_answer, (void *)6);
    zchat_thread_remove(z, "t", stage_answer, (void *)7);
    Zchat__V1__Command *create = stage_command(stage, BODY(CREATE_THREAD));
    Zchat__V1__Command *sent = stage_command(stage, BODY(POST_TO_THREAD));
    Zchat__V1__Command *edit = stage_command(stage, BODY(EDIT_POST));
    Zchat__V1__Command *gone = stage_command(stage, BODY(DELETE_POST));
    stage_command(stage, BODY(REMOVE_THREAD));
    assert_memory_equal(edit->edit_post->post.data, post.bytes, ID_BYTES);
    assert_int_equal(gone->delete_post->number, 7);
    fake_break(stage->fake);
    stage_await(stage, 0, 3);
    assert_int_equal(stage_told(stage, 0, 1)->code, ZCHAT_UNREACHABLE);
    assert_int_equal(stage_told(stage, 0, 1)->arg, 5);
    assert_int_equal(stage_told(stage, 0, 2)->code, ZCHAT_UNREACHABLE);
    assert_int_equal(stage_told(stage, 0, 2)->arg, 7);
    Zchat__V1__Command *again = stage_command(stage, BODY(CREATE_THREAD));
    assert_memory_equal(again->create_thread->id.data, create->create_thread->id.data, ID_BYTES);
    again = stage_command(stage, BODY(POST_TO_THREAD));
    assert_memory_equal(again->post_to_thread->id.data, sent->post_to_thread->id.data, ID_BYTES);
    again = stage_command(stage, BODY(EDIT_POST));
    assert_memory_equal(again->edit_post->id.data, edit->edit_post->id.data, ID_BYTES);
    again = stage_command(stage, BODY(DELETE_POST));
    assert_memory_equal(again->delete_post->id.data, gone->delete_post->id.data, ID_BYTES);
    again = stage_command(stage, BODY(UNFOLLOW_THREAD));
    assert_string_equal(again->unfollow_thread->thread, "t");
    stage_settle(stage);
    assert_null(fake_next(stage->fake, BODY(FOLLOW_THREAD)));
    assert_null(fake_next(stage->fake, BODY(REMOVE_THREAD)));
}

static void a_shutdown_carries_what_it_was_told(void **state) {
    struct stage *stage = *state;
    stage_login(stage, ZCHAT_PUBLIC_NONE, false);
    assert_int_equal(zchat_shutdown(stage->z, "secret", true, stage_answer, NULL), ZCHAT_OK);
    Zchat__V1__Command *command = stage_command(stage, BODY(SHUTDOWN));
    assert_string_equal(command->shutdown->password, "secret");
    assert_true(command->shutdown->wipe);
}

/* ---- followed threads ---- */

static void what_was_missed_comes_before_what_comes(void **state) {
    struct stage *stage = *state;
    struct posted event;
    follow(stage, ZCHAT_PUBLIC_INLINE, 5, 2);
    fake_event(stage->fake, posted(&event, 6));
    Zchat__V1__Command *sync = sync_of(stage, 2);
    stage_settle(stage);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_POSTED), 0);
    say_page(stage, sync, 3, 4, 6);
    sync = sync_of(stage, 4);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_THREADS_SYNCED), 0);
    say_page(stage, sync, 5, 6, 6);
    stage_await(stage, ZCHAT_EVENT_POSTED, 4);
    stage_await(stage, ZCHAT_EVENT_THREADS_SYNCED, 1);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(stage_told(stage, ZCHAT_EVENT_POSTED, i)->missed, i < 3); /* up to 5 */
    fake_event(stage->fake, posted(&event, 7));
    fake_event(stage->fake, posted(&event, 7));
    seqs(stage, 3, 7);
    assert_string_equal(stage_told(stage, ZCHAT_EVENT_POSTED, 0)->text, "text");
    assert_string_equal(stage_told(stage, ZCHAT_EVENT_POSTED, 0)->user, "bob");
}

static void what_was_missed_is_all_there_once(void **state) {
    struct stage *stage = *state;
    struct posted event;
    follow(stage, ZCHAT_PUBLIC_INLINE, 5, 5);
    stage_await(stage, ZCHAT_EVENT_THREADS_SYNCED, 1);
    fake_event(stage->fake, posted(&event, 8));
    say_page(stage, sync_of(stage, 5), 6, 8, 8);
    seqs(stage, 6, 8);
    assert_false(stage_told(stage, ZCHAT_EVENT_POSTED, 0)->missed);
    fake_break(stage->fake);
    say_followed(stage, stage_command(stage, BODY(LIST_FOLLOWED)), true, 9, 5);
    say_page(stage, sync_of(stage, 8), 9, 9, 9);
    seqs(stage, 6, 9);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_THREADS_SYNCED), 1);
}

static void a_restored_store_has_nothing_more_that_was_missed(void **state) {
    struct stage *stage = *state;
    follow(stage, ZCHAT_PUBLIC_INLINE, 50, 20);
    (void)sync_of(stage, 20);
    fake_break(stage->fake);
    say_followed(stage, stage_command(stage, BODY(LIST_FOLLOWED)), true, 10, 10);
    stage_await(stage, ZCHAT_EVENT_THREADS_SYNCED, 1);
}

static void a_hole_is_filled(void **state) {
    struct stage *stage = *state;
    struct posted event;
    follow(stage, ZCHAT_PUBLIC_INLINE, 5, 5);
    stage_settle(stage);
    fake_event(stage->fake, posted(&event, 8));
    say_page(stage, sync_of(stage, 5), 6, 8, 8);
    seqs(stage, 6, 8);
}

static void events_of_the_sub_socket_and_its_repeated_head_count(void **state) {
    struct stage *stage = *state;
    struct posted event;
    Zchat__V1__ServerEvent none = ZCHAT__V1__SERVER_EVENT__INIT;
    follow(stage, ZCHAT_PUBLIC_SUB, 5, 5);
    stage_command(stage, BODY(KEEP_ALIVE));
    say_followed(stage, stage_command(stage, BODY(LIST_FOLLOWED)), true, 5, 5);
    stage_settle(stage);
    fake_publish(stage->fake, STREAM, posted(&event, 6), 0);
    stage_await(stage, ZCHAT_EVENT_POSTED, 1);
    fake_publish(stage->fake, STREAM, &none, 7);
    say_page(stage, sync_of(stage, 6), 7, 7, 7);
    seqs(stage, 6, 7);
}

static void events_that_were_dropped_show_in_the_list(void **state) {
    struct stage *stage = *state;
    Zchat__V1__TopicHead topic = ZCHAT__V1__TOPIC_HEAD__INIT;
    Zchat__V1__TopicHead *topics = &topic;
    Zchat__V1__Heads heads = ZCHAT__V1__HEADS__INIT;
    Zchat__V1__ServerEvent event = ZCHAT__V1__SERVER_EVENT__INIT;
    follow(stage, ZCHAT_PUBLIC_INLINE, 5, 5);
    stage_settle(stage);
    topic.topic = (char *)"presence";
    heads.n_topics = 1;
    heads.topics = &topics;
    event.time_us = 1;
    event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_HEADS;
    event.heads = &heads;
    fake_event(stage->fake, &event);
    say_followed(stage, stage_command(stage, BODY(LIST_FOLLOWED)), true, 6, 5);
    say_page(stage, sync_of(stage, 5), 6, 6, 6);
    seqs(stage, 6, 6);
}

static void after_a_resume_it_goes_on_where_it_was(void **state) {
    struct stage *stage = *state;
    struct posted event;
    follow(stage, ZCHAT_PUBLIC_INLINE, 5, 5);
    stage_settle(stage);
    fake_event(stage->fake, posted(&event, 6));
    stage_await(stage, ZCHAT_EVENT_POSTED, 1);
    fake_break(stage->fake);
    stage_await(stage, ZCHAT_EVENT_RESUMED, 1);
    Zchat__V1__Command *list = stage_command(stage, BODY(LIST_FOLLOWED));
    fake_event(stage->fake, posted(&event, 9)); /* before the list: only its number counts */
    say_followed(stage, list, true, 8, 0);
    say_page(stage, sync_of(stage, 6), 7, 9, 9);
    seqs(stage, 6, 9);
}

static void a_restored_store_is_followed_from_its_head(void **state) {
    struct stage *stage = *state;
    struct posted event;
    follow(stage, ZCHAT_PUBLIC_INLINE, 50, 50);
    stage_settle(stage);
    fake_break(stage->fake);
    say_followed(stage, stage_command(stage, BODY(LIST_FOLLOWED)), true, 10, 10);
    stage_settle(stage);
    fake_event(stage->fake, posted(&event, 11));
    seqs(stage, 11, 11);
}

static void a_removal_ends_it_whatever_was_missed(void **state) {
    struct stage *stage = *state;
    struct posted event;
    follow(stage, ZCHAT_PUBLIC_INLINE, 5, 2);
    Zchat__V1__Command *sync = sync_of(stage, 2);
    fake_event(stage->fake, removed(&event, 6));
    const struct told *told = stage_await(stage, ZCHAT_EVENT_THREAD_REMOVED, 1);
    assert_string_equal(told->user, "bob");
    stage_await(stage, ZCHAT_EVENT_THREADS_SYNCED, 1);
    fake_error(stage->fake, sync->request, ZCHAT__V1__CODE__CODE_NOT_FOUND, "gone");
    fake_event(stage->fake, posted(&event, 7));
    stage_settle(stage);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_POSTED), 0);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_THREAD_REMOVED), 1);
}

static void who_was_away_learns_of_a_removal_but_of_no_unfollow(void **state) {
    struct stage *stage = *state;
    follow(stage, ZCHAT_PUBLIC_INLINE, 5, 5);
    stage_settle(stage);
    fake_break(stage->fake);
    say_followed(stage, stage_command(stage, BODY(LIST_FOLLOWED)), false, 0, 0);
    Zchat__V1__Command *sync = sync_of(stage, 5);
    fake_error(stage->fake, sync->request, ZCHAT__V1__CODE__CODE_NOT_FOUND, "gone");
    stage_await(stage, ZCHAT_EVENT_THREAD_REMOVED, 1);
    assert_int_equal(zchat_thread_follow(stage->z, "t", stage_answer, NULL), ZCHAT_OK);
    fake_break(stage->fake);
    say_followed(stage, stage_command(stage, BODY(LIST_FOLLOWED)), true, 5, 5);
    stage_settle(stage);
    fake_break(stage->fake);
    say_followed(stage, stage_command(stage, BODY(LIST_FOLLOWED)), false, 0, 0);
    say_page(stage, sync_of(stage, 5), 6, 7, 7);
    stage_settle(stage);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_THREAD_REMOVED), 1);
    assert_int_equal(stage_count(stage, ZCHAT_EVENT_POSTED), 0);
}

static void say_acked(struct stage *stage, const Zchat__V1__Command *command) {
    Zchat__V1__AckResponse body = ZCHAT__V1__ACK_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    body.cursor = command->ack->read;
    reply.request = command->request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_ACK;
    reply.ack = &body;
    fake_reply(stage->fake, &reply);
}

static void cursors_go_together_and_survive_the_connection(void **state) {
    struct stage *stage = *state;
    zchat_id id;
    memcpy(id.bytes, THREAD, ID_BYTES);
    follow(stage, ZCHAT_PUBLIC_INLINE, 9, 9);
    stage_settle(stage);
    for (uint64_t seq = 10; seq <= 14; seq++)
        assert_int_equal(zchat_thread_ack(stage->z, &id, seq, NULL, NULL), ZCHAT_OK);
    Zchat__V1__Command *ack = stage_command(stage, BODY(ACK));
    assert_string_equal(ack->ack->stream, STREAM);
    assert_int_equal(ack->ack->read, 14);
    assert_int_not_equal(ack->request, 0);
    assert_int_equal(zchat_thread_ack(stage->z, &id, 15, NULL, NULL), ZCHAT_OK);
    stage_settle(stage);
    assert_null(fake_next(stage->fake, BODY(ACK)));
    say_acked(stage, ack);
    assert_int_equal(stage_command(stage, BODY(ACK))->ack->read, 15);
    fake_break(stage->fake);
    stage_command(stage, BODY(LIST_FOLLOWED));
    ack = stage_command(stage, BODY(ACK));
    assert_int_equal(ack->ack->read, 15);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(titles_and_numbers_are_checked),
        TEST(after_a_lost_connection_the_same_is_asked_or_said_to_be_unknown),
        TEST(a_shutdown_carries_what_it_was_told),
        TEST(what_was_missed_comes_before_what_comes),
        TEST(a_hole_is_filled),
        TEST(events_of_the_sub_socket_and_its_repeated_head_count),
        TEST(events_that_were_dropped_show_in_the_list),
        TEST(after_a_resume_it_goes_on_where_it_was),
        TEST(what_was_missed_is_all_there_once),
        TEST(a_restored_store_has_nothing_more_that_was_missed),
        TEST(a_restored_store_is_followed_from_its_head),
        TEST(a_removal_ends_it_whatever_was_missed),
        TEST(who_was_away_learns_of_a_removal_but_of_no_unfollow),
        TEST(cursors_go_together_and_survive_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
