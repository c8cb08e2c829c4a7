/* What is removed is gone for everybody at once, in a turn that costs the same however much it has;
 * the rest goes in slices, which survive whatever happens between them. */
#include "forum.h"
#include "old.h"

#include "sqlite/inside.h"
#include "store_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HAN  INT64_C(1)
#define LEIA INT64_C(2)
#define KIB  1024

static struct fixture *start(struct fixture *fixture) {
    fixture_open(fixture);
    assert_int_equal(fixture_account(fixture, "han"), HAN);
    assert_int_equal(fixture_account(fixture, "leia"), LEIA);
    return fixture;
}

static struct fixture *start_in_memory(uint64_t seed, size_t slice_entries) {
    struct fixture *fixture = fixture_in_memory(seed);
    fixture->options.slice_entries = slice_entries;
    return start(fixture);
}

/* ---- what a turn costs ---- */

struct cost {
    int64_t rows;  /* that were changed */
    int64_t steps; /* of SQLite's machine: what was read, too */
};

static struct cost begin_cost(struct fixture *fixture) {
    (void)fixture_steps(fixture);
    return (struct cost){.rows = sqlite3_total_changes(fixture->store->db)};
}

static struct cost end_cost(struct fixture *fixture, const struct cost *from) {
    return (struct cost){.rows = sqlite3_total_changes(fixture->store->db) - from->rows,
                         .steps = fixture_steps(fixture)};
}

static struct cost remove_thread(struct fixture *fixture, const char *title) {
    struct store_thread removed;
    fixture_begin(fixture);
    struct cost from = begin_cost(fixture);
    assert_ok(store_thread_remove(fixture->store, title, HAN, false, &removed));
    struct cost cost = end_cost(fixture, &from);
    fixture_commit(fixture);
    return cost;
}

/* One turn with store_maintain. */
static struct cost sweep(struct fixture *fixture) {
    bool more;
    fixture_begin(fixture);
    struct cost from = begin_cost(fixture);
    assert_ok(store_maintain(fixture->store, &more));
    struct cost cost = end_cost(fixture, &from);
    fixture_commit(fixture);
    return cost;
}

/* ---- threads ---- */

static void post_many(struct fixture *fixture, const char *title, int count) {
    for (int i = 0; i < count; i += 100) {
        bool more;
        fixture_begin(fixture);
        for (int j = i; j < i + 100 && j < count; j++) {
            unsigned char id[ID_BYTES];
            struct store_post_changed changed;
            struct store_post_change change = {.id = id,
                                               .title = title,
                                               .account = j % 7 == 0 ? LEIA : HAN,
                                               .text = "text",
                                               .text_bytes = 4,
                                               .now_us = ++fixture->now_us};
            fixture_id(fixture, id);
            assert_ok(store_post_add(fixture->store, &change, &changed));
        }
        assert_ok(store_maintain(fixture->store, &more));
        fixture_commit(fixture);
    }
}

static void follow_many(struct fixture *fixture, const char *title, int count) {
    fixture_begin(fixture);
    for (int i = 0; i < count; i++) {
        char name[NAME_BYTES];
        int64_t account;
        struct store_followed followed;
        (void)snprintf(name, sizeof name, "%s.%d", title, i);
        assert_ok(store_account_add(fixture->store, name, "", false, NULL, NULL, 1, &account));
        assert_ok(store_follow(fixture->store, account, title, &followed));
    }
    fixture_commit(fixture);
}

static struct forum_file upload(struct fixture *fixture, const char *title, const char *name,
                                size_t size, size_t chunk_bytes) {
    struct forum_file file = {.title = title, .name = name, .account = HAN, .size = size};
    fixture_id(fixture, file.id);
    forum_upload(fixture, &file, chunk_bytes);
    return file;
}

static void upload_many(struct fixture *fixture, const char *title, int count) {
    for (int i = 0; i < count; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "file %d", i);
        upload(fixture, title, name, 100, 100);
    }
}

