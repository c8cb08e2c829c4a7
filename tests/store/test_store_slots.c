/* Pieces of files in the slots of the file beside the database: which are used, when they are used
 * again, and that a row never names one whose bytes are not on the disk. */
#include "forum.h"

#include "disk/slots.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PIECES(count) ((size_t)(count)*SLOT_BYTES)

/* ---- the file alone ---- */

struct alone {
    struct crashvfs *disk;
    sqlite3 *db;
    struct slots *slots;
    unsigned char sums[16][SLOT_SUMS_BYTES]; /* of the slots as they were written last */
};

static void open_slots(struct alone *alone) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    assert_int_equal(sqlite3_open_v2("store", &alone->db, flags, "slots"), SQLITE_OK);
    assert_int_equal(slots_open(&alone->slots, alone->db), SQLITE_OK);
}

static void close_slots(struct alone *alone) {
    slots_close(alone->slots);
    assert_int_equal(sqlite3_close(alone->db), SQLITE_OK);
}

static int setup_alone(void **state) {
    struct alone *alone = calloc(1, sizeof *alone);
    assert_non_null(alone);
    alone->disk = crashvfs_new("slots", 1);
    assert_non_null(alone->disk);
    open_slots(alone);
    *state = alone;
    return 0;
}

static int teardown_alone(void **state) {
    struct alone *alone = *state;
    close_slots(alone);
    crashvfs_free(alone->disk);
    free(alone);
    return 0;
}

static int64_t write_slot(struct alone *alone, unsigned char byte) {
    static unsigned char bytes[SLOT_BYTES];
    int64_t slot = -1;
    memset(bytes, byte, sizeof bytes);
    unsigned char sums[SLOT_SUMS_BYTES];
    assert_int_equal(slots_write(alone->slots, bytes, &slot, sums), SQLITE_OK);
    assert_true(slot >= 0 && slot < 16);
    memcpy(alone->sums[slot], sums, sizeof sums);
    return slot;
}

static void expect_slot(struct alone *alone, int64_t slot, unsigned char byte) {
    static unsigned char bytes[SLOT_BYTES];
    assert_int_equal(slots_read(alone->slots, slot, alone->sums[slot], 0, bytes, sizeof bytes),
                     SQLITE_OK);
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], byte);
}

static void commit(struct alone *alone) {
    assert_int_equal(slots_sync(alone->slots), SQLITE_OK);
    slots_committed(alone->slots);
}

static void what_is_written_is_read(void **state) {
    struct alone *alone = *state;
    unsigned char some[3];
    for (unsigned char i = 0; i < 3; i++)
        assert_int_equal(write_slot(alone, i), i);
    for (unsigned char i = 0; i < 3; i++)
        expect_slot(alone, i, i);
    assert_int_equal(slots_read(alone->slots, 2, alone->sums[2], SLOT_BYTES - 3, some, 3),
                     SQLITE_OK);
    assert_memory_equal(some, "\2\2\2", 3);
}

static void a_slot_is_used_again_once_its_leaving_is_stored(void **state) {
    struct alone *alone = *state;
    for (unsigned char i = 0; i < 3; i++)
        write_slot(alone, i);
    slots_leave(alone->slots, 1);
    assert_int_equal(write_slot(alone, 3), 3);
    commit(alone);
    assert_int_equal(write_slot(alone, 4), 4); /* the next transaction's */
    assert_int_equal(slots_stored(alone->slots), SQLITE_OK);
    assert_int_equal(write_slot(alone, 5), 1);
    assert_int_equal(write_slot(alone, 6), 5);
    expect_slot(alone, 1, 5);
    commit(alone);
    assert_int_equal(slots_stored(alone->slots), SQLITE_OK);
}

static void what_was_synced_survives_a_power_failure(void **state) {
    struct alone *alone = *state;
    write_slot(alone, 1);
    commit(alone);
    assert_int_equal(slots_stored(alone->slots), SQLITE_OK);
    write_slot(alone, 2);
    crashvfs_crash(alone->disk, CRASHVFS_KEEP_SYNCED);
    close_slots(alone);
    open_slots(alone);
    assert_int_equal(slots_claim(alone->slots, 0), SQLITE_OK);
    assert_int_equal(slots_check(alone->slots), SQLITE_OK);
    expect_slot(alone, 0, 1);
    assert_int_equal(crashvfs_file_bytes(alone->disk, "store-pieces"), PIECES(1));
}

