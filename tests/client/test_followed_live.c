/* Followed threads of a real broker: live, after an absence, over a killed broker; all events once,
 * in order, without holes, on both ways on which they come. */
#include "live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct test {
    struct live *live;
    struct client *author;
    struct client *sub;
    struct client *plain;
    zchat_id thread;
};

static void create(struct test *test, const char *title) {
    struct answer answer = {0};
    zchat_thread_create(test->author->z, title, NULL, live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    test->thread = answer.thread;
}

static void follow(struct test *test, struct client *client, const char *title) {
    struct answer answer = {0};
    zchat_thread_follow(client->z, title, live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    assert_int_equal(answer.count, 1);
}

static int setup(void **state) {
    struct test *test = calloc(1, sizeof *test);
    assert_non_null(test);
    test->live = live_new();
    test->author = live_client(test->live, "author", ZCHAT_PUBLIC_NONE);
    test->sub = live_client(test->live, "sub", ZCHAT_PUBLIC_SUB);
    test->plain = live_client(test->live, "plain", ZCHAT_PUBLIC_INLINE);
    create(test, "t");
    follow(test, test->sub, "t");
    follow(test, test->plain, "t");
    *state = test;
    return 0;
}

static int teardown(void **state) {
    struct test *test = *state;
    live_free(test->live);
    free(test);
    return 0;
}

static zchat_id post(struct test *test, const char *text) {
    struct answer answer = {0};
    zchat_thread_post(test->author->z, "t", text, NULL, live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    return answer.id;
}

/* The nth of the thread's events that the client heard. */
static const struct heard *nth(const struct client *client, size_t n) {
    for (size_t i = 0; i < client->heard_count; i++)
        if (client->heard[i].kind >= ZCHAT_EVENT_POSTED &&
            client->heard[i].kind != ZCHAT_EVENT_THREADS_SYNCED && n-- == 0)
            return &client->heard[i];
    return NULL;
}

/* It heard exactly first..last. */
static void expect_seqs(struct test *test, const struct client *client, uint64_t first,
                        uint64_t last) {
    LIVE_UNTIL(test->live, nth(client, last - first));
    for (uint64_t seq = first; seq <= last; seq++) {
        const struct heard *heard = nth(client, seq - first);
        assert_int_equal(heard->seq, seq);
        assert_memory_equal(heard->thread.bytes, test->thread.bytes, 16);
        assert_string_equal(heard->title, "t");
    }
    assert_null(nth(client, last - first + 1));
}

static void everything_that_happens_comes_live(void **state) {
    struct test *test = *state;
    zchat *z = test->author->z;
    struct answer answer = {0};
    struct client *const both[] = {test->sub, test->plain};
    zchat_id id = post(test, "one");
    zchat_thread_edit(z, "t", &id, 0, "uno", live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    answer.done = false;
    char path[256];
    live_path(test->live, "empty", path);
    fclose(fopen(path, "w"));
    zchat_file_put(z, "t", path, NULL, NULL, live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    answer.done = false;
    zchat_thread_delete(z, "t", &id, 0, live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    answer.done = false;
    zchat_thread_remove(z, "t", live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    for (size_t i = 0; i < 2; i++) {
        expect_seqs(test, both[i], 1, 5);
        assert_int_equal(nth(both[i], 0)->kind, ZCHAT_EVENT_POSTED);
        assert_string_equal(nth(both[i], 0)->text, "one");
        assert_string_equal(nth(both[i], 0)->user, "author");
        assert_int_equal(nth(both[i], 1)->kind, ZCHAT_EVENT_EDITED);
        assert_string_equal(nth(both[i], 1)->text, "uno");
        assert_int_equal(nth(both[i], 2)->kind, ZCHAT_EVENT_UPLOADED);
        assert_int_equal(nth(both[i], 3)->kind, ZCHAT_EVENT_DELETED);
        assert_memory_equal(nth(both[i], 3)->id.bytes, id.bytes, 16);
        assert_int_equal(nth(both[i], 4)->kind, ZCHAT_EVENT_THREAD_REMOVED);
        assert_string_equal(nth(both[i], 4)->user, "author");
    }
}

static void an_absence_is_made_up_from_the_cursor_on(void **state) {
    struct test *test = *state;
    post(test, "1");
    post(test, "2");
    post(test, "3");
    struct client *const both[] = {test->sub, test->plain};
    for (size_t i = 0; i < 2; i++) {
        expect_seqs(test, both[i], 1, 3);
        assert_int_equal(zchat_thread_ack(both[i]->z, &test->thread, 1, NULL, NULL), ZCHAT_OK);
        assert_int_equal(zchat_thread_ack(both[i]->z, &test->thread, 2, NULL, NULL), ZCHAT_OK);
        client_drop(both[i]);
        both[i]->heard_count = 0;
    }
    for (int i = 0; i < 700; i++)
        post(test, "more");
    client_login(test->sub, "sub", ZCHAT_PUBLIC_SUB);
    client_login(test->plain, "plain", ZCHAT_PUBLIC_INLINE);
    post(test, "last");
    expect_seqs(test, test->sub, 3, 704);
    expect_seqs(test, test->plain, 3, 704);
}

static void a_killed_broker_leaves_no_hole(void **state) {
    struct test *test = *state;
    struct answer answers[60] = {0};
    size_t sent = 0;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 20; i++)
            zchat_thread_post(test->author->z, "t", "x", NULL, live_answer, &answers[sent++]);
        live_step(test->live);
        live_kill(test->live);
        live_step(test->live);
        live_start(test->live);
    }
    for (size_t i = 0; i < sent; i++)
        live_expect(test->live, &answers[i], ZCHAT_OK);
    expect_seqs(test, test->sub, 1, sent);
    expect_seqs(test, test->plain, 1, sent);
    post(test, "y");
    expect_seqs(test, test->sub, 1, sent + 1);
    expect_seqs(test, test->plain, 1, sent + 1);
}

static void what_is_no_longer_followed_is_silent(void **state) {
    struct test *test = *state;
    struct answer answer = {0};
    struct client *const both[] = {test->sub, test->plain};
    post(test, "1");
    for (size_t i = 0; i < 2; i++) {
        expect_seqs(test, both[i], 1, 1);
        answer.done = false;
        zchat_thread_unfollow(both[i]->z, "t", live_answer, &answer);
        live_expect(test->live, &answer, ZCHAT_OK);
    }
    post(test, "2");
    for (size_t i = 0; i < 2; i++) {
        answer.done = false;
        zchat_followed_list(both[i]->z, live_answer, &answer);
        live_expect(test->live, &answer, ZCHAT_OK);
        assert_int_equal(answer.count, 0);
        follow(test, both[i], "t");
    }
    post(test, "3");
    for (size_t i = 0; i < 2; i++) {
        LIVE_UNTIL(test->live, nth(both[i], 1));
        assert_int_equal(nth(both[i], 1)->seq, 3);
    }
}

static void many_threads_come_without_a_hole(void **state) {
    struct test *test = *state;
    struct answer answer = {0};
    for (int i = 0; i < 250; i++) {
        char title[32];
        snprintf(title, sizeof title, "thread %d", i);
        create(test, title);
        follow(test, test->sub, title);
    }
    for (int i = 0; i < 250; i++) {
        char title[32];
        snprintf(title, sizeof title, "thread %d", i);
        answer.done = false;
        zchat_thread_post(test->author->z, title, "x", NULL, live_answer, &answer);
        live_expect(test->live, &answer, ZCHAT_OK);
    }
    LIVE_UNTIL(test->live, client_count(test->sub, ZCHAT_EVENT_POSTED) == 250);
    client_drop(test->sub);
    test->sub->heard_count = 0;
    client_login(test->sub, "sub", ZCHAT_PUBLIC_SUB);
    LIVE_UNTIL(test->live, client_count(test->sub, ZCHAT_EVENT_POSTED) == 250);
    post(test, "x");
    LIVE_UNTIL(test->live, client_count(test->sub, ZCHAT_EVENT_POSTED) == 251);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(everything_that_happens_comes_live), TEST(an_absence_is_made_up_from_the_cursor_on),
        TEST(a_killed_broker_leaves_no_hole),     TEST(what_is_no_longer_followed_is_silent),
        TEST(many_threads_come_without_a_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
