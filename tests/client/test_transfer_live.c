/* Files to a real broker and back: of every kind of size, over a killed broker and a killed client,
 * several at a time; and what can't be. */
#include "live.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define CHUNK (256 * 1024)
#define MIB   (1024 * 1024)

struct test {
    struct live *live;
    struct client *me;
};

static int setup(void **state) {
    struct test *test = calloc(1, sizeof *test);
    assert_non_null(test);
    struct answer answer = {0};
    test->live = live_new();
    test->me = live_client(test->live, "me", ZCHAT_PUBLIC_NONE);
    zchat_thread_create(test->me->z, "t", NULL, live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    *state = test;
    return 0;
}

static int teardown(void **state) {
    struct test *test = *state;
    live_free(test->live);
    free(test);
    return 0;
}

/* Bytes that repeat nowhere soon. */
static void make_file(struct test *test, const char *name, size_t bytes, char path[256]) {
    static unsigned char block[CHUNK];
    uint64_t x = bytes * 2 + 1;
    live_path(test->live, name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    while (bytes > 0) {
        size_t count = bytes < sizeof block ? bytes : sizeof block;
        for (size_t i = 0; i < count; i++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            block[i] = (unsigned char)(x >> 56);
        }
        assert_int_equal(fwrite(block, 1, count, file), count);
        bytes -= count;
    }
    assert_int_equal(fclose(file), 0);
}

static void same_files(const char *a, const char *b) {
    static char bytes[2][CHUNK];
    FILE *files[2] = {fopen(a, "r"), fopen(b, "r")};
    size_t got[2];
    assert_non_null(files[0]);
    assert_non_null(files[1]);
    do {
        got[0] = fread(bytes[0], 1, CHUNK, files[0]);
        got[1] = fread(bytes[1], 1, CHUNK, files[1]);
        assert_int_equal(got[0], got[1]);
        assert_true(memcmp(bytes[0], bytes[1], got[0]) == 0);
    } while (got[0] > 0);
    fclose(files[0]);
    fclose(files[1]);
}

static void put(struct test *test, const char *path, const char *name, struct answer *answer) {
    *answer = (struct answer){0};
    assert_int_equal(
        zchat_file_put(test->me->z, "t", path, name, live_progress, live_answer, answer), ZCHAT_OK);
}

static void get(struct test *test, const char *name, const char *path, struct answer *answer) {
    *answer = (struct answer){0};
    assert_int_equal(
        zchat_file_get(test->me->z, "t", name, path, -1, false, live_progress, live_answer, answer),
        ZCHAT_OK);
}

static size_t files_in(const char *folder, const char *part) {
    char command[512];
    char text[32] = "";
    snprintf(command, sizeof command, "ls -A '%s' 2>/dev/null | grep -c -- '%s'", folder, part);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(text, sizeof text, pipe));
    pclose(pipe);
    return strtoul(text, NULL, 10);
}

static void no_rest(struct test *test) {
    char uploads[256];
    live_path(test->live, "me/uploads", uploads);
    assert_int_equal(files_in(test->live->folder, ".part-"), 0);
    assert_int_equal(files_in(uploads, "."), 0);
}

static void files_of_every_size_come_back_the_same(void **state) {
    struct test *test = *state;
    const size_t sizes[] = {0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK, 5 * CHUNK + 7};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char path[256];
        char back[256];
        char name[32];
        struct answer answer;
        snprintf(name, sizeof name, "f%zu", i);
        make_file(test, name, sizes[i], path);
        live_path(test->live, "back", back);
        unlink(back);
        put(test, path, NULL, &answer);
        live_expect(test->live, &answer, ZCHAT_OK);
        assert_string_equal(answer.file, name);
        assert_int_equal(answer.size, sizes[i]);
        assert_int_equal(answer.progress_last, sizes[i]);
        assert_true(answer.progress_calls > 0);
        get(test, name, back, &answer);
        live_expect(test->live, &answer, ZCHAT_OK);
        assert_string_equal(answer.file, name);
        assert_int_equal(answer.progress_last, sizes[i]);
        same_files(path, back);
        no_rest(test);
    }
}

