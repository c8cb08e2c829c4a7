/* When an uploader tells the hash: at the beginning, with the last byte, at both ends, or never. */
#include "forum.h"

#include <string.h>

enum { HAN = 1, CHUNK = 256 * 1024, SIZE = CHUNK + 1000 };

static int setup(void **state) {
    struct fixture *fixture = fixture_in_memory(1);
    fixture_open(fixture);
    assert_int_equal(fixture_account(fixture, "han"), HAN);
    forum_thread(fixture, HAN, "T");
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

static struct forum_file file_of(struct fixture *fixture, const char *name, size_t size,
                                 enum forum_hash told) {
    struct forum_file file = {
        .title = "T", .name = name, .account = HAN, .seed = size + 1, .size = size, .told = told};
    fixture_id(fixture, file.id);
    return file;
}

static void expect_found(struct fixture *fixture, const struct forum_file *file) {
    struct store_file found;
    unsigned char hash[HASH_BYTES];
    forum_file_hash(file, hash);
    assert_ok(store_file_find(fixture->store, "T", file->name, &found));
    assert_memory_equal(found.hash, hash, HASH_BYTES);
    forum_expect_bytes(fixture, file, found.file, file->size);
}

/* As the last byte; the upload must stand as it was. */
static void expect_unfit(struct fixture *fixture, const struct forum_file *file) {
    struct store_file stored;
    bool done;
    size_t at = file->size < CHUNK ? 0 : CHUNK;
    assert_int_equal(forum_chunk(fixture, file, at, file->size - at, &stored, &done),
                     STORE_HASH_UNFIT);
    assert_false(done);
    assert_int_equal(stored.received, at);
    assert_int_equal(store_file_find(fixture->store, "T", file->name, &stored), STORE_NOT_FOUND);
}

static void begin_with_a_chunk(struct fixture *fixture, const struct forum_file *file) {
    struct store_file stored;
    bool done;
    assert_ok(forum_begin(fixture, file, &stored));
    assert_int_equal(stored.received, 0);
    if (file->size >= CHUNK) {
        assert_ok(forum_chunk(fixture, file, 0, CHUNK, &stored, &done));
        assert_false(done);
    }
}

static void a_hash_that_comes_with_the_last_byte_is_the_files(void **state) {
    struct fixture *fixture = *state;
    static const char *const names[] = {"0", "1", "2", "3", "4", "5"};
    static const size_t sizes[] = {0, 1, SIZE};
    for (size_t i = 0; i < 6; i++) {
        struct forum_file file = file_of(fixture, names[i], sizes[i / 2],
                                         i % 2 == 0 ? FORUM_HASH_LAST : FORUM_HASH_TWICE);
        struct store_file stored = forum_upload(fixture, &file, CHUNK);
        struct store_file again;
        expect_found(fixture, &file);
        assert_ok(forum_begin(fixture, &file, &again));
        forum_same_file(&again, &stored);
        fixture_reopen(fixture);
        expect_found(fixture, &file);
    }
}

static void the_last_byte_without_any_hash_is_refused(void **state) {
    struct fixture *fixture = *state;
    static const size_t sizes[] = {0, 1, SIZE};
    static const char *const names[] = {"none", "one", "more"};
    for (size_t i = 0; i < 3; i++) {
        struct forum_file file = file_of(fixture, names[i], sizes[i], FORUM_HASH_NEVER);
        begin_with_a_chunk(fixture, &file);
        expect_unfit(fixture, &file);
        expect_unfit(fixture, &file);
        file.told = FORUM_HASH_LAST;
        forum_upload(fixture, &file, CHUNK);
        expect_found(fixture, &file);
    }
}

static void another_hash_than_was_announced_is_refused(void **state) {
    struct fixture *fixture = *state;
    struct forum_file file = file_of(fixture, "f", SIZE, FORUM_HASH_FIRST);
    begin_with_a_chunk(fixture, &file);
    struct forum_file other = file;
    other.told = FORUM_HASH_LAST;
    other.wrong_hash = true;
    expect_unfit(fixture, &other);
    forum_upload(fixture, &file, CHUNK);
    expect_found(fixture, &file);
}

static void bytes_of_another_hash_begin_anew_with_any_hash(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    bool done;
    struct forum_file file = file_of(fixture, "f", SIZE, FORUM_HASH_LAST);
    struct forum_file wrong = file;
    wrong.wrong_hash = true;
    begin_with_a_chunk(fixture, &file);
    assert_int_equal(forum_chunk(fixture, &wrong, CHUNK, SIZE - CHUNK, &stored, &done),
                     STORE_MISMATCH);
    assert_int_equal(stored.received, 0);
    assert_ok(forum_begin(fixture, &file, &stored));
    assert_int_equal(stored.received, 0);
    forum_upload(fixture, &file, 1000);
    expect_found(fixture, &file);
}

static void it_goes_on_after_a_crash_without_a_hash(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    struct forum_file file = file_of(fixture, "f", SIZE, FORUM_HASH_LAST);
    begin_with_a_chunk(fixture, &file);
    fixture_crash(fixture, CRASHVFS_KEEP_SYNCED);
    fixture_open(fixture);
    assert_ok(forum_begin(fixture, &file, &stored));
    assert_int_equal(stored.received, CHUNK);
    file.told = FORUM_HASH_NEVER;
    expect_unfit(fixture, &file);
    file.told = FORUM_HASH_LAST;
    forum_upload(fixture, &file, CHUNK);
    expect_found(fixture, &file);
}

static void a_hash_may_be_told_by_a_later_beginning(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    struct forum_file file = file_of(fixture, "f", SIZE, FORUM_HASH_NEVER);
    begin_with_a_chunk(fixture, &file);
    file.told = FORUM_HASH_FIRST;
    assert_ok(forum_begin(fixture, &file, &stored));
    assert_int_equal(stored.received, CHUNK);
    struct forum_file other = file;
    other.wrong_hash = true;
    assert_int_equal(forum_begin(fixture, &other, &stored), STORE_ID_REUSED);
    other.told = FORUM_HASH_LAST;
    assert_ok(forum_begin(fixture, &other, &stored));
    fixture_reopen(fixture);
    expect_unfit(fixture, &other);
    file.told = FORUM_HASH_NEVER;
    assert_ok(forum_begin(fixture, &file, &stored));
    forum_upload(fixture, &file, CHUNK);
    file.told = FORUM_HASH_FIRST;
    assert_ok(forum_begin(fixture, &file, &stored));
    assert_int_equal(stored.seq, 1);
    other.told = FORUM_HASH_FIRST;
    assert_int_equal(forum_begin(fixture, &other, &stored), STORE_ID_REUSED);
    other.size++;
    other.told = FORUM_HASH_LAST;
    assert_int_equal(forum_begin(fixture, &other, &stored), STORE_ID_REUSED);
    expect_found(fixture, &file);
}

/* Under another id the bytes may be others. */
static void bytes_stay_under_another_id_only_where_both_hashes_are_known(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    for (enum forum_hash first = FORUM_HASH_FIRST; first <= FORUM_HASH_LAST; first++) {
        for (enum forum_hash then = FORUM_HASH_FIRST; then <= FORUM_HASH_LAST; then++) {
            bool known = first == FORUM_HASH_FIRST && then == FORUM_HASH_FIRST;
            struct forum_file file = file_of(fixture, "f", SIZE, first);
            begin_with_a_chunk(fixture, &file);
            fixture_id(fixture, file.id);
            file.told = then;
            assert_ok(forum_begin(fixture, &file, &stored));
            assert_int_equal(stored.received, known ? CHUNK : 0);
            fixture_begin(fixture);
            assert_ok(store_upload_cancel(fixture->store, file.id, HAN));
            fixture_commit(fixture);
        }
    }
    struct forum_file file = file_of(fixture, "f", SIZE, FORUM_HASH_FIRST);
    begin_with_a_chunk(fixture, &file);
    fixture_id(fixture, file.id);
    file.told = FORUM_HASH_LAST;
    file.seed++;
    forum_upload(fixture, &file, CHUNK);
    expect_found(fixture, &file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_hash_that_comes_with_the_last_byte_is_the_files),
        TEST(the_last_byte_without_any_hash_is_refused),
        TEST(another_hash_than_was_announced_is_refused),
        TEST(bytes_of_another_hash_begin_anew_with_any_hash),
        TEST(it_goes_on_after_a_crash_without_a_hash),
        TEST(a_hash_may_be_told_by_a_later_beginning),
        TEST(bytes_stay_under_another_id_only_where_both_hashes_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
