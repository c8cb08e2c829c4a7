/* A backup has the store as it was when it began, whatever the store does meanwhile; what is
 * restored of it is whole, and what was damaged since it was made is named. */
#include "forum.h"

#include "disk/backup_file.h"
#include "store_backup.h"
#include "store_check.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECES(count) ((size_t)(count)*SLOT_BYTES)
#define HAN           INT64_C(1)

static const unsigned char key[] = "public a secret b\n";

struct world {
    struct fixture *fixture; /* owned: what is copied */
    char file[FIXTURE_PATH_BYTES + 16];
    char path[FIXTURE_PATH_BYTES + 16]; /* of the store that is restored */
    const char *during;                 /* called once at this stage of a backup; NULL: not */
    void (*act)(struct world *world);
    bool ends; /* the work is told to end */
    int key_calls;
    size_t key_bytes;
    char error[STORE_BACKUP_ERROR_BYTES];
};

static int setup(void **state) {
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->fixture = fixture_in_folder();
    fixture_open(world->fixture);
    assert_int_equal(fixture_account(world->fixture, "han"), HAN);
    fixture_account(world->fixture, "leia");
    (void)snprintf(world->file, sizeof world->file, "%s.backup", world->fixture->path);
    (void)snprintf(world->path, sizeof world->path, "%s.new", world->fixture->path);
    *state = world;
    return 0;
}

static void remove_store(const char *path) {
    static const char *const suffixes[] = {"",      "-wal",   "-shm",    "-pieces",
                                           "-head", "-words", "-reserve"};
    char name[FIXTURE_PATH_BYTES + 32];
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
}

static int teardown(void **state) {
    struct world *world = *state;
    (void)unlink(world->file);
    remove_store(world->path);
    fixture_free(world->fixture);
    free(world);
    return 0;
}

/* ---- making and restoring ---- */

static bool progress(void *arg, const char *what, uint64_t done, uint64_t all) {
    struct world *world = arg;
    (void)done;
    (void)all;
    if (world->during && strcmp(world->during, what) == 0) {
        world->during = NULL;
        world->act(world);
    }
    return !world->ends;
}

static enum store_status make(struct world *world, struct store_backup *backup) {
    int file = open(world->file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0);
    assert_int_equal(close(file), 0);
    *backup = (struct store_backup){.copying = {.progress = progress, .arg = world},
                                    .path = world->fixture->path,
                                    .file = world->file,
                                    .key = key,
                                    .key_bytes = sizeof key,
                                    .time_us = 12345};
    enum store_status status = store_backup(backup);
    (void)snprintf(world->error, sizeof world->error, "%s", backup->copying.error);
    return status;
}

static bool take_key(void *arg, const unsigned char *bytes, size_t length, char *error,
                     size_t error_bytes) {
    struct world *world = arg;
    world->key_calls++;
    world->key_bytes = length;
    (void)snprintf(error, error_bytes, "the key is not wanted");
    return length == sizeof key && memcmp(bytes, key, length) == 0;
}

static enum store_status restore(struct world *world, struct store_restore *restore) {
    *restore = (struct store_restore){.copying = {.progress = progress, .arg = world},
                                      .file = world->file,
                                      .path = world->path,
                                      .take_key = take_key,
                                      .key_arg = world};
    enum store_status status = store_restore(restore);
    (void)snprintf(world->error, sizeof world->error, "%s", restore->copying.error);
    return status;
}

static void no_damage(void *arg, const char *sentence) {
    (void)arg;
    fail_msg("%s", sentence);
}

static void count_damage(void *arg, const char *sentence) {
    (void)sentence;
    ++*(int *)arg;
}

static void no_progress(void *arg, const char *what, uint64_t done, uint64_t all) {
    (void)arg;
    (void)what;
    (void)done;
    (void)all;
}

