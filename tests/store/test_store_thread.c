/* Threads, one rule at a time: made, listed, removed; posts and their numbers; test_store_post.c
 * mixes them. */
#include "forum.h"

#include <stdio.h>
#include <stdlib.h>
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

/* ---- threads ---- */

static enum store_status create(struct fixture *fixture, const unsigned char *id, const char *title,
                                int64_t creator, struct store_thread *out) {
    fixture_begin(fixture);
    enum store_status status =
        store_thread_create(fixture->store, id, title, creator, ++fixture->now_us, out);
    fixture_commit(fixture);
    return status;
}

static void a_new_thread_is_empty_and_found_both_ways(void **state) {
    struct fixture *fixture = *state;
    struct store_thread thread;
    struct store_thread found;
    unsigned char id[ID_BYTES];
    fixture_id(fixture, id);
    assert_ok(create(fixture, id, "Falcon", HAN, &thread));
    assert_true(thread.stream > LUKE);
    assert_string_equal(thread.title, "Falcon");
    assert_string_equal(thread.creator, "han");
    assert_memory_equal(thread.id, id, ID_BYTES);
    assert_int_equal(thread.created_us, fixture->now_us);
    assert_int_equal(thread.last_us, fixture->now_us);
    assert_int_equal(thread.posts + thread.uploads + thread.head, 0);
    fixture_reopen(fixture);
    assert_ok(store_thread_find(fixture->store, "Falcon", &found));
    forum_same_thread(&found, &thread);
    assert_ok(store_thread_find_id(fixture->store, id, &found));
    forum_same_thread(&found, &thread);
    assert_int_equal(store_thread_find(fixture->store, "falcon", &found), STORE_NO_THREAD);
    id[0] ^= 1;
    assert_int_equal(store_thread_find_id(fixture->store, id, &found), STORE_NOT_FOUND);
}

static void a_title_and_an_id_name_one_thread(void **state) {
    struct fixture *fixture = *state;
    struct store_thread thread;
    struct store_thread again;
    struct store_message_stored sent;
    unsigned char id[ID_BYTES];
    unsigned char other[ID_BYTES];
    unsigned char message[ID_BYTES];
    fixture_id(fixture, id);
    fixture_id(fixture, other);
    fixture_id(fixture, message);
    assert_ok(create(fixture, id, "Falcon", HAN, &thread));
    assert_ok(create(fixture, id, "Falcon", HAN, &again));
    forum_same_thread(&again, &thread);
    assert_int_equal(create(fixture, id, "Falcon", LEIA, &again), STORE_ID_REUSED);
    assert_int_equal(create(fixture, id, "X-wing", HAN, &again), STORE_ID_REUSED);
    assert_int_equal(create(fixture, other, "Falcon", HAN, &again), STORE_EXISTS);
    fixture_begin(fixture);
    assert_ok(fixture_send(fixture, message, HAN, "leia", "hello", &sent));
    fixture_commit(fixture);
    assert_int_equal(create(fixture, message, "X-wing", HAN, &again), STORE_ID_REUSED);
    assert_int_equal(store_thread_find(fixture->store, "X-wing", &again), STORE_NO_THREAD);
}

struct titles {
    char text[2000];
    size_t left;
};

static bool add_title(void *arg, const struct store_thread *thread) {
    struct titles *titles = arg;
    (void)strcat(titles->text, thread->title);
    (void)strcat(titles->text, "|");
    return --titles->left > 0;
}

static void expect_list(struct fixture *fixture, const char *after, size_t limit, size_t ends_after,
                        const char *expected) {
    struct titles titles = {.left = ends_after};
    assert_ok(store_thread_list(fixture->store, after, limit, add_title, &titles));
    assert_string_equal(titles.text, expected);
}