static void make_thread(struct fixture *fixture, const char *title, int posts, int followers,
                        int files) {
    forum_thread(fixture, HAN, title);
    post_many(fixture, title, posts);
    follow_many(fixture, title, followers);
    upload_many(fixture, title, files);
    forum_write_rows(fixture);
}

static void a_removal_costs_the_same_however_much_the_thread_has(void **state) {
    (void)state;
    struct fixture *fixture = start_in_memory(1, 0);
    fixture->options.view_entries = 1000;
    fixture_reopen(fixture);
    make_thread(fixture, "small", 10, 2, 1);
    make_thread(fixture, "large", 30000, 3000, 300);
    struct cost small = remove_thread(fixture, "small");
    struct cost large = remove_thread(fixture, "large");
    assert_true(large.rows < 10 && large.rows <= small.rows + 1);
    assert_true(large.steps < 2 * small.steps);
    fixture_free(fixture);
}

/* The rows of its newest posts are written first, and of all threads' with them: these are few. */
static void posts_without_rows_make_a_removal_little_longer(void **state) {
    (void)state;
    struct fixture *fixture = start_in_memory(1, 0);
    make_thread(fixture, "T", 10, 0, 0);
    post_many(fixture, "T", 20000);
    assert_true(remove_thread(fixture, "T").rows < 1000);
    fixture_free(fixture);
}

/* ---- from the moment of the removal on ---- */

struct known {
    int64_t stream;
    int64_t file;
    struct forum_file complete;
    struct forum_file begun;
    unsigned char post[ID_BYTES];
};

static struct known make_known(struct fixture *fixture) {
    struct known known = {.begun = {.title = "T", .name = "g", .account = HAN, .size = 100}};
    struct store_post_changed changed;
    struct store_file stored;
    bool done;
    known.stream = forum_thread(fixture, HAN, "T");
    fixture_id(fixture, known.post);
    struct forum_change change = {.id = known.post, .title = "T", .account = HAN, .text = "secret"};
    assert_ok(forum_post(fixture, &change, &changed));
    post_many(fixture, "T", 300);
    known.complete = upload(fixture, "T", "f", 600 * KIB, 256 * KIB);
    fixture_id(fixture, known.begun.id);
    assert_ok(forum_begin(fixture, &known.begun, &stored));
    assert_ok(forum_chunk(fixture, &known.begun, 0, 50, &stored, &done));
    assert_ok(store_file_find(fixture->store, "T", "f", &stored));
    known.file = stored.file;
    fixture_begin(fixture);
    assert_ok(store_follow(fixture->store, LEIA, "T", &(struct store_followed){0}));
    fixture_commit(fixture);
    return known;
}

static bool no_item(void *arg, const struct store_post *post, const struct store_file *file) {
    (void)arg, (void)post, (void)file;
    fail();
    return false;
}

static bool no_entry(void *arg, const struct store_thread_entry *entry) {
    (void)arg, (void)entry;
    fail();
    return false;
}

static void no_followed(void *arg, const struct store_followed *followed) {
    (void)arg, (void)followed;
    fail();
}

static void expect_hidden(struct fixture *fixture, const struct known *known) {
    struct store *store = fixture->store;
    struct store_file stored;
    struct store_thread thread;
    struct store_followed followed;
    unsigned char byte;
    uint64_t cursor;
    size_t count;
    bool done;
    assert_int_equal(store_thread_find(store, "T", &thread), STORE_NO_THREAD);
    assert_int_equal(store_thread_read(store, known->stream, 0, 9, no_item, NULL), STORE_NOT_FOUND);
    assert_int_equal(store_thread_sync(store, known->stream, 0, 9, no_entry, NULL),
                     STORE_NOT_FOUND);
    assert_int_equal(store_file_read(store, known->file, 0, &byte, 1, &count), STORE_NOT_FOUND);
    assert_int_equal(forum_chunk(fixture, &known->begun, 50, 10, &stored, &done), STORE_NOT_FOUND);
    assert_ok(store_followed_list(store, LEIA, no_followed, NULL));
    fixture_begin(fixture);
    assert_int_equal(store_followed_move(store, LEIA, known->stream, 9, &cursor),
                     STORE_NOT_FOLLOWED);
    assert_int_equal(store_unfollow(store, LEIA, "T", &followed), STORE_NO_THREAD);
    assert_int_equal(store_upload_cancel(store, known->begun.id, HAN), STORE_NOT_FOUND);
    fixture_commit(fixture);
}

