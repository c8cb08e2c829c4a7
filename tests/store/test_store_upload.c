/* Files: how they come in, in whatever pieces and with whatever breaks, and how they are read. */
#include "forum.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { HAN = 1, LEIA = 2, KIB = 1024, CHUNK = 256 * 1024 };

static int setup(void **state) {
    struct fixture *fixture = fixture_in_memory(1);
    fixture->options.view_entries = 5;
    fixture_open(fixture);
    assert_int_equal(fixture_account(fixture, "han"), HAN);
    assert_int_equal(fixture_account(fixture, "leia"), LEIA);
    forum_thread(fixture, HAN, "T");
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

static struct forum_file file_of(struct fixture *fixture, const char *name, size_t size) {
    struct forum_file file = {
        .title = "T", .name = name, .account = HAN, .seed = size + 1, .size = size};
    fixture_id(fixture, file.id);
    return file;
}

static void expect_missing(struct fixture *fixture, const char *name) {
    struct store_file file;
    assert_int_equal(store_file_find(fixture->store, "T", name, &file), STORE_NOT_FOUND);
}

static void a_file_appears_when_it_is_complete(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    struct store_file found;
    bool done;
    struct forum_file file = file_of(fixture, "f", 3 * CHUNK + 1000);
    forum_posted(fixture, HAN, "T", "text");
    assert_ok(forum_begin(fixture, &file, &stored));
    assert_int_equal(stored.received + stored.seq, 0);
    assert_int_equal(stored.size, file.size);
    assert_string_equal(stored.name, "f");
    assert_string_equal(stored.user, "han");
    assert_memory_equal(stored.id, file.id, ID_BYTES);
    for (size_t at = 0; at < 3 * CHUNK; at += CHUNK) {
        assert_ok(forum_chunk(fixture, &file, at, CHUNK, &stored, &done));
        assert_false(done);
        assert_int_equal(stored.received, at + CHUNK);
        expect_missing(fixture, "f");
    }
    forum_expect_bytes(fixture, &file, stored.file, 3 * CHUNK);
    assert_int_equal(forum_find(fixture, "T").uploads, 0);
    assert_ok(forum_chunk(fixture, &file, 3 * CHUNK, 1000, &stored, &done));
    assert_true(done);
    assert_int_equal(stored.seq, 2);
    assert_int_equal(stored.time_us, fixture->now_us);
    struct store_thread thread = forum_find(fixture, "T");
    assert_int_equal(thread.uploads, 1);
    assert_int_equal(thread.posts, 1);
    assert_int_equal(thread.head, 2);
    assert_int_equal(thread.last_us, fixture->now_us);
    fixture_reopen(fixture);
    assert_ok(store_file_find(fixture->store, "T", "f", &found));
    forum_same_file(&found, &stored);
    forum_expect_bytes(fixture, &file, found.file, file.size);
    forum_posted(fixture, LEIA, "T", "more");
    forum_expect(fixture, thread.stream, "1 han: text\nhan uploaded f\n2 leia: more\n");
    forum_expect_entries(fixture, thread.stream,
                         "1 posted 1 han: text\n2 uploaded han: f\n3 posted 2 leia: more\n");
}

static void files_of_any_size_come_in_chunks_of_any_size(void **state) {
    struct fixture *fixture = *state;
    static const size_t sizes[] = {0, 1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 77};
    static const size_t chunks[] = {CHUNK, CHUNK - 1, 100 * KIB, 65537};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t j = 0; j < sizeof chunks / sizeof chunks[0]; j++) {
            char name[32];
            (void)snprintf(name, sizeof name, "%zu in %zu", sizes[i], chunks[j]);
            struct forum_file file = file_of(fixture, name, sizes[i]);
            struct store_file stored = forum_upload(fixture, &file, chunks[j]);
            forum_expect_bytes(fixture, &file, stored.file, sizes[i]);
        }
    }
}