static void titles_are_any_text_in_the_order_of_their_bytes(void **state) {
    struct fixture *fixture = *state;
    char longest[TITLE_BYTES_MAX + 1];
    for (size_t i = 0; i < TITLE_BYTES_MAX; i += 4)
        memcpy(longest + i, "\xf0\x9f\x9a\x80", 4);
    longest[TITLE_BYTES_MAX] = '\0';
    static const char *const some[] = {
        "b", "-a-b", "../x", "B", "caf\xc3\xa9", "cafe\xcc\x81", "a b", "'; DROP TABLE log; --",
        "%s"};
    expect_list(fixture, "", 10, 10, "");
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++)
        forum_thread(fixture, HAN, some[i]);
    forum_thread(fixture, HAN, longest);
    expect_list(fixture, "", 9, 100,
                "%s|'; DROP TABLE log; --|-a-b|../x|B|a b|b|cafe\xcc\x81|caf\xc3\xa9|");
    expect_list(fixture, "", 3, 100, "%s|'; DROP TABLE log; --|-a-b|");
    expect_list(fixture, "", 100, 2, "%s|'; DROP TABLE log; --|");
    expect_list(fixture, "-a-b", 2, 100, "../x|B|");
    expect_list(fixture, "C", 3, 100, "a b|b|cafe\xcc\x81|");
    expect_list(fixture, "", 0, 100, "");
    expect_list(fixture, longest, 100, 100, "");
    assert_string_equal(forum_find(fixture, longest).title, longest);
}

/* ---- posts ---- */

static void numbers_close_up_behind_a_deleted_post(void **state) {
    struct fixture *fixture = *state;
    struct store_post_changed changed;
    int64_t stream = forum_thread(fixture, HAN, "T");
    forum_posted(fixture, HAN, "T", "one");
    struct store_post_changed two = forum_posted(fixture, LEIA, "T", "two");
    changed = forum_posted(fixture, HAN, "T", "three");
    assert_int_equal(changed.seq, 3);
    assert_int_equal(changed.post.seq, 3);
    assert_int_equal(changed.post.number, 3);
    assert_int_equal(changed.time_us, fixture->now_us);
    assert_int_equal(changed.post.time_us, fixture->now_us);
    assert_int_equal(changed.thread.posts, 3);
    assert_int_equal(changed.thread.head, 3);
    assert_int_equal(changed.thread.last_us, fixture->now_us);
    assert_string_equal(changed.post.user, "han");
    forum_expect(fixture, stream, "1 han: one\n2 leia: two\n3 han: three\n");

    struct forum_change delete = {.title = "T", .account = LEIA, .post = two.post.id};
    assert_ok(forum_delete(fixture, &delete, &changed));
    assert_int_equal(changed.seq, 4);
    assert_int_equal(changed.post.number, 0);
    assert_memory_equal(changed.post.id, two.post.id, ID_BYTES);
    assert_int_equal(changed.thread.posts, 2);
    forum_expect(fixture, stream, "1 han: one\n2 han: three\n");

    struct forum_change edit = {.title = "T", .account = HAN, .number = 2, .text = "drei"};
    assert_ok(forum_edit(fixture, &edit, &changed));
    assert_int_equal(changed.seq, 5);
    assert_int_equal(changed.post.number, 2);
    assert_int_equal(changed.post.seq, 3);
    assert_int_equal(changed.post.edited_us, fixture->now_us);
    assert_int_equal(changed.time_us, fixture->now_us);
    forum_expect(fixture, stream, "1 han: one\n2 han: drei\n");
    forum_expect_entries(fixture, stream,
                         "1 posted 1 han: one\n2 posted 0 leia: two\n3 posted 2 han: three\n"
                         "4 deleted 0 leia: \n5 edited 2 han: drei\n");
    assert_int_equal(forum_posted(fixture, LUKE, "T", "four").post.number, 3);
    assert_int_equal(forum_find(fixture, "T").posts, 3);
}