/* Opens the restored store in place of the first one. */
static void open_restored(struct world *world) {
    struct store_restore done;
    struct store_check check = {.path = world->path, .damage = no_damage, .progress = no_progress};
    assert_int_equal(restore(world, &done), STORE_OK);
    assert_int_equal(store_check(&check), STORE_OK);
    fixture_close(world->fixture);
    assert_true(strlen(world->path) < sizeof world->fixture->path);
    memcpy(world->fixture->path, world->path, strlen(world->path) + 1);
    fixture_open(world->fixture);
    assert_null(store_remark(world->fixture->store));
}

/* ---- files ---- */

static struct forum_file upload(struct world *world, const char *title, const char *name,
                                size_t size) {
    struct forum_file file = {.title = title, .name = name, .account = HAN, .size = size};
    fixture_id(world->fixture, file.id);
    file.seed = file.id[5];
    forum_upload(world->fixture, &file, SLOT_BYTES);
    return file;
}

static void expect(struct world *world, const struct forum_file *file) {
    struct store_file stored;
    assert_ok(store_file_find(world->fixture->store, file->title, file->name, &stored));
    forum_expect_bytes(world->fixture, file, stored.file, file->size);
}

static void remove_title(struct world *world, const char *title) {
    struct store_thread removed;
    fixture_begin(world->fixture);
    assert_ok(store_thread_remove(world->fixture->store, title, HAN, false, &removed));
    fixture_commit(world->fixture);
    fixture_merge_all(world->fixture);
}

static size_t pieces_bytes(const struct world *world) {
    char path[FIXTURE_PATH_BYTES + 8];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s-pieces", world->fixture->path);
    assert_int_equal(stat(path, &info), 0);
    return (size_t)info.st_size;
}

/* ---- tests ---- */

static void a_store_comes_back_with_its_messages_and_files(void **state) {
    struct world *world = *state;
    struct store_backup backup;
    forum_thread(world->fixture, HAN, "T");
    struct forum_file file = upload(world, "T", "f", PIECES(3) + 1000);
    struct forum_file small = upload(world, "T", "small", 10);
    for (int i = 0; i < 5; i++)
        fixture_sent(world->fixture, HAN, "leia", "hello");
    assert_int_equal(make(world, &backup), STORE_OK);
    assert_int_equal(backup.pieces, 3);
    assert_int_equal(backup.pieces_damaged, 0);
    struct stat info;
    assert_int_equal(stat(world->file, &info), 0);
    assert_int_equal(info.st_size, backup.bytes);
    open_restored(world);
    assert_int_equal(world->key_calls, 1);
    assert_int_equal(world->key_bytes, sizeof key);
    assert_int_equal(store_message_count(world->fixture->store), 5);
    expect(world, &file);
    expect(world, &small);
    fixture_sent(world->fixture, HAN, "leia", "it goes on");
    upload(world, "T", "another", PIECES(2));
    expect(world, &file);
}

static void an_empty_store_comes_back(void **state) {
    struct world *world = *state;
    struct store_backup backup;
    char path[FIXTURE_PATH_BYTES + 32];
    assert_int_equal(make(world, &backup), STORE_OK);
    assert_int_equal(backup.pieces, 0);
    struct store_restore done;
    assert_int_equal(restore(world, &done), STORE_OK);
    (void)snprintf(path, sizeof path, "%s-pieces", world->path);
    assert_int_not_equal(access(path, F_OK), 0);
    remove_store(world->path);
    open_restored(world);
    assert_int_equal(store_account_count(world->fixture->store), 2);
}

/* The slots of the removed file are the first ones that would be used again. */
static void write_over(struct world *world) {
    for (int i = 0; i < 3; i++)
        fixture_sent(world->fixture, HAN, "leia", "too late");
    remove_title(world, "T");
    forum_thread(world->fixture, HAN, "U");
    upload(world, "U", "g", PIECES(4));
}

