/* unicode.h: stored forms of titles and passwords, and which titles look alike. */
#include "unicode.h"

#include "unit.h"

#include <string.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>

static void expect_title(const char *typed, const char *wanted) {
    char out[600];
    assert_true(unicode_title(typed, out, sizeof out));
    assert_string_equal(out, wanted);
}

static void a_title_has_one_form_without_blanks_at_its_ends(void **state) {
    (void)state;
    expect_title("harvest", "harvest");
    expect_title("  harvest of  apples ", "harvest of  apples");
    expect_title("\u00A0\u3000harvest\u2003\u2800", "harvest");
    expect_title("cafe\u0301", "caf\u00E9");
    expect_title("\u212B", "\u00C5"); /* the sign of the unit is the letter */
    expect_title("   ", "");
    expect_title("\u3000", "");
    expect_title("", "");
}

static void what_does_not_fit_is_said(void **state) {
    char out[6] = "as it";
    (void)state;
    assert_false(unicode_title("harvest", out, sizeof out));
    assert_false(unicode_title("\u0958\u0958", out, sizeof out)); /* grows */
    assert_string_equal(out, "as it");
    assert_true(unicode_title("e\u0301e\u0301", out, 5));
    assert_string_equal(out, "\u00E9\u00E9");
}

static void a_password_is_the_same_from_every_keyboard(void **state) {
    char out[100];
    (void)state;
    assert_true(unicode_password("Gro\u0308\u00DFe\u00A0\u30001 ", out, sizeof out));
    assert_string_equal(out, "Gr\u00F6\u00DFe  1 ");
    assert_true(unicode_password(" plain ", out, sizeof out));
    assert_string_equal(out, " plain ");
    assert_false(unicode_password("\u00F6123", out, 5));
}

static bool alike(const char *a, const char *b) {
    char look[2][LOOK_BYTES], folded[2][LOOK_BYTES];
    assert_true(unicode_look(a, look[0]) && unicode_look(b, look[1]));
    assert_true(unicode_fold(a, folded[0]) && unicode_fold(b, folded[1]));
    return strcmp(look[0], look[1]) == 0 && strcmp(folded[0], folded[1]) != 0;
}

static void titles_that_look_alike_have_one_look(void **state) {
    (void)state;
    assert_true(alike("harvest", "h\u0430rvest")); /* Cyrillic */
    assert_true(alike("harvest", "H\u0430rvest"));
    assert_true(alike("HARVEST", "h\u0430rvest"));
    assert_true(alike("\u0410\u0412\u0421", "ABC"));
    assert_true(alike("paypal", "paypa1"));
    assert_true(alike("two words", "two  words"));
    assert_true(alike("two words", "two\u00A0words"));
    assert_true(alike("\u2764", "\u2764\uFE0F"));
    assert_true(alike("\u0645\u06CC\u200C\u062E", "\u0645\u06CC\u062E"));
    assert_true(alike("..", "\u2025"));
    assert_true(alike("finance", "\uFB01nance"));       /* the ligature */
    assert_true(alike("5 \u03BCm", "5 \u00B5m"));       /* the micro sign */
    assert_true(alike("\u0432\u043E", "\u1C80\u043E")); /* the rounded ve */
}

static void titles_that_everybody_can_tell_apart_do_not(void **state) {
    (void)state;
    assert_false(alike("harvest", "Harvest"));
    assert_false(alike("gr\u00F6\u00DFe", "GR\u00D6SSE"));
    assert_false(alike("\u03BF\u03B4\u03CC\u03C2", "\u039F\u0394\u038C\u03A3"));
    assert_false(alike("\u13A0\u13A1", "\uAB70\uAB71"));
    assert_false(alike("harvest", "harvests"));
    assert_false(alike("caf\u00E9", "cafe"));
    assert_false(alike("\u4F60\u597D", "\u4F60\u4EEC"));
    assert_false(alike("2026", "2025"));
}

/* Without ICU for ASCII: the same look as with it. */
static void ascii_has_the_look_that_icu_gives_it(void **state) {
    (void)state;
    for (char c = 0x20; c < 0x7F; c++) {
        char with[LOOK_BYTES], without[LOOK_BYTES];
        const char plain[] = {'x', c, 'y', '\0'}, other[] = {'x', c, 'y', '\xD7', '\x90', '\0'};
        assert_true(unicode_look(plain, without) && unicode_look(other, with));
        assert_memory_equal(with, without, strlen(without));
        assert_true((unsigned char)with[strlen(without)] >= 0x80);
    }
}

static void the_longest_title_has_a_look(void **state) {
    char title[128 * 4 + 1] = "", look[LOOK_BYTES];
    (void)state;
    for (int i = 0; i < 128; i++)
        strcat(title, "\uFDFA");
    assert_true(unicode_look(title, look));
    assert_true(unicode_fold(title, look));
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_title_has_one_form_without_blanks_at_its_ends),
        cmocka_unit_test(what_does_not_fit_is_said),
        cmocka_unit_test(a_password_is_the_same_from_every_keyboard),
        cmocka_unit_test(titles_that_look_alike_have_one_look),
        cmocka_unit_test(titles_that_everybody_can_tell_apart_do_not),
        cmocka_unit_test(ascii_has_the_look_that_icu_gives_it),
        cmocka_unit_test(the_longest_title_has_a_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
