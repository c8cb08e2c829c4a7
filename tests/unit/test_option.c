/* common/option.h: how argv is taken apart, and which texts a value may have. */
#include "common/option.h"

#include "unit.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum colour { COLOUR_RED, COLOUR_GREEN };

struct values {
    const char *name;
    uint64_t count;
    uint32_t port;
    double seconds;
    enum colour colour;
    bool quiet;
    bool verbose;
    char words[64]; /* each with '+' before it if it stood before "--", else '-' */
};

#define FIELD(of) OPTION_FIELD(struct values, of)

static const struct option rows[] = {
    {"name", 'n', OPTION_TEXT, 0, FIELD(name), .argument = "NAME", .help = "what it is called"},
    {"count", 'c', OPTION_NUMBER, 0, FIELD(count), 1, OPTION_NUMBER_MAX, .argument = "N",
     .environment = "ZCHAT_TEST_COUNT", .help = "how many"},
    {"port", 0, OPTION_NUMBER, 0, FIELD(port), 0, 65533, .standard = "4000", .argument = "N",
     .help = "where"},
    {"seconds", 0, OPTION_SECONDS, 0, FIELD(seconds), 0.5, 3600, .unit = "seconds", .argument = "S",
     .help = "how long"},
    {"colour", 0, OPTION_CHOICE, 0, FIELD(colour), .choices = {"red", "green"}, .help = "which"},
    {"quiet", 'q', OPTION_FLAG, 0, FIELD(quiet), .help = "say less"},
    {"verbose", 'v', OPTION_FLAG, 0, FIELD(verbose), .help = "say more"},
    {"grouped", 0, OPTION_FLAG, 2, FIELD(verbose), .help = "of another group"},
};
static const struct option_table table = {.rows = rows,
                                          .count = sizeof rows / sizeof rows[0],
                                          .group = 1,
                                          .apart = true,
                                          .hint = "try another"};

static bool set(void *values, const struct option *option, const char *text,
                char fault[OPTION_FAULT_BYTES]) {
    return option_set(option, values, text, fault);
}

static bool add_word(void *arg, const char *word, bool plain, char fault[OPTION_FAULT_BYTES]) {
    struct values *values = arg;
    (void)fault;
    strcat(values->words, plain ? "+" : "-");
    strcat(values->words, word);
    return true;
}

static char error[OPTION_FAULT_BYTES];

#define READ(...) read_words((char *[]){__VA_ARGS__, NULL})
static struct values read_words(char **words) {
    struct values values = {0};
    struct option_sink sink = {.set = set, .word = add_word, .arg = &values};
    option_set_standards(&table, &values);
    option_read_argv(&table, &sink, words, error);
    return values;
}

static void a_value_stands_in_each_of_its_places(void **state) {
    (void)state;
    assert_string_equal(READ("--name", "x").name, "x");
    assert_string_equal(READ("--name=x").name, "x");
    assert_string_equal(READ("-n", "x").name, "x");
    assert_string_equal(READ("-nx").name, "x");
    struct values values = READ("a", "-qvn", "x", "b", "--", "--name", "-");
    assert_true(values.quiet && values.verbose);
    assert_string_equal(values.name, "x");
    assert_string_equal(values.words, "+a+b---name--");
    assert_int_equal(values.port, 4000);
    assert_string_equal(READ("-", "--port=1").words, "+-");
    assert_string_equal(error, "");
}

static void values_have_the_type_of_their_field(void **state) {
    (void)state;
    assert_int_equal(READ("--port", "65533").port, 65533);
    assert_true(READ("--count", "18446744073709551615").count == UINT64_MAX);
    assert_true(READ("--seconds", "1.5").seconds == 1.5);
    assert_int_equal(READ("--colour", "green").colour, COLOUR_GREEN);
    assert_int_equal(setenv("ZCHAT_TEST_COUNT", "7", 1), 0);
    struct values values = {0};
    struct option_sink sink = {.set = set, .arg = &values};
    assert_true(option_read_environment(&table, &sink, error));
    assert_int_equal(values.count, 7);
    assert_int_equal(setenv("ZCHAT_TEST_COUNT", "x", 1), 0);
    assert_false(option_read_environment(&table, &sink, error));
    assert_string_equal(error, "ZCHAT_TEST_COUNT wants a whole number from 1 on, not \"x\"");
}

#define REFUSED(sentence, ...)                                                                     \
    do {                                                                                           \
        READ(__VA_ARGS__);                                                                         \
        assert_string_equal(error, sentence);                                                      \
    } while (0)

static void what_is_wrong_is_said_with_what_would_be_right(void **state) {
    (void)state;
    REFUSED("--port wants a whole number from 0 to 65533, not \"65534\"", "--port", "65534");
    REFUSED("--port wants a whole number from 0 to 65533, not \"-1\"", "--port", "-1");
    REFUSED("--port wants a whole number from 0 to 65533, not \" 1\"", "--port", " 1");
    REFUSED("--port wants a whole number from 0 to 65533, and must not be empty", "--port=");
    REFUSED("--count wants a whole number from 1 on, not \"0\"", "-c0");
    REFUSED("--count wants a whole number from 1 on, not \"18446744073709551616\"", "--count",
            "18446744073709551616");
    REFUSED("--seconds wants a number from 0.5 to 3600 (seconds), not \"1e2\"", "--seconds=1e2");
    REFUSED("--seconds wants a number from 0.5 to 3600 (seconds), not \"nan\"", "--seconds=nan");
    REFUSED("--colour wants red or green, not \"blue\"", "--colour", "blue");
    REFUSED("--quiet takes no value", "--quiet=yes");
    REFUSED("--name needs a value: NAME", "--name");
    REFUSED("--name needs a value: NAME", "-n", "--quiet");
    REFUSED("--nmae is no option, did you mean --name?", "--nmae=x");
    REFUSED("--grouped is no option; try another", "--grouped");
    REFUSED("-qx is no option; try another", "-qx");
}

static void it_reads_on_and_tells_the_first_thing_that_is_wrong(void **state) {
    (void)state;
    assert_true(READ("--port", "x", "--colour", "y", "-q").quiet);
    assert_string_equal(error, "--port wants a whole number from 0 to 65533, not \"x\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_stands_in_each_of_its_places),
        cmocka_unit_test(values_have_the_type_of_their_field),
        cmocka_unit_test(what_is_wrong_is_said_with_what_would_be_right),
        cmocka_unit_test(it_reads_on_and_tells_the_first_thing_that_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