static void any_range_is_read(void **state) {
    struct fixture *fixture = *state;
    static unsigned char is[2 * CHUNK];
    static unsigned char expected[2 * CHUNK];
    struct forum_file file = file_of(fixture, "f", 2 * CHUNK + 5000);
    int64_t number = forum_upload(fixture, &file, CHUNK).file;
    static const size_t places[] = {
        0, 1, 4095, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, CHUNK * 2 + 4999, CHUNK * 2 + 5000};
    static const size_t lengths[] = {0, 1, 4096, CHUNK, 2 * CHUNK};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        for (size_t j = 0; j < sizeof lengths / sizeof lengths[0]; j++) {
            size_t left = file.size - places[i];
            size_t expects = left < lengths[j] ? left : lengths[j];
            size_t count = 99;
            assert_ok(store_file_read(fixture->store, number, places[i], is, lengths[j], &count));
            assert_int_equal(count, expects);
            forum_fill(&file, places[i], expected, count);
            assert_memory_equal(is, expected, count);
        }
    }
    size_t count = 99;
    assert_ok(store_file_read(fixture->store, number, UINT64_MAX, is, 10, &count));
    assert_int_equal(count, 0);
    assert_int_equal(store_file_read(fixture->store, number + 1, 0, is, 1, &count),
                     STORE_NOT_FOUND);
}

static void an_upload_goes_on_after_a_restart_at_any_byte(void **state) {
    struct fixture *fixture = *state;
    static const size_t breaks[] = {1, 4000, 4096, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 9999};
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        char name[32];
        struct store_file stored;
        bool done;
        (void)snprintf(name, sizeof name, "broken at %zu", breaks[i]);
        struct forum_file file = file_of(fixture, name, 2 * CHUNK + 10000);
        assert_ok(forum_begin(fixture, &file, &stored));
        for (size_t at = 0; at < breaks[i]; at = (size_t)stored.received) {
            size_t left = breaks[i] - at;
            assert_ok(forum_chunk(fixture, &file, at, left < CHUNK ? left : CHUNK, &stored, &done));
        }
        if (i % 2 == 0) {
            fixture_reopen(fixture);
        } else {
            fixture_crash(fixture, CRASHVFS_KEEP_SYNCED);
            fixture_open(fixture);
        }
        assert_ok(forum_begin(fixture, &file, &stored));
        assert_int_equal(stored.received, breaks[i]);
        forum_expect_bytes(fixture, &file, stored.file, breaks[i]);
        assert_int_equal(forum_upload(fixture, &file, CHUNK).file, stored.file);
        forum_expect_bytes(fixture, &file, stored.file, file.size);
    }
}

static void what_came_already_is_passed_over(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    bool done;
    struct forum_file file = file_of(fixture, "f", 1000);
    assert_ok(forum_begin(fixture, &file, &stored));
    assert_ok(forum_chunk(fixture, &file, 0, 400, &stored, &done));
    assert_ok(forum_chunk(fixture, &file, 0, 400, &stored, &done));
    assert_int_equal(stored.received, 400);
    assert_ok(forum_chunk(fixture, &file, 100, 200, &stored, &done));
    assert_int_equal(stored.received, 400);
    assert_ok(forum_chunk(fixture, &file, 300, 200, &stored, &done));
    assert_int_equal(stored.received, 500);
    assert_ok(forum_chunk(fixture, &file, 500, 0, &stored, &done));
    assert_int_equal(stored.received, 500);
    assert_false(done);
    assert_ok(forum_chunk(fixture, &file, 0, 1000, &stored, &done));
    assert_true(done);
    assert_ok(forum_chunk(fixture, &file, 300, 200, &stored, &done));
    assert_false(done); /* not once more */
    assert_int_not_equal(stored.seq, 0);
    assert_int_equal(stored.seq, 1);
    assert_ok(forum_begin(fixture, &file, &stored));
    assert_int_equal(stored.seq, 1);
    assert_int_equal(stored.received, 1000);
    assert_int_equal(forum_find(fixture, "T").head, 1);
    forum_expect_bytes(fixture, &file, stored.file, 1000);
}

static void a_hole_is_refused(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    bool done;
    struct forum_file file = file_of(fixture, "f", 1000);
    assert_ok(forum_begin(fixture, &file, &stored));
    assert_ok(forum_chunk(fixture, &file, 0, 100, &stored, &done));
    static const size_t places[][2] = {{101, 1}, {101, 0}, {100, 901}, {0, 1001}, {2000, 1}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        assert_int_equal(forum_chunk(fixture, &file, places[i][0], places[i][1], &stored, &done),
                         STORE_WRONG_OFFSET);
        assert_int_equal(stored.received, 100);
        assert_false(done);
    }
    struct forum_file empty = file_of(fixture, "empty", 0);
    assert_ok(forum_begin(fixture, &empty, &stored));
    assert_int_equal(forum_chunk(fixture, &empty, 0, 1, &stored, &done), STORE_WRONG_OFFSET);
    forum_upload(fixture, &empty, 1);
    forum_upload(fixture, &file, 300);
}

