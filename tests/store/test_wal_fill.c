/* The write-ahead log's file is filled ahead of its end, and nothing that a crash needs is lost by
 * that. */
#include "crashvfs.h"
#include "disk/page_check.h"
#include "disk/wal_fill.h"
#include "fixture.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define DISK   "wal-disk"
#define HEADER 32
#define FRAME  (24 + 4096)

struct bench {
    struct crashvfs *disk;    /* owned */
    struct page_check *check; /* owned */
    sqlite3_file *file;       /* owned: through the checks */
};

static void open_file(struct bench *bench, const char *name) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(page_check_name(bench->check));
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL;
    bench->file = calloc(1, (size_t)vfs->szOsFile);
    assert_non_null(bench->file);
    assert_int_equal(vfs->xOpen(vfs, name, bench->file, flags, NULL), SQLITE_OK);
}

static void close_file(struct bench *bench) {
    assert_int_equal(bench->file->pMethods->xClose(bench->file), SQLITE_OK);
    free(bench->file);
}

static int setup(void **state) {
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    bench->disk = crashvfs_new(DISK, 1);
    assert_non_null(bench->disk);
    bench->check = page_check_new(DISK);
    assert_non_null(bench->check);
    open_file(bench, "db-wal");
    *state = bench;
    return 0;
}

static int teardown(void **state) {
    struct bench *bench = *state;
    close_file(bench);
    page_check_free(bench->check);
    crashvfs_free(bench->disk);
    free(bench);
    return 0;
}

static void put(const struct bench *bench, sqlite3_int64 at, int bytes, char value) {
    char data[FRAME];
    memset(data, value, sizeof data);
    assert_int_equal(bench->file->pMethods->xWrite(bench->file, data, bytes, at), SQLITE_OK);
}

static void put_frame(const struct bench *bench, int number, char value) {
    put(bench, HEADER + (sqlite3_int64)number * FRAME, FRAME, value);
}

static void sync_file(const struct bench *bench) {
    assert_int_equal(bench->file->pMethods->xSync(bench->file, SQLITE_SYNC_NORMAL), SQLITE_OK);
}

static sqlite3_int64 size_of(const struct bench *bench) {
    sqlite3_int64 bytes;
    assert_int_equal(bench->file->pMethods->xFileSize(bench->file, &bytes), SQLITE_OK);
    return bytes;
}

static void expect(const struct bench *bench, sqlite3_int64 at, int bytes, char value) {
    char data[FRAME];
    assert_int_equal(bench->file->pMethods->xRead(bench->file, data, bytes, at), SQLITE_OK);
    for (int i = 0; i < bytes; i++)
        assert_int_equal(data[i], value);
}

static void expect_frame(const struct bench *bench, int number, char value) {
    expect(bench, HEADER + (sqlite3_int64)number * FRAME, FRAME, value);
}

static void a_frame_has_a_step_of_zeros_behind_it(void **state) {
    struct bench *bench = *state;
    put(bench, 0, HEADER, 'h');
    put_frame(bench, 0, 'a');
    assert_int_equal(size_of(bench), WAL_FILL_STEP);
    expect(bench, 0, HEADER, 'h');
    expect_frame(bench, 0, 'a');
    expect_frame(bench, 1, 0);
}

static void frames_within_it_are_written_alone(void **state) {
    struct bench *bench = *state;
    put_frame(bench, 0, 'a');
    uint64_t before = crashvfs_count(bench->disk, CRASHVFS_WRITE);
    for (int i = 1; i < 60; i++) {
        put_frame(bench, i, 'b');
        sync_file(bench);
    }
    assert_int_equal(crashvfs_count(bench->disk, CRASHVFS_WRITE), before + 59);
    assert_int_equal(size_of(bench), WAL_FILL_STEP);
    for (int i = 60; i < 70; i++) {
        put_frame(bench, i, 'c');
        sync_file(bench);
    }
    assert_int_equal(size_of(bench), 2 * WAL_FILL_STEP);
    expect_frame(bench, 59, 'b');
    expect_frame(bench, 69, 'c');
    expect_frame(bench, 70, 0);
}

/* Behind it are the frames of before, which count until the new header is on the disk. */
static void a_header_has_nothing_filled_behind_it(void **state) {
    struct bench *bench = *state;
    put(bench, 0, HEADER, 'h');
    put_frame(bench, 0, 'a');
    put_frame(bench, 1, 'b');
    sync_file(bench);
    close_file(bench);
    open_file(bench, "db-wal");
    put(bench, 0, HEADER, 'i');
    expect_frame(bench, 0, 'a');
    expect_frame(bench, 1, 'b');
    sync_file(bench);
    put_frame(bench, 0, 'c');
    expect_frame(bench, 0, 'c');
    expect_frame(bench, 1, 0);
}

static void a_transaction_that_goes_back_keeps_its_later_frames(void **state) {
    struct bench *bench = *state;
    put_frame(bench, 0, 'a');
    sync_file(bench);
    for (int i = 1; i < 200; i++)
        put_frame(bench, i, 'b');
    sync_file(bench);
    put_frame(bench, 70, 'c');
    expect_frame(bench, 69, 'b');
    expect_frame(bench, 70, 'c');
    expect_frame(bench, 71, 'b');
    expect_frame(bench, 199, 'b');
}

static void what_has_one_sync_is_filled_once(void **state) {
    struct bench *bench = *state;
    uint64_t before = crashvfs_count(bench->disk, CRASHVFS_WRITE);
    for (int i = 0; i < 1000; i++)
        put_frame(bench, i, 'a');
    assert_true(crashvfs_count(bench->disk, CRASHVFS_WRITE) < before + 1000 + 10);
    assert_int_equal(size_of(bench), HEADER + 1000 * FRAME);
}

static void filling_that_fails_is_no_failure(void **state) {
    struct bench *bench = *state;
    crashvfs_fail(bench->disk, CRASHVFS_WRITE, 2, SQLITE_FULL);
    put_frame(bench, 0, 'a');
    crashvfs_mend(bench->disk);
    assert_int_equal(size_of(bench), HEADER + FRAME);
    put_frame(bench, 1, 'b');
    expect_frame(bench, 0, 'a');
    expect_frame(bench, 1, 'b');
}

static void a_log_that_was_cut_is_filled_anew(void **state) {
    struct bench *bench = *state;
    put_frame(bench, 0, 'a');
    sync_file(bench);
    assert_int_equal(bench->file->pMethods->xTruncate(bench->file, 0), SQLITE_OK);
    put_frame(bench, 0, 'b');
    assert_int_equal(size_of(bench), WAL_FILL_STEP);
    expect_frame(bench, 0, 'b');
}

static void other_files_are_as_they_are_written(void **state) {
    struct bench *bench = *state;
    close_file(bench);
    open_file(bench, "db-head");
    put(bench, 0, 64, 'a');
    assert_int_equal(size_of(bench), 64);
    put(bench, 64, 64, 'b');
    assert_int_equal(size_of(bench), 128);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_frame_has_a_step_of_zeros_behind_it, setup, teardown),
        cmocka_unit_test_setup_teardown(frames_within_it_are_written_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_header_has_nothing_filled_behind_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_transaction_that_goes_back_keeps_its_later_frames, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_has_one_sync_is_filled_once, setup, teardown),
        cmocka_unit_test_setup_teardown(filling_that_fails_is_no_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_that_was_cut_is_filled_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(other_files_are_as_they_are_written, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
