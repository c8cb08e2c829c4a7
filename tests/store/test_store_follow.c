/* Who follows a thread, and how far they have read it. */
#include "forum.h"

#include <stdio.h>
#include <string.h>

enum { HAN = 1, LEIA = 2, LUKE = 3 };

static int setup(void **state) {
    struct fixture *fixture = fixture_in_memory(1);
    fixture->options.view_entries = 5;
    fixture->options.slice_entries = 2;
    fixture_open(fixture);
    assert_int_equal(fixture_account(fixture, "han"), HAN);
    assert_int_equal(fixture_account(fixture, "leia"), LEIA);
    assert_int_equal(fixture_account(fixture, "luke"), LUKE);
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

static enum store_status follow(struct fixture *fixture, int64_t account, const char *title,
                                bool follows, struct store_followed *out) {
    fixture_begin(fixture);
    enum store_status status = follows ? store_follow(fixture->store, account, title, out)
                                       : store_unfollow(fixture->store, account, title, out);
    fixture_commit(fixture);
    return status;
}

static uint64_t move(struct fixture *fixture, int64_t account, int64_t stream, uint64_t seq) {
    uint64_t cursor = 0;
    fixture_begin(fixture);
    assert_ok(store_followed_move(fixture->store, account, stream, seq, &cursor));
    fixture_commit(fixture);
    return cursor;
}

static void add_followed(void *arg, const struct store_followed *followed) {
    char line[TITLE_BYTES + 50];
    (void)snprintf(line, sizeof line, "%s %d/%d\n", followed->title, (int)followed->cursor,
                   (int)followed->head);
    (void)strcat(arg, line);
}

static void expect_followed(struct fixture *fixture, int64_t account, const char *expected) {
    char lines[2000] = "";
    assert_ok(store_followed_list(fixture->store, account, add_followed, lines));
    assert_string_equal(lines, expected);
}

static void a_cursor_begins_at_the_head_and_moves_forward(void **state) {
    struct fixture *fixture = *state;
    struct store_followed followed;
    uint64_t cursor;
    int64_t stream = forum_thread(fixture, HAN, "T");
    forum_thread(fixture, HAN, "A");
    forum_posted(fixture, HAN, "T", "before");
    assert_ok(follow(fixture, LEIA, "T", true, &followed));
    assert_int_equal(followed.stream, stream);
    assert_string_equal(followed.title, "T");
    assert_memory_equal(followed.id, forum_find(fixture, "T").id, ID_BYTES);
    assert_int_equal(followed.head, 1);
    assert_int_equal(followed.cursor, 1);
    assert_ok(follow(fixture, LEIA, "A", true, &followed));
    assert_ok(follow(fixture, LUKE, "T", true, &followed));
    for (int i = 0; i < 4; i++)
        forum_posted(fixture, LEIA, "T", "text");
    expect_followed(fixture, LEIA, "A 0/0\nT 1/5\n");
    assert_int_equal(move(fixture, LEIA, stream, 3), 3);
    assert_int_equal(move(fixture, LEIA, stream, 2), 3);
    fixture_reopen(fixture);
    expect_followed(fixture, LEIA, "A 0/0\nT 3/5\n");
    assert_int_equal(move(fixture, LEIA, stream, UINT64_MAX), 5);
    expect_followed(fixture, LUKE, "T 1/5\n");
    expect_followed(fixture, HAN, "");
    fixture_begin(fixture);
    assert_int_equal(store_followed_move(fixture->store, HAN, stream, 1, &cursor),
                     STORE_NOT_FOLLOWED);
    assert_int_equal(store_followed_move(fixture->store, LEIA, 99, 1, &cursor), STORE_NOT_FOLLOWED);
    fixture_commit(fixture);
}

static void one_follows_once(void **state) {
    struct fixture *fixture = *state;
    struct store_thread thread;
    struct store_followed followed;
    forum_thread(fixture, HAN, "T");
    assert_int_equal(follow(fixture, LEIA, "V", true, &followed), STORE_NO_THREAD);
    assert_int_equal(follow(fixture, LEIA, "V", false, &followed), STORE_NO_THREAD);
    assert_int_equal(follow(fixture, LEIA, "T", false, &followed), STORE_NOT_FOLLOWED);
    assert_ok(follow(fixture, LEIA, "T", true, &followed));
    forum_posted(fixture, HAN, "T", "text");
    assert_int_equal(follow(fixture, LEIA, "T", true, &followed), STORE_EXISTS);
    expect_followed(fixture, LEIA, "T 0/1\n");
    assert_ok(follow(fixture, LEIA, "T", false, &followed));
    assert_int_equal(follow(fixture, LEIA, "T", false, &followed), STORE_NOT_FOLLOWED);
    assert_ok(follow(fixture, LEIA, "T", true, &followed));
    expect_followed(fixture, LEIA, "T 1/1\n");
    fixture_begin(fixture);
    assert_ok(store_thread_remove(fixture->store, "T", HAN, false, &thread));
    fixture_commit(fixture);
    expect_followed(fixture, LEIA, "");
}

static void one_follows_so_many_threads_and_no_more(void **state) {
    struct fixture *fixture = *state;
    struct store_thread thread;
    struct store_followed followed;
    fixture_begin(fixture);
    for (int i = 0; i <= FOLLOWED_MAX; i++) {
        char title[16];
        unsigned char id[ID_BYTES];
        fixture_id(fixture, id);
        (void)snprintf(title, sizeof title, "T%d", i);
        assert_ok(store_thread_create(fixture->store, id, title, HAN, 1, &thread));
        assert_int_equal(store_follow(fixture->store, LEIA, title, &followed),
                         i < FOLLOWED_MAX ? STORE_OK : STORE_TOO_MANY);
    }
    assert_ok(store_unfollow(fixture->store, LEIA, "T7", &followed));
    assert_ok(store_follow(fixture->store, LEIA, "T1000", &followed));
    assert_ok(store_thread_remove(fixture->store, "T8", HAN, false, &thread));
    assert_ok(store_follow(fixture->store, LEIA, "T7", &followed));
    fixture_commit(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_cursor_begins_at_the_head_and_moves_forward),
        TEST(one_follows_once),
        TEST(one_follows_so_many_threads_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