static void expect_earlier_state(struct world *world, const char *during) {
    struct store_backup backup;
    forum_thread(world->fixture, HAN, "T");
    struct forum_file file = upload(world, "T", "f", PIECES(4));
    fixture_sent(world->fixture, HAN, "leia", "in time");
    assert_ok(store_hold_pieces(world->fixture->store, true));
    world->during = during;
    world->act = write_over;
    assert_int_equal(make(world, &backup), STORE_OK);
    assert_null(world->during);
    assert_int_equal(backup.pieces_damaged, 0);
    assert_int_equal(pieces_bytes(world), PIECES(8));
    assert_ok(store_hold_pieces(world->fixture->store, false));
    open_restored(world);
    assert_int_equal(store_message_count(world->fixture->store), 1);
    expect(world, &file);
}

static void what_is_written_while_the_database_is_copied_is_not_in_it(void **state) {
    expect_earlier_state(*state, "database");
}

static void slots_are_not_used_again_while_pieces_are_copied(void **state) {
    expect_earlier_state(*state, "pieces of files");
}

static void held_slots_are_used_again_afterwards(void **state) {
    struct world *world = *state;
    forum_thread(world->fixture, HAN, "T");
    upload(world, "T", "f", PIECES(4));
    assert_ok(store_hold_pieces(world->fixture->store, true));
    write_over(world);
    assert_int_equal(pieces_bytes(world), PIECES(8));
    assert_ok(store_hold_pieces(world->fixture->store, false));
    upload(world, "U", "h", PIECES(4));
    assert_int_equal(pieces_bytes(world), PIECES(8));
    assert_ok(store_hold_pieces(world->fixture->store, true));
    remove_title(world, "U");
    assert_int_equal(pieces_bytes(world), PIECES(8));
    assert_ok(store_hold_pieces(world->fixture->store, false));
    assert_int_equal(pieces_bytes(world), 0);
}

static void flip(const char *path, off_t at) {
    unsigned char byte;
    int file = open(path, O_RDWR);
    assert_true(file >= 0);
    assert_int_equal(pread(file, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(file, &byte, 1, at), 1);
    assert_int_equal(close(file), 0);
}

static void expect_no_store(const struct world *world) {
    static const char *const suffixes[] = {"", "-pieces", "-head", STORE_RESTORING_SUFFIX};
    char path[FIXTURE_PATH_BYTES + 32];
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        (void)snprintf(path, sizeof path, "%s%s", world->path, suffixes[i]);
        assert_int_not_equal(access(path, F_OK), 0);
    }
}

static void expect_damage(struct world *world, const char *named) {
    struct store_restore done;
    assert_int_equal(restore(world, &done), STORE_DAMAGED);
    if (!strstr(world->error, named))
        fail_msg("\"%s\" does not name %s", world->error, named);
    expect_no_store(world);
}

static void what_is_damaged_is_named_and_nothing_is_restored(void **state) {
    struct world *world = *state;
    struct store_backup backup;
    struct {
        off_t at;
        const char *named;
    } places[5];
    forum_thread(world->fixture, HAN, "T");
    upload(world, "T", "f", PIECES(2));
    assert_int_equal(make(world, &backup), STORE_OK);
    off_t index = (off_t)(backup.pages * 4096), pieces = index + 2 * (off_t)BACKUP_INDEX_BYTES;
    places[0].at = 3 * 4096 + 17, places[0].named = "page 4 of its database";
    places[1].at = index + 5, places[1].named = "its list of pieces";
    places[2].at = pieces + (off_t)SLOT_BYTES + 7, places[2].named = "the piece of slot 1";
    places[3].at = (off_t)backup.bytes - BACKUP_TRAILER_BYTES - 2;
    places[3].named = "not those that were written";
    places[4].at = (off_t)backup.bytes - 3, places[4].named = "its end is missing or damaged";
    for (size_t i = 0; i < 5; i++) {
        flip(world->file, places[i].at);
        expect_damage(world, places[i].named);
        flip(world->file, places[i].at);
    }
    assert_int_equal(truncate(world->file, (off_t)backup.bytes - 1), 0);
    expect_damage(world, "its end is missing or damaged");
    assert_int_equal(truncate(world->file, 3), 0);
    expect_damage(world, "its end is missing or damaged");
    assert_int_equal(world->key_calls, 0);
}