static void a_change_that_can_not_be_changes_nothing(void **state) {
    struct fixture *fixture = *state;
    struct store_post_changed changed;
    unsigned char unknown[ID_BYTES];
    fixture_id(fixture, unknown);
    int64_t stream = forum_thread(fixture, HAN, "T");
    forum_thread(fixture, HAN, "U");
    struct store_post_changed here = forum_posted(fixture, HAN, "T", "here");
    struct store_post_changed there = forum_posted(fixture, HAN, "U", "there");
    struct forum_change none = {.title = "V", .account = HAN, .number = 1, .text = "x"};
    assert_int_equal(forum_post(fixture, &none, &changed), STORE_NO_THREAD);
    assert_int_equal(forum_edit(fixture, &none, &changed), STORE_NO_THREAD);
    assert_int_equal(forum_delete(fixture, &none, &changed), STORE_NO_THREAD);
    const struct {
        struct forum_change change;
        enum store_status status;
    } rows[] = {
        {{.title = "T", .account = HAN, .number = 0, .text = "x"}, STORE_NOT_FOUND},
        {{.title = "T", .account = HAN, .number = 2, .text = "x"}, STORE_NOT_FOUND},
        {{.title = "T", .account = HAN, .number = UINT64_MAX, .text = "x"}, STORE_NOT_FOUND},
        {{.title = "T", .account = HAN, .post = unknown, .text = "x"}, STORE_NOT_FOUND},
        {{.title = "T", .account = HAN, .post = there.post.id, .text = "x"}, STORE_NOT_FOUND},
        {{.title = "T", .account = HAN, .post = here.thread.id, .text = "x"}, STORE_NOT_FOUND},
        {{.title = "T", .account = LEIA, .number = 1, .text = "x"}, STORE_NOT_OWNER},
        {{.title = "T", .account = LEIA, .post = here.post.id, .text = "x"}, STORE_NOT_OWNER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(forum_edit(fixture, &rows[i].change, &changed), rows[i].status);
        assert_int_equal(forum_delete(fixture, &rows[i].change, &changed), rows[i].status);
    }
    forum_expect_entries(fixture, stream, "1 posted 1 han: here\n");
    struct forum_change delete = {.title = "T", .account = HAN, .post = here.post.id};
    assert_ok(forum_delete(fixture, &delete, &changed));
    assert_int_equal(forum_delete(fixture, &delete, &changed), STORE_POST_DELETED);
    delete.text = "late";
    assert_int_equal(forum_edit(fixture, &delete, &changed), STORE_POST_DELETED);
    forum_expect(fixture, stream, "");
    assert_int_equal(forum_find(fixture, "T").head, 2);
}

static void a_retry_changes_nothing_and_gets_the_first_answer(void **state) {
    struct fixture *fixture = *state;
    struct store_post_changed first;
    struct store_post_changed again;
    unsigned char ids[3][ID_BYTES];
    for (size_t i = 0; i < 3; i++)
        fixture_id(fixture, ids[i]);
    int64_t stream = forum_thread(fixture, HAN, "T");
    struct forum_change post = {.id = ids[0], .title = "T", .account = HAN, .text = "text"};
    struct forum_change edit = {
        .id = ids[1], .title = "T", .account = HAN, .post = ids[0], .text = "new"};
    struct forum_change delete = {.id = ids[2], .title = "T", .account = HAN, .number = 1};
    assert_ok(forum_post(fixture, &post, &first));
    assert_ok(forum_post(fixture, &post, &again));
    assert_true(again.again);
    forum_same_change(&again, &first);
    assert_ok(forum_edit(fixture, &edit, &first));
    fixture_merge_all(fixture);
    fixture_reopen(fixture);
    assert_ok(forum_edit(fixture, &edit, &again));
    assert_true(again.again);
    assert_int_equal(again.seq, 2);
    assert_int_equal(again.time_us, first.time_us);
    assert_int_equal(again.post.number, 1);
    assert_int_equal(again.post.edited_us, first.time_us);
    assert_ok(forum_delete(fixture, &delete, &first));
    assert_ok(forum_delete(fixture, &delete, &again));
    assert_true(again.again);
    assert_int_equal(again.seq, 3);
    assert_int_equal(again.thread.posts, 0);
    assert_ok(forum_post(fixture, &post, &again));
    assert_int_equal(again.seq, 1);
    assert_int_equal(again.post.number, 0);
    assert_ok(forum_edit(fixture, &edit, &again));
    assert_int_equal(again.seq, 2);
    assert_int_equal(again.post.number, 0);
    forum_expect_entries(fixture, stream,
                         "1 posted 0 han: text\n2 edited 0 han: new\n3 deleted 0 han: \n");
}

static void an_id_with_other_content_is_refused(void **state) {
    struct fixture *fixture = *state;
    struct store_post_changed changed;
    struct store_thread thread;
    struct store_message_stored sent;
    unsigned char ids[3][ID_BYTES];
    for (size_t i = 0; i < 3; i++)
        fixture_id(fixture, ids[i]);
    forum_thread(fixture, HAN, "T");
    forum_thread(fixture, HAN, "U");
    struct store_post_changed other = forum_posted(fixture, HAN, "T", "other");
    struct forum_change post = {.id = ids[0], .title = "T", .account = HAN, .text = "text"};
    struct forum_change edit = {
        .id = ids[1], .title = "T", .account = HAN, .post = ids[0], .text = "new"};
    assert_ok(forum_post(fixture, &post, &changed));
    assert_ok(forum_edit(fixture, &edit, &changed));
    fixture_begin(fixture);
    assert_ok(fixture_send(fixture, ids[2], HAN, "leia", "text", &sent));
    fixture_commit(fixture);
    struct forum_change posts[] = {post, post, post, post, post, post};
    posts[0].text = "texts";
    posts[1].account = LEIA;
    posts[2].title = "U";
    posts[3].id = ids[1];
    posts[4].id = ids[2];
    posts[5].id = other.thread.id;
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(forum_post(fixture, &posts[i], &changed), STORE_ID_REUSED);
    struct forum_change edits[] = {edit, edit, edit, edit};
    edits[0].text = "newer";
    edits[1].post = other.post.id;
    edits[2].id = ids[0];
    edits[3].account = LEIA;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(forum_edit(fixture, &edits[i], &changed), STORE_ID_REUSED);
    assert_int_equal(forum_delete(fixture, &edit, &changed), STORE_ID_REUSED);
    assert_int_equal(create(fixture, ids[0], "V", HAN, &thread), STORE_ID_REUSED);
    fixture_begin(fixture);
    assert_int_equal(fixture_send(fixture, ids[0], HAN, "leia", "text", &sent), STORE_ID_REUSED);
    fixture_commit(fixture);
    assert_int_equal(forum_find(fixture, "T").head, 3);
    assert_int_equal(forum_find(fixture, "U").head, 0);
}

static void expect_lines(char *is, const char *expected) {
    assert_string_equal(is, expected);
    free(is);
}

static void pages_follow_each_other(void **state) {
    struct fixture *fixture = *state;
    struct store_post_changed changed;
    int64_t stream = forum_thread(fixture, HAN, "T");
    static const char *const texts[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < 5; i++)
        forum_posted(fixture, HAN, "T", texts[i]);
    struct forum_change delete = {.title = "T", .account = HAN, .number = 2};
    assert_ok(forum_delete(fixture, &delete, &changed));
    expect_lines(forum_read(fixture, stream, 0, 2), "1 han: a\n2 han: c\n");
    expect_lines(forum_read(fixture, stream, 3, 1), "3 han: d\n");
    expect_lines(forum_read(fixture, stream, 2, 9), "2 han: c\n3 han: d\n4 han: e\n");
    expect_lines(forum_read(fixture, stream, 5, 9), "");
    expect_lines(forum_read(fixture, stream, UINT64_MAX, 9), "");
    expect_lines(forum_read(fixture, stream, 0, 0), "");
    expect_lines(forum_sync(fixture, stream, 3, 2), "4 posted 3 han: d\n5 posted 4 han: e\n");
    expect_lines(forum_sync(fixture, stream, 5, 9), "6 deleted 0 han: \n");
    expect_lines(forum_sync(fixture, stream, 6, 9), "");
    expect_lines(forum_sync(fixture, stream, UINT64_MAX, 9), "");
    expect_lines(forum_sync(fixture, stream, 0, 0), "");
    assert_int_equal(store_thread_read(fixture->store, HAN, 0, 9, NULL, NULL), STORE_NOT_FOUND);
    assert_int_equal(store_thread_sync(fixture->store, HAN, 0, 9, NULL, NULL), STORE_NOT_FOUND);
    assert_int_equal(store_thread_sync(fixture->store, 99, 0, 9, NULL, NULL), STORE_NOT_FOUND);
}

static bool end_at_once(void *arg, const struct store_post *post, const struct store_file *file) {
    (void)file;
    assert_int_equal(post->number, 1);
    ++*(int *)arg;
    return false;
}

static bool end_sync_at_once(void *arg, const struct store_thread_entry *entry) {
    assert_int_equal(entry->seq, 1);
    ++*(int *)arg;
    return false;
}

static void a_reader_ends_a_page(void **state) {
    struct fixture *fixture = *state;
    int calls = 0;
    int64_t stream = forum_thread(fixture, HAN, "T");
    forum_posted(fixture, HAN, "T", "a");
    forum_posted(fixture, HAN, "T", "b");
    assert_ok(store_thread_read(fixture->store, stream, 0, 9, end_at_once, &calls));
    assert_ok(store_thread_sync(fixture->store, stream, 0, 9, end_sync_at_once, &calls));
    assert_int_equal(calls, 2);
    forum_posted(fixture, HAN, "T", "c");
}

static void posts_are_no_messages(void **state) {
    struct fixture *fixture = *state;
    forum_thread(fixture, HAN, "T");
    for (int i = 0; i < 30; i++) {
        forum_posted(fixture, HAN, "T", "post");
        fixture_sent(fixture, HAN, "leia", "message");
        assert_int_equal(store_message_count(fixture->store), i + 1);
        if (i % 4 == 0)
            fixture_merge_all(fixture);
        if (i % 3 == 0)
            fixture_reopen(fixture);
        assert_int_equal(store_message_count(fixture->store), i + 1);
    }
    fixture_expect_state(fixture, HAN, 30, 30);
    fixture_expect_state(fixture, LEIA, 30, 0);
    assert_int_equal(forum_find(fixture, "T").head, 30);
}

/* ---- removal ---- */

static enum store_status remove_thread(struct fixture *fixture, const char *title, int64_t account,
                                       bool admin) {
    struct store_thread thread;
    fixture_begin(fixture);
    enum store_status status = store_thread_remove(fixture->store, title, account, admin, &thread);
    fixture_commit(fixture);
    if (status == STORE_OK)
        assert_string_equal(thread.title, title);
    return status;
}

static void its_creator_or_an_admin_removes_a_thread(void **state) {
    struct fixture *fixture = *state;
    struct store_thread thread;
    forum_thread(fixture, HAN, "T");
    forum_thread(fixture, HAN, "U");
    forum_posted(fixture, LEIA, "T", "hers");
    assert_int_equal(remove_thread(fixture, "V", HAN, true), STORE_NO_THREAD);
    assert_int_equal(remove_thread(fixture, "T", LEIA, false), STORE_NOT_OWNER);
    assert_int_equal(forum_find(fixture, "T").posts, 1);
    assert_ok(remove_thread(fixture, "T", HAN, false));
    assert_ok(remove_thread(fixture, "U", LEIA, true));
    assert_int_equal(store_thread_find(fixture->store, "T", &thread), STORE_NO_THREAD);
    assert_int_equal(remove_thread(fixture, "T", HAN, false), STORE_NO_THREAD);
}

static void a_removed_thread_leaves_nothing(void **state) {
    struct fixture *fixture = *state;
    struct store_post_changed changed;
    struct store_followed followed;
    struct store_file stored;
    unsigned char id[ID_BYTES];
    fixture_id(fixture, id);
    int64_t stream = forum_thread(fixture, HAN, "T");
    struct forum_change post = {.id = id, .title = "T", .account = HAN, .text = "text"};
    assert_ok(forum_post(fixture, &post, &changed));
    for (int i = 0; i < 20; i++)
        forum_posted(fixture, HAN, "T", "more");
    fixture_merge_all(fixture);
    struct forum_file file = {.title = "T", .name = "f", .account = LEIA, .size = 300000};
    fixture_id(fixture, file.id);
    forum_upload(fixture, &file, 100000);
    struct forum_file unfinished = {.title = "T", .name = "g", .account = LEIA, .size = 9};
    fixture_id(fixture, unfinished.id);
    assert_ok(forum_begin(fixture, &unfinished, &stored));
    fixture_begin(fixture);
    assert_ok(store_follow(fixture->store, LUKE, "T", &followed));
    fixture_commit(fixture);
    assert_ok(remove_thread(fixture, "T", HAN, false));
    fixture_merge_all(fixture);
    fixture_close(fixture);
    static const char *const tables[] = {"thread", "post",           "post_block",
                                         "file",   "piece",          "follow",
                                         "entry",  "rubbish_thread", "rubbish_file"};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        char sql[64];
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[i]);
        assert_int_equal(forum_query(fixture, sql), 0);
    }
    /* Of the log the entries' places stay, of 11 bytes each. */
    assert_int_equal(
        forum_query(fixture, "SELECT count(*) FROM log WHERE length(entries) > 11 * count"), 0);
    assert_int_equal(forum_query(fixture, "SELECT count(*) FROM stream"), 3);
    fixture_open(fixture);
    int64_t next = forum_thread(fixture, LEIA, "T");
    assert_true(next > stream); /* its number is never given again */
    assert_ok(forum_post(fixture, &post, &changed));
    assert_false(changed.again);
    assert_int_equal(changed.seq, 1);
    forum_upload(fixture, &file, 100000);
}