/* Under the same title. */
static void use_ids_again(struct fixture *fixture, struct known *known) {
    struct store_post_changed changed;
    int64_t stream = forum_thread(fixture, LEIA, "T");
    struct forum_change change = {.id = known->post, .title = "T", .account = HAN, .text = "new"};
    assert_ok(forum_post(fixture, &change, &changed));
    assert_false(changed.again);
    assert_int_equal(changed.seq, 1);
    known->complete.seed++;
    struct store_file stored = forum_upload(fixture, &known->complete, 256 * KIB);
    forum_upload(fixture, &known->begun, 100);
    for (int i = 0; i < 2; i++) {
        forum_expect_bytes(fixture, &known->complete, stored.file, known->complete.size);
        forum_expect(fixture, stream, "1 han: new\nhan uploaded f\nhan uploaded g\n");
        fixture_reopen(fixture);
    }
    fixture_merge_all(fixture);
    for (int i = 0; i < 2; i++) {
        forum_expect_bytes(fixture, &known->complete, stored.file, known->complete.size);
        forum_expect(fixture, stream, "1 han: new\nhan uploaded f\nhan uploaded g\n");
        assert_ok(forum_post(fixture, &change, &changed));
        assert_true(changed.again);
        fixture_reopen(fixture);
    }
}

static void nothing_of_a_removed_thread_is_read(void **state) {
    (void)state;
    for (int slices = 0; slices < 40; slices += 3) {
        struct fixture *fixture = start_in_memory(1, 20);
        struct known known = make_known(fixture);
        (void)remove_thread(fixture, "T");
        expect_hidden(fixture, &known);
        for (int i = 0; i < slices; i++) {
            (void)sweep(fixture);
            expect_hidden(fixture, &known);
        }
        fixture_reopen(fixture);
        expect_hidden(fixture, &known);
        use_ids_again(fixture, &known);
        fixture_free(fixture);
    }
}

/* As many as one may follow: those that are gone don't count. */
/* ---- slices ---- */

static void expect_nothing_left(struct fixture *fixture) {
    static const char *const tables[] = {"post",   "post_block", "file",           "piece",
                                         "follow", "entry",      "rubbish_thread", "rubbish_file"};
    fixture_merge_all(fixture);
    fixture_close(fixture);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        char sql[64];
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[i]);
        assert_int_equal(forum_query(fixture, sql), 0);
    }
    assert_int_equal(
        forum_query(fixture, "SELECT count(*) FROM log WHERE length(entries) > 11 * count"), 0);
    assert_int_equal(forum_query(fixture, "SELECT count(*) FROM stream WHERE kind = 2"), 0);
    assert_int_equal(forum_query(fixture, "SELECT sum(post_bytes + file_bytes) FROM account"), 0);
    fixture_open(fixture);
}

/* A row of the log is changed for each of its entries, and what finds them goes with them. */
static void each_slice_is_short(void **state) {
    (void)state;
    enum { SLICE = 200, POSTS = 5000 };
    struct fixture *fixture = start_in_memory(1, SLICE);
    int slices = 0;
    make_thread(fixture, "T", POSTS, 500, 30);
    (void)remove_thread(fixture, "T");
    for (; store_has_rubbish(fixture->store); slices++) {
        assert_true(sweep(fixture).rows < 4 * SLICE);
        if (slices % 5 == 0)
            fixture_reopen(fixture);
        if (slices % 7 == 0) {
            fixture_crash(fixture, CRASHVFS_KEEP_SOME);
            fixture_open(fixture);
        }
    }
    assert_true(slices >= POSTS / SLICE && slices <= 2 * POSTS / SLICE);
    expect_nothing_left(fixture);
    fixture_free(fixture);
}

