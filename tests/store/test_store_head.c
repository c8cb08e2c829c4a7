/* The head beside the store: a start finds what was acknowledged and is missing, and takes nothing
 * else for a loss. A killed process is a copy of the files of a store that is open. */
#include "disk/head.h"
#include "disk/wal_scan.h"
#include "fixture.h"
#include "threads.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGES 20

static const char *const suffixes[] = {"", "-wal", "-pieces", "-head"};
#define SUFFIXES (sizeof suffixes / sizeof suffixes[0])

/* ---- files ---- */

static void path_of(const struct fixture *fixture, const char *suffix, char *out) {
    assert_true(snprintf(out, FIXTURE_PATH_BYTES, "%s%s", fixture->path, suffix) <
                FIXTURE_PATH_BYTES);
}

static void copy_file(const char *from, const char *to) {
    char bytes[65536];
    ssize_t count;
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(in >= 0 && out >= 0);
    while ((count = read(in, bytes, sizeof bytes)) > 0)
        assert_int_equal(write(out, bytes, (size_t)count), count);
    assert_int_equal(count, 0);
    assert_int_equal(close(in), 0);
    assert_int_equal(close(out), 0);
}

/* The files of `from`, with what they have at this moment, are those of `to`. */
static void copy_one(const struct fixture *from, const struct fixture *to, const char *suffix) {
    char a[FIXTURE_PATH_BYTES], b[FIXTURE_PATH_BYTES];
    path_of(from, suffix, a);
    path_of(to, suffix, b);
    if (access(a, F_OK) == 0)
        copy_file(a, b);
    else
        (void)unlink(b);
}

static struct fixture *killed(const struct fixture *from) {
    struct fixture *to = fixture_in_folder();
    for (size_t i = 0; i < SUFFIXES; i++)
        copy_one(from, to, suffixes[i]);
    return to;
}

