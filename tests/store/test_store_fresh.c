/* Posts are one entry of the log in their turn; their rows are written later, many at once, and
 * nobody sees a difference. */
#include "forum.h"
#include "old.h"

#include <stdio.h>
#include <stdlib.h>

static struct fixture *start(int64_t *han) {
    struct fixture *fixture = fixture_in_memory(1);
    fixture_open(fixture);
    *han = fixture_account(fixture, "han");
    return fixture;
}

static void post_some(struct fixture *fixture, int64_t account, const char *title, int count) {
    for (int i = 0; i < count; i++)
        forum_posted(fixture, account, title, "text");
}

static int64_t closed_query(struct fixture *fixture, const char *sql) {
    fixture_close(fixture);
    int64_t number = forum_query(fixture, sql);
    fixture_open(fixture);
    return number;
}

static void a_turn_of_posts_writes_the_log_alone(void **state) {
    (void)state;
    int64_t han;
    struct fixture *fixture = start(&han);
    forum_thread(fixture, han, "T");
    post_some(fixture, han, "T", 20);
    assert_int_equal(closed_query(fixture, "SELECT count(*) FROM post"), 0);
    assert_int_equal(closed_query(fixture, "SELECT count(*) FROM post_block"), 0);
    assert_int_equal(closed_query(fixture, "SELECT posts FROM thread"), 0);
    assert_int_equal(closed_query(fixture, "SELECT post_bytes FROM account"), 0);
    fixture_free(fixture);
}

static void many_posts_get_their_rows_at_once(void **state) {
    (void)state;
    int64_t han;
    struct fixture *fixture = start(&han);
    forum_thread(fixture, han, "T");
    forum_thread(fixture, han, "U");
    for (int i = 0; i < 300; i++) {
        post_some(fixture, han, "T", 1);
        post_some(fixture, han, "U", 1);
        fixture_merge_all(fixture);
    }
    int64_t rows = closed_query(fixture, "SELECT count(*) FROM post");
    assert_true(rows >= 500 && rows < 600);
    assert_int_equal(closed_query(fixture, "SELECT sum(posts) FROM post_block"), rows);
    assert_int_equal(closed_query(fixture, "SELECT sum(posts) FROM thread"), rows);
    assert_int_equal(closed_query(fixture, "SELECT post_bytes FROM account"), rows * (128 + 4));
    assert_int_equal(forum_find(fixture, "T").posts, 300);
    assert_int_equal(forum_find(fixture, "U").posts, 300);
    assert_int_equal(forum_posted(fixture, han, "U", "text").post.number, 301);
    fixture_free(fixture);
}

/* However many threads and people they are of, a turn writes few rows. */
static void posts_in_many_threads_get_their_rows_sooner(void **state) {
    (void)state;
    int64_t han;
    struct fixture *fixture = start(&han);
    for (int i = 0; i < 200; i++) {
        char title[16];
        (void)snprintf(title, sizeof title, "T%d", i);
        forum_thread(fixture, han, title);
        post_some(fixture, han, title, 1);
        fixture_merge_all(fixture);
    }
    int64_t rows = closed_query(fixture, "SELECT count(*) FROM post");
    assert_true(rows >= 150 && rows < 200);
    fixture_free(fixture);
}

static void expect_page(struct fixture *fixture, int64_t stream, uint64_t after_seq, size_t limit,
                        const char *lines) {
    char *page = forum_read(fixture, stream, after_seq, limit);
    assert_string_equal(page, lines);
    free(page);
}

static void expect_three(struct fixture *fixture, int64_t stream) {
    struct store_thread thread = forum_find(fixture, "T");
    assert_int_equal(thread.posts, 3);
    assert_int_equal(thread.head, 3);
    forum_expect(fixture, stream, "1 han: a\n2 han: b\n3 han: c\n");
    forum_expect_entries(fixture, stream,
                         "1 posted 1 han: a\n2 posted 2 han: b\n3 posted 3 han: c\n");
    expect_page(fixture, stream, 1, 500, "2 han: b\n3 han: c\n");
    expect_page(fixture, stream, 1, 1, "2 han: b\n");
    expect_page(fixture, stream, 3, 500, "");
}

static void posts_without_rows_are_read_like_others(void **state) {
    (void)state;
    int64_t han;
    struct fixture *fixture = start(&han);
    int64_t stream = forum_thread(fixture, han, "T");
    forum_posted(fixture, han, "T", "a");
    forum_posted(fixture, han, "T", "b");
    forum_posted(fixture, han, "T", "c");
    expect_three(fixture, stream);
    fixture_reopen(fixture);
    expect_three(fixture, stream);
    fixture_free(fixture);
}

