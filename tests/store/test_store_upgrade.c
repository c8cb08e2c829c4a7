/* A store of an earlier version becomes one of today's: nothing is lost whatever ends the work, and
 * what can't be migrated is refused. */
#define _GNU_SOURCE
#include "forum.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGES 30000 /* more than a transaction has */

extern const char schema_0001[];

/* No power is cut here: in memory, where that is a folder, nothing waits for a disk. */
static int setup(void **state) {
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0);
    struct fixture *fixture = fixture_in_folder();
    fixture->options.view_entries = 3000;
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    fixture_free(*state);
    return 0;
}

/* ---- what is there ---- */

static void name_beside(const struct fixture *fixture, const char *suffix, char *out) {
    (void)snprintf(out, FIXTURE_PATH_BYTES + 32, "%s%s", fixture->path, suffix);
}

static off_t size_of(const struct fixture *fixture, const char *suffix) {
    char path[FIXTURE_PATH_BYTES + 32];
    struct stat info;
    name_beside(fixture, suffix, path);
    return stat(path, &info) == 0 ? info.st_size : -1;
}

static void rename_beside(const struct fixture *fixture, const char *from, const char *to) {
    char a[FIXTURE_PATH_BYTES + 32], b[FIXTURE_PATH_BYTES + 32];
    name_beside(fixture, from, a);
    name_beside(fixture, to, b);
    assert_int_equal(rename(a, b), 0);
}

/* A number of the backup, whose schema stays that of its version but for what comes before 6. */
static int64_t query_backup(const struct fixture *fixture, const char *sql) {
    struct fixture backup = {.path = ""};
    name_beside(fixture, STORE_BACKUP_SUFFIX, backup.path);
    return forum_query(&backup, sql);
}

/* ---- messages of the first version, with gaps as of removed threads ---- */

static const char first_version[] =
    "PRAGMA application_id = 2053335156; PRAGMA user_version = 1; BEGIN;"
    "INSERT INTO account (id, name, password_hash, admin, created_us) VALUES"
    "  (1, 'han', '', 0, 1), (2, 'leia', '', 0, 1);"
    "INSERT INTO log (pos, id, kind, time_us, author, stream_a, seq_a, stream_b, seq_b, delivered,"
    "  body) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)"
    "  SELECT i + i / 100, CAST(printf('%016d', i) AS BLOB), 1, 1000 + i, 1 + i % 2, 2 - i % 2, i,"
    "  1 + i % 2, i, i % 3 = 0, 'text ' || i || substr(hex(zeroblob(200)), 1, i % 400) FROM n;"
    "INSERT INTO stream (id, kind, merged_seq) VALUES (1, 1, 0), (2, 1, 0);"
    "UPDATE meta SET value = 2 WHERE name = 'accounts'; COMMIT";

static void make_first(const struct fixture *fixture) {
    fixture_execute(fixture, schema_0001);
    fixture_execute(fixture, first_version);
}

struct reading {
    int64_t account;
    int64_t i;
};

static bool expect_message(void *arg, const struct store_message *message) {
    struct reading *reading = arg;
    int64_t i = ++reading->i;
    char id[ID_BYTES + 1], text[500];
    (void)snprintf(id, sizeof id, "%016d", (int)i);
    int bytes = snprintf(text, sizeof text, "text %d%0*d", (int)i, (int)(i % 400), 0);
    bytes -= i % 400 == 0;
    assert_false(message->damaged);
    assert_int_equal(message->seq, i);
    assert_int_equal(message->time_us, 1000 + i);
    assert_memory_equal(message->id, id, ID_BYTES);
    assert_string_equal(message->from, i % 2 == 0 ? "han" : "leia");
    assert_int_equal(message->text_bytes, bytes);
    assert_memory_equal(message->text, text, (size_t)bytes);
    return true;
}

