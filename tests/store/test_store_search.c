/* Searching: what is found, by whom, and what an index that is lost or another store's does. */
#include "forum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WAIT_S      60
#define PAGE_BYTES  4096
#define FOUND_BYTES 8192

struct scene {
    struct fixture *fixture;
    int64_t han, luke, leia;
};

static int setup(void **state) {
    struct scene *scene = calloc(1, sizeof *scene);
    scene->fixture = fixture_in_folder();
    scene->fixture->options.searched = true;
    fixture_open(scene->fixture);
    scene->han = fixture_account(scene->fixture, "han");
    scene->luke = fixture_account(scene->fixture, "luke");
    scene->leia = fixture_account(scene->fixture, "leia");
    *state = scene;
    return 0;
}

static int teardown(void **state) {
    struct scene *scene = *state;
    fixture_free(scene->fixture);
    free(scene);
    return 0;
}

/* ---- a search, as lines: "luke: text" and "thread 1 luke: text" ---- */

struct found {
    char text[FOUND_BYTES];
    size_t count;
};

static bool add(void *arg, const struct store_found *hit) {
    struct found *found = arg;
    size_t at = strlen(found->text), left = sizeof found->text - at;
    found->count++;
    if (hit->is_post)
        snprintf(found->text + at, left, "%s %llu %s: %.*s\n", hit->thread.title,
                 (unsigned long long)hit->post.number, hit->post.user, (int)hit->post.text_bytes,
                 hit->post.text);
    else
        snprintf(found->text + at, left, "%s: %.*s\n", hit->message.from,
                 (int)hit->message.text_bytes, hit->message.text);
    return true;
}

static enum store_status search_from(struct scene *scene, int64_t account, const char *words,
                                     int64_t before, size_t limit, struct found *found,
                                     struct store_searched *searched) {
    struct store_search search = {
        .account = account, .words = words, .before = before, .limit = limit};
    return store_search(scene->fixture->store, &search, add, found, searched);
}

/* The index is made behind the store's back: waits until it has all. */
static void wait_for_index(struct scene *scene) {
    const struct timespec moment = {.tv_nsec = 5000000};
    struct store_searched searched = {.behind = 1};
    for (time_t begun = time(NULL); searched.behind > 0;) {
        struct found found = {0};
        assert_true(time(NULL) - begun < WAIT_S);
        assert_ok(search_from(scene, scene->han, "nothing", 0, 1, &found, &searched));
        nanosleep(&moment, NULL);
    }
}

static void expect(struct scene *scene, int64_t account, const char *words, const char *lines) {
    struct found found = {0};
    struct store_searched searched;
    wait_for_index(scene);
    assert_ok(search_from(scene, account, words, 0, 50, &found, &searched));
    assert_string_equal(found.text, lines);
    assert_false(searched.more);
}

/* ---- words ---- */

static void words_are_found_whatever_their_case_and_accents(void **state) {
    struct scene *scene = *state;
    fixture_sent(scene->fixture, scene->luke, "han", "Meet me at the Café, at noon");
    expect(scene, scene->han, "cafe", "luke: Meet me at the Café, at noon\n");
    expect(scene, scene->han, "CAFÉ noon", "luke: Meet me at the Café, at noon\n");
    expect(scene, scene->han, "caf", "");
    expect(scene, scene->han, "caf*", "");
    expect(scene, scene->han, "cafe — … noon", "luke: Meet me at the Café, at noon\n");
    expect(scene, scene->han, "cafe midnight", "");
}

static void an_accent_of_its_own_is_the_same_as_one_within_the_letter(void **state) {
    struct scene *scene = *state;
    fixture_sent(scene->fixture, scene->luke, "han", "cafe\xCC\x81");
    expect(scene, scene->han, "caf\xC3\xA9", "luke: cafe\xCC\x81\n");
}

