/* Checksums of pages: whatever happens to a page of a database file, reading it is an error. */
#include "crashvfs.h"
#include "disk/page_check.h"
#include "fixture.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DISK  "page-disk"
#define PAGE  4096
#define PAGES 64 /* at most */

struct bench {
    struct crashvfs *disk;    /* owned */
    struct page_check *check; /* owned */
    sqlite3 *db;              /* owned */
    sqlite3_file *raw;        /* owned: the database file without checksums */
};

static void execute(const struct bench *bench, const char *sql) {
    assert_int_equal(sqlite3_exec(bench->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void connect_to(struct bench *bench, bool checked) {
    const char *vfs = checked ? page_check_name(bench->check) : DISK;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    assert_int_equal(sqlite3_open_v2("db", &bench->db, flags, vfs), SQLITE_OK);
    (void)sqlite3_extended_result_codes(bench->db, 1);
    if (checked)
        assert_int_equal(page_check_reserve(bench->db), SQLITE_OK);
    execute(bench, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL");
}

static void disconnect(struct bench *bench) {
    assert_int_equal(sqlite3_close(bench->db), SQLITE_OK);
    bench->db = NULL;
}

static void fill(const struct bench *bench) {
    execute(bench, "CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT);"
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)"
                   "  INSERT INTO t SELECT i, hex(zeroblob(i)) FROM n;"
                   "INSERT INTO t VALUES (1000, hex(zeroblob(10000)))"); /* on pages of its own */
}

static struct bench *start(bool checked) {
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    bench->disk = crashvfs_new(DISK, 1);
    assert_non_null(bench->disk);
    bench->check = page_check_new(DISK);
    assert_non_null(bench->check);
    connect_to(bench, checked);
    fill(bench);
    disconnect(bench);
    sqlite3_vfs *vfs = sqlite3_vfs_find(DISK);
    bench->raw = calloc(1, (size_t)vfs->szOsFile);
    assert_non_null(bench->raw);
    assert_int_equal(
        vfs->xOpen(vfs, "db", bench->raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MAIN_DB, NULL),
        SQLITE_OK);
    return bench;
}

static void stop(struct bench *bench) {
    (void)bench->raw->pMethods->xClose(bench->raw);
    free(bench->raw);
    if (bench->db)
        disconnect(bench);
    page_check_free(bench->check);
    crashvfs_free(bench->disk);
    free(bench);
}

static size_t pages_of(const struct bench *bench) {
    sqlite3_int64 bytes;
    assert_int_equal(bench->raw->pMethods->xFileSize(bench->raw, &bytes), SQLITE_OK);
    assert_true(bytes % PAGE == 0 && bytes / PAGE < PAGES);
    return (size_t)(bytes / PAGE);
}

static void get(const struct bench *bench, size_t page, unsigned char bytes[PAGE]) {
    assert_int_equal(
        bench->raw->pMethods->xRead(bench->raw, bytes, PAGE, (sqlite3_int64)page * PAGE),
        SQLITE_OK);
}

static void put(const struct bench *bench, size_t page, const unsigned char bytes[PAGE]) {
    assert_int_equal(
        bench->raw->pMethods->xWrite(bench->raw, bytes, PAGE, (sqlite3_int64)page * PAGE),
        SQLITE_OK);
}

static int verify(const struct bench *bench, size_t page) {
    unsigned char bytes[PAGE];
    sqlite3_file *file = NULL;
    assert_int_equal(sqlite3_file_control(bench->db, "main", SQLITE_FCNTL_FILE_POINTER, &file),
                     SQLITE_OK);
    return file->pMethods->xRead(file, bytes, PAGE, (sqlite3_int64)page * PAGE);
}

/* What SQLite says to reading all rows. */
static int read_all(const struct bench *bench) {
    return sqlite3_exec(bench->db, "SELECT sum(length(text)) FROM t", NULL, NULL, NULL);
}

static void a_database_is_whole_as_it_was_written(void **state) {
    (void)state;
    struct bench *bench = start(true);
    uint32_t pages[PAGE_CHECK_PAGES_MAX];
    size_t count;
    connect_to(bench, true);
    assert_true(page_check_is_on(bench->check));
    assert_true(pages_of(bench) > 8);
    for (size_t page = 0; page < pages_of(bench); page++)
        assert_int_equal(verify(bench, page), SQLITE_OK);
    assert_int_equal(read_all(bench), SQLITE_OK);
    assert_int_equal(page_check_damaged(bench->check, pages, &count), 0);
    assert_int_equal(count, 0);
    stop(bench);
}

static void a_flipped_bit_in_any_byte_of_any_page_is_found(void **state) {
    (void)state;
    struct bench *bench = start(true);
    unsigned char bytes[PAGE];
    connect_to(bench, true);
    for (size_t page = 0; page < pages_of(bench); page++) {
        get(bench, page, bytes);
        for (size_t at = 0; at < PAGE; at++) {
            unsigned char bit = (unsigned char)(1 << (at + page) % 8);
            bytes[at] ^= bit;
            put(bench, page, bytes);
            assert_int_equal(verify(bench, page), PAGE_CHECK_DAMAGED);
            bytes[at] ^= bit;
        }
        put(bench, page, bytes);
        assert_int_equal(verify(bench, page), SQLITE_OK);
    }
    stop(bench);
}

static void a_reading_that_meets_a_damaged_page_fails_and_it_is_named(void **state) {
    (void)state;
    struct bench *bench = start(true);
    unsigned char bytes[PAGE];
    uint32_t pages[PAGE_CHECK_PAGES_MAX];
    size_t count, last = pages_of(bench) - 1;
    get(bench, last, bytes);
    bytes[2000] ^= 1; /* in the text: SQLite alone would not see it */
    put(bench, last, bytes);
    connect_to(bench, true);
    assert_int_equal(read_all(bench), PAGE_CHECK_DAMAGED);
    assert_true(page_check_damaged(bench->check, pages, &count) > 0);
    assert_int_equal(count, 1);
    assert_int_equal(pages[0], last + 1);
    stop(bench);
}

static void a_page_at_anothers_place_is_found(void **state) {
    (void)state;
    struct bench *bench = start(true);
    unsigned char one[PAGE], other[PAGE];
    get(bench, 3, one);
    get(bench, 4, other);
    put(bench, 3, other);
    put(bench, 4, one);
    connect_to(bench, true);
    assert_int_equal(verify(bench, 3), PAGE_CHECK_DAMAGED);
    assert_int_equal(verify(bench, 4), PAGE_CHECK_DAMAGED);
    stop(bench);
}

static void a_page_of_zeros_and_a_page_behind_the_end_are_found(void **state) {
    (void)state;
    struct bench *bench = start(true);
    const unsigned char zeros[PAGE] = {0};
    size_t pages = pages_of(bench);
    connect_to(bench, true);
    put(bench, 3, zeros);
    assert_int_equal(
        bench->raw->pMethods->xTruncate(bench->raw, (sqlite3_int64)(pages - 2) * PAGE + PAGE / 2),
        SQLITE_OK);
    assert_int_equal(verify(bench, 3), PAGE_CHECK_DAMAGED);
    assert_int_equal(verify(bench, pages - 2), PAGE_CHECK_DAMAGED);
    assert_int_equal(verify(bench, pages - 1), PAGE_CHECK_DAMAGED);
    assert_true(read_all(bench) != SQLITE_OK);
    stop(bench);
}

/* As an older program made it. */
static void a_database_without_checksums_is_served_as_it_is(void **state) {
    (void)state;
    struct bench *bench = start(false);
    connect_to(bench, true);
    assert_false(page_check_is_on(bench->check));
    execute(bench, "DELETE FROM t WHERE id > 100");
    assert_int_equal(read_all(bench), SQLITE_OK);
    disconnect(bench);
    connect_to(bench, false);
    assert_int_equal(read_all(bench), SQLITE_OK);
    stop(bench);
}

static void it_gets_them_when_it_is_written_anew(void **state) {
    (void)state;
    struct bench *bench = start(false);
    connect_to(bench, true);
    execute(bench, "VACUUM");
    disconnect(bench);
    connect_to(bench, true);
    assert_true(page_check_is_on(bench->check));
    for (size_t page = 0; page < pages_of(bench); page++)
        assert_int_equal(verify(bench, page), SQLITE_OK);
    execute(bench, "VACUUM");
    disconnect(bench);
    connect_to(bench, true);
    assert_int_equal(read_all(bench), SQLITE_OK);
    assert_int_equal(verify(bench, 1), SQLITE_OK);
    stop(bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_database_is_whole_as_it_was_written),
        cmocka_unit_test(a_flipped_bit_in_any_byte_of_any_page_is_found),
        cmocka_unit_test(a_reading_that_meets_a_damaged_page_fails_and_it_is_named),
        cmocka_unit_test(a_page_at_anothers_place_is_found),
        cmocka_unit_test(a_page_of_zeros_and_a_page_behind_the_end_are_found),
        cmocka_unit_test(a_database_without_checksums_is_served_as_it_is),
        cmocka_unit_test(it_gets_them_when_it_is_written_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
