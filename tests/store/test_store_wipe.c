/* A store that is made as new, and one that an earlier version made. */
#include "old.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

extern const char schema_0001[];

static int setup(void **state) {
    *state = fixture_in_folder();
    return 0;
}

static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

/* Something of everything, with the files' bytes beyond the write-ahead log's end. */
static void fill(struct fixture *fixture) {
    int64_t blocked;
    struct store_followed followed;
    struct store_file stored;
    bool done;
    int64_t han = fixture_account(fixture, "han");
    fixture_account(fixture, "leia");
    fixture_sent(fixture, han, "leia", "hello");
    forum_thread(fixture, han, "T");
    for (int i = 0; i < 20; i++)
        forum_posted(fixture, han, "T", "text");
    fixture_begin(fixture);
    assert_ok(store_block_add(fixture->store, han, "leia", 1, &blocked));
    assert_ok(store_follow(fixture->store, han, "T", &followed));
    assert_ok(store_presence_begin(fixture->store, han, 1));
    fixture_commit(fixture);
    struct forum_file file = {.title = "T", .name = "f", .account = han, .size = 3000000};
    fixture_id(fixture, file.id);
    forum_upload(fixture, &file, 256 * 1024);
    struct forum_file unfinished = {.title = "T", .name = "g", .account = han, .size = 3000000};
    fixture_id(fixture, unfinished.id);
    assert_ok(forum_begin(fixture, &unfinished, &stored));
    assert_ok(forum_chunk(fixture, &unfinished, 0, 200000, &stored, &done));
}

static void no_account(void *arg, const struct store_account *account) {
    (void)arg;
    (void)account;
    fail();
}

static bool no_thread(void *arg, const struct store_thread *thread) {
    (void)arg;
    (void)thread;
    fail();
    return false;
}

static void expect_new(struct fixture *fixture) {
    assert_int_equal(store_account_count(fixture->store), 0);
    assert_int_equal(store_message_count(fixture->store), 0);
    assert_ok(store_account_list(fixture->store, no_account, NULL));
    assert_ok(store_thread_list(fixture->store, "", 100, no_thread, NULL));
    assert_false(store_block_any(fixture->store, 1));
}

static off_t size_of(const struct fixture *fixture, const char *suffix) {
    char path[FIXTURE_PATH_BYTES + 8];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s%s", fixture->path, suffix);
    return stat(path, &info) == 0 ? info.st_size : 0;
}

/* It goes on as a new one does, with its checkpoints. */
static void use(struct fixture *fixture) {
    bool more;
    expect_new(fixture);
    int64_t leia = fixture_account(fixture, "leia");
    assert_int_equal(leia, 1);
    forum_thread(fixture, leia, "T");
    for (int i = 0; i < 300; i++) {
        forum_posted(fixture, leia, "T", "new");
        assert_ok(store_maintain(fixture->store, &more));
    }
    struct forum_file file = {
        .title = "T", .name = "f", .account = leia, .size = 1000000, .quota_bytes = 1000000};
    fixture_id(fixture, file.id);
    forum_upload(fixture, &file, 256 * 1024);
    fixture_reopen(fixture);
    assert_int_equal(forum_find(fixture, "T").head, 301);
    assert_int_equal(store_account_count(fixture->store), 1);
}

static void a_wiped_store_is_as_new_and_small(void **state) {
    struct fixture *fixture = *state;
    fixture->options.wal_pages = 50;
    fixture->options.view_entries = 10;
    fixture_open(fixture);
    off_t new_bytes = size_of(fixture, "");
    fixture_close(fixture);
    new_bytes = new_bytes > size_of(fixture, "") ? new_bytes : size_of(fixture, "");
    fixture_open(fixture);
    for (int round = 0; round < 3; round++) {
        fill(fixture);
        assert_true(size_of(fixture, "-pieces") > 2000000);
        assert_ok(store_wipe(fixture->store));
        assert_int_equal(size_of(fixture, "-wal"), 0);
        assert_int_equal(size_of(fixture, "-pieces"), 0);
        assert_true(size_of(fixture, "") <= new_bytes + 8192);
        expect_new(fixture);
    }
    fixture_reopen(fixture);
    use(fixture);
}