static void words_in_quotes_follow_each_other(void **state) {
    struct scene *scene = *state;
    fixture_sent(scene->fixture, scene->luke, "han", "red leader standing by");
    fixture_sent(scene->fixture, scene->luke, "han", "the leader is red");
    expect(scene, scene->han, "\"red leader\"", "luke: red leader standing by\n");
    expect(scene, scene->han, "leader red",
           "luke: the leader is red\nluke: red leader standing by\n");
}

static void scripts_without_spaces_are_found_inside_a_line(void **state) {
    struct scene *scene = *state;
    fixture_sent(scene->fixture, scene->luke, "han", "明日は東京タワーで会いましょう");
    fixture_sent(scene->fixture, scene->luke, "han", "พรุ่งนี้เจอกันที่ตลาด");
    fixture_sent(scene->fixture, scene->luke, "han", "до встречи в Москве");
    expect(scene, scene->han, "東京", "luke: 明日は東京タワーで会いましょう\n");
    expect(scene, scene->han, "京東", "");
    expect(scene, scene->han, "ตลาด", "luke: พรุ่งนี้เจอกันที่ตลาด\n");
    expect(scene, scene->han, "москве", "luke: до встречи в Москве\n");
}

static void what_means_something_to_the_index_is_text(void **state) {
    static const char *const odd[] = {
        "NOT", "AND", "a AND b", "owner:i1", "{text}: x", "(x",     "x OR y", "NEAR(x y)", "^x",
        "-x",  "*",   "\"",      "\"x",      "x\"y\"z",   "text:x", "';--",   "\\",        "x*y"};
    struct scene *scene = *state;
    fixture_sent(scene->fixture, scene->luke, "han", "nothing of that");
    wait_for_index(scene);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct found found = {0};
        struct store_searched searched;
        enum store_status status = search_from(scene, scene->han, odd[i], 0, 50, &found, &searched);
        assert_true(status == STORE_OK || status == STORE_NO_WORD);
        assert_string_equal(found.text, "");
    }
}

static void without_a_word_nothing_is_searched(void **state) {
    static const char *const none[] = {
        "",      "  ", "!?", "\"\"", "* *",
        "\" \"", "—",  "…*", "🙂", "a b c d e f g h i j k l m n o p q r s t u v w x y"};
    struct scene *scene = *state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        struct found found = {0};
        struct store_searched searched;
        assert_int_equal(search_from(scene, scene->han, none[i], 0, 50, &found, &searched),
                         STORE_NO_WORD);
    }
}

/* ---- who finds what ---- */

static void messages_are_found_by_both_sides_and_nobody_else(void **state) {
    struct scene *scene = *state;
    fixture_sent(scene->fixture, scene->luke, "han", "the secret plans");
    expect(scene, scene->han, "plans", "luke: the secret plans\n");
    expect(scene, scene->luke, "plans", "luke: the secret plans\n");
    expect(scene, scene->leia, "plans", "");
}

static void posts_are_found_by_everybody_as_they_stand(void **state) {
    struct scene *scene = *state;
    struct fixture *fixture = scene->fixture;
    (void)forum_thread(fixture, scene->han, "ships");
    (void)forum_posted(fixture, scene->han, "ships", "the falcon is fast");
    (void)forum_posted(fixture, scene->luke, "ships", "an x wing is faster");
    expect(scene, scene->leia, "falcon", "ships 1 han: the falcon is fast\n");
    struct store_post_changed changed;
    assert_ok(forum_edit(
        fixture,
        &(struct forum_change){
            .title = "ships", .account = scene->han, .number = 1, .text = "the hawk is fast"},
        &changed));
    expect(scene, scene->leia, "falcon", "");
    expect(scene, scene->leia, "hawk", "ships 1 han: the hawk is fast\n");
    assert_ok(forum_delete(
        fixture, &(struct forum_change){.title = "ships", .account = scene->han, .number = 1},
        &changed));
    expect(scene, scene->leia, "hawk", "");
    expect(scene, scene->leia, "wing", "ships 1 luke: an x wing is faster\n");
}

