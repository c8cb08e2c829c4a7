/* A commit in two steps: it is told to be on the disk when the log's sync returned, and not before;
 * the next transaction is filled meanwhile. The log's sync of these tests waits for them, or fails.
 */
#include "disk/syncer.h"
#include "forum.h"

#include <poll.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATIENCE_MS 20000

struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool closed;
    int code; /* what a sync returns */
};

/* SQLite's VFS for files, but for the sync of the log and of the pieces, which are opened like it.
 */
static struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, SQLITE_OK};
static sqlite3_vfs gated;
static sqlite3_vfs *real;
static sqlite3_io_methods log_methods;
static const sqlite3_io_methods *real_methods;

static int sync_log(sqlite3_file *file, int flags) {
    (void)pthread_mutex_lock(&gate.mutex);
    while (gate.closed)
        (void)pthread_cond_wait(&gate.changed, &gate.mutex);
    int code = gate.code;
    (void)pthread_mutex_unlock(&gate.mutex);
    return code == SQLITE_OK ? real_methods->xSync(file, flags) : code;
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
    (void)vfs;
    int code = real->xOpen(real, name, file, flags, out);
    if (code == SQLITE_OK && (flags & SQLITE_OPEN_WAL) != 0) {
        real_methods = file->pMethods;
        log_methods = *file->pMethods;
        log_methods.xSync = sync_log;
        file->pMethods = &log_methods;
    }
    return code;
}

static void set_gate(bool closed, int code) {
    (void)pthread_mutex_lock(&gate.mutex);
    gate.closed = closed;
    gate.code = code;
    (void)pthread_cond_broadcast(&gate.changed);
    (void)pthread_mutex_unlock(&gate.mutex);
}

static int setup(void **state) {
    real = sqlite3_vfs_find(NULL);
    gated = *real;
    gated.zName = "gated";
    gated.xOpen = open_file;
    assert_int_equal(sqlite3_vfs_register(&gated, 0), SQLITE_OK);
    set_gate(false, SQLITE_OK);
    struct fixture *fixture = fixture_in_folder();
    fixture->options.vfs = "gated";
    fixture_open(fixture);
    fixture_account(fixture, "han");
    fixture_account(fixture, "leia");
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    set_gate(false, SQLITE_OK);
    fixture_free(*state);
    assert_int_equal(sqlite3_vfs_unregister(&gated), SQLITE_OK);
    return 0;
}

static void send(struct fixture *fixture, const char *text) {
    struct store_message_stored stored;
    assert_ok(fixture_send(fixture, NULL, 1, "leia", text, &stored));
}

/* A message that is committed, but not on the disk as long as the gate is closed. */
static void begin_commit(struct fixture *fixture, const char *text) {
    bool waits = false;
    fixture_begin(fixture);
    send(fixture, text);
    assert_ok(store_commit_begin(fixture->store, &waits));
    assert_true(waits);
}

static int readable(const struct fixture *fixture, int timeout_ms) {
    struct pollfd item = {.fd = store_commit_fd(fixture->store), .events = POLLIN};
    return poll(&item, 1, timeout_ms);
}

static void a_commit_ends_with_the_logs_sync(void **state) {
    struct fixture *fixture = *state;
    set_gate(true, SQLITE_OK);
    begin_commit(fixture, "one");
    assert_int_equal(readable(fixture, 0), 0);
    set_gate(false, SQLITE_OK);
    assert_int_equal(readable(fixture, PATIENCE_MS), 1);
    assert_ok(store_commit_end(fixture->store));
    assert_int_equal(readable(fixture, 0), 0);
    fixture_expect_state(fixture, 2, 1, 0);
}

static void the_next_turn_is_filled_meanwhile(void **state) {
    struct fixture *fixture = *state;
    set_gate(true, SQLITE_OK);
    begin_commit(fixture, "one");
    fixture_begin(fixture);
    send(fixture, "two");
    set_gate(false, SQLITE_OK);
    assert_ok(store_commit_end(fixture->store));
    fixture_commit(fixture);
    fixture_reopen(fixture);
    fixture_expect_state(fixture, 2, 2, 0);
}

/* ---- where the disk is quick ---- */

static atomic_int sync_us;
static atomic_int clock_calls;

/* Between two calls a sync has passed. */
static int64_t syncing_clock(void) {
    return (int64_t)(atomic_fetch_add(&clock_calls, 1) + 1) * atomic_load(&sync_us);
}

static struct fixture *reopen_with_clock(void **state) {
    struct fixture *fixture = *state;
    fixture->options.clock_us = syncing_clock;
    atomic_store(&sync_us, SYNCER_QUICK_US);
    fixture_reopen(fixture);
    return fixture;
}

/* A turn of so many messages; whether it waited for the disk. */
static bool commit_waits(struct fixture *fixture, int messages) {
    bool waits = false;
    fixture_begin(fixture);
    for (int i = 0; i < messages; i++)
        send(fixture, "text");
    assert_ok(store_commit_begin(fixture->store, &waits));
    if (waits)
        assert_ok(store_commit_end(fixture->store));
    return waits;
}

static void commit_until_quick(struct fixture *fixture) {
    for (int i = 0; i < SYNCER_QUICK_COUNT; i++)
        assert_true(commit_waits(fixture, 1));
}

static void few_messages_are_on_a_quick_disk_at_once(void **state) {
    struct fixture *fixture = reopen_with_clock(state);
    commit_until_quick(fixture);
    assert_false(commit_waits(fixture, 1));
    assert_false(commit_waits(fixture, 4));
    assert_int_equal(readable(fixture, 0), 0);
    fixture_reopen(fixture);
    fixture_expect_state(fixture, 2, SYNCER_QUICK_COUNT + 5, 0);
}