static void bytes_of_another_hash_go_and_the_upload_begins_anew(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    bool done;
    struct forum_file file = file_of(fixture, "f", CHUNK + 1000);
    assert_ok(forum_begin(fixture, &file, &stored));
    struct forum_file other = file;
    other.seed++;
    assert_ok(forum_chunk(fixture, &other, 0, CHUNK, &stored, &done));
    assert_int_equal(forum_chunk(fixture, &file, CHUNK, 1000, &stored, &done), STORE_MISMATCH);
    assert_false(done);
    assert_int_equal(stored.received, 0);
    expect_missing(fixture, "f");
    fixture_reopen(fixture);
    assert_ok(forum_begin(fixture, &file, &stored));
    assert_int_equal(stored.received, 0);
    stored = forum_upload(fixture, &file, 100 * KIB);
    forum_expect_bytes(fixture, &file, stored.file, file.size);

    struct forum_file empty = file_of(fixture, "empty", 0);
    empty.wrong_hash = true;
    assert_ok(forum_begin(fixture, &empty, &stored));
    assert_int_equal(forum_chunk(fixture, &empty, 0, 0, &stored, &done), STORE_MISMATCH);
    assert_int_equal(forum_find(fixture, "T").uploads, 1);
    fixture_merge_all(fixture);
    fixture_close(fixture);
    assert_int_equal(forum_query(fixture, "SELECT count(*) FROM piece"), 2);
    fixture_open(fixture);
}

static void a_name_is_taken_from_the_beginning_on(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    struct forum_file first = file_of(fixture, "f", 1000);
    assert_ok(forum_begin(fixture, &first, &stored));
    struct forum_file second = file_of(fixture, "f", 1000);
    second.account = LEIA;
    assert_int_equal(forum_begin(fixture, &second, &stored), STORE_EXISTS);
    forum_upload(fixture, &first, 1000);
    assert_int_equal(forum_begin(fixture, &second, &stored), STORE_EXISTS);
    second.account = HAN;
    assert_int_equal(forum_begin(fixture, &second, &stored), STORE_EXISTS);
    second.title = "V";
    assert_int_equal(forum_begin(fixture, &second, &stored), STORE_NO_THREAD);
    forum_thread(fixture, HAN, "V");
    forum_upload(fixture, &second, 1000);
    second = file_of(fixture, "F", 1000);
    forum_upload(fixture, &second, 1000);
}

/* He lost the id that he began with. */
static void an_uploader_comes_back_with_another_id(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    bool done;
    struct forum_file first = file_of(fixture, "f", CHUNK + 1000);
    first.quota_bytes = CHUNK + 2000;
    assert_ok(forum_begin(fixture, &first, &stored));
    assert_ok(forum_chunk(fixture, &first, 0, 1000, &stored, &done));
    struct forum_file same = first;
    fixture_id(fixture, same.id);
    assert_ok(forum_begin(fixture, &same, &stored));
    assert_int_equal(stored.received, 1000);
    assert_memory_equal(stored.id, same.id, ID_BYTES);
    assert_int_equal(forum_chunk(fixture, &first, 1000, 1, &stored, &done), STORE_NOT_FOUND);
    struct forum_file other = first;
    fixture_id(fixture, other.id);
    other.size = CHUNK + 2001;
    other.seed++;
    assert_int_equal(forum_begin(fixture, &other, &stored), STORE_NO_ROOM);
    other.size = CHUNK + 2000;
    assert_ok(forum_begin(fixture, &other, &stored));
    assert_int_equal(stored.received, 0);
    assert_int_equal(stored.size, other.size);
    stored = forum_upload(fixture, &other, 100 * KIB);
    forum_expect_bytes(fixture, &other, stored.file, other.size);
    struct forum_file one = file_of(fixture, "one", 1);
    one.quota_bytes = CHUNK + 2000;
    assert_int_equal(forum_begin(fixture, &one, &stored), STORE_NO_ROOM);
    one.quota_bytes++;
    forum_upload(fixture, &one, 1);
}

