/* The disk that loses power must itself be trusted: it loses what was not synced, and only that. */
#include "crashvfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#define NAME "crash-test"

enum { PAGE = 4096 };

static sqlite3_file *file_open(const char *path, int kind) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(NAME);
    assert_non_null(vfs);
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
    assert_non_null(file);
    assert_int_equal(
        vfs->xOpen(vfs, path, file, kind | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL),
        SQLITE_OK);
    return file;
}

static void file_close(sqlite3_file *file) {
    assert_int_equal(file->pMethods->xClose(file), SQLITE_OK);
    free(file);
}

static int write_page(sqlite3_file *file, char fill, int page) {
    char bytes[PAGE];
    memset(bytes, fill, sizeof bytes);
    return file->pMethods->xWrite(file, bytes, PAGE, (sqlite3_int64)page * PAGE);
}

/* How many of the page's bytes are `fill`. */
static int count_page(sqlite3_file *file, char fill, int page) {
    char bytes[PAGE];
    int count = 0;
    int code = file->pMethods->xRead(file, bytes, PAGE, (sqlite3_int64)page * PAGE);
    assert_true(code == SQLITE_OK || code == SQLITE_IOERR_SHORT_READ);
    for (int i = 0; i < PAGE; i++)
        count += bytes[i] == fill;
    return count;
}

static sqlite3_file *reopen_after_crash(struct crashvfs *vfs, sqlite3_file *file,
                                        enum crashvfs_keep keep) {
    crashvfs_crash(vfs, keep);
    assert_int_equal(write_page(file, 'x', 0), SQLITE_IOERR_WRITE);
    assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_IOERR_FSYNC);
    file_close(file);
    return file_open("file", SQLITE_OPEN_MAIN_DB);
}

static void what_was_synced_stays_and_nothing_else(void **state) {
    (void)state;
    struct crashvfs *vfs = crashvfs_new(NAME, 1);
    sqlite3_file *file = file_open("file", SQLITE_OPEN_MAIN_DB);
    assert_int_equal(write_page(file, 'a', 0), SQLITE_OK);
    assert_int_equal(write_page(file, 'a', 1), SQLITE_OK);
    assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_OK);
    assert_int_equal(write_page(file, 'b', 1), SQLITE_OK);
    assert_int_equal(write_page(file, 'b', 2), SQLITE_OK);
    assert_int_equal(count_page(file, 'b', 1), PAGE);
    file = reopen_after_crash(vfs, file, CRASHVFS_KEEP_SYNCED);
    assert_int_equal(crashvfs_file_bytes(vfs, "file"), 2 * PAGE);
    assert_int_equal(count_page(file, 'a', 0), PAGE);
    assert_int_equal(count_page(file, 'a', 1), PAGE);
    file_close(file);
    crashvfs_free(vfs);
}

static void of_the_rest_each_sector_may_stay(void **state) {
    (void)state;
    enum { PAGES = 20 };
    struct crashvfs *vfs = crashvfs_new(NAME, 2);
    sqlite3_file *file = file_open("file", SQLITE_OPEN_MAIN_DB);
    for (int page = 0; page < PAGES; page++)
        assert_int_equal(write_page(file, 'a', page), SQLITE_OK);
    assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_OK);
    for (int page = 0; page < PAGES; page++)
        assert_int_equal(write_page(file, 'b', page), SQLITE_OK);
    file = reopen_after_crash(vfs, file, CRASHVFS_KEEP_SOME);
    int kept = 0;
    for (int page = 0; page < PAGES; page++) {
        int before = count_page(file, 'a', page);
        int after = count_page(file, 'b', page);
        assert_int_equal(before + after, PAGE);
        assert_int_equal(after % CRASHVFS_SECTOR_BYTES, 0);
        kept += after / CRASHVFS_SECTOR_BYTES;
    }
    int sectors = PAGES * PAGE / CRASHVFS_SECTOR_BYTES;
    assert_in_range(kept, sectors / 4, sectors * 3 / 4);
    file_close(file);
    crashvfs_free(vfs);
}

static void a_file_that_was_never_synced_is_gone_and_a_deleted_one_may_come_back(void **state) {
    (void)state;
    struct crashvfs *vfs = crashvfs_new(NAME, 3);
    sqlite3_vfs *disk = sqlite3_vfs_find(NAME);
    sqlite3_file *file = file_open("file", SQLITE_OPEN_MAIN_DB);
    sqlite3_file *old = file_open("old", SQLITE_OPEN_MAIN_JOURNAL);
    assert_int_equal(write_page(old, 'a', 0), SQLITE_OK);
    assert_int_equal(old->pMethods->xSync(old, SQLITE_SYNC_NORMAL), SQLITE_OK);
    file_close(old);
    sqlite3_file *new = file_open("new", SQLITE_OPEN_MAIN_DB);
    assert_int_equal(write_page(new, 'a', 0), SQLITE_OK);
    file_close(new);
    assert_int_equal(disk->xDelete(disk, "old", 0), SQLITE_OK);
    assert_int_equal(crashvfs_file_bytes(vfs, "old"), 0);
    file = reopen_after_crash(vfs, file, CRASHVFS_KEEP_SYNCED);
    assert_int_equal(crashvfs_file_bytes(vfs, "new"), 0);
    assert_int_equal(crashvfs_file_bytes(vfs, "old"), PAGE);
    assert_int_equal(disk->xDelete(disk, "old", 1), SQLITE_OK);
    file = reopen_after_crash(vfs, file, CRASHVFS_KEEP_SYNCED);
    assert_int_equal(crashvfs_file_bytes(vfs, "old"), 0);
    file_close(file);
    crashvfs_free(vfs);
}

static void calls_fail_from_the_nth_on_until_it_is_mended(void **state) {
    (void)state;
    struct crashvfs *vfs = crashvfs_new(NAME, 4);
    sqlite3_file *file = file_open("file", SQLITE_OPEN_MAIN_DB);
    crashvfs_fail(vfs, CRASHVFS_WRITE, 2, SQLITE_FULL);
    assert_int_equal(write_page(file, 'a', 0), SQLITE_OK);
    assert_int_equal(write_page(file, 'b', 0), SQLITE_FULL);
    assert_int_equal(write_page(file, 'b', 1), SQLITE_FULL);
    assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_OK);
    crashvfs_mend(vfs);
    assert_int_equal(count_page(file, 'a', 0), PAGE);
    assert_int_equal(crashvfs_file_bytes(vfs, "file"), PAGE);
    assert_int_equal(write_page(file, 'b', 1), SQLITE_OK);
    crashvfs_fail(vfs, CRASHVFS_SYNC, 1, SQLITE_IOERR_FSYNC);
    assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_IOERR_FSYNC);
    crashvfs_mend(vfs);
    file = reopen_after_crash(vfs, file, CRASHVFS_KEEP_SYNCED);
    assert_int_equal(crashvfs_file_bytes(vfs, "file"), PAGE);
    assert_int_equal(crashvfs_count(vfs, CRASHVFS_WRITE), 4);
    assert_int_equal(crashvfs_count(vfs, CRASHVFS_SYNC), 2);
    file_close(file);
    crashvfs_free(vfs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_synced_stays_and_nothing_else),
        cmocka_unit_test(of_the_rest_each_sector_may_stay),
        cmocka_unit_test(a_file_that_was_never_synced_is_gone_and_a_deleted_one_may_come_back),
        cmocka_unit_test(calls_fail_from_the_nth_on_until_it_is_mended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