static void a_removed_threads_posts_are_found_no_more(void **state) {
    struct scene *scene = *state;
    struct store_thread thread;
    (void)forum_thread(scene->fixture, scene->han, "ships");
    (void)forum_posted(scene->fixture, scene->han, "ships", "the falcon is fast");
    expect(scene, scene->leia, "falcon", "ships 1 han: the falcon is fast\n");
    fixture_begin(scene->fixture);
    assert_ok(store_thread_remove(scene->fixture->store, "ships", scene->han, false, &thread));
    fixture_commit(scene->fixture);
    expect(scene, scene->leia, "falcon", "");
}

/* ---- pages ---- */

static void pages_follow_each_other_without_a_hole(void **state) {
    struct scene *scene = *state;
    char text[64];
    for (int i = 0; i < 250; i++) {
        snprintf(text, sizeof text, "number %d of many", i);
        fixture_sent(scene->fixture, i % 2 ? scene->luke : scene->leia, "han", text);
    }
    wait_for_index(scene);
    struct store_searched searched = {.more = true};
    int next = 249;
    for (int64_t before = 0; searched.more; before = searched.before) {
        struct found found = {0};
        assert_ok(search_from(scene, scene->han, "many", before, 7, &found, &searched));
        for (char *line = strtok(found.text, "\n"); line; line = strtok(NULL, "\n"), next--) {
            snprintf(text, sizeof text, "%s: number %d of many", next % 2 ? "luke" : "leia", next);
            assert_string_equal(line, text);
        }
    }
    assert_int_equal(next, -1);
}

/* ---- the index itself ---- */

static void the_index_goes_on_after_a_restart(void **state) {
    struct scene *scene = *state;
    fixture_sent(scene->fixture, scene->luke, "han", "before the restart");
    wait_for_index(scene);
    fixture_reopen(scene->fixture);
    fixture_sent(scene->fixture, scene->luke, "han", "after the restart");
    expect(scene, scene->han, "restart", "luke: after the restart\nluke: before the restart\n");
}

static void index_path(const struct scene *scene, char out[FIXTURE_PATH_BYTES + 16]) {
    snprintf(out, FIXTURE_PATH_BYTES + 16, "%s-words", scene->fixture->path);
}

static void a_lost_index_is_made_anew(void **state) {
    struct scene *scene = *state;
    char path[FIXTURE_PATH_BYTES + 16];
    index_path(scene, path);
    fixture_sent(scene->fixture, scene->luke, "han", "a needle");
    expect(scene, scene->han, "needle", "luke: a needle\n");
    fixture_close(scene->fixture);
    assert_int_equal(unlink(path), 0);
    fixture_open(scene->fixture);
    expect(scene, scene->han, "needle", "luke: a needle\n");
}

/* From `begin` on; end -1: all. */
static void damage(const char *path, long begin, long end) {
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    end = end < 0 ? ftell(file) : end;
    assert_int_equal(fseek(file, begin, SEEK_SET), 0);
    for (long at = begin; at < end; at++)
        assert_int_equal(fputc('x', file), 'x');
    assert_int_equal(fclose(file), 0);
}

static void a_damaged_index_is_made_anew(void **state) {
    struct scene *scene = *state;
    char path[FIXTURE_PATH_BYTES + 16];
    index_path(scene, path);
    fixture_sent(scene->fixture, scene->luke, "han", "a needle");
    wait_for_index(scene);
    fixture_close(scene->fixture);
    damage(path, 0, PAGE_BYTES);
    fixture_open(scene->fixture);
    expect(scene, scene->han, "needle", "luke: a needle\n");
}