static void an_id_names_one_upload(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    struct store_post_changed changed;
    struct store_message_stored sent;
    struct store_thread thread;
    bool done;
    struct forum_file file = file_of(fixture, "f", 1000);
    forum_thread(fixture, HAN, "U");
    struct store_post_changed post = forum_posted(fixture, HAN, "T", "text");
    for (int round = 0; round < 2; round++) {
        assert_ok(forum_begin(fixture, &file, &stored));
        struct forum_file others[] = {file, file, file, file, file};
        others[0].name = "g";
        others[1].title = "U";
        others[2].account = LEIA;
        others[3].seed++;
        others[4].size++;
        for (size_t i = 0; i < 5; i++)
            assert_int_equal(forum_begin(fixture, &others[i], &stored), STORE_ID_REUSED);
        struct forum_change change = {.id = file.id, .title = "T", .account = HAN, .text = "x"};
        assert_int_equal(forum_post(fixture, &change, &changed), STORE_ID_REUSED);
        fixture_begin(fixture);
        assert_int_equal(store_thread_create(fixture->store, file.id, "W", HAN, 1, &thread),
                         STORE_ID_REUSED);
        fixture_commit(fixture);
        forum_upload(fixture, &file, 1000);
    }
    struct forum_file taken = file_of(fixture, "g", 10);
    memcpy(taken.id, post.post.id, ID_BYTES);
    assert_int_equal(forum_begin(fixture, &taken, &stored), STORE_ID_REUSED);
    memcpy(taken.id, post.thread.id, ID_BYTES);
    assert_int_equal(forum_begin(fixture, &taken, &stored), STORE_ID_REUSED);
    /* A message takes it while the upload is under way: no event could carry the id. */
    fixture_id(fixture, taken.id);
    assert_ok(forum_begin(fixture, &taken, &stored));
    fixture_begin(fixture);
    assert_ok(fixture_send(fixture, taken.id, HAN, "leia", "hello", &sent));
    fixture_commit(fixture);
    assert_int_equal(forum_chunk(fixture, &taken, 0, 10, &stored, &done), STORE_ID_REUSED);
    assert_int_equal(stored.received, 0);
    fixture_id(fixture, taken.id);
    forum_upload(fixture, &taken, 10);
}

static void only_the_uploader_adds_and_cancels(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    bool done;
    struct forum_file file = file_of(fixture, "f", 1000);
    struct forum_file unknown = file_of(fixture, "u", 1000);
    assert_ok(forum_begin(fixture, &file, &stored));
    assert_int_equal(forum_chunk(fixture, &unknown, 0, 10, &stored, &done), STORE_NOT_FOUND);
    file.account = LEIA;
    assert_int_equal(forum_chunk(fixture, &file, 0, 10, &stored, &done), STORE_NOT_OWNER);
    fixture_begin(fixture);
    assert_int_equal(store_upload_cancel(fixture->store, file.id, LEIA), STORE_NOT_OWNER);
    assert_int_equal(store_upload_cancel(fixture->store, unknown.id, HAN), STORE_NOT_FOUND);
    assert_ok(store_upload_cancel(fixture->store, file.id, HAN));
    assert_int_equal(store_upload_cancel(fixture->store, file.id, HAN), STORE_NOT_FOUND);
    fixture_commit(fixture);
    file.account = HAN;
    assert_int_equal(forum_chunk(fixture, &file, 0, 10, &stored, &done), STORE_NOT_FOUND);
    forum_upload(fixture, &file, 1000);
    fixture_begin(fixture);
    assert_int_equal(store_upload_cancel(fixture->store, file.id, HAN), STORE_NOT_FOUND);
    fixture_commit(fixture);
    assert_ok(store_file_find(fixture->store, "T", "f", &stored));
}

/* ---- quota ---- */

static enum store_status try(struct fixture *fixture, const char *name, size_t size,
                             uint64_t quota_bytes) {
    struct store_file stored;
    struct forum_file file = file_of(fixture, name, size);
    file.quota_bytes = quota_bytes;
    return forum_begin(fixture, &file, &stored);
}

