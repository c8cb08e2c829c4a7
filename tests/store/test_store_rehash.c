/* Files of a store of the tenth version, whose hashes were BLAKE2b-256, have BLAKE2b-512 when it is
 * open; none whose bytes are not its own any more gets a hash that hides it. */
#define _GNU_SOURCE
#include "forum.h"
#include "old.h"
#include "store_check.h"

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HAN = 1, PIECE = 256 * 1024, FILES = 5, OLD_BYTES = 32 };

static const size_t sizes[FILES] = {0, 1, PIECE, PIECE + 1000, 3 * PIECE};
static const char *const names[FILES] = {"0", "1", "2", "3", "4"};

struct heard {
    uint64_t calls;
    uint64_t done;
    uint64_t of;
    uint64_t end_after; /* calls; 0: never */
    size_t damaged;
    char title[TITLE_BYTES];
    char name[FILE_NAME_BYTES];
};

struct scene {
    struct fixture *fixture;
    struct forum_file files[FILES];
    int64_t numbers[FILES];
    struct heard heard;
};

static bool hear(void *arg, uint64_t done, uint64_t of) {
    struct heard *heard = arg;
    assert_true(done >= heard->done && done <= of);
    heard->done = done;
    heard->of = of;
    return ++heard->calls != heard->end_after;
}

static void hear_damaged(void *arg, const char *title, const char *name) {
    struct heard *heard = arg;
    heard->damaged++;
    (void)snprintf(heard->title, sizeof heard->title, "%s", title);
    (void)snprintf(heard->name, sizeof heard->name, "%s", name);
}

static struct forum_file file_of(struct fixture *fixture, const char *name, size_t size,
                                 enum forum_hash told) {
    struct forum_file file = {
        .title = "T", .name = name, .account = HAN, .seed = size + 1, .size = size, .told = told};
    fixture_id(fixture, file.id);
    return file;
}

static int setup(void **state) {
    struct scene *scene = calloc(1, sizeof *scene);
    struct fixture *fixture = fixture_in_folder();
    fixture_open(fixture);
    assert_int_equal(fixture_account(fixture, "han"), HAN);
    forum_thread(fixture, HAN, "T");
    for (size_t i = 0; i < FILES; i++) {
        scene->files[i] = file_of(fixture, names[i], sizes[i], FORUM_HASH_FIRST);
        scene->numbers[i] = forum_upload(fixture, &scene->files[i], PIECE).file;
    }
    fixture->options.rehashing = hear;
    fixture->options.damaged = hear_damaged;
    fixture->options.progress_arg = &scene->heard;
    scene->fixture = fixture;
    *state = scene;
    return 0;
}

static int teardown(void **state) {
    struct scene *scene = *state;
    fixture_free(scene->fixture);
    free(scene);
    return 0;
}

static void old_hash(const struct forum_file *file, unsigned char out[OLD_BYTES]) {
    unsigned char *bytes = malloc(file->size + 1);
    forum_fill(file, 0, bytes, file->size);
    crypto_generichash(out, OLD_BYTES, bytes, file->size, NULL, 0);
    free(bytes);
}

static void set_hash(const struct fixture *fixture, const char *name,
                     const unsigned char hash[OLD_BYTES]) {
    char digits[2 * OLD_BYTES + 1], sql[256];
    sodium_bin2hex(digits, sizeof digits, hash, OLD_BYTES);
    (void)snprintf(sql, sizeof sql, "UPDATE file SET hash = x'%s' WHERE name = '%s'", digits, name);
    fixture_execute(fixture, sql);
}

/* The store, which it closes, as the version before left it. */
static void make_old(struct scene *scene) {
    unsigned char hash[OLD_BYTES];
    fixture_close(scene->fixture);
    for (size_t i = 0; i < FILES; i++) {
        old_hash(&scene->files[i], hash);
        set_hash(scene->fixture, names[i], hash);
    }
    fixture_execute(scene->fixture,
                    BEFORE_14 "DROP TABLE removed_thread; DROP TABLE rubbish_thread; "
                              "DROP TABLE rubbish_file; PRAGMA user_version = 10");
}

static void expect_new(struct scene *scene, size_t i) {
    struct store_file found;
    unsigned char hash[HASH_BYTES];
    assert_int_equal(HASH_BYTES, 64);
    forum_file_hash(&scene->files[i], hash);
    assert_ok(store_file_find(scene->fixture->store, "T", names[i], &found));
    assert_memory_equal(found.hash, hash, HASH_BYTES);
    forum_expect_bytes(scene->fixture, &scene->files[i], found.file, sizes[i]);
}

static void expect_all_new(struct scene *scene) {
    for (size_t i = 0; i < FILES; i++)
        expect_new(scene, i);
    fixture_close(scene->fixture);
    assert_int_equal(
        forum_query(scene->fixture, "SELECT count(*) FROM meta WHERE name = 'rehashed'"), 0);
    assert_int_equal(forum_query(scene->fixture, "PRAGMA user_version"), 16);
}