/* The disk lost it before: all else is worth a backup. */
static void a_damaged_piece_is_copied_and_counted(void **state) {
    struct world *world = *state;
    struct store_backup backup;
    struct store_restore done;
    char path[FIXTURE_PATH_BYTES + 8];
    int damages = 0;
    forum_thread(world->fixture, HAN, "T");
    upload(world, "T", "f", PIECES(2));
    fixture_sent(world->fixture, HAN, "leia", "hello");
    (void)snprintf(path, sizeof path, "%s-pieces", world->fixture->path);
    flip(path, 5);
    assert_int_equal(make(world, &backup), STORE_OK);
    assert_int_equal(backup.pieces_damaged, 1);
    assert_int_equal(restore(world, &done), STORE_OK);
    assert_int_equal(done.pieces_damaged, 1);
    struct store_check check = {
        .path = world->path, .damage = count_damage, .progress = no_progress, .arg = &damages};
    assert_int_equal(store_check(&check), STORE_DAMAGED);
    assert_true(damages > 0);
}

static void a_damaged_page_of_the_store_is_named_and_no_backup_is_made(void **state) {
    struct world *world = *state;
    struct store_backup backup;
    fixture_sent(world->fixture, HAN, "leia", "hello, this is where a bit flips");
    fixture_close(world->fixture);
    fixture_flip(world->fixture, "hello, this is where a bit flips", 32);
    assert_int_equal(make(world, &backup), STORE_DAMAGED);
    assert_non_null(strstr(world->error, ", page "));
    assert_non_null(strstr(world->error, "check-store"));
}

static void a_store_that_is_there_is_never_changed(void **state) {
    struct world *world = *state;
    struct store_backup backup;
    struct store_restore done;
    assert_int_equal(make(world, &backup), STORE_OK);
    assert_int_equal(restore(world, &done), STORE_OK);
    assert_int_equal(restore(world, &done), STORE_EXISTS);
    struct store_check check = {.path = world->path, .damage = no_damage, .progress = no_progress};
    assert_int_equal(store_check(&check), STORE_OK);
}

static void work_that_is_told_to_end_ends(void **state) {
    struct world *world = *state;
    struct store_backup backup;
    struct store_restore done;
    assert_int_equal(make(world, &backup), STORE_OK);
    world->ends = true;
    assert_int_equal(restore(world, &done), STORE_FAILED);
    assert_string_equal(world->error, "it was told to end");
    expect_no_store(world);
    assert_int_equal(make(world, &backup), STORE_FAILED);
    assert_string_equal(world->error, "it was told to end");
}

static void a_refused_key_leaves_no_store(void **state) {
    struct world *world = *state;
    struct store_backup backup;
    struct store_restore done;
    assert_int_equal(make(world, &backup), STORE_OK);
    flip(world->file, 0); /* for nothing but the order: damage is found before the key is told */
    assert_int_equal(restore(world, &done), STORE_DAMAGED);
    assert_int_equal(world->key_calls, 0);
    backup = (struct store_backup){.copying = {.progress = progress, .arg = world},
                                   .path = world->fixture->path,
                                   .file = world->file};
    assert_int_equal(truncate(world->file, 0), 0);
    assert_int_equal(store_backup(&backup), STORE_OK);
    assert_int_equal(restore(world, &done), STORE_FAILED); /* take_key wants one */
    assert_string_equal(world->error, "the key is not wanted");
    assert_int_equal(world->key_bytes, 0);
    expect_no_store(world);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_store_comes_back_with_its_messages_and_files),
        TEST(an_empty_store_comes_back),
        TEST(what_is_written_while_the_database_is_copied_is_not_in_it),
        TEST(slots_are_not_used_again_while_pieces_are_copied),
        TEST(held_slots_are_used_again_afterwards),
        TEST(what_is_damaged_is_named_and_nothing_is_restored),
        TEST(a_damaged_piece_is_copied_and_counted),
        TEST(a_damaged_page_of_the_store_is_named_and_no_backup_is_made),
        TEST(a_store_that_is_there_is_never_changed),
        TEST(work_that_is_told_to_end_ends),
        TEST(a_refused_key_leaves_no_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