/* A stream's numbers are given once: whoever knows them of the first one would miss the second's.
 */
static void the_id_of_a_removed_thread_names_nothing_else(void **state) {
    struct fixture *fixture = *state;
    struct store_thread thread;
    struct store_post_changed changed;
    unsigned char id[ID_BYTES];
    fixture_id(fixture, id);
    assert_ok(create(fixture, id, "T", HAN, &thread));
    assert_ok(remove_thread(fixture, "T", HAN, false));
    assert_int_equal(create(fixture, id, "T", HAN, &thread), STORE_ID_REUSED);
    fixture_reopen(fixture);
    assert_int_equal(create(fixture, id, "T", HAN, &thread), STORE_ID_REUSED);
    forum_thread(fixture, LEIA, "T");
    struct forum_change post = {.id = id, .title = "T", .account = HAN, .text = "text"};
    assert_int_equal(forum_post(fixture, &post, &changed), STORE_ID_REUSED);
}

static void the_number_of_a_removed_thread_is_no_accounts(void **state) {
    struct fixture *fixture = *state;
    int64_t stream = forum_thread(fixture, HAN, "T");
    assert_ok(remove_thread(fixture, "T", HAN, false));
    assert_true(fixture_account(fixture, "lando") > stream);
}

/* The log's end goes, and with it the highest positions; what comes then must be behind the
 * watermark all the same, or the next opening would not see it. */