/* Also by their ids. */
static void expect_first(struct fixture *fixture) {
    for (int64_t account = 1; account <= 2; account++) {
        struct reading reading = {.account = account};
        assert_ok(
            store_inbox_read(fixture->store, account, 0, 2 * MESSAGES, expect_message, &reading));
        assert_int_equal(reading.i, MESSAGES);
    }
    assert_int_equal(store_message_count(fixture->store), MESSAGES);
    fixture_begin(fixture);
    for (int64_t i = 1; i <= MESSAGES; i += 37) {
        char id[ID_BYTES + 1];
        struct store_message_stored stored;
        (void)snprintf(id, sizeof id, "%016d", (int)i);
        assert_int_equal(fixture_send(fixture, (unsigned char *)id, 1 + i % 2,
                                      i % 2 == 0 ? "leia" : "han", "another", &stored),
                         STORE_ID_REUSED);
    }
    fixture_commit(fixture);
}

/* And it is used. */
static void expect_migrated(struct fixture *fixture) {
    fixture_open(fixture);
    expect_first(fixture);
    fixture_merge_all(fixture);
    fixture_reopen(fixture);
    expect_first(fixture);
    fixture_sent(fixture, 1, "leia", "new");
    fixture_close(fixture);
    assert_true(forum_query(fixture, "PRAGMA user_version") >= 7);
    assert_int_equal(query_backup(fixture, "PRAGMA user_version"), 6);
    assert_int_equal(query_backup(fixture, "SELECT count(*) FROM log"), MESSAGES);
    assert_int_equal(size_of(fixture, "-migrating"), -1);
    assert_int_equal(size_of(fixture, "-migrating-journal"), -1);
    assert_int_equal(size_of(fixture, STORE_BACKUP_SUFFIX "-wal"), -1);
}

/* ---- nothing is lost ---- */

static void the_first_version_keeps_its_messages(void **state) {
    make_first(*state);
    expect_migrated(*state);
}

/* ---- what ends it ---- */

struct ending {
    int calls; /* left until it ends itself */
};

static bool kill_itself(void *arg, uint64_t done, uint64_t of) {
    struct ending *ending = arg;
    assert_true(done <= of);
    if (--ending->calls == 0)
        (void)kill(getpid(), SIGKILL);
    return true;
}