/* In turns that have other work, the last of it begun before the removal. */
static void slices_end_where_work_never_does(void **state) {
    (void)state;
    struct fixture *fixture = start_in_memory(1, 100);
    int turns = 0;
    fixture->options.view_entries = 50;
    fixture_reopen(fixture);
    forum_thread(fixture, LEIA, "busy");
    make_thread(fixture, "T", 3000, 0, 0);
    (void)remove_thread(fixture, "T");
    for (; store_has_rubbish(fixture->store); turns++) {
        bool more;
        struct store_message_stored stored;
        assert_true(turns < 100);
        forum_posted(fixture, LEIA, "busy", "post");
        fixture_begin(fixture);
        assert_ok(fixture_send(fixture, NULL, HAN, "leia", "message", &stored));
        assert_ok(store_maintain(fixture->store, &more));
        fixture_commit(fixture);
    }
    assert_true(turns >= 30);
    assert_int_equal(forum_find(fixture, "busy").posts, turns);
    fixture_free(fixture);
}

/* Posts that have no rows yet were counted from what the author had then. */
static void an_author_at_the_quota_gets_it_back(void **state) {
    (void)state;
    struct fixture *fixture = start_in_memory(1, 0);
    struct store_quotas quotas = {.post_bytes = UINT64_C(10) * (LOG_ROW_BYTES + 4)};
    struct store_post_changed changed;
    forum_thread(fixture, HAN, "T");
    forum_thread(fixture, HAN, "U");
    store_set_quotas(fixture->store, &quotas);
    struct forum_change change = {.title = "T", .account = LEIA, .text = "text"};
    for (int i = 0; i < 9; i++)
        assert_ok(forum_post(fixture, &change, &changed));
    (void)remove_thread(fixture, "T");
    change.title = "U";
    assert_ok(forum_post(fixture, &change, &changed));
    assert_int_equal(forum_post(fixture, &change, &changed), STORE_QUOTA_ACCOUNT);
    fixture_merge_all(fixture);
    for (int i = 0; i < 9; i++)
        assert_ok(forum_post(fixture, &change, &changed));
    assert_int_equal(forum_post(fixture, &change, &changed), STORE_QUOTA_ACCOUNT);
    forum_write_rows(fixture);
    assert_int_equal(forum_post(fixture, &change, &changed), STORE_QUOTA_ACCOUNT);
    (void)remove_thread(fixture, "U");
    expect_nothing_left(fixture);
    fixture_free(fixture);
}

/* ---- a disk that fails ---- */

/* Whether all of it was done. */
static bool try_to_sweep(struct fixture *fixture) {
    while (store_has_rubbish(fixture->store)) {
        bool more;
        if (store_begin(fixture->store) != STORE_OK ||
            store_maintain(fixture->store, &more) != STORE_OK ||
            store_commit(fixture->store) != STORE_OK)
            return false;
    }
    return true;
}

static void a_slice_that_breaks_is_done_again(void **state) {
    (void)state;
    int broken = 0;
    for (uint64_t nth = 1; nth <= 120; nth++) {
        struct fixture *fixture = start_in_memory(nth, 30);
        struct known known = make_known(fixture);
        int64_t kept = forum_thread(fixture, HAN, "U");
        forum_posted(fixture, LEIA, "U", "kept");
        (void)remove_thread(fixture, "T");
        crashvfs_fail(fixture->disk, nth % 3 == 0 ? CRASHVFS_SYNC : CRASHVFS_WRITE,
                      nth % 3 == 0 ? nth / 3 : 2 * nth, SQLITE_IOERR_WRITE);
        broken += !try_to_sweep(fixture);
        fixture_crash(fixture, nth % 2 == 0 ? CRASHVFS_KEEP_SYNCED : CRASHVFS_KEEP_SOME);
        fixture_open(fixture);
        expect_hidden(fixture, &known);
        forum_expect(fixture, kept, "1 leia: kept\n");
        (void)remove_thread(fixture, "U");
        expect_nothing_left(fixture);
        fixture_free(fixture);
    }
    assert_true(broken > 10);
}