static void a_wipe_that_breaks_leaves_all_or_nothing(void **state) {
    (void)state;
    bool seen[2] = {false, false};
    for (uint64_t nth = 1; nth <= 60; nth++) {
        struct fixture *fixture = fixture_in_memory(nth);
        fixture_open(fixture);
        fill(fixture);
        crashvfs_fail(fixture->disk, nth % 2 == 0 ? CRASHVFS_SYNC : CRASHVFS_WRITE, nth / 2 + 1,
                      SQLITE_IOERR_WRITE);
        enum store_status status = store_wipe(fixture->store);
        fixture_crash(fixture, nth % 3 == 0 ? CRASHVFS_KEEP_SYNCED : CRASHVFS_KEEP_SOME);
        fixture_open(fixture);
        bool wiped = store_account_count(fixture->store) == 0;
        if (wiped) {
            use(fixture);
        } else {
            assert_int_equal(status, STORE_FAILED);
            assert_int_equal(forum_find(fixture, "T").head, 21);
            assert_true(store_block_is(fixture->store, 1, 2));
        }
        seen[wiped] = true;
        fixture_free(fixture);
    }
    assert_true(seen[false] && seen[true]);
}

/* ---- an earlier version's ---- */

/* Two accounts; three messages, of which the first two are merged. */
static const char content[] =
    "PRAGMA application_id = 2053335156; PRAGMA user_version = 1;"
    "INSERT INTO stream (id, kind, merged_seq) VALUES (1, 1, 2), (2, 1, 2);"
    "INSERT INTO account (id, name, password_hash, admin, created_us) VALUES"
    "  (1, 'han', '', 0, 1), (2, 'leia', '', 0, 1);"
    "INSERT INTO log (pos, id, kind, time_us, author, stream_a, seq_a, stream_b, seq_b, delivered,"
    "  body) VALUES (1, x'01', 1, 1, 1, 2, 1, 1, 1, 0, 'one'), (2, x'02', 1, 1, 1, 2, 2, 1, 2, 0,"
    "  'two'), (3, x'03', 1, 1, 1, 2, 3, 1, 3, 0, 'three');"
    "UPDATE log SET id = CAST('0123456789abcde' || pos AS BLOB);"
    "INSERT INTO entry VALUES (1, 2, x'00000000000000010000000000000002'),"
    "  (2, 2, x'00000000000000010000000000000002');"
    "UPDATE meta SET value = 2 WHERE name IN ('watermark', 'accounts')";

static bool add_text(void *arg, const struct store_message *message) {
    (void)strncat(arg, message->text, message->text_bytes);
    (void)strcat(arg, "|");
    return true;
}

static void expect_messages(struct fixture *fixture, const char *expected) {
    char texts[100] = "";
    assert_ok(store_inbox_read(fixture->store, 2, 0, 100, add_text, texts));
    assert_string_equal(texts, expected);
}

static void a_store_of_the_first_version_keeps_what_it_has(void **state) {
    struct fixture *fixture = *state;
    fixture->options.view_entries = 1;
    fixture_execute(fixture, schema_0001);
    fixture_execute(fixture, content);
    fixture_open(fixture);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(store_account_count(fixture->store), 2);
        assert_int_equal(store_message_count(fixture->store), 3);
        expect_messages(fixture, "one|two|three|");
        fixture_merge_all(fixture);
        fixture_reopen(fixture);
    }
    fixture_sent(fixture, 1, "leia", "four");
    expect_messages(fixture, "one|two|three|four|");
    assert_int_equal(forum_thread(fixture, 1, "T"), 3);
    forum_posted(fixture, 1, "T", "text");
    assert_int_equal(fixture_account(fixture, "luke"), 4);
    assert_int_equal(store_message_count(fixture->store), 4);
    fixture_close(fixture);
    assert_int_equal(forum_query(fixture, "PRAGMA user_version"), 16);
    fixture_open(fixture);
}