/* Whether a child that opens the store gets through. */
static bool child_opens(struct fixture *fixture, void (*before)(struct fixture *, void *),
                        void *arg) {
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        before(fixture, arg);
        _exit(store_open(&fixture->store, &fixture->options) == STORE_OK ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void set_calls(struct fixture *fixture, void *arg) {
    fixture->options.progress = kill_itself;
    fixture->options.progress_arg = arg;
}

static void a_kill_after_any_step_loses_nothing(void **state) {
    struct fixture *fixture = *state;
    make_first(fixture);
    int kills = 0;
    for (int calls = 1;; calls++, kills++) {
        struct ending ending = {.calls = calls};
        if (child_opens(fixture, set_calls, &ending))
            break;
        assert_true(size_of(fixture, "") > 0);
    }
    assert_true(kills > 30);
    expect_migrated(fixture);
}

static void set_timer(struct fixture *fixture, void *arg) {
    long us = *(long *)arg;
    struct itimerval timer = {.it_value = {us / 1000000, us % 1000000 + 1}};
    (void)fixture;
    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

/* Also in the midst of a transaction, and while its remains are taken back. */
static void a_kill_at_any_time_loses_nothing(void **state) {
    struct fixture *fixture = *state;
    make_first(fixture);
    bool opened = false;
    uint64_t random = 1;
    for (long most_us = 10000; !opened; most_us += most_us / 8) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        long us = (long)(random >> 33) % most_us;
        opened = child_opens(fixture, set_timer, &us);
    }
    expect_migrated(fixture);
}

static void set_file_size(struct fixture *fixture, void *arg) {
    struct rlimit limit = {*(rlim_t *)arg, *(rlim_t *)arg};
    (void)fixture;
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)setrlimit(RLIMIT_FSIZE, &limit);
}

static void a_write_that_is_refused_ends_it_and_the_next_start_goes_on(void **state) {
    struct fixture *fixture = *state;
    make_first(fixture);
    for (rlim_t bytes = 100000; bytes < 3000000; bytes += 300000) {
        assert_false(child_opens(fixture, set_file_size, &bytes));
        assert_int_equal(size_of(fixture, STORE_BACKUP_SUFFIX), -1);
        assert_true(size_of(fixture, "") > 0);
    }
    expect_migrated(fixture);
}

static bool end_at_quarter(void *arg, uint64_t done, uint64_t of) {
    *(uint64_t *)arg = done;
    return done < of / 4;
}

static void end_early(struct fixture *fixture, uint64_t *done) {
    fixture->options.progress = end_at_quarter;
    fixture->options.progress_arg = done;
    assert_int_equal(store_open(&fixture->store, &fixture->options), STORE_FAILED);
    assert_non_null(strstr(store_error(fixture->store), "told to end; nothing is lost, and the "
                                                        "next start goes on"));
    fixture_close(fixture);
    fixture->options.progress = NULL;
}

static void who_hears_of_the_progress_may_end_it(void **state) {
    struct fixture *fixture = *state;
    uint64_t done = 0;
    make_first(fixture);
    end_early(fixture, &done);
    assert_true(done > 0);
    expect_migrated(fixture);
}

/* ---- what an earlier start left ---- */

static void execute_new(const struct fixture *fixture, const char *sql) {
    struct fixture beside = {.path = ""};
    name_beside(fixture, "-migrating", beside.path);
    fixture_execute(&beside, sql);
}

static void what_was_done_is_not_done_again(void **state) {
    struct fixture *fixture = *state;
    uint64_t done;
    make_first(fixture);
    end_early(fixture, &done);
    execute_new(fixture, "CREATE TABLE mine (x)");
    expect_migrated(fixture);
    assert_int_equal(forum_query(fixture, "SELECT count(*) FROM mine"), 0);
}

static void what_was_left_wrong_is_made_anew(void **state) {
    static const char *const damages[] = {
        "DELETE FROM log WHERE last = (SELECT min(last) FROM log)",
        "UPDATE log SET entries = zeroblob(length(entries)) WHERE last < 100",
        "UPDATE account SET name = 'luke' WHERE name = 'leia'",
        "INSERT INTO follow VALUES (0, 0, 0)",
        "DROP TABLE entry",
    };
    struct fixture *fixture = *state;
    uint64_t done;
    make_first(fixture);
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        end_early(fixture, &done);
        execute_new(fixture, damages[i]);
    }
    expect_migrated(fixture);
}