static void files_get_the_new_hash_of_their_bytes(void **state) {
    struct scene *scene = *state;
    make_old(scene);
    fixture_open(scene->fixture);
    assert_int_equal(scene->heard.damaged, 0);
    assert_int_equal(scene->heard.done, 5 * PIECE + 1001 + FILES);
    assert_int_equal(scene->heard.done, scene->heard.of);
    expect_all_new(scene);
    scene->heard = (struct heard){.calls = 0};
    fixture_open(scene->fixture);
    assert_int_equal(scene->heard.calls, 0);
}

static void told_to_end_it_goes_on_with_the_next_start(void **state) {
    struct scene *scene = *state;
    struct fixture *fixture = scene->fixture;
    make_old(scene);
    size_t starts = 0;
    enum store_status status = STORE_FAILED;
    for (; status != STORE_OK && starts < 20; starts++) {
        scene->heard = (struct heard){.end_after = 14};
        status = store_open(&fixture->store, &fixture->options);
        if (status != STORE_OK) {
            assert_non_null(strstr(store_error(fixture->store), "it was told to end"));
            store_close(fixture->store);
            fixture->store = NULL;
        }
    }
    assert_int_equal(status, STORE_OK);
    assert_true(starts > 1);
    expect_all_new(scene);
}

static bool kill_itself(void *arg, uint64_t done, uint64_t of) {
    struct heard *heard = arg;
    (void)done;
    (void)of;
    if (++heard->calls == heard->end_after)
        (void)kill(getpid(), SIGKILL);
    return true;
}