/* A store whose unfinished upload is changed by `sql`, and then completed. */
static void expect_completion_after(struct fixture *fixture, bool old, const char *sql) {
    struct store_file stored;
    fixture->options.exclusive = true; /* so that the hash is never behind */
    fixture_open(fixture);
    fixture_account(fixture, "han");
    forum_thread(fixture, 1, "T");
    struct forum_file file = {.title = "T", .name = "f", .account = 1, .size = 1000000};
    struct forum_file other = {.title = "T", .name = "other", .account = 1, .size = 1};
    fixture_id(fixture, file.id);
    fixture_id(fixture, other.id);
    bool done;
    assert_ok(forum_begin(fixture, &file, &stored));
    assert_ok(forum_begin(fixture, &other, &stored));
    for (size_t at = 0; at < 600000; at += 200000)
        assert_ok(forum_chunk(fixture, &file, at, 200000, &stored, &done));
    fixture_close(fixture);
    if (old)
        old_make(fixture);
    fixture_execute(fixture, sql);
    fixture->options.exclusive = false;
    fixture_open(fixture);
    assert_ok(forum_begin(fixture, &file, &stored));
    assert_int_equal(stored.received, 600000);
    forum_expect_bytes(fixture, &file, forum_upload(fixture, &file, 100000).file, file.size);
}

static void a_store_of_the_second_version_completes_its_uploads(void **state) {
    expect_completion_after(*state, true, OLD_2);
}

/* Then whole pieces were in the database, too. */
static void put_pieces(const struct fixture *fixture, const struct forum_file *file) {
    struct page_check *pages;
    sqlite3 *db = fixture_connect(fixture, &pages);
    sqlite3_stmt *add = NULL;
    unsigned char *bytes = malloc(file->size);
    assert_non_null(bytes);
    forum_fill(file, 0, bytes, file->size);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "UPDATE piece SET bytes = ?2 WHERE place & 1048575 = ?1",
                                        -1, &add, NULL),
                     SQLITE_OK);
    for (int i = 0; i < 2; i++) {
        (void)sqlite3_bind_int(add, 1, i);
        (void)sqlite3_bind_blob(add, 2, bytes + i * 262144, 262144, SQLITE_STATIC);
        assert_int_equal(sqlite3_step(add), SQLITE_DONE);
        (void)sqlite3_reset(add);
    }
    assert_int_equal(sqlite3_finalize(add), SQLITE_OK);
    fixture_disconnect(db, pages);
    free(bytes);
}

static void a_store_of_the_third_version_keeps_its_files(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    bool done;
    fixture_open(fixture);
    fixture_account(fixture, "han");
    forum_thread(fixture, 1, "T");
    struct forum_file file = {.title = "T", .name = "f", .account = 1, .size = 1000000};
    fixture_id(fixture, file.id);
    assert_ok(forum_begin(fixture, &file, &stored));
    assert_ok(forum_chunk(fixture, &file, 0, 262144, &stored, &done));
    assert_ok(forum_chunk(fixture, &file, 262144, 262144, &stored, &done));
    fixture_close(fixture);
    old_make(fixture);
    fixture_execute(fixture,
                    "INSERT INTO piece SELECT place, zeroblob(262144) FROM piece_slot;" OLD_3);
    put_pieces(fixture, &file);
    fixture_open(fixture);
    stored = forum_upload(fixture, &file, 262144);
    forum_expect_bytes(fixture, &file, stored.file, file.size);
    fixture_close(fixture);
    assert_int_equal(forum_query(fixture, "SELECT count(*) FROM piece_slot"), 1);
    fixture_open(fixture);
    struct store_thread removed;
    fixture_begin(fixture);
    assert_ok(store_thread_remove(fixture->store, "T", 1, false, &removed));
    fixture_commit(fixture);
}

