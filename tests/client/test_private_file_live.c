/* Files that go through private chats, against a real broker. */
#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define CHUNK (256 * 1024)
#define MIB   (1024 * 1024)

static void make_file(const struct pair *pair, const char *name, size_t bytes, char path[256]) {
    static unsigned char block[CHUNK];
    uint64_t x = bytes * 2 + 1;
    live_path(pair->live, name, path);
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
    char command[600];
    snprintf(command, sizeof command, "cmp -- '%s' '%s'", a, b);
    assert_int_equal(system(command), 0);
}

static void offer(struct pair *pair, const char *path, struct answer *answer) {
    size_t offered = client_count(pair->bob, ZCHAT_EVENT_PRIVATE_OFFERED);
    *answer = (struct answer){0};
    assert_int_equal(
        zchat_private_file(pair->alice->z, "bob", path, live_progress, live_answer, answer),
        ZCHAT_OK);
    pair_await(pair, pair->bob, ZCHAT_EVENT_PRIVATE_OFFERED, offered + 1);
}

static zchat_code take(struct pair *pair, const char *path, bool force, struct answer *answer) {
    zchat_id id = pair_last(pair->bob, ZCHAT_EVENT_PRIVATE_OFFERED)->id;
    *answer = (struct answer){0};
    return zchat_private_file_answer(pair->bob->z, "alice", &id, path, force, live_progress,
                                     live_answer, answer);
}

static void files_of_every_size_arrive_the_same(void **state) {
    struct pair *pair = *state;
    const size_t sizes[] = {0, 1, CHUNK, CHUNK + 1, 9 * CHUNK + 7};
    pair_open(pair);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char path[256];
        char target[256];
        char name[32];
        struct answer sent;
        struct answer taken;
        snprintf(name, sizeof name, "f%zu", i);
        make_file(pair, name, sizes[i], path);
        live_path(pair->live, "taken", target);
        unlink(target);
        offer(pair, path, &sent);
        assert_int_equal(take(pair, target, false, &taken), ZCHAT_OK);
        live_expect(pair->live, &sent, ZCHAT_OK);
        live_expect(pair->live, &taken, ZCHAT_OK);
        assert_string_equal(taken.file, name);
        assert_int_equal(taken.size, sizes[i]);
        assert_int_equal(sent.progress_last, sizes[i]);
        same_files(path, target);
    }
    assert_int_equal(zchat_pending(pair->alice->z), 0);
    assert_int_equal(zchat_pending(pair->bob->z), 0);
}

static void a_file_is_refused_or_given_up(void **state) {
    struct pair *pair = *state;
    char path[256];
    char target[256];
    struct answer sent;
    struct answer taken;
    pair_open(pair);
    make_file(pair, "f", 32 * MIB, path);
    live_path(pair->live, "taken", target);
    offer(pair, path, &sent);
    assert_int_equal(take(pair, path, false, &taken), ZCHAT_CONFLICT);
    assert_int_equal(take(pair, NULL, false, &taken), ZCHAT_OK);
    live_expect(pair->live, &taken, ZCHAT_OK);
    live_expect(pair->live, &sent, ZCHAT_FORBIDDEN);
    assert_string_equal(sent.text, "bob does not want f");
    assert_int_equal(take(pair, target, false, &taken), ZCHAT_NOT_FOUND);
    offer(pair, path, &sent);
    assert_int_equal(take(pair, target, false, &taken), ZCHAT_OK);
    LIVE_UNTIL(pair->live, taken.progress_last > MIB);
    zchat_file_cancel(pair->alice->z, &sent);
    live_expect(pair->live, &sent, ZCHAT_CANCELLED);
    live_expect(pair->live, &taken, ZCHAT_UNREACHABLE);
    assert_int_not_equal(access(target, F_OK), 0);
}

static void a_file_goes_on_over_broken_links_and_chats(void **state) {
    struct pair *pair = *state;
    char path[256];
    char target[256];
    struct answer sent;
    struct answer taken;
    pair_open(pair);
    make_file(pair, "f", 64 * MIB, path);
    live_path(pair->live, "taken", target);
    offer(pair, path, &sent);
    assert_int_equal(take(pair, target, false, &taken), ZCHAT_OK);
    LIVE_UNTIL(pair->live, taken.progress_last > 8 * MIB);
    pair_cut_links(pair);
    LIVE_UNTIL(pair->live, taken.progress_last > 24 * MIB);
    assert_int_equal(client_count(pair->bob, ZCHAT_EVENT_PRIVATE_OFFERED), 1);
    assert_int_equal(zchat_private_stop(pair->bob->z, "alice", NULL, NULL), ZCHAT_OK);
    live_expect(pair->live, &sent, ZCHAT_UNREACHABLE);
    live_expect(pair->live, &taken, ZCHAT_UNREACHABLE);
    pair_open(pair);
    offer(pair, path, &sent);
    assert_int_equal(take(pair, target, false, &taken), ZCHAT_OK);
    live_expect(pair->live, &taken, ZCHAT_OK);
    live_expect(pair->live, &sent, ZCHAT_OK);
    assert_true(taken.progress_first > 24 * MIB);
    same_files(path, target);
}

static void append_to(const char *path, size_t bytes) {
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    for (size_t i = 0; i < bytes; i++)
        putc('x', file);
    assert_int_equal(fclose(file), 0);
}

static void a_file_that_changes_while_it_is_sent_is_told_on_both_sides(void **state) {
    struct pair *pair = *state;
    char path[256];
    char target[256];
    char part[600];
    struct answer sent;
    struct answer taken;
    pair_open(pair);
    live_path(pair->live, "taken", target);
    for (int grows = 0; grows < 2; grows++) {
        make_file(pair, "f", 32 * MIB, path);
        offer(pair, path, &sent);
        assert_int_equal(take(pair, target, false, &taken), ZCHAT_OK);
        LIVE_UNTIL(pair->live, taken.progress_last > MIB);
        if (grows)
            append_to(path, 1);
        else
            assert_int_equal(truncate(path, 2 * MIB), 0);
        live_expect(pair->live, &sent, ZCHAT_IO);
        assert_non_null(strstr(sent.text, "changed while it was sent"));
        live_expect(pair->live, &taken, ZCHAT_UNREACHABLE);
        assert_int_not_equal(access(target, F_OK), 0);
        snprintf(part, sizeof part, "! ls -A '%s'/.taken.part-* 2> /dev/null", pair->live->folder);
        assert_int_equal(system(part), 0);
    }
}

static void a_file_that_does_not_end_where_its_size_says_is_not_sent(void **state) {
    struct pair *pair = *state;
    struct answer sent = {0};
    pair_open(pair);
    assert_int_equal(
        zchat_private_file(pair->alice->z, "bob", "/proc/self/status", NULL, live_answer, &sent),
        ZCHAT_IO);
    assert_non_null(strstr(zchat_error(pair->alice->z), "that it says it has"));
    assert_int_equal(client_count(pair->bob, ZCHAT_EVENT_PRIVATE_OFFERED), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(files_of_every_size_arrive_the_same),
        TEST(a_file_is_refused_or_given_up),
        TEST(a_file_goes_on_over_broken_links_and_chats),
        TEST(a_file_that_changes_while_it_is_sent_is_told_on_both_sides),
        TEST(a_file_that_does_not_end_where_its_size_says_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