static void a_retry_of_a_post_without_rows_is_the_same_post(void **state) {
    (void)state;
    int64_t han;
    struct fixture *fixture = start(&han);
    struct store_post_changed first, again;
    unsigned char id[ID_BYTES];
    forum_thread(fixture, han, "T");
    post_some(fixture, han, "T", 3);
    fixture_id(fixture, id);
    struct forum_change change = {.id = id, .title = "T", .account = han, .text = "once"};
    assert_ok(forum_post(fixture, &change, &first));
    fixture_reopen(fixture);
    assert_ok(forum_post(fixture, &change, &again));
    assert_true(again.again);
    forum_same_change(&first, &again);
    assert_int_equal(again.post.number, 4);
    fixture_free(fixture);
}

static void change(struct fixture *fixture, int64_t account, uint64_t number, const char *text) {
    struct store_post_changed changed;
    struct forum_change is = {.title = "T", .account = account, .number = number, .text = text};
    assert_ok(text ? forum_edit(fixture, &is, &changed) : forum_delete(fixture, &is, &changed));
}

static void posts_without_rows_are_edited_and_deleted(void **state) {
    (void)state;
    int64_t han;
    struct fixture *fixture = start(&han);
    int64_t stream = forum_thread(fixture, han, "T");
    post_some(fixture, han, "T", 3);
    change(fixture, han, 2, "new");
    post_some(fixture, han, "T", 2);
    change(fixture, han, 4, NULL);
    post_some(fixture, han, "T", 1);
    for (int i = 0; i < 2; i++) {
        forum_expect(fixture, stream,
                     "1 han: text\n2 han: new\n3 han: text\n4 han: text\n5 han: text\n");
        assert_int_equal(forum_find(fixture, "T").posts, 5);
        fixture_reopen(fixture);
    }
    change(fixture, han, 5, NULL);
    change(fixture, han, 4, "last");
    forum_expect(fixture, stream, "1 han: text\n2 han: new\n3 han: text\n4 han: last\n");
    fixture_free(fixture);
}

static void posts_without_rows_are_counted_for_their_author(void **state) {
    (void)state;
    int64_t han;
    struct fixture *fixture = start(&han);
    struct store_quotas quotas = {.post_bytes = UINT64_C(3) * (128 + 4)};
    struct store_post_changed changed;
    struct forum_change is = {.title = "T", .account = han, .text = "text"};
    forum_thread(fixture, han, "T");
    store_set_quotas(fixture->store, &quotas);
    post_some(fixture, han, "T", 2);
    fixture_reopen(fixture);
    store_set_quotas(fixture->store, &quotas);
    post_some(fixture, han, "T", 1);
    assert_int_equal(forum_post(fixture, &is, &changed), STORE_QUOTA_ACCOUNT);
    is.number = 1;
    assert_int_equal(forum_edit(fixture, &is, &changed), STORE_QUOTA_ACCOUNT);
    change(fixture, han, 1, NULL);
    assert_int_equal(forum_find(fixture, "T").posts, 2);
    fixture_free(fixture);
}

static void an_id_of_a_thread_is_not_taken_for_a_post(void **state) {
    (void)state;
    int64_t han;
    struct fixture *fixture = start(&han);
    struct store_post_changed changed;
    struct store_thread thread;
    forum_thread(fixture, han, "T");
    post_some(fixture, han, "T", 1);
    forum_thread(fixture, han, "U");
    thread = forum_find(fixture, "U");
    struct forum_change is = {.id = thread.id, .title = "T", .account = han, .text = "text"};
    assert_int_equal(forum_post(fixture, &is, &changed), STORE_ID_REUSED);
    fixture_free(fixture);
}

/* As an earlier version left it: each post has its row. */
static void posts_of_an_earlier_version_are_not_counted_twice(void **state) {
    (void)state;
    struct fixture *fixture = fixture_in_folder();
    fixture_open(fixture);
    int64_t han = fixture_account(fixture, "han");
    int64_t stream = forum_thread(fixture, han, "T");
    post_some(fixture, han, "T", 2);
    change(fixture, han, 1, "new");
    fixture_close(fixture);
    fixture_execute(fixture,
                    BEFORE_14 "DELETE FROM meta WHERE name = 'posted'; DROP TABLE band; DROP TABLE "
                              "band_row; DROP TABLE removed_thread; DROP TABLE rubbish_thread; "
                              "DROP TABLE rubbish_file; PRAGMA user_version = 8");
    fixture_open(fixture);
    forum_expect(fixture, stream, "1 han: new\n2 han: text\n");
    assert_int_equal(forum_find(fixture, "T").posts, 2);
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_of_posts_writes_the_log_alone),
        cmocka_unit_test(many_posts_get_their_rows_at_once),
        cmocka_unit_test(posts_in_many_threads_get_their_rows_sooner),
        cmocka_unit_test(posts_without_rows_are_read_like_others),
        cmocka_unit_test(a_retry_of_a_post_without_rows_is_the_same_post),
        cmocka_unit_test(posts_without_rows_are_edited_and_deleted),
        cmocka_unit_test(posts_without_rows_are_counted_for_their_author),
        cmocka_unit_test(an_id_of_a_thread_is_not_taken_for_a_post),
        cmocka_unit_test(posts_of_an_earlier_version_are_not_counted_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