static void room_is_reserved_and_given_back(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    struct store_thread thread;
    bool done;
    bool more;
    enum { QUOTA = 10000 };
    struct forum_file complete = file_of(fixture, "complete", 4000);
    struct forum_file begun = file_of(fixture, "begun", 3000);
    struct forum_file cancelled = file_of(fixture, "cancelled", 2000);
    struct forum_file late = file_of(fixture, "late", 1000);
    forum_upload(fixture, &complete, 4000);
    assert_ok(forum_begin(fixture, &begun, &stored));
    assert_ok(forum_chunk(fixture, &begun, 0, 10, &stored, &done));
    assert_ok(forum_begin(fixture, &cancelled, &stored));
    int64_t between_us = ++fixture->now_us;
    assert_ok(forum_begin(fixture, &late, &stored));
    for (int round = 0; round < 2; round++) {
        assert_int_equal(try(fixture, "one", 1, QUOTA), STORE_NO_ROOM);
        assert_int_equal(try(fixture, "huge", 100000, 1), STORE_NO_ROOM);
        assert_int_equal(try(fixture, "other", 1, 9999), STORE_NO_ROOM);
        fixture_reopen(fixture);
    }
    fixture_begin(fixture);
    assert_ok(store_upload_cancel(fixture->store, cancelled.id, HAN));
    fixture_commit(fixture);
    assert_int_equal(try(fixture, "2001", 2001, QUOTA), STORE_NO_ROOM);
    fixture_begin(fixture);
    assert_ok(store_uploads_expire(fixture->store, between_us, between_us, &more));
    fixture_commit(fixture);
    assert_false(more);
    assert_int_equal(try(fixture, "5001", 5001, QUOTA), STORE_NO_ROOM);
    assert_ok(try(fixture, "5000", 5000, QUOTA));
    assert_ok(try(fixture, "without a limit", 1000000, 0));
    fixture_begin(fixture);
    assert_ok(store_thread_remove(fixture->store, "T", HAN, false, &thread));
    fixture_commit(fixture);
    fixture_merge_all(fixture);
    forum_thread(fixture, HAN, "T");
    assert_ok(try(fixture, "all", QUOTA, QUOTA));
}

/* The processor's time for some beginnings more, the least of a few: the machine has other work. */
static clock_t cost_of_beginning(struct fixture *fixture, int *number) {
    enum { ROUNDS = 5, BEGINNINGS = 200 };
    clock_t least = -1;
    for (int round = 0; round < ROUNDS; round++) {
        clock_t before = clock();
        for (int i = 0; i < BEGINNINGS; i++) {
            char name[32];
            (void)snprintf(name, sizeof name, "small %d", (*number)++);
            assert_ok(try(fixture, name, 1, 0));
        }
        clock_t took = clock() - before;
        least = least < 0 || took < least ? took : least;
    }
    return least;
}

static void a_beginning_costs_the_same_however_many_there_are(void **state) {
    struct fixture *fixture = *state;
    int number = 0;
    clock_t first = cost_of_beginning(fixture, &number);
    while (number < 10000)
        (void)cost_of_beginning(fixture, &number);
    assert_true(cost_of_beginning(fixture, &number) < 4 * first);
}

static void a_size_beyond_all_measure_is_refused(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    unsigned char hash[HASH_BYTES] = {0};
    unsigned char id[ID_BYTES];
    static const uint64_t sizes[] = {UINT64_MAX, (uint64_t)INT64_MAX + 1, (UINT64_C(1) << 38) + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (uint64_t quota = 0; quota < 2; quota++) {
            fixture_id(fixture, id);
            struct store_upload upload = {.id = id,
                                          .title = "T",
                                          .name = "f",
                                          .account = HAN,
                                          .size = sizes[i],
                                          .hash = hash,
                                          .quota_bytes = quota * UINT64_MAX,
                                          .now_us = 1};
            fixture_begin(fixture);
            assert_int_equal(store_upload_begin(fixture->store, &upload, &stored), STORE_NO_ROOM);
            fixture_commit(fixture);
        }
    }
}