/* ---- files ---- */

static struct forum_file begin_large(struct fixture *fixture, size_t chunk_bytes) {
    struct forum_file file = {.title = "T", .name = "f", .account = HAN, .size = 8000 * KIB};
    struct store_file stored;
    bool done;
    fixture_id(fixture, file.id);
    assert_ok(forum_begin(fixture, &file, &stored));
    while (file.size - stored.received > chunk_bytes)
        assert_ok(
            forum_chunk(fixture, &file, (size_t)stored.received, chunk_bytes, &stored, &done));
    return file;
}

static void expect_room(struct fixture *fixture, const char *name) {
    struct store_file stored;
    struct forum_file other = {
        .title = "T", .name = name, .account = HAN, .size = 8000 * KIB, .quota_bytes = 8000 * KIB};
    fixture_id(fixture, other.id);
    assert_ok(forum_begin(fixture, &other, &stored));
    fixture_begin(fixture);
    assert_ok(store_upload_cancel(fixture->store, other.id, HAN));
    fixture_commit(fixture);
}

/* In slots, or in the database; and name and quota are free at once. */
static void giving_up_a_large_upload_costs_little(void **state) {
    (void)state;
    static const size_t chunks[] = {256 * KIB, 100 * KIB};
    for (size_t i = 0; i < 2; i++) {
        struct fixture *fixture = start_in_memory(1, 10);
        forum_thread(fixture, HAN, "T");
        struct forum_file file = begin_large(fixture, chunks[i]);
        fixture_begin(fixture);
        struct cost from = begin_cost(fixture);
        assert_ok(store_upload_cancel(fixture->store, file.id, HAN));
        assert_true(end_cost(fixture, &from).rows < 6);
        fixture_commit(fixture);
        expect_room(fixture, "f");
        (void)sweep(fixture);
        assert_true(store_has_rubbish(fixture->store));
        fixture_reopen(fixture);
        (void)remove_thread(fixture, "T");
        expect_nothing_left(fixture);
        fixture_free(fixture);
    }
}

static void a_large_upload_that_begins_anew_costs_little(void **state) {
    (void)state;
    struct fixture *fixture = start_in_memory(1, 10);
    forum_thread(fixture, HAN, "T");
    struct forum_file file = begin_large(fixture, 256 * KIB);
    struct store_file stored;
    fixture_id(fixture, file.id); /* another id, and the hash was not announced: it takes over */
    file.told = FORUM_HASH_LAST;
    struct store_upload again = {.id = file.id,
                                 .title = "T",
                                 .name = "f",
                                 .account = HAN,
                                 .size = file.size,
                                 .now_us = ++fixture->now_us};
    fixture_begin(fixture);
    struct cost from = begin_cost(fixture);
    assert_ok(store_upload_begin(fixture->store, &again, &stored));
    assert_true(end_cost(fixture, &from).rows < 8);
    fixture_commit(fixture);
    assert_int_equal(stored.received, 0);
    stored = forum_upload(fixture, &file, 256 * KIB);
    fixture_merge_all(fixture);
    fixture_reopen(fixture);
    forum_expect_bytes(fixture, &file, stored.file, file.size);
    (void)remove_thread(fixture, "T");
    expect_nothing_left(fixture);
    fixture_free(fixture);
}

/* ---- check-store ---- */

static void print_damage(void *arg, const char *sentence) {
    (void)arg;
    print_message("%s\n", sentence);
}

static void ignore_progress(void *arg, const char *what, uint64_t done, uint64_t all) {
    (void)arg, (void)what, (void)done, (void)all;
}

static struct store_check check(const struct fixture *fixture) {
    struct store_check check = {
        .path = fixture->path, .damage = print_damage, .progress = ignore_progress};
    (void)store_check(&check);
    return check;
}