static void flip(const struct fixture *fixture, const char *suffix, off_t at) {
    char path[FIXTURE_PATH_BYTES];
    unsigned char byte;
    path_of(fixture, suffix, path);
    int file = open(path, O_RDWR);
    assert_true(file >= 0);
    assert_int_equal(pread(file, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(file, &byte, 1, at), 1);
    assert_int_equal(close(file), 0);
}

static void cut(const struct fixture *fixture, const char *suffix, off_t size) {
    char path[FIXTURE_PATH_BYTES];
    path_of(fixture, suffix, path);
    assert_int_equal(truncate(path, size), 0);
}

static void lose(const struct fixture *fixture, const char *suffix) {
    char path[FIXTURE_PATH_BYTES];
    path_of(fixture, suffix, path);
    assert_int_equal(unlink(path), 0);
}

/* ---- stores ---- */

static void send(struct fixture *fixture, int count) {
    for (int i = 0; i < count; i++)
        fixture_sent(fixture, 1, "leia", "hello");
}

/* Open, with two accounts and messages in the write-ahead log. */
static struct fixture *start(void) {
    struct fixture *fixture = fixture_in_folder();
    fixture_open(fixture);
    assert_int_equal(fixture_account(fixture, "han"), 1);
    assert_int_equal(fixture_account(fixture, "leia"), 2);
    send(fixture, MESSAGES);
    return fixture;
}

static void expect_whole(struct fixture *fixture, uint64_t messages) {
    fixture_open(fixture);
    assert_null(store_remark(fixture->store));
    fixture_expect_state(fixture, 2, messages, 0);
    fixture_close(fixture);
}

static void expect_refused(struct fixture *fixture, const char *says) {
    for (int i = 0; i < 2; i++) { /* a refused opening changes nothing */
        assert_int_equal(store_open(&fixture->store, &fixture->options), STORE_FAILED);
        if (!strstr(store_error(fixture->store), says))
            fail_msg("\"%s\" is not in \"%s\"", says, store_error(fixture->store));
        assert_non_null(strstr(store_error(fixture->store), "--accept-loss"));
        fixture_close(fixture);
    }
}

static void a_killed_broker_has_lost_nothing(void **state) {
    (void)state;
    struct fixture *fixture = start();
    struct fixture *copy = killed(fixture);
    expect_whole(copy, MESSAGES);
    expect_whole(copy, MESSAGES);
    fixture_free(copy);
    fixture_free(fixture);
}

static void a_store_that_was_closed_is_whole(void **state) {
    (void)state;
    struct fixture *fixture = start();
    fixture_close(fixture);
    expect_whole(fixture, MESSAGES);
    fixture_free(fixture);
}

static void a_log_that_began_anew_is_no_loss(void **state) {
    (void)state;
    struct fixture *fixture = fixture_in_folder();
    fixture->options.wal_pages = 10;
    fixture_open(fixture);
    fixture_account(fixture, "han");
    fixture_account(fixture, "leia");
    for (int i = 0; i < 100; i++) {
        bool more;
        send(fixture, 1);
        assert_ok(store_maintain(fixture->store, &more));
        if (i % 5 == 0) {
            struct fixture *copy = killed(fixture);
            expect_whole(copy, (uint64_t)i + 1);
            fixture_free(copy);
        }
    }
    fixture_free(fixture);
}

/* The last one that was synced. */
static void cut_one_frame(const struct fixture *fixture) {
    struct head *head;
    struct head_mark mark;
    enum head_state found;
    assert_int_equal(head_open(&head, NULL, fixture->path, &found, &mark), SQLITE_OK);
    head_close(head);
    assert_int_equal(found, HEAD_KNOWN);
    assert_true(mark.frames > 0);
    cut(fixture, "-wal", 32 + (off_t)(mark.frames - 1) * (4096 + 24));
}

static void a_cut_write_ahead_log_is_refused_with_numbers(void **state) {
    (void)state;
    struct fixture *fixture = start();
    struct fixture *copy = killed(fixture);
    cut_one_frame(copy);
    expect_refused(copy, "1 entries that were acknowledged are missing");
    expect_refused(copy, "synced frames");
    fixture_free(copy);
    fixture_free(fixture);
}

static void a_flipped_bit_anywhere_in_what_was_synced_is_refused(void **state) {
    (void)state;
    struct fixture *fixture = start();
    for (off_t at = 3; at < 32 + 6 * 4120; at += at < 32 ? 7 : 983) {
        struct fixture *copy = killed(fixture);
        flip(copy, "-wal", at);
        expect_refused(copy, "the write-ahead log");
        fixture_free(copy);
    }
    fixture_free(fixture);
}

static void a_missing_write_ahead_log_is_refused(void **state) {
    (void)state;
    struct fixture *fixture = start();
    struct fixture *copy = killed(fixture);
    lose(copy, "-wal");
    expect_refused(copy, "is missing");
    fixture_free(copy);
    fixture_free(fixture);
}

static void a_database_of_an_earlier_time_is_refused(void **state) {
    (void)state;
    struct fixture *fixture = start();
    fixture_close(fixture);
    struct fixture *copy = killed(fixture);
    fixture_open(fixture);
    send(fixture, 5);
    fixture_close(fixture);
    copy_one(fixture, copy, "-head");
    expect_refused(copy, "entries that were acknowledged are missing");
    fixture_free(copy);
    fixture_free(fixture);
}

static void a_head_that_is_behind_is_no_loss(void **state) {
    (void)state;
    struct fixture *fixture = fixture_in_folder();
    struct fixture *early = NULL;
    fixture->options.wal_pages = 15;
    fixture_open(fixture);
    fixture_account(fixture, "han");
    fixture_account(fixture, "leia");
    for (int i = 0; i < 60; i++) {
        bool more;
        send(fixture, 1);
        assert_ok(store_maintain(fixture->store, &more));
        if (i % 7 == 0) {
            if (early)
                fixture_free(early);
            early = killed(fixture);
        }
        struct fixture *copy = killed(fixture);
        copy_one(early, copy, "-head");
        expect_whole(copy, (uint64_t)i + 1);
        fixture_free(copy);
    }
    fixture_free(early);
    fixture_free(fixture);
}

static void a_loss_that_is_accepted_is_told_once(void **state) {
    (void)state;
    struct fixture *fixture = start();
    struct fixture *copy = killed(fixture);
    cut_one_frame(copy);
    expect_refused(copy, "are missing");
    copy->options.accept_loss = true;
    fixture_open(copy);
    assert_non_null(store_remark(copy->store));
    assert_non_null(strstr(store_remark(copy->store), "the loss is accepted"));
    send(copy, 1);
    fixture_close(copy);
    copy->options.accept_loss = false;
    fixture_open(copy);
    assert_null(store_remark(copy->store));
    fixture_free(copy);
    fixture_free(fixture);
}

static void expect_made_anew(struct fixture *fixture, const char *says) {
    fixture_open(fixture);
    assert_non_null(store_remark(fixture->store));
    assert_non_null(strstr(store_remark(fixture->store), says));
    fixture_expect_state(fixture, 2, MESSAGES, 0);
    fixture_close(fixture);
    expect_whole(fixture, MESSAGES);
}

static void a_head_that_is_missing_or_damaged_is_told_and_made_anew(void **state) {
    (void)state;
    struct fixture *fixture = start();
    struct fixture *copy = killed(fixture);
    lose(copy, "-head");
    expect_made_anew(copy, "is missing");
    flip(copy, "-head", 20);
    expect_made_anew(copy, "is damaged");
    cut(copy, "-head", 30);
    expect_made_anew(copy, "is damaged");
    fixture_free(copy);
    fixture_free(fixture);
}

static void a_header_that_denies_the_checksums_is_refused(void **state) {
    (void)state;
    struct fixture *fixture = start();
    fixture_close(fixture);
    char path[FIXTURE_PATH_BYTES];
    path_of(fixture, "", path);
    int file = open(path, O_RDWR);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, "", 1, 20), 1);
    assert_int_equal(close(file), 0);
    assert_int_equal(store_open(&fixture->store, &fixture->options), STORE_FAILED);
    fixture_close(fixture);
    fixture_free(fixture);
}