static void many_messages_are_waited_for_on_any_disk(void **state) {
    struct fixture *fixture = reopen_with_clock(state);
    commit_until_quick(fixture);
    assert_true(commit_waits(fixture, 5));
    assert_false(commit_waits(fixture, 1));
}

/* Nobody else is kept waiting by a disk that became slow, but for the once that it was noticed. */
static void a_slow_sync_makes_the_next_ones_be_waited_for(void **state) {
    struct fixture *fixture = reopen_with_clock(state);
    commit_until_quick(fixture);
    atomic_store(&sync_us, SYNCER_QUICK_US + 1);
    assert_false(commit_waits(fixture, 1));
    assert_true(commit_waits(fixture, 1));
    atomic_store(&sync_us, SYNCER_QUICK_US);
    commit_until_quick(fixture);
    assert_false(commit_waits(fixture, 1));
}

static void a_sync_at_once_that_fails_ends_the_store(void **state) {
    struct fixture *fixture = reopen_with_clock(state);
    bool waits;
    commit_until_quick(fixture);
    fixture_begin(fixture);
    send(fixture, "text");
    set_gate(false, SQLITE_IOERR_FSYNC);
    assert_int_equal(store_commit_begin(fixture->store, &waits), STORE_FAILED);
    assert_false(waits);
    assert_non_null(strstr(store_error(fixture->store), "disk I/O error"));
    assert_int_equal(store_begin(fixture->store), STORE_FAILED);
}

/* ---- what happens meanwhile ---- */

static void a_turn_that_wrote_nothing_waits_for_nothing(void **state) {
    struct fixture *fixture = *state;
    bool waits = true;
    set_gate(true, SQLITE_OK);
    fixture_begin(fixture);
    assert_ok(store_commit_begin(fixture->store, &waits));
    assert_false(waits);
}

static void a_sync_that_fails_ends_the_store(void **state) {
    struct fixture *fixture = *state;
    begin_commit(fixture, "one");
    assert_ok(store_commit_end(fixture->store));
    set_gate(false, SQLITE_IOERR_FSYNC);
    begin_commit(fixture, "two");
    fixture_begin(fixture);
    send(fixture, "three");
    assert_int_equal(readable(fixture, PATIENCE_MS), 1);
    assert_int_equal(store_commit_end(fixture->store), STORE_FAILED);
    assert_non_null(strstr(store_error(fixture->store), "disk I/O error"));
    assert_int_equal(store_commit(fixture->store), STORE_FAILED);
    set_gate(false, SQLITE_OK);
    fixture_reopen(fixture);
    fixture_expect_state(fixture, 2, 2, 0); /* two is unknown: it is in the log; three never was */
}

static void a_commit_at_once_waits_for_the_sync(void **state) {
    struct fixture *fixture = *state;
    set_gate(false, SQLITE_IOERR_FSYNC);
    fixture_begin(fixture);
    send(fixture, "one");
    assert_int_equal(store_commit(fixture->store), STORE_FAILED);
}

/* What is committed may still be lost, so may the going of a file: its bytes stay as they are. */
static void a_removal_on_its_way_leaves_its_pieces(void **state) {
    struct fixture *fixture = *state;
    struct store_thread removed;
    bool waits;
    struct forum_file file = {.title = "T", .name = "f", .account = 1, .size = 262144};
    forum_thread(fixture, 1, "T");
    forum_thread(fixture, 1, "U");
    fixture_id(fixture, file.id);
    forum_upload(fixture, &file, 262144);
    fixture_begin(fixture);
    assert_ok(store_thread_remove(fixture->store, "T", 1, false, &removed));
    assert_ok(store_maintain(fixture->store, &waits));
    assert_ok(store_commit_begin(fixture->store, &waits));
    assert_true(waits);
    struct store_upload upload = {
        .title = "U", .name = "g", .account = 1, .size = 2 * 262144, .id = file.id};
    struct store_file stored;
    fixture_id(fixture, file.id);
    unsigned char *bytes = calloc(1, 262144);
    assert_non_null(bytes);
    fixture_begin(fixture);
    assert_ok(store_upload_begin(fixture->store, &upload, &stored));
    assert_ok(store_upload_chunk(fixture->store, file.id, 1, 0, bytes, 262144, NULL, 1, &stored,
                                 &waits, &removed));
    assert_ok(store_commit_end(fixture->store));
    fixture_commit(fixture);
    char path[FIXTURE_PATH_BYTES + 8];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s-pieces", fixture->path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 2 * 262144);
    free(bytes);
}

/* A process that was killed may have left in the log what is not on the disk. */
static void an_opening_brings_the_log_to_the_disk(void **state) {
    struct fixture *fixture = *state;
    fixture_close(fixture);
    set_gate(false, SQLITE_IOERR_FSYNC);
    assert_int_equal(store_open(&fixture->store, &fixture->options), STORE_FAILED);
    assert_non_null(strstr(store_error(fixture->store), "disk I/O error"));
    fixture_close(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_commit_ends_with_the_logs_sync),
        TEST(the_next_turn_is_filled_meanwhile),
        TEST(few_messages_are_on_a_quick_disk_at_once),
        TEST(many_messages_are_waited_for_on_any_disk),
        TEST(a_slow_sync_makes_the_next_ones_be_waited_for),
        TEST(a_sync_at_once_that_fails_ends_the_store),
        TEST(a_turn_that_wrote_nothing_waits_for_nothing),
        TEST(a_sync_that_fails_ends_the_store),
        TEST(a_commit_at_once_waits_for_the_sync),
        TEST(a_removal_on_its_way_leaves_its_pieces),
        TEST(an_opening_brings_the_log_to_the_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
