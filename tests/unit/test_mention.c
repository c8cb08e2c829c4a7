/* What counts as a mention of a user in a text. */
#include "../../client/cli/mention.h"

#include "unit.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void test_it_finds_a_word_of_its_own(void **state) {
    static const char *const texts[] = {
        "bob",     "hi bob",   "bob: hi", "@bob",      "(bob)",    "bob's",
        "BoB!",    "ask bob.", "bob...",  "a\nbob\nb", "bob, you", "bob@host",
        "...bob",  "bobさん",  "日本bob", "bob😀",      "\"bob\"",  "bobby and bob",
        "x/bob/y", "bob-",     "-bob",    "«bob»",     "bob?",     "a. bob",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!mention_is_in(texts[i], "bob"))
            fail_msg("%s does not mention bob", texts[i]);
}

static void test_it_is_not_a_part_of_another_word(void **state) {
    static const char *const texts[] = {
        "",     "bo",      "bobby",       "kabob",     "bob_",   "_bob", "bob1",
        "1bob", "bob-cat", "cat-bob",     "bob.smith", "mr.bob", "ébob", "bobé",
        "жbob", "bobж",    "bob\xCC\x81", "b ob",      "bo\nb",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (mention_is_in(texts[i], "bob"))
            fail_msg("%s mentions bob", texts[i]);
    assert_false(mention_is_in("anything", ""));
}

static void test_it_finds_each_one(void **state) {
    const char *text = "bob, Bob and bobby; BOB";
    size_t bytes = strlen(text);
    (void)state;
    assert_int_equal(mention_find(text, bytes, 0, "bob"), 0);
    assert_int_equal(mention_find(text, bytes, 1, "bob"), 5);
    assert_int_equal(mention_find(text, bytes, 6, "bob"), 20);
    assert_int_equal(mention_find(text, bytes, 21, "bob"), bytes);
    assert_int_equal(mention_find(text, 19, 6, "bob"), 19);
}

static void test_a_name_may_have_points_and_dashes(void **state) {
    (void)state;
    assert_true(mention_is_in("so user.007, come", "user.007"));
    assert_true(mention_is_in("user.007.", "user.007"));
    assert_false(mention_is_in("user.0077", "user.007"));
    assert_false(mention_is_in("userx007", "user.007"));
    assert_true(mention_is_in("it is -x- now", "-x-"));
}

static void test_bytes_that_are_no_characters_end_a_word(void **state) {
    (void)state;
    assert_true(mention_is_in("\xFF"
                              "bob\xFF",
                              "bob"));
    assert_true(mention_is_in("\xBF\xBF\xBF\xBF\xBF"
                              "bob",
                              "bob"));
    assert_true(mention_is_in("bob\xE6", "bob"));
}

/* Quadratic, this would take hours. */
static void test_the_time_is_linear(void **state) {
    size_t bytes = 8u << 20;
    char *text = malloc(bytes + 1);
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < bytes; i++)
        text[i] = "bob_"[i % 4];
    text[bytes] = '\0';
    clock_t start = clock();
    assert_false(mention_is_in(text, "bob"));
    assert_true((clock() - start) / CLOCKS_PER_SEC < 20);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_finds_a_word_of_its_own),
        cmocka_unit_test(test_it_is_not_a_part_of_another_word),
        cmocka_unit_test(test_it_finds_each_one),
        cmocka_unit_test(test_a_name_may_have_points_and_dashes),
        cmocka_unit_test(test_bytes_that_are_no_characters_end_a_word),
        cmocka_unit_test(test_the_time_is_linear),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