/* Whether a child that opens the store, and is killed with that call, gets through. */
static bool child_opens(struct scene *scene, uint64_t calls) {
    struct fixture *fixture = scene->fixture;
    int status = 0;
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        scene->heard = (struct heard){.end_after = calls};
        fixture->options.rehashing = kill_itself;
        _exit(store_open(&fixture->store, &fixture->options) == STORE_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return !WIFSIGNALED(status);
}

static void killed_it_goes_on_with_the_next_start(void **state) {
    struct scene *scene = *state;
    size_t kills = 0;
    make_old(scene);
    while (!child_opens(scene, 14))
        assert_true(++kills < 20);
    assert_true(kills > 0);
    fixture_open(scene->fixture);
    assert_int_equal(scene->heard.damaged, 0);
    expect_all_new(scene);
}

/* What the killed one left in the write-ahead log is not lost with the orderly end. */
static void killed_and_then_told_to_end_it_goes_on(void **state) {
    struct scene *scene = *state;
    struct fixture *fixture = scene->fixture;
    make_old(scene);
    assert_false(child_opens(scene, 14));
    scene->heard = (struct heard){.end_after = 2};
    assert_int_equal(store_open(&fixture->store, &fixture->options), STORE_FAILED);
    assert_non_null(strstr(store_error(fixture->store), "it was told to end"));
    store_close(fixture->store);
    scene->heard = (struct heard){.calls = 0};
    fixture_open(fixture);
    assert_int_equal(scene->heard.damaged, 0);
    expect_all_new(scene);
}

static void accounts_are_not_touched_before(void **state) {
    struct scene *scene = *state;
    struct fixture *fixture = scene->fixture;
    make_old(scene);
    fixture->options.beside = true;
    assert_int_equal(store_open(&fixture->store, &fixture->options), STORE_FAILED);
    assert_non_null(strstr(store_error(fixture->store), "an earlier zchat made it: start zchatd"));
    store_close(fixture->store);
    fixture->store = NULL;
    fixture->options.beside = false;
    fixture_open(fixture);
    expect_all_new(scene);
}

static void count_damage(void *arg, const char *sentence) {
    size_t *count = arg;
    *count += strstr(sentence, "has not the bytes that were uploaded") != NULL;
}

static void ignore_progress(void *arg, const char *what, uint64_t done, uint64_t all) {
    (void)arg;
    (void)what;
    (void)done;
    (void)all;
}

/* The first hash, and what no bytes have behind it. */
static void expect_damaged(struct scene *scene, size_t i, const unsigned char first[OLD_BYTES]) {
    static const unsigned char zeros[OLD_BYTES];
    struct store_file found;
    size_t told = 0;
    assert_int_equal(scene->heard.damaged, 1);
    assert_string_equal(scene->heard.title, "T");
    assert_string_equal(scene->heard.name, names[i]);
    assert_ok(store_file_find(scene->fixture->store, "T", names[i], &found));
    assert_memory_equal(found.hash, first, OLD_BYTES);
    assert_memory_equal(found.hash + OLD_BYTES, zeros, OLD_BYTES);
    for (size_t other = 0; other < FILES; other++)
        if (other != i)
            expect_new(scene, other);
    fixture_close(scene->fixture);
    struct store_check check = {.path = scene->fixture->path,
                                .damage = count_damage,
                                .progress = ignore_progress,
                                .arg = &told};
    assert_int_equal(store_check(&check), STORE_DAMAGED);
    assert_int_equal(told, 1);
}

static void other_bytes_than_were_uploaded_get_no_hash_of_theirs(void **state) {
    struct scene *scene = *state;
    unsigned char hash[OLD_BYTES];
    make_old(scene);
    old_hash(&scene->files[1], hash);
    hash[3] ^= 1;
    set_hash(scene->fixture, names[1], hash);
    fixture_open(scene->fixture);
    expect_damaged(scene, 1, hash);
}

static void flip_in_pieces(const struct fixture *fixture, int64_t slot) {
    char path[FIXTURE_PATH_BYTES + 32];
    unsigned char byte;
    (void)snprintf(path, sizeof path, "%s-pieces", fixture->path);
    int file = open(path, O_RDWR | O_CLOEXEC);
    off_t at = (off_t)slot * PIECE + 70000;
    assert_int_equal(pread(file, &byte, 1, at), 1);
    byte ^= 4;
    assert_int_equal(pwrite(file, &byte, 1, at), 1);
    assert_int_equal(close(file), 0);
}

static void bytes_that_fail_their_checksum_keep_the_first_hash(void **state) {
    struct scene *scene = *state;
    unsigned char hash[OLD_BYTES];
    char sql[128];
    make_old(scene);
    old_hash(&scene->files[4], hash);
    (void)snprintf(sql, sizeof sql, "SELECT slot FROM piece_slot WHERE place = 1048576 * %lld + 1",
                   (long long)scene->numbers[4]);
    flip_in_pieces(scene->fixture, forum_query(scene->fixture, sql));
    fixture_open(scene->fixture);
    expect_damaged(scene, 4, hash);
}

/* The announced hash was an old one, and so is the state of what came. */
static void make_unfinished(struct scene *scene, struct forum_file *file, enum forum_hash told) {
    struct store_file stored;
    bool done;
    unsigned char hash[OLD_BYTES], bytes[384] = {0};
    *file = file_of(scene->fixture, "unfinished", 2 * PIECE + 5, told);
    assert_ok(forum_begin(scene->fixture, file, &stored));
    assert_ok(forum_chunk(scene->fixture, file, 0, PIECE + 100, &stored, &done));
    make_old(scene);
    old_hash(file, hash);
    if (told == FORUM_HASH_FIRST)
        set_hash(scene->fixture, file->name, hash);
    crypto_generichash_init((crypto_generichash_state *)(void *)bytes, NULL, 0, OLD_BYTES);
    char digits[2 * sizeof bytes + 1], sql[1024];
    sodium_bin2hex(digits, sizeof digits, bytes, sizeof bytes);
    (void)snprintf(sql, sizeof sql,
                   "UPDATE file SET hashed = 0, hash_state = x'%s' WHERE name = 'unfinished'",
                   digits);
    fixture_execute(scene->fixture, sql);
    fixture_open(scene->fixture);
    assert_int_equal(scene->heard.damaged, 0);
}

static void expect_goes_on(struct scene *scene, enum forum_hash before, enum forum_hash after) {
    struct forum_file file;
    struct store_file stored;
    unsigned char hash[HASH_BYTES];
    make_unfinished(scene, &file, before);
    file.told = after;
    assert_ok(forum_begin(scene->fixture, &file, &stored));
    assert_int_equal(stored.received, PIECE + 100);
    forum_upload(scene->fixture, &file, PIECE);
    forum_file_hash(&file, hash);
    assert_ok(store_file_find(scene->fixture->store, "T", file.name, &stored));
    assert_memory_equal(stored.hash, hash, HASH_BYTES);
}

static void an_unfinished_upload_goes_on_with_the_new_hash(void **state) {
    expect_goes_on(*state, FORUM_HASH_FIRST, FORUM_HASH_FIRST);
}

static void an_unfinished_upload_takes_the_new_hash_with_its_last_byte(void **state) {
    expect_goes_on(*state, FORUM_HASH_LAST, FORUM_HASH_LAST);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(files_get_the_new_hash_of_their_bytes),
        TEST(told_to_end_it_goes_on_with_the_next_start),
        TEST(killed_it_goes_on_with_the_next_start),
        TEST(killed_and_then_told_to_end_it_goes_on),
        TEST(accounts_are_not_touched_before),
        TEST(other_bytes_than_were_uploaded_get_no_hash_of_theirs),
        TEST(bytes_that_fail_their_checksum_keep_the_first_hash),
        TEST(an_unfinished_upload_goes_on_with_the_new_hash),
        TEST(an_unfinished_upload_takes_the_new_hash_with_its_last_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