static void both_ways_go_on_over_a_killed_broker(void **state) {
    struct test *test = *state;
    char path[256];
    char back[256];
    struct answer answer;
    make_file(test, "big", 64 * MIB, path);
    live_path(test->live, "back", back);
    put(test, path, NULL, &answer);
    LIVE_UNTIL(test->live, answer.progress_last > 20 * MIB);
    live_kill(test->live);
    LIVE_UNTIL(test->live, client_count(test->me, ZCHAT_EVENT_LOST) > 0);
    live_start(test->live);
    live_expect(test->live, &answer, ZCHAT_OK);
    get(test, "big", back, &answer);
    LIVE_UNTIL(test->live, answer.progress_last > 20 * MIB);
    live_kill(test->live);
    live_step(test->live);
    live_start(test->live);
    live_expect(test->live, &answer, ZCHAT_OK);
    same_files(path, back);
    no_rest(test);
}

static void both_ways_go_on_in_the_next_run(void **state) {
    struct test *test = *state;
    char path[256];
    char back[256];
    struct answer answer;
    make_file(test, "big", 16 * MIB, path);
    live_path(test->live, "back", back);
    put(test, path, NULL, &answer);
    LIVE_UNTIL(test->live, answer.progress_last > 4 * MIB);
    client_drop(test->me);
    assert_int_equal(answer.code, ZCHAT_CANCELLED);
    client_login(test->me, "me", ZCHAT_PUBLIC_NONE);
    put(test, path, NULL, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    assert_true(answer.progress_first > 4 * MIB);
    get(test, "big", back, &answer);
    LIVE_UNTIL(test->live, answer.progress_last > 4 * MIB);
    client_drop(test->me);
    assert_int_equal(files_in(test->live->folder, ".back.part-"), 1);
    client_login(test->me, "me", ZCHAT_PUBLIC_NONE);
    get(test, "big", back, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    assert_true(answer.progress_first > 4 * MIB);
    same_files(path, back);
    no_rest(test);
}

/* Puts another file of the same size and time in its place. */
static void replace(const char *path) {
    char command[1024];
    snprintf(command, sizeof command, "cp -p '%s' '%s.new' && mv '%s.new' '%s'", path, path, path,
             path);
    assert_int_equal(system(command), 0);
}

static void write_again(const char *path) {
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void a_file_that_changed_before_the_next_run_begins_anew(void **state) {
    struct test *test = *state;
    char path[256];
    char back[256];
    struct answer answer;
    void (*const changes[])(const char *) = {replace, write_again};
    make_file(test, "big", 16 * MIB, path);
    live_path(test->live, "back", back);
    put(test, path, NULL, &answer);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        LIVE_UNTIL(test->live, answer.progress_last > 4 * MIB);
        client_drop(test->me);
        changes[i](path);
        client_login(test->me, "me", ZCHAT_PUBLIC_NONE);
        put(test, path, NULL, &answer);
        LIVE_UNTIL(test->live, answer.progress_last > 0);
        assert_int_equal(answer.progress_first, CHUNK);
    }
    live_expect(test->live, &answer, ZCHAT_OK);
    get(test, "big", back, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    same_files(path, back);
    no_rest(test);
}

static void a_logout_ends_transfers_and_a_cancel_leaves_nothing(void **state) {
    struct test *test = *state;
    char path[256];
    char back[256];
    char uploads[256];
    struct answer answer;
    struct answer out = {0};
    make_file(test, "big", 16 * MIB, path);
    live_path(test->live, "back", back);
    live_path(test->live, "me/uploads", uploads);
    put(test, path, NULL, &answer);
    LIVE_UNTIL(test->live, answer.progress_last > 0);
    assert_int_equal(zchat_logout(test->me->z, live_answer, &out), ZCHAT_OK);
    live_expect(test->live, &answer, ZCHAT_CANCELLED);
    live_expect(test->live, &out, ZCHAT_OK);
    assert_int_equal(files_in(uploads, "."), 1);
    client_login(test->me, "me", ZCHAT_PUBLIC_NONE);
    put(test, path, NULL, &answer);
    LIVE_UNTIL(test->live, answer.progress_last > 0);
    zchat_file_cancel(test->me->z, &answer);
    live_expect(test->live, &answer, ZCHAT_CANCELLED);
    no_rest(test);
    put(test, path, NULL, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    assert_true(answer.progress_first <= CHUNK);
    get(test, "big", back, &answer);
    LIVE_UNTIL(test->live, answer.progress_last > 4 * MIB);
    zchat_file_cancel(test->me->z, &answer);
    live_expect(test->live, &answer, ZCHAT_CANCELLED);
    no_rest(test);
}

static void several_go_at_once(void **state) {
    struct test *test = *state;
    char paths[6][256];
    char back[6][256];
    struct answer answers[6];
    for (int i = 0; i < 6; i++) {
        char name[32];
        snprintf(name, sizeof name, "s%d", i);
        make_file(test, name, (size_t)(3 * MIB + i * 1000), paths[i]);
        put(test, paths[i], NULL, &answers[i]);
    }
    for (int i = 0; i < 6; i++)
        live_expect(test->live, &answers[i], ZCHAT_OK);
    for (int i = 0; i < 6; i++) {
        char name[32];
        snprintf(name, sizeof name, "b%d", i);
        live_path(test->live, name, back[i]);
        get(test, strrchr(paths[i], '/') + 1, back[i], &answers[i]);
    }
    for (int i = 0; i < 6; i++) {
        live_expect(test->live, &answers[i], ZCHAT_OK);
        same_files(paths[i], back[i]);
    }
    assert_int_equal(zchat_pending(test->me->z), 0);
    no_rest(test);
}

static void what_is_refused_says_why(void **state) {
    struct test *test = *state;
    zchat *z = test->me->z;
    char path[256];
    char missing[256];
    char other[256];
    struct answer answer;
    make_file(test, "f", 10, path);
    live_path(test->live, "missing", missing);
    assert_int_equal(zchat_file_put(z, "t", missing, NULL, NULL, NULL, NULL), ZCHAT_IO);
    assert_non_null(strstr(zchat_error(z), "No such file"));
    assert_int_equal(zchat_file_put(z, "t", test->live->folder, NULL, NULL, NULL, NULL), ZCHAT_IO);
    assert_non_null(strstr(zchat_error(z), "folder"));
    assert_int_equal(zchat_file_put(z, "t", "/dev/null", NULL, NULL, NULL, NULL), ZCHAT_IO);
    assert_int_equal(zchat_file_put(z, "t", path, "a/b", NULL, NULL, NULL), ZCHAT_INVALID);
    put(test, path, "name", &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    put(test, path, "name", &answer); /* done already */
    live_expect(test->live, &answer, ZCHAT_OK);
    make_file(test, "other", 11, other);
    put(test, other, "name", &answer);
    live_expect(test->live, &answer, ZCHAT_CONFLICT);
    answer = (struct answer){0};
    assert_int_equal(zchat_file_put(z, "none", path, NULL, NULL, live_answer, &answer), ZCHAT_OK);
    live_expect(test->live, &answer, ZCHAT_NOT_FOUND);
    get(test, "none", missing, &answer);
    live_expect(test->live, &answer, ZCHAT_NOT_FOUND);
    assert_int_equal(zchat_file_get(z, "t", "name", path, -1, false, NULL, live_answer, &answer),
                     ZCHAT_CONFLICT);
    assert_int_equal(
        zchat_file_get(z, "t", "name", test->live->folder, -1, true, NULL, live_answer, &answer),
        ZCHAT_IO);
    live_path(test->live, "stdout", missing);
    assert_int_equal(symlink("/proc/self/fd/1", missing), 0);
    const char *const kept[] = {"/dev/null", missing};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(zchat_file_get(z, "t", "name", kept[i], -1, true, NULL, NULL, NULL),
                         ZCHAT_IO);
        assert_non_null(strstr(zchat_error(z), "not replaced"));
    }
    no_rest(test);
}

static void an_existing_file_is_replaced_by_force_alone(void **state) {
    struct test *test = *state;
    char path[256];
    char back[256];
    struct answer answer;
    make_file(test, "f", 3 * CHUNK, path);
    live_path(test->live, "back", back);
    put(test, path, NULL, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    get(test, "f", back, &answer);
    FILE *other = fopen(back, "w"); /* somebody is faster */
    assert_non_null(other);
    fclose(other);
    live_expect(test->live, &answer, ZCHAT_CONFLICT);
    answer = (struct answer){0};
    assert_int_equal(
        zchat_file_get(test->me->z, "t", "f", back, -1, true, live_progress, live_answer, &answer),
        ZCHAT_OK);
    live_expect(test->live, &answer, ZCHAT_OK);
    assert_int_equal(answer.progress_first, 3 * CHUNK); /* all was there */
    same_files(path, back);
    no_rest(test);
}

static void a_file_goes_to_a_descriptor(void **state) {
    struct test *test = *state;
    char path[256];
    char back[256];
    int ends[2];
    struct answer answer;
    make_file(test, "f", 3 * CHUNK + 5, path);
    live_path(test->live, "back", back);
    put(test, path, NULL, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    int fd = open(back, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    answer = (struct answer){0};
    zchat_file_get(test->me->z, "t", "f", NULL, fd, false, live_progress, live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    close(fd);
    same_files(path, back);
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    answer = (struct answer){0};
    zchat_file_get(test->me->z, "t", "f", NULL, ends[1], false, NULL, live_answer, &answer);
    live_expect(test->live, &answer, ZCHAT_IO);
    close(ends[1]);
    no_rest(test);
}

static void a_file_that_changes_while_it_is_sent_is_refused(void **state) {
    struct test *test = *state;
    char path[256];
    struct answer answer;
    make_file(test, "big", 16 * MIB, path);
    put(test, path, NULL, &answer);
    LIVE_UNTIL(test->live, answer.progress_last > 0);
    assert_int_equal(truncate(path, 15 * MIB), 0);
    live_expect(test->live, &answer, ZCHAT_IO);
    assert_non_null(strstr(answer.text, "changed while"));
    no_rest(test);
    put(test, path, NULL, &answer); /* under the same name, since that is free again */
    live_expect(test->live, &answer, ZCHAT_OK);
}

static void what_was_done_when_the_client_was_killed_is_done(void **state) {
    struct test *test = *state;
    char path[256];
    char uploads[256];
    char kept[256];
    char command[1024];
    struct answer answer;
    make_file(test, "f", 2 * CHUNK, path);
    live_path(test->live, "me/uploads", uploads);
    live_path(test->live, "kept", kept);
    put(test, path, NULL, &answer);
    LIVE_UNTIL(test->live, answer.progress_calls > 0 || files_in(uploads, ".") > 0);
    snprintf(command, sizeof command, "cp -a '%s' '%s'", uploads, kept);
    assert_int_equal(system(command), 0);
    live_expect(test->live, &answer, ZCHAT_OK);
    snprintf(command, sizeof command, "cp -a '%s/.' '%s'", kept, uploads);
    assert_int_equal(system(command), 0);
    put(test, path, NULL, &answer);
    live_expect(test->live, &answer, ZCHAT_OK);
    assert_string_equal(answer.file, "f");
    no_rest(test);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(files_of_every_size_come_back_the_same),
        TEST(both_ways_go_on_over_a_killed_broker),
        TEST(both_ways_go_on_in_the_next_run),
        TEST(a_file_that_changed_before_the_next_run_begins_anew),
        TEST(a_logout_ends_transfers_and_a_cancel_leaves_nothing),
        TEST(several_go_at_once),
        TEST(what_is_refused_says_why),
        TEST(an_existing_file_is_replaced_by_force_alone),
        TEST(a_file_goes_to_a_descriptor),
        TEST(a_file_that_changes_while_it_is_sent_is_refused),
        TEST(what_was_done_when_the_client_was_killed_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