static void add_beside(struct fixture *fixture, const char *name) {
    struct store *tool = NULL;
    struct store_options options = {.path = fixture->path, .beside = true};
    int64_t account;
    assert_ok(store_open(&tool, &options));
    assert_ok(store_begin(tool));
    assert_ok(store_account_add(tool, name, "", false, NULL, NULL, 1, &account));
    assert_ok(store_commit(tool));
    store_close(tool);
}

static void what_is_changed_beside_a_broker_is_no_loss(void **state) {
    (void)state;
    struct fixture *fixture = start();
    add_beside(fixture, "luke");
    send(fixture, 1);
    add_beside(fixture, "chewie");
    struct fixture *copy = killed(fixture);
    add_beside(copy, "lando"); /* alone now */
    expect_whole(copy, MESSAGES + 1);
    add_beside(copy, "boba");
    expect_whole(copy, MESSAGES + 1);
    fixture_free(copy);
    fixture_free(fixture);
}

static void what_is_made_without_a_broker_has_its_head(void **state) {
    (void)state;
    struct fixture *fixture = fixture_in_folder();
    add_beside(fixture, "han");
    fixture_open(fixture);
    assert_null(store_remark(fixture->store));
    fixture_free(fixture);
}

static void a_wiped_store_has_lost_nothing(void **state) {
    (void)state;
    struct fixture *fixture = start();
    assert_ok(store_wipe(fixture->store));
    struct fixture *copy = killed(fixture);
    fixture_open(copy);
    assert_null(store_remark(copy->store));
    fixture_free(copy);
    fixture_account(fixture, "han");
    fixture_account(fixture, "leia");
    send(fixture, 3);
    copy = killed(fixture);
    expect_whole(copy, 3);
    fixture_free(copy);
    fixture_free(fixture);
}

/* ---- power that fails ---- */

static size_t synced_log(const struct fixture *fixture) {
    struct wal_scan log;
    assert_int_equal(wal_scan(fixture->vfs, fixture->path, &log, NULL, NULL), SQLITE_OK);
    return log.frames;
}

static void cut_in_memory(const struct fixture *fixture, sqlite3_int64 size) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(fixture->vfs);
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
    assert_non_null(file);
    assert_int_equal(
        vfs->xOpen(vfs, "store-wal", file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL, NULL),
        SQLITE_OK);
    assert_int_equal(file->pMethods->xTruncate(file, size), SQLITE_OK);
    (void)file->pMethods->xClose(file);
    free(file);
}

/* The control of test_store_model, where nothing is ever taken for a loss: the head is as the power
 * failure left it, and of what it speaks for one frame is lost. */
static void a_tail_that_the_disk_loses_is_found_after_a_power_failure(void **state) {
    (void)state;
    size_t found = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct fixture *fixture = fixture_in_memory(seed);
        struct head *head;
        struct head_mark mark;
        enum head_state known;
        fixture_open(fixture);
        fixture_account(fixture, "han");
        fixture_account(fixture, "leia");
        send(fixture, 1 + (int)seed % 5);
        fixture_crash(fixture, CRASHVFS_KEEP_SOME);
        assert_int_equal(head_open(&head, fixture->vfs, fixture->path, &known, &mark), SQLITE_OK);
        head_close(head);
        assert_int_equal(known, HEAD_KNOWN);
        assert_true(synced_log(fixture) >= mark.frames);
        if (mark.frames > 0) {
            cut_in_memory(fixture, 32 + (sqlite3_int64)mark.frames * 4120 - 1);
            assert_int_equal(store_open(&fixture->store, &fixture->options), STORE_FAILED);
            assert_non_null(strstr(store_error(fixture->store), "--accept-loss"));
            fixture_close(fixture);
            found++;
        }
        fixture_free(fixture);
    }
    assert_true(found > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_broker_has_lost_nothing),
        cmocka_unit_test(a_store_that_was_closed_is_whole),
        cmocka_unit_test(a_log_that_began_anew_is_no_loss),
        cmocka_unit_test(a_cut_write_ahead_log_is_refused_with_numbers),
        cmocka_unit_test(a_flipped_bit_anywhere_in_what_was_synced_is_refused),
        cmocka_unit_test(a_missing_write_ahead_log_is_refused),
        cmocka_unit_test(a_database_of_an_earlier_time_is_refused),
        cmocka_unit_test(a_head_that_is_behind_is_no_loss),
        cmocka_unit_test(a_loss_that_is_accepted_is_told_once),
        cmocka_unit_test(a_head_that_is_missing_or_damaged_is_told_and_made_anew),
        cmocka_unit_test(a_header_that_denies_the_checksums_is_refused),
        cmocka_unit_test(what_is_changed_beside_a_broker_is_no_loss),
        cmocka_unit_test(what_is_made_without_a_broker_has_its_head),
        cmocka_unit_test(a_wiped_store_has_lost_nothing),
        cmocka_unit_test(a_tail_that_the_disk_loses_is_found_after_a_power_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