/* Which may look alike, and are found by the form that every title has now. */
static void a_store_of_the_fourth_version_gets_titles_of_one_form(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    char other[TITLE_BYTES];
    fixture_open(fixture);
    fixture_account(fixture, "han");
    static const char *const titles[] = {"cafe\u0301", "caf\u00E9", " T", "harvest",
                                         "h\u0430rvest"};
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        forum_thread(fixture, 1, titles[i]);
    struct forum_file file = {.title = " T", .name = "f ", .account = 1, .size = 10};
    fixture_id(fixture, file.id);
    assert_ok(forum_begin(fixture, &file, &stored));
    forum_upload(fixture, &file, 10);
    fixture_close(fixture);
    old_make(fixture);
    fixture_execute(fixture, OLD_4);
    fixture_open(fixture);
    assert_string_equal(forum_find(fixture, "caf\u00E9").title, "caf\u00E9");
    assert_string_equal(forum_find(fixture, "caf\u00E9 (2)").title, "caf\u00E9 (2)");
    assert_ok(store_file_find(fixture->store, "T", "f", &stored));
    assert_ok(store_thread_alike(fixture->store, "H\u0430rvest", other));
    assert_ok(store_thread_alike(fixture->store, "harvest", other));
    assert_string_equal(other, "h\u0430rvest");
    assert_int_equal(store_thread_alike(fixture->store, "CAF\u00C9", other), STORE_NOT_FOUND);
    assert_ok(store_file_alike(fixture->store, "T", "\U0001D41F", other));
    assert_string_equal(other, "f");
}

static int64_t usage(const struct fixture *fixture, int account) {
    char sql[160];
    (void)snprintf(sql, sizeof sql,
                   "SELECT post_bytes * 1000000 + threads * 100000 + file_bytes FROM account "
                   "WHERE id = %d",
                   account);
    return forum_query(fixture, sql);
}

static void a_store_of_the_fifth_version_counts_what_its_accounts_have(void **state) {
    struct fixture *fixture = *state;
    struct store_post_changed changed;
    fixture_open(fixture);
    fixture_account(fixture, "han");
    fixture_account(fixture, "leia");
    forum_thread(fixture, 1, "T");
    forum_posted(fixture, 1, "T", "caf\u00E9");
    forum_posted(fixture, 2, "T", "text");
    struct forum_change edit = {.title = "T", .account = 1, .number = 1, .text = "tea"};
    struct forum_change deletion = {.title = "T", .account = 2, .number = 2};
    assert_ok(forum_edit(fixture, &edit, &changed));
    assert_ok(forum_delete(fixture, &deletion, &changed));
    fixture_sent(fixture, 1, "leia", "a message is no post");
    struct forum_file file = {.title = "T", .name = "f", .account = 2, .size = 10};
    fixture_id(fixture, file.id);
    forum_upload(fixture, &file, 10);
    fixture_close(fixture);
    int64_t before[] = {usage(fixture, 1), usage(fixture, 2)};
    assert_int_equal(before[0], (5 + 3 + 2 * 128) * 1000000 + 100000);
    assert_int_equal(before[1], (4 + 2 * 128) * 1000000 + 10 + 1024);
    old_make(fixture);
    fixture_execute(fixture, OLD_5);
    fixture_open(fixture);
    fixture_close(fixture);
    for (int i = 0; i < 2; i++)
        assert_int_equal(usage(fixture, 1 + i), before[i]);
    fixture_open(fixture);
}

static void a_hash_that_stayed_behind_catches_up(void **state) {
    expect_completion_after(*state, false,
                            "UPDATE file SET hashed = 0, hash_state = (SELECT hash_state "
                            "FROM file WHERE received = 0)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Counted memory costs a lock for each allocation. */
static void memory_is_not_counted(void **state) {
    struct fixture *fixture = *state;
    sqlite3_int64 used = -1, most;
    (void)sqlite3_shutdown(); /* as in a process that begins */
    fixture_open(fixture);
    assert_int_equal(sqlite3_status64(SQLITE_STATUS_MEMORY_USED, &used, &most, 0), SQLITE_OK);
    assert_int_equal(used, 0);
    fixture_close(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(memory_is_not_counted),
        TEST(a_wiped_store_is_as_new_and_small),
        cmocka_unit_test(a_wipe_that_breaks_leaves_all_or_nothing),
        TEST(a_store_of_the_first_version_keeps_what_it_has),
        TEST(a_store_of_the_second_version_completes_its_uploads),
        TEST(a_store_of_the_third_version_keeps_its_files),
        TEST(a_store_of_the_fourth_version_gets_titles_of_one_form),
        TEST(a_store_of_the_fifth_version_counts_what_its_accounts_have),
        TEST(a_hash_that_stayed_behind_catches_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