static void a_claim_that_cannot_be_is_refused(void **state) {
    struct alone *alone = *state;
    write_slot(alone, 0);
    assert_int_equal(slots_claim(alone->slots, -1), SQLITE_CORRUPT);
    assert_int_equal(slots_claim(alone->slots, INT64_MAX), SQLITE_CORRUPT);
    assert_int_equal(slots_claim(alone->slots, 0), SQLITE_CORRUPT);
    assert_int_equal(slots_check(alone->slots), SQLITE_OK);
    assert_int_equal(slots_claim(alone->slots, 1), SQLITE_OK);
    assert_int_equal(slots_check(alone->slots), SQLITE_CORRUPT);
}

static void many_slots_are_found_again(void **state) {
    struct alone *alone = *state;
    for (int64_t i = 0; i < 5000; i++)
        assert_int_equal(slots_claim(alone->slots, 2 * i), SQLITE_OK);
    assert_int_equal(write_slot(alone, 1), 1);
    assert_int_equal(write_slot(alone, 2), 3);
}

/* ---- in a store ---- */

static int setup(void **state) {
    struct fixture *fixture = fixture_in_folder();
    fixture_open(fixture);
    fixture_account(fixture, "han");
    forum_thread(fixture, 1, "T");
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

static void pieces_path(const struct fixture *fixture, char path[FIXTURE_PATH_BYTES + 8]) {
    (void)snprintf(path, FIXTURE_PATH_BYTES + 8, "%s-pieces", fixture->path);
}

static size_t pieces_bytes(const struct fixture *fixture) {
    char path[FIXTURE_PATH_BYTES + 8];
    struct stat info;
    pieces_path(fixture, path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    return (size_t)info.st_size;
}

static struct forum_file upload(struct fixture *fixture, const char *title, const char *name,
                                size_t size) {
    struct forum_file file = {.title = title, .name = name, .account = 1, .size = size};
    fixture_id(fixture, file.id);
    file.seed = file.id[5];
    forum_upload(fixture, &file, SLOT_BYTES);
    return file;
}

static void expect(struct fixture *fixture, const struct forum_file *file) {
    struct store_file stored;
    assert_ok(store_file_find(fixture->store, file->title, file->name, &stored));
    forum_expect_bytes(fixture, file, stored.file, file->size);
}

static void remove_title(struct fixture *fixture, const char *title) {
    struct store_thread removed;
    fixture_begin(fixture);
    assert_ok(store_thread_remove(fixture->store, title, 1, false, &removed));
    fixture_commit(fixture);
    fixture_merge_all(fixture);
}

static void whole_pieces_are_in_slots_and_the_rest_is_not(void **state) {
    struct fixture *fixture = *state;
    struct forum_file file = upload(fixture, "T", "f", PIECES(3) + 1);
    expect(fixture, &file);
    assert_int_equal(pieces_bytes(fixture), PIECES(3));
    fixture_reopen(fixture);
    expect(fixture, &file);
    fixture_close(fixture);
    assert_int_equal(forum_query(fixture, "SELECT sum(length(bytes)) FROM piece"), 1);
}

static void what_a_removal_leaves_is_used_again(void **state) {
    struct fixture *fixture = *state;
    for (int i = 0; i < 3; i++) {
        forum_thread(fixture, 1, "U");
        upload(fixture, "U", "f", PIECES(3));
        struct forum_file behind = upload(fixture, "T",
                                          i == 0   ? "a"
                                          : i == 1 ? "b"
                                                   : "c",
                                          PIECES(1));
        fixture_reopen(fixture);
        remove_title(fixture, "U");
        expect(fixture, &behind);
    }
    assert_int_equal(pieces_bytes(fixture), PIECES(6)); /* a at 3, b at 4, c at 5 */
}

static void the_disk_gets_back_what_a_removal_leaves(void **state) {
    struct fixture *fixture = *state;
    struct forum_file kept = upload(fixture, "T", "kept", PIECES(2));
    forum_thread(fixture, 1, "U");
    upload(fixture, "U", "f", PIECES(5));
    assert_int_equal(pieces_bytes(fixture), PIECES(7));
    remove_title(fixture, "U");
    assert_int_equal(pieces_bytes(fixture), PIECES(2));
    expect(fixture, &kept);
    remove_title(fixture, "T");
    assert_int_equal(pieces_bytes(fixture), 0);
}

static void what_is_behind_the_last_piece_is_cut(void **state) {
    struct fixture *fixture = *state;
    struct forum_file first = upload(fixture, "T", "first", PIECES(1));
    char path[FIXTURE_PATH_BYTES + 8];
    fixture_close(fixture);
    pieces_path(fixture, path);
    assert_int_equal(truncate(path, (off_t)PIECES(6)), 0);
    fixture_open(fixture);
    assert_int_equal(pieces_bytes(fixture), PIECES(6)); /* a broker may be writing them */
    struct forum_file second = upload(fixture, "T", "second", PIECES(1));
    assert_int_equal(pieces_bytes(fixture), PIECES(2));
    expect(fixture, &first);
    expect(fixture, &second);
}

static void damage_pieces(const struct fixture *fixture, off_t at) {
    char path[FIXTURE_PATH_BYTES + 8];
    unsigned char byte;
    pieces_path(fixture, path);
    int file = open(path, O_RDWR);
    assert_true(file >= 0);
    assert_int_equal(pread(file, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(file, &byte, 1, at), 1);
    assert_int_equal(close(file), 0);
}

/* What is before the damage is read, and so is what is behind it; nothing else is harmed. */
static void a_damaged_slot_is_an_error_of_what_is_in_it(void **state) {
    struct fixture *fixture = *state;
    static unsigned char bytes[PIECES(3)];
    struct store_file stored;
    size_t count;
    struct forum_file file = upload(fixture, "T", "f", PIECES(3));
    struct forum_file other = upload(fixture, "T", "other", PIECES(1));
    assert_ok(store_file_find(fixture->store, "T", "f", &stored));
    damage_pieces(fixture, (off_t)PIECES(1) + 100000); /* in its second part of 64 KiB */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            store_file_read(fixture->store, stored.file, 0, bytes, sizeof bytes, &count),
            STORE_DAMAGED);
        assert_int_equal(count, PIECES(1));
        assert_int_equal(
            store_file_read(fixture->store, stored.file, PIECES(1) + 70000, bytes, 10, &count),
            STORE_DAMAGED);
        assert_ok(store_file_read(fixture->store, stored.file, PIECES(1) + 1, bytes, 10, &count));
        assert_ok(
            store_file_read(fixture->store, stored.file, PIECES(1) + 131072, bytes, 10, &count));
        expect(fixture, &other);
        damage_pieces(fixture, (off_t)PIECES(1) + 100000);
        expect(fixture, &file);
        damage_pieces(fixture, (off_t)PIECES(1) + 100000);
        fixture_reopen(fixture);
    }
}

/* A part of a file in the database is in a page. */
static void a_damaged_page_of_a_piece_is_an_error_of_that_piece(void **state) {
    struct fixture *fixture = *state;
    static unsigned char bytes[PIECES(1)];
    struct store_file stored;
    size_t count;
    struct forum_file file = {.title = "T", .name = "f", .account = 1, .size = 100000, .seed = 3};
    struct forum_file other = {.title = "T", .name = "o", .account = 1, .size = 1000, .seed = 9};
    fixture_id(fixture, file.id);
    fixture_id(fixture, other.id);
    forum_upload(fixture, &file, 100000);
    forum_upload(fixture, &other, 1000);
    assert_ok(store_file_find(fixture->store, "T", "f", &stored));
    fixture_close(fixture);
    unsigned char some[64];
    forum_fill(&file, 50000, some, sizeof some);
    fixture_flip(fixture, some, sizeof some);
    fixture_open(fixture);
    fixture_begin(fixture);
    assert_int_equal(store_file_read(fixture->store, stored.file, 0, bytes, 100000, &count),
                     STORE_DAMAGED);
    fixture_commit(fixture);
    expect(fixture, &other);
}

/* Its hash stayed behind: the bytes are read again. */
static void an_upload_that_goes_on_over_damaged_bytes_begins_anew(void **state) {
    struct fixture *fixture = *state;
    struct store_file stored;
    bool done;
    struct forum_file file = {.title = "T", .name = "f", .account = 1, .size = PIECES(2)};
    struct forum_file other = {.title = "T", .name = "other", .account = 1, .size = 1};
    fixture_id(fixture, file.id);
    fixture_id(fixture, other.id);
    assert_ok(forum_begin(fixture, &file, &stored));
    assert_ok(forum_begin(fixture, &other, &stored));
    assert_ok(forum_chunk(fixture, &file, 0, SLOT_BYTES, &stored, &done));
    fixture_close(fixture);
    damage_pieces(fixture, 5);
    fixture_execute(fixture,
                    "UPDATE file SET hashed = 0, hash_state = (SELECT hash_state FROM file "
                    "WHERE name = 'other') WHERE name = 'f'");
    fixture_open(fixture);
    assert_int_equal(forum_chunk(fixture, &file, SLOT_BYTES, SLOT_BYTES, &stored, &done),
                     STORE_MISMATCH);
    assert_int_equal(stored.received, 0);
    stored = forum_upload(fixture, &file, SLOT_BYTES);
    forum_expect_bytes(fixture, &file, stored.file, file.size);
}

static void expect_refused(struct fixture *fixture) {
    assert_int_equal(store_open(&fixture->store, &fixture->options), STORE_FAILED);
    assert_non_null(strstr(store_error(fixture->store), "-pieces"));
    assert_non_null(strstr(store_error(fixture->store), fixture->path));
    fixture_close(fixture);
}

static void a_store_without_its_pieces_is_refused(void **state) {
    struct fixture *fixture = *state;
    char path[FIXTURE_PATH_BYTES + 8];
    upload(fixture, "T", "f", PIECES(2));
    fixture_close(fixture);
    pieces_path(fixture, path);
    assert_int_equal(truncate(path, (off_t)PIECES(2) - 1), 0);
    expect_refused(fixture);
    assert_int_equal(unlink(path), 0);
    expect_refused(fixture);
}

static void a_piece_that_two_files_have_is_refused(void **state) {
    struct fixture *fixture = *state;
    upload(fixture, "T", "f", PIECES(2));
    fixture_close(fixture);
    fixture_execute(fixture, "UPDATE piece_slot SET slot = 0");
    expect_refused(fixture);
}

/* On a disk in memory, with the first piece of a file. */
static struct fixture *start(uint64_t seed, struct forum_file *file) {
    struct fixture *fixture = fixture_in_memory(seed);
    struct store_file stored;
    bool done;
    fixture_open(fixture);
    fixture_account(fixture, "han");
    forum_thread(fixture, 1, "T");
    *file = (struct forum_file){.title = "T", .name = "f", .account = 1, .size = PIECES(4)};
    fixture_id(fixture, file->id);
    assert_ok(forum_begin(fixture, file, &stored));
    assert_ok(forum_chunk(fixture, file, 0, PIECES(1), &stored, &done));
    return fixture;
}

/* In the open transaction. */
static enum store_status put(struct fixture *fixture, const struct forum_file *file, size_t at) {
    struct store_file stored;
    struct store_thread thread;
    bool done;
    unsigned char *bytes = malloc(SLOT_BYTES);
    assert_non_null(bytes);
    forum_fill(file, at, bytes, SLOT_BYTES);
    enum store_status status = store_upload_chunk(fixture->store, file->id, 1, at, bytes,
                                                  SLOT_BYTES, NULL, 1, &stored, &done, &thread);
    free(bytes);
    return status;
}

/* Where the slots' bytes were not on the disk before the commit, some crash would show it. */
static void a_row_never_names_bytes_that_are_lost(void **state) {
    (void)state;
    for (uint64_t nth = 1; nth <= 40; nth++) {
        struct forum_file file;
        struct store_file stored;
        struct fixture *fixture = start(nth, &file);
        crashvfs_fail(fixture->disk, CRASHVFS_SYNC, 1 + nth % 3, SQLITE_IOERR_FSYNC);
        for (size_t at = PIECES(1); at < file.size; at += PIECES(1)) {
            (void)store_begin(fixture->store);
            (void)put(fixture, &file, at);
            (void)store_commit(fixture->store);
        }
        fixture_crash(fixture, CRASHVFS_KEEP_SOME);
        fixture_open(fixture);
        assert_ok(forum_begin(fixture, &file, &stored));
        assert_true(stored.received >= SLOT_BYTES);
        forum_expect_bytes(fixture, &file, stored.file, (size_t)stored.received);
        fixture_free(fixture);
    }
}

static void a_full_disk_refuses_a_piece_and_no_more(void **state) {
    (void)state;
    for (uint64_t nth = 1; nth <= 4; nth++) { /* of the piece's writes */
        struct forum_file file;
        struct store_file stored;
        struct fixture *fixture = start(nth, &file);
        crashvfs_fail(fixture->disk, CRASHVFS_WRITE, nth, SQLITE_FULL);
        fixture_begin(fixture);
        assert_int_equal(put(fixture, &file, PIECES(1)), STORE_NO_ROOM);
        crashvfs_mend(fixture->disk);
        fixture_commit(fixture);
        forum_posted(fixture, 1, "T", "meanwhile");
        assert_ok(forum_begin(fixture, &file, &stored));
        assert_int_equal(stored.received, PIECES(1));
        forum_upload(fixture, &file, SLOT_BYTES);
        fixture_reopen(fixture);
        expect(fixture, &file);
        assert_int_equal(crashvfs_file_bytes(fixture->disk, "store-pieces"), PIECES(4));
        fixture_free(fixture);
    }
}

static enum store_status reserve(struct fixture *fixture, const char *name, size_t size) {
    struct store_file stored;
    unsigned char id[ID_BYTES];
    struct store_upload upload = {
        .id = id, .title = "T", .name = name, .account = 1, .size = size, .now_us = 1};
    fixture_id(fixture, id);
    fixture_begin(fixture);
    enum store_status status = store_upload_begin(fixture->store, &upload, &stored);
    fixture_commit(fixture);
    return status;
}

static void what_the_disk_cannot_take_is_refused_at_the_beginning(void **state) {
    struct fixture *fixture = *state;
    struct statvfs disk;
    assert_int_equal(statvfs(fixture->folder, &disk), 0);
    size_t free_bytes = (size_t)disk.f_bavail * disk.f_frsize;
    assert_int_equal(reserve(fixture, "all", free_bytes), STORE_NO_ROOM);
    assert_ok(reserve(fixture, "most", free_bytes / 3 * 2));
    assert_int_equal(reserve(fixture, "as much", free_bytes / 3 * 2), STORE_NO_ROOM);
    assert_ok(reserve(fixture, "little", 1));
    assert_ok(reserve(fixture, "most", free_bytes / 3 * 2 + 1)); /* in its own place */
}

#define ALONE(name) cmocka_unit_test_setup_teardown(name, setup_alone, teardown_alone)
#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        ALONE(what_is_written_is_read),
        ALONE(a_slot_is_used_again_once_its_leaving_is_stored),
        ALONE(what_was_synced_survives_a_power_failure),
        ALONE(a_claim_that_cannot_be_is_refused),
        ALONE(many_slots_are_found_again),
        TEST(whole_pieces_are_in_slots_and_the_rest_is_not),
        TEST(what_a_removal_leaves_is_used_again),
        TEST(the_disk_gets_back_what_a_removal_leaves),
        TEST(what_is_behind_the_last_piece_is_cut),
        TEST(a_damaged_slot_is_an_error_of_what_is_in_it),
        TEST(a_damaged_page_of_a_piece_is_an_error_of_that_piece),
        TEST(an_upload_that_goes_on_over_damaged_bytes_begins_anew),
        TEST(a_store_without_its_pieces_is_refused),
        TEST(a_piece_that_two_files_have_is_refused),
        TEST(what_the_disk_cannot_take_is_refused_at_the_beginning),
        cmocka_unit_test(a_full_disk_refuses_a_piece_and_no_more),
        cmocka_unit_test(a_row_never_names_bytes_that_are_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