static void what_comes_after_a_removal_is_there_after_a_restart(void **state) {
    struct fixture *fixture = *state;
    forum_thread(fixture, HAN, "T");
    fixture_sent(fixture, HAN, "leia", "before");
    for (int i = 0; i < 20; i++)
        forum_posted(fixture, HAN, "T", "text");
    fixture_merge_all(fixture);
    assert_ok(remove_thread(fixture, "T", HAN, false));
    fixture_reopen(fixture);
    fixture_expect_state(fixture, LEIA, 1, 0);
    fixture_sent(fixture, HAN, "leia", "after");
    fixture_crash(fixture, CRASHVFS_KEEP_SYNCED);
    fixture_open(fixture);
    fixture_expect_state(fixture, LEIA, 2, 0);
    fixture_sent(fixture, HAN, "leia", "and after that");
    fixture_expect_state(fixture, LEIA, 3, 0);
}

/* The thread's entries are partly merged, partly not, and the pass is before, in or behind it. */
static void a_thread_goes_in_the_midst_of_a_merge(void **state) {
    struct fixture *fixture = *state;
    for (int slices = 0; slices < 20; slices++) {
        bool more;
        int64_t kept = forum_thread(fixture, HAN, "kept");
        forum_thread(fixture, HAN, "gone");
        int64_t last = forum_thread(fixture, HAN, "last");
        for (int i = 0; i < 4; i++) {
            forum_posted(fixture, HAN, "last", "l");
            forum_posted(fixture, HAN, "gone", "g");
            forum_posted(fixture, HAN, "kept", "k");
        }
        for (int i = 0; i < slices; i++) {
            fixture_begin(fixture);
            assert_ok(store_maintain(fixture->store, &more));
            fixture_commit(fixture);
        }
        forum_posted(fixture, HAN, "gone", "g");
        assert_ok(remove_thread(fixture, "gone", HAN, false));
        if (slices % 2 == 0)
            fixture_merge_all(fixture);
        if (slices % 3 == 0)
            fixture_reopen(fixture);
        forum_posted(fixture, HAN, "kept", "more");
        forum_expect_entries(fixture, kept,
                             "1 posted 1 han: k\n2 posted 2 han: k\n3 posted 3 han: k\n"
                             "4 posted 4 han: k\n5 posted 5 han: more\n");
        forum_expect(fixture, last, "1 han: l\n2 han: l\n3 han: l\n4 han: l\n");
        assert_ok(remove_thread(fixture, "kept", HAN, false));
        assert_ok(remove_thread(fixture, "last", HAN, false));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_new_thread_is_empty_and_found_both_ways),
        TEST(a_title_and_an_id_name_one_thread),
        TEST(titles_are_any_text_in_the_order_of_their_bytes),
        TEST(numbers_close_up_behind_a_deleted_post),
        TEST(a_change_that_can_not_be_changes_nothing),
        TEST(a_retry_changes_nothing_and_gets_the_first_answer),
        TEST(an_id_with_other_content_is_refused),
        TEST(pages_follow_each_other),
        TEST(a_reader_ends_a_page),
        TEST(posts_are_no_messages),
        TEST(its_creator_or_an_admin_removes_a_thread),
        TEST(a_removed_thread_leaves_nothing),
        TEST(the_id_of_a_removed_thread_names_nothing_else),
        TEST(the_number_of_a_removed_thread_is_no_accounts),
        TEST(what_comes_after_a_removal_is_there_after_a_restart),
        TEST(a_thread_goes_in_the_midst_of_a_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