static void an_index_damaged_while_it_is_open_is_made_anew(void **state) {
    const struct timespec moment = {.tv_nsec = 5000000}; /* nothing tells that it is made */
    struct scene *scene = *state;
    char path[FIXTURE_PATH_BYTES + 16];
    struct found found = {0};
    struct store_searched searched;
    index_path(scene, path);
    fixture_sent(scene->fixture, scene->luke, "han", "a needle");
    wait_for_index(scene);
    fixture_reopen(scene->fixture);
    damage(path, PAGE_BYTES, -1); /* what is not read before the first search */
    assert_int_equal(search_from(scene, scene->han, "needle", 0, 50, &found, &searched),
                     STORE_NO_INDEX);
    for (time_t begun = time(NULL);
         search_from(scene, scene->han, "needle", 0, 50, &found, &searched) == STORE_NO_INDEX;) {
        assert_true(time(NULL) - begun < WAIT_S);
        nanosleep(&moment, NULL);
    }
    fixture_sent(scene->fixture, scene->luke, "han", "another needle");
    expect(scene, scene->han, "needle", "luke: another needle\nluke: a needle\n");
    fixture_reopen(scene->fixture);
    expect(scene, scene->han, "needle", "luke: another needle\nluke: a needle\n");
}

static void another_stores_index_is_made_anew(void **state) {
    struct scene *scene = *state;
    char path[FIXTURE_PATH_BYTES + 16], kept[FIXTURE_PATH_BYTES + 32];
    index_path(scene, path);
    snprintf(kept, sizeof kept, "%s.kept", path);
    fixture_sent(scene->fixture, scene->luke, "han", "a needle");
    wait_for_index(scene);
    fixture_close(scene->fixture);
    assert_int_equal(rename(path, kept), 0);
    fixture_open(scene->fixture);
    fixture_sent(scene->fixture, scene->luke, "han", "and a haystack");
    wait_for_index(scene);
    assert_ok(store_wipe(scene->fixture->store));
    scene->han = fixture_account(scene->fixture, "han");
    scene->luke = fixture_account(scene->fixture, "luke");
    fixture_sent(scene->fixture, scene->luke, "han", "only hay");
    fixture_close(scene->fixture);
    assert_int_equal(rename(kept, path), 0);
    fixture_open(scene->fixture);
    expect(scene, scene->han, "needle", "");
    expect(scene, scene->han, "hay", "luke: only hay\n");
}

static void a_wipe_takes_the_words_along(void **state) {
    struct scene *scene = *state;
    fixture_sent(scene->fixture, scene->luke, "han", "a needle");
    expect(scene, scene->han, "needle", "luke: a needle\n");
    assert_ok(store_wipe(scene->fixture->store));
    scene->han = fixture_account(scene->fixture, "han");
    expect(scene, scene->han, "needle", "");
}

static void a_store_without_an_index_says_so(void **state) {
    struct scene *scene = *state;
    struct found found = {0};
    struct store_searched searched;
    fixture_close(scene->fixture);
    scene->fixture->options.searched = false;
    fixture_open(scene->fixture);
    assert_int_equal(search_from(scene, scene->han, "needle", 0, 50, &found, &searched),
                     STORE_NO_INDEX);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(words_are_found_whatever_their_case_and_accents),
        TEST(an_accent_of_its_own_is_the_same_as_one_within_the_letter),
        TEST(words_in_quotes_follow_each_other),
        TEST(scripts_without_spaces_are_found_inside_a_line),
        TEST(what_means_something_to_the_index_is_text),
        TEST(without_a_word_nothing_is_searched),
        TEST(messages_are_found_by_both_sides_and_nobody_else),
        TEST(posts_are_found_by_everybody_as_they_stand),
        TEST(a_removed_threads_posts_are_found_no_more),
        TEST(pages_follow_each_other_without_a_hole),
        TEST(the_index_goes_on_after_a_restart),
        TEST(a_lost_index_is_made_anew),
        TEST(a_damaged_index_is_made_anew),
        TEST(an_index_damaged_while_it_is_open_is_made_anew),
        TEST(another_stores_index_is_made_anew),
        TEST(a_wipe_takes_the_words_along),
        TEST(a_store_without_an_index_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