static void write_beside(const struct fixture *fixture, const char *suffix, const char *text) {
    char path[FIXTURE_PATH_BYTES + 32];
    name_beside(fixture, suffix, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void what_was_left_that_is_no_database_is_made_anew(void **state) {
    make_first(*state);
    write_beside(*state, "-migrating", "this is no database, but some text that is there");
    expect_migrated(*state);
}

static void a_store_that_was_used_in_between_is_copied_anew(void **state) {
    struct fixture *fixture = *state;
    uint64_t done;
    struct store_account account;
    make_first(fixture);
    end_early(fixture, &done);
    fixture_execute(fixture, "UPDATE account SET created_us = 77 WHERE name = 'leia'");
    fixture_open(fixture);
    assert_ok(store_account_find(fixture->store, "leia", &account));
    assert_int_equal(account.created_us, 77);
    fixture_close(fixture);
    expect_migrated(fixture);
}

/* Migrates, and takes the last step back. */
static void before_the_last_step(struct fixture *fixture) {
    make_first(fixture);
    fixture_open(fixture);
    fixture_close(fixture);
    char reserve[FIXTURE_PATH_BYTES + 32];
    name_beside(fixture, "-reserve", reserve);
    (void)unlink(reserve);
    rename_beside(fixture, "", "-migrating");
}

static void an_end_between_the_names_loses_nothing(void **state) {
    struct fixture *fixture = *state;
    char backup[FIXTURE_PATH_BYTES + 32];
    before_the_last_step(fixture);
    name_beside(fixture, STORE_BACKUP_SUFFIX, backup);
    assert_int_equal(link(backup, fixture->path), 0);
    expect_migrated(fixture);
}

/* On a disk without hard links nothing has the name for a moment; or what locks the store made an
 * empty file of it. */
static void an_end_while_nothing_has_the_name_loses_nothing(void **state) {
    before_the_last_step(*state);
    expect_migrated(*state);
}

static void an_end_while_an_empty_file_has_the_name_loses_nothing(void **state) {
    before_the_last_step(*state);
    write_beside(*state, "", "");
    expect_migrated(*state);
}

/* ---- what is refused ---- */

static void expect_refused(struct fixture *fixture, const char *says) {
    off_t bytes = size_of(fixture, "");
    assert_int_equal(store_open(&fixture->store, &fixture->options), STORE_FAILED);
    if (!strstr(store_error(fixture->store), says))
        fail_msg("%s", store_error(fixture->store));
    fixture_close(fixture);
    assert_int_equal(size_of(fixture, ""), bytes);
}

static void beside_a_broker_nothing_is_migrated(void **state) {
    struct fixture *fixture = *state;
    make_first(fixture);
    fixture->options.beside = true;
    expect_refused(fixture, "an earlier zchat made it: start zchatd");
    assert_int_equal(forum_query(fixture, "PRAGMA user_version"), 1);
    fixture->options.beside = false;
    expect_migrated(fixture);
}

static void a_store_with_another_name_is_refused(void **state) {
    struct fixture *fixture = *state;
    char other[FIXTURE_PATH_BYTES + 32];
    make_first(fixture);
    name_beside(fixture, "-other", other);
    assert_int_equal(link(fixture->path, other), 0);
    expect_refused(fixture, "a hard link");
    assert_int_equal(unlink(other), 0);
    expect_migrated(fixture);
}

static void a_backup_is_never_overwritten(void **state) {
    char backup[FIXTURE_PATH_BYTES + 32];
    make_first(*state);
    write_beside(*state, STORE_BACKUP_SUFFIX, "mine");
    expect_refused(*state, "is there already: move it away");
    assert_int_equal(size_of(*state, STORE_BACKUP_SUFFIX), 4);
    name_beside(*state, STORE_BACKUP_SUFFIX, backup);
    assert_int_equal(unlink(backup), 0);
    expect_migrated(*state);
}

static void a_damaged_entry_is_named(void **state) {
    struct fixture *fixture = *state;
    make_first(fixture);
    fixture_execute(fixture, "UPDATE log SET id = x'0102' WHERE pos = 1111");
    assert_int_equal(store_open(&fixture->store, &fixture->options), STORE_FAILED);
    assert_non_null(strstr(store_error(fixture->store), "the log's entry 1111 is damaged"));
    fixture_close(fixture);
    fixture_execute(fixture, "UPDATE log SET id = CAST('0000000000001100' AS BLOB)"
                             " WHERE pos = 1111");
    expect_migrated(fixture);
}

static void a_store_that_somebody_reads_is_refused(void **state) {
    struct fixture *fixture = *state;
    sqlite3 *db = NULL;
    make_first(fixture);
    fixture_execute(fixture, "PRAGMA journal_mode = WAL");
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "SELECT count(*) FROM log", NULL, NULL, NULL), SQLITE_OK);
    expect_refused(fixture, "another process has it open");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    expect_migrated(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_first_version_keeps_its_messages),
        TEST(a_kill_after_any_step_loses_nothing),
        TEST(a_kill_at_any_time_loses_nothing),
        TEST(a_write_that_is_refused_ends_it_and_the_next_start_goes_on),
        TEST(who_hears_of_the_progress_may_end_it),
        TEST(what_was_done_is_not_done_again),
        TEST(what_was_left_wrong_is_made_anew),
        TEST(what_was_left_that_is_no_database_is_made_anew),
        TEST(a_store_that_was_used_in_between_is_copied_anew),
        TEST(an_end_between_the_names_loses_nothing),
        TEST(an_end_while_nothing_has_the_name_loses_nothing),
        TEST(an_end_while_an_empty_file_has_the_name_loses_nothing),
        TEST(beside_a_broker_nothing_is_migrated),
        TEST(a_store_with_another_name_is_refused),
        TEST(a_backup_is_never_overwritten),
        TEST(a_damaged_entry_is_named),
        TEST(a_store_that_somebody_reads_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