static struct fixture *start_with_rubbish(void) {
    struct fixture *fixture = fixture_in_folder();
    fixture->options.slice_entries = 5;
    fixture->options.view_entries = 100;
    (void)start(fixture);
    (void)make_known(fixture);
    (void)remove_thread(fixture, "T");
    return fixture;
}

static void a_store_with_rubbish_is_whole(void **state) {
    (void)state;
    struct fixture *fixture = start_with_rubbish();
    uint64_t noted = 0;
    while (store_has_rubbish(fixture->store)) {
        struct store_check found = check(fixture);
        assert_int_equal(found.damages, 0);
        noted += found.removed_threads;
        (void)sweep(fixture);
    }
    assert_true(noted > 10);
    struct store_check found = check(fixture);
    assert_int_equal(found.damages, 0);
    assert_int_equal(found.removed_threads + found.removed_files, 0);
    fixture_free(fixture);
}

/* Rubbish of which nobody knows takes room for ever. */
static void rubbish_that_is_not_noted_is_damage(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture *fixture = start_with_rubbish();
        (void)sweep(fixture);
        fixture_close(fixture);
        assert_true(forum_query(fixture, "SELECT count(*) FROM rubbish_file") > 0);
        fixture_execute(fixture,
                        i == 0 ? "DELETE FROM rubbish_thread" : "DELETE FROM rubbish_file");
        assert_true(check(fixture).damages > 0);
        fixture_free(fixture);
    }
}

/* With what else is left; the broker goes on, and so does the next one. */
static void rubbish_in_a_damaged_page_stays(void **state) {
    (void)state;
    struct fixture *fixture = start_with_rubbish();
    int64_t stream = forum_thread(fixture, LEIA, "U");
    forum_posted(fixture, LEIA, "U", "one");
    fixture_close(fixture);
    fixture_flip(fixture, "secret", 6);
    for (int i = 0; i < 2; i++) {
        fixture_open(fixture);
        fixture_merge_all(fixture);
        assert_false(store_has_rubbish(fixture->store));
        fixture_close(fixture);
        assert_int_equal(forum_query(fixture, "SELECT count(*) FROM rubbish_thread"), 1);
    }
    assert_true(check(fixture).damages > 0);
    fixture_open(fixture);
    forum_posted(fixture, LEIA, "U", "two");
    forum_expect(fixture, stream, "1 leia: one\n2 leia: two\n");
    fixture_free(fixture);
}

static void a_store_of_the_twelfth_version_goes_on(void **state) {
    (void)state;
    struct fixture *fixture = start(fixture_in_folder());
    make_thread(fixture, "T", 300, 1, 1);
    fixture_close(fixture);
    fixture_execute(fixture, BEFORE_14 "DROP TABLE rubbish_thread; DROP TABLE rubbish_file;"
                                       "PRAGMA user_version = 12");
    assert_int_equal(check(fixture).damages, 0);
    fixture_open(fixture);
    assert_int_equal(check(fixture).damages, 0);
    assert_int_equal(forum_find(fixture, "T").posts, 300);
    (void)remove_thread(fixture, "T");
    expect_nothing_left(fixture);
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_removal_costs_the_same_however_much_the_thread_has),
        cmocka_unit_test(posts_without_rows_make_a_removal_little_longer),
        cmocka_unit_test(nothing_of_a_removed_thread_is_read),
        cmocka_unit_test(each_slice_is_short),
        cmocka_unit_test(slices_end_where_work_never_does),
        cmocka_unit_test(an_author_at_the_quota_gets_it_back),
        cmocka_unit_test(a_slice_that_breaks_is_done_again),
        cmocka_unit_test(giving_up_a_large_upload_costs_little),
        cmocka_unit_test(a_large_upload_that_begins_anew_costs_little),
        cmocka_unit_test(a_store_with_rubbish_is_whole),
        cmocka_unit_test(rubbish_that_is_not_noted_is_damage),
        cmocka_unit_test(rubbish_in_a_damaged_page_stays),
        cmocka_unit_test(a_store_of_the_twelfth_version_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