static void unfinished_uploads_expire(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    bool done;
    bool more = true;
    struct forum_file files[12];
    for (size_t i = 0; i < 12; i++) {
        static const char *const names[] = {"a", "b", "c", "d", "e", "f",
                                            "g", "h", "i", "j", "k", "l"};
        files[i] = file_of(fixture, names[i], 1000);
        assert_ok(forum_begin(fixture, &files[i], &stored));
        assert_ok(forum_chunk(fixture, &files[i], 0, 500, &stored, &done));
    }
    int64_t before_us = ++fixture->now_us;
    assert_ok(forum_chunk(fixture, &files[3], 500, 10, &stored, &done));
    forum_upload(fixture, &files[5], 500);
    size_t turns = 0;
    while (more) {
        fixture_begin(fixture);
        assert_ok(store_uploads_expire(fixture->store, before_us, before_us, &more));
        fixture_commit(fixture);
        turns++;
    }
    assert_true(turns > 1 && turns <= 11);
    for (size_t i = 0; i < 12; i++) {
        bool kept = i == 3 || i == 5;
        assert_int_equal(forum_chunk(fixture, &files[i], 0, 10, &stored, &done),
                         kept ? STORE_OK : STORE_NOT_FOUND);
    }
    fixture_merge_all(fixture);
    fixture_close(fixture);
    assert_int_equal(forum_query(fixture, "SELECT count(*) FROM piece"), 2);
    fixture_open(fixture);
}

/* ---- lists and names ---- */

static bool add_name(void *arg, const struct store_file *file) {
    assert_int_equal(file->received, file->size);
    (void)strcat(arg, file->name);
    (void)strcat(arg, "|");
    return true;
}

static void names_are_any_text_in_the_order_in_which_they_came(void **state) {
    struct fixture *fixture = *state;
    char names[1000] = "";
    struct store_file stored;
    static const char *const some[] = {
        "../x", "-rf", "credentials.txt", "caf\xc3\xa9", "cafe\xcc\x81", "a b", "%s", "X", "x"};
    enum { COUNT = sizeof some / sizeof some[0] };
    char expected[1000] = "";
    struct forum_file files[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        files[i] = file_of(fixture, some[i], i * 10);
        assert_ok(forum_begin(fixture, &files[i], &stored));
    }
    for (size_t i = COUNT; i-- > 1;) {
        forum_upload(fixture, &files[i], 100);
        (void)strcat(expected, some[i]);
        (void)strcat(expected, "|");
    }
    assert_ok(store_file_list(fixture->store, "T", 0, add_name, names));
    assert_string_equal(names, expected);
    assert_int_equal(store_file_list(fixture->store, "V", 0, add_name, names), STORE_NO_THREAD);
    assert_int_equal(store_file_find(fixture->store, "V", "x", &stored), STORE_NO_THREAD);
    assert_ok(store_file_find(fixture->store, "T", "x", &stored));
    assert_int_equal(stored.size, 80);
}

static void two_uploads_go_side_by_side(void **state) {
    struct fixture *fixture = *state;
    struct store_file a;
    struct store_file b;
    bool done;
    struct forum_file one = file_of(fixture, "one", 3 * CHUNK);
    struct forum_file two = file_of(fixture, "two", 3 * CHUNK + 1);
    two.account = LEIA;
    assert_ok(forum_begin(fixture, &one, &a));
    assert_ok(forum_begin(fixture, &two, &b));
    for (size_t at = 0; at < 3 * CHUNK; at += CHUNK / 2) {
        assert_ok(forum_chunk(fixture, &one, at, CHUNK / 2, &a, &done));
        assert_ok(forum_chunk(fixture, &two, at, CHUNK / 2, &b, &done));
    }
    assert_int_equal(a.seq, 1);
    forum_expect_bytes(fixture, &one, a.file, one.size);
    forum_expect_bytes(fixture, &two, b.file, two.size - 1);
    forum_upload(fixture, &two, 1);
    forum_expect_bytes(fixture, &two, b.file, two.size);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_file_appears_when_it_is_complete),
        TEST(files_of_any_size_come_in_chunks_of_any_size),
        TEST(any_range_is_read),
        TEST(an_upload_goes_on_after_a_restart_at_any_byte),
        TEST(what_came_already_is_passed_over),
        TEST(a_hole_is_refused),
        TEST(bytes_of_another_hash_go_and_the_upload_begins_anew),
        TEST(a_name_is_taken_from_the_beginning_on),
        TEST(an_uploader_comes_back_with_another_id),
        TEST(an_id_names_one_upload),
        TEST(only_the_uploader_adds_and_cancels),
        TEST(room_is_reserved_and_given_back),
        TEST(a_beginning_costs_the_same_however_many_there_are),
        TEST(a_size_beyond_all_measure_is_refused),
        TEST(unfinished_uploads_expire),
        TEST(names_are_any_text_in_the_order_in_which_they_came),
        TEST(two_uploads_go_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
