/* text.h: what is UTF-8, what cleaning leaves, what is a name. */
#include "text.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

/* A string literal with its bytes, NULs within it included. */
#define BYTES(literal) (literal), sizeof(literal) - 1

static void assert_cleaned(size_t (*cleaner)(char *, size_t), const char *text, size_t text_bytes,
                           const char *wanted) {
    char *copy = malloc(text_bytes + 1);
    assert_non_null(copy);
    memcpy(copy, text, text_bytes);
    copy[text_bytes] = '#';
    size_t left = cleaner(copy, text_bytes);
    assert_int_equal(left, strlen(wanted));
    assert_memory_equal(copy, wanted, left);
    assert_int_equal(copy[left], left < text_bytes ? '\0' : '#');
    free(copy);
}

#define ASSERT_CLEAN(text, wanted) assert_cleaned(text_clean, BYTES(text), wanted)
#define ASSERT_LINE(text, wanted)  assert_cleaned(text_clean_line, BYTES(text), wanted)

static void utf8_is_accepted(void **state) {
    (void)state;
    assert_true(text_is_utf8(NULL, 0));
    assert_true(text_is_utf8(BYTES("plain text of more than eight bytes\n\t\x7f")));
    assert_true(text_is_utf8(BYTES("\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xef\xbf\xbf")));
    assert_true(text_is_utf8(BYTES("\xed\x9f\xbf \xee\x80\x80")));
    assert_true(text_is_utf8(BYTES("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf")));
    assert_true(text_is_utf8(BYTES("\xef\xbf\xbe \xef\xb7\x90"))); /* noncharacters */
}

static void what_is_not_utf8_is_refused(void **state) {
    static const char *const bad[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xc2 ",
        "\xe0\x9f\xbf",
        "\xe2\x82",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x9f\x98",
        "\xff",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xfe",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        /* At each distance from the words and blocks that are checked at once. */
        for (size_t before = 0; before < 70; before++) {
            char text[128];
            memset(text, 'x', sizeof text);
            memcpy(text + before, bad[i], strlen(bad[i]));
            assert_false(text_is_utf8(text, before + strlen(bad[i])));
            assert_false(text_is_utf8(text, sizeof text));
            text[before] = '\0';
            memset(text + before + 1, 'x', sizeof text - before - 1);
            assert_false(text_is_utf8(text, before + 1));
            assert_false(text_is_utf8(text, sizeof text));
        }
    }
}

static void text_that_is_clean_stays(void **state) {
    (void)state;
    ASSERT_CLEAN("", "");
    ASSERT_CLEAN("hello,\n\tworld", "hello,\n\tworld");
    ASSERT_CLEAN("na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80",
                 "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80");
    ASSERT_CLEAN("e\xcc\x81", "e\xcc\x81");                                       /* combining */
    ASSERT_CLEAN("\xe2\x9d\xa4\xef\xb8\x8f", "\xe2\x9d\xa4\xef\xb8\x8f");         /* FE0F */
    ASSERT_CLEAN("\xe8\xbe\xbb\xf3\xa0\x84\x80", "\xe8\xbe\xbb\xf3\xa0\x84\x80"); /* E0100 */
    ASSERT_CLEAN("\xef\xbf\xbe\xef\xb7\x90", "\xef\xbf\xbe\xef\xb7\x90");
    ASSERT_CLEAN("\xc2\xa0\xe3\x80\x80", "\xc2\xa0\xe3\x80\x80"); /* spaces with a width */
}

static void control_characters_go(void **state) {
    (void)state;
    for (int c = 0; c < 0x20; c++) {
        char text[] = {'a', (char)c, 'b'};
        bool stays = c == '\n' || c == '\t';
        assert_cleaned(text_clean, text, 3,
                       stays       ? (c == '\n' ? "a\nb" : "a\tb")
                       : c == 0x1B ? "a"
                                   : "ab");
    }
    ASSERT_CLEAN("a\x7f"
                 "b",
                 "ab");
    ASSERT_CLEAN("a\r\nb", "a\nb");
    ASSERT_CLEAN("a\xc2\x84\xc2\x8d\xc2\x85z", "az");
    ASSERT_CLEAN("a\x84\x8d\x85z", "az");
}

/* At each place of the words of eight that are passed over at once. */
static void every_byte_of_a_long_text_is_looked_at(void **state) {
    static const char plain[] = "the quick brown fox ~ jumps!";
    (void)state;
    for (size_t place = 0; place < sizeof plain - 1; place++) {
        for (int c = 0; c < 0x80; c++) {
            char text[sizeof plain + 1], wanted[sizeof plain + 1];
            bool stays = (c >= 0x20 && c < 0x7F) || c == '\n' || c == '\t';
            if (c == 0x1B) /* takes along what follows */
                continue;
            memcpy(text, plain, place);
            text[place] = (char)c;
            memcpy(text + place + 1, plain + place, sizeof plain - place);
            memcpy(wanted, text, sizeof wanted);
            if (!stays)
                memmove(wanted + place, wanted + place + 1, sizeof wanted - place - 1);
            assert_cleaned(text_clean, text, sizeof plain, wanted);
        }
    }
}

static void whole_sequences_go(void **state) {
    (void)state;
    ASSERT_CLEAN("a\x1b[1;31mred\x1b[0m", "ared");
    ASSERT_CLEAN("a\x1b[?25l\x1b[2 q\x1b[>4;2mb", "ab");
    ASSERT_CLEAN("a\xc2\x9b"
                 "31mb\x9b"
                 "31mc",
                 "abc");
    ASSERT_CLEAN("a\x1b"
                 "c\x1b(0\x1b#8\x1b"
                 "7\x1b=b",
                 "ab");
    ASSERT_CLEAN("a\x1bM\x1b"
                 "Eb",
                 "ab");
    ASSERT_CLEAN("a\x1b]0;title\x07"
                 "b",
                 "ab");
    ASSERT_CLEAN("a\x1b]0;title\x1b\\b", "ab");
    ASSERT_CLEAN("a\x1b]8;;http://x/\x1b\\link\x1b]8;;\x1b\\b", "alinkb");
    ASSERT_CLEAN("a\xc2\x9d"
                 "52;c;eA==\xc2\x9c"
                 "b",
                 "ab");
    ASSERT_CLEAN("a\x9d"
                 "52;c;eA==\x9c"
                 "b",
                 "ab");
    ASSERT_CLEAN("a\x1bP1$r0m\x1b\\b\x1bXsos\x1b\\c\x1b^pm\x1b\\d\x1b_apc\x1b\\e", "abcde");
    ASSERT_CLEAN("a\x1bPq\x07still\x1b\\b", "ab"); /* BEL ends an OSC only */
    ASSERT_CLEAN("a\x1b]0;\xe2\x82\xac\xc5\x9c\x07"
                 "b",
                 "ab"); /* 9C within UTF-8 ends nothing */
}

static void broken_sequences_leave_nothing_dangerous(void **state) {
    (void)state;
    ASSERT_CLEAN("a\x1b", "a");
    ASSERT_CLEAN("a\x1b[", "a");
    ASSERT_CLEAN("a\x1b[31", "a");
    ASSERT_CLEAN("a\x1b(", "a");
    ASSERT_CLEAN("a\x1b\x1b[31mb", "ab");
    ASSERT_CLEAN("a\x1b[\x1b[31mmb", "amb");
    ASSERT_CLEAN("a\x1b[3\n1m", "a\n1m");
    ASSERT_CLEAN("a\x1b[3\xc3\xa9", "a\xc3\xa9");
    ASSERT_CLEAN("a\x1b\xe2\x80\x8b[31mb", "a[31mb");
    ASSERT_CLEAN("a\xc2\x1b[m\x9b"
                 "31mb",
                 "ab");
    ASSERT_CLEAN("a\x1b]0;x\x18"
                 "b",
                 "ab");
    ASSERT_CLEAN("a\x1b]0;x\x1b[1mb", "ab");
}

static void an_unterminated_string_takes_one_line_at_most(void **state) {
    (void)state;
    ASSERT_CLEAN("a\x1b]0;title\nb", "a\nb");
    ASSERT_CLEAN("a\x1bPdata\nb", "a\nb");
    ASSERT_CLEAN("a\xc2\x98sos\nb", "a\nb");
    ASSERT_CLEAN("a\x9f"
                 "apc\nb",
                 "a\nb");
    ASSERT_CLEAN("a\x1b]0;title", "a");
}

static void a_control_goes_from_every_place(void **state) {
    (void)state;
    for (size_t bytes = 1; bytes < 80; bytes++) {
        for (size_t place = 0; place < bytes; place++) {
            char text[80];
            memset(text, 'x', bytes);
            text[place] = '\a';
            assert_int_equal(text_clean(text, bytes), bytes - 1);
            assert_null(memchr(text, '\a', bytes - 1));
        }
    }
}

static void invalid_utf8_goes(void **state) {
    (void)state;
    ASSERT_CLEAN("a\xff\xfe\xc0\xafz", "az");
    ASSERT_CLEAN("a\xe2\x82z", "az");
    ASSERT_CLEAN("a\xe2\x9dz\n", "az\n"); /* what is left of a character is no OSC */
    ASSERT_CLEAN("a\xf0\x9f\x98", "a");
    ASSERT_CLEAN("a\xed\xa0\x80z", "az");
}

static void invisible_characters_go(void **state) {
    static const struct {
        uint32_t first, last;
    } gone[] = {
        {0x80, 0x8F},       {0x91, 0x97},       {0x99, 0x9A},     {0x9C, 0x9C},
        {0xAD, 0xAD},       {0x34F, 0x34F},     {0x61C, 0x61C},   {0x115F, 0x1160},
        {0x180E, 0x180E},   {0x200B, 0x200F},   {0x202A, 0x202E}, {0x2060, 0x2064},
        {0x2066, 0x206F},   {0x3164, 0x3164},   {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0},
        {0xE0000, 0xE007F}, {0xE0100, 0xE01EF},
    };
    (void)state;
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        for (uint32_t c = gone[i].first; c <= gone[i].last; c++) {
            char text[6] = "a";
            size_t at = 1;
            if (c >= 0x10000) {
                text[at++] = (char)(0xF0 | c >> 18);
                text[at++] = (char)(0x80 | (c >> 12 & 0x3F));
                text[at++] = (char)(0x80 | (c >> 6 & 0x3F));
            } else if (c >= 0x800) {
                text[at++] = (char)(0xE0 | c >> 12);
                text[at++] = (char)(0x80 | (c >> 6 & 0x3F));
            } else {
                text[at++] = (char)(0xC0 | c >> 6);
            }
            text[at++] = (char)(0x80 | (c & 0x3F));
            text[at++] = 'b';
            assert_cleaned(text_clean, text, at, "ab");
        }
    }
}

static void joiners_between_letters_that_join_stay(void **state) {
    static const char *const texts[] = {
        "می\u200Cخواهم", "خانه\u200Cای", "کتاب\u200Cها می\u200Cآیند", /* Persian */
        "क्\u200Dष",      "क्\u200Cष",     "র\u200D্য",
        "ශ්\u200Dරී", /* conjuncts, made and not made */
        "അവന്\u200D",     "ᠬᠠᠷ\u180Eᠠ",   "\u067E\u0650\u200C\u062E",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_cleaned(text_clean, texts[i], strlen(texts[i]), texts[i]);
        assert_cleaned(text_clean_line, texts[i], strlen(texts[i]), texts[i]);
    }
}

static void sequences_of_emoji_stay(void **state) {
    static const char *const texts[] = {
        "👨\u200D👩\u200D👧\u200D👦",                     /* a family */
        "👩🏽\u200D🚀 👨🏿\u200D⚕\uFE0F", /* with skin tones */
        "🏳\uFE0F\u200D🌈 🏴\u200D☠\uFE0F",   /* the rainbow's and the pirates' flags */
        "❤\uFE0F\u200D🔥 1\uFE0F\u20E3 #\uFE0F\u20E3 *\u20E3 🇫🇷 👁\uFE0E",
        "🏴\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F", /* England */
        "🏴\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F", /* Scotland */
        "辻\U000E0100 ≨\uFE00 ᠠ\u180B",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_cleaned(text_clean, texts[i], strlen(texts[i]), texts[i]);
}

static void joiners_that_join_nothing_go(void **state) {
    (void)state;
    ASSERT_CLEAN("a\u200Db", "ab");
    ASSERT_CLEAN("a\u200Cb 1\u200D2", "ab 12");
    ASSERT_CLEAN("\u200Dخ", "خ");
    ASSERT_CLEAN("ی\u200C", "ی");
    ASSERT_CLEAN("ی\u200C خ", "ی خ");
    ASSERT_CLEAN("ی\u200Ca", "یa");
    ASSERT_CLEAN("ی\u200Cक", "یक");
    ASSERT_CLEAN("👩\u200Da\u200D👩\u200D", "👩a👩");
    ASSERT_CLEAN("👩\u200C👩", "👩👩");       /* keeps emoji apart, which they are */
    ASSERT_CLEAN("ی\u200C\u202Eخ", "یخ"); /* NOLINT(misc-misleading-bidirectional): the test's */
}

static void a_row_of_joiners_becomes_one(void **state) {
    (void)state;
    ASSERT_CLEAN("ی\u200C\u200C\u200D\u200Cخ", "ی\u200Cخ");
    ASSERT_CLEAN("क्\u200D\u200C\u200Dष", "क्\u200Dष");
    ASSERT_CLEAN("👩\u200D\u200D\u200D🚀", "👩\u200D🚀");
}

static void selectors_and_tags_that_carry_nothing_visible_go(void **state) {
    (void)state;
    ASSERT_CLEAN("❤\uFE0F\uFE0F\uFE00\U000E0101", "❤\uFE0F");
    ASSERT_CLEAN("a\uFE0F b\U000E0105\U000E0106", "a b");
    ASSERT_CLEAN("\uFE0F\u180B", "");
    ASSERT_CLEAN("😀\U000E0148\U000E0155", "😀");
    ASSERT_CLEAN("🏴\U000E0067\U000E0062\U000E0065", "🏴"); /* no end */
    ASSERT_CLEAN("🏴\U000E007F x", "🏴 x");
    ASSERT_CLEAN("🏴\U000E0067\U000E0062\U000E0020\U000E007F", "🏴"); /* no such code */
    ASSERT_CLEAN("🏴\U000E0061\U000E0062\U000E0063\U000E0064\U000E0065\U000E0066\U000E0067"
                 "\U000E007F",
                 "🏴"); /* too long for one */
    ASSERT_CLEAN("a\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007Fz", "az");
    ASSERT_CLEAN("\u3164\u2800|\u115F\uFEFF\u2060\u034F\u180E|", "\u2800||");
}

static void unicodes_line_ends_are_newlines(void **state) {
    (void)state;
    ASSERT_CLEAN("one\u2028two\u2029three", "one\ntwo\nthree");
    ASSERT_LINE("one\u2028two\u2029three", "one two three");
    ASSERT_CLEAN("a\x1b]0;title\u2028z", "a\nz");
}

static void a_line_has_spaces_for_newlines_and_tabs(void **state) {
    (void)state;
    ASSERT_LINE("a\nb\tc", "a b c");
    ASSERT_LINE("a\x1b]0;x\nb", "a b");
    ASSERT_LINE("\n", " ");
}

/* Whether no byte could begin a sequence, and all is UTF-8 without what must go. */
static bool is_harmless(const char *text, size_t text_bytes) {
    for (size_t i = 0; i < text_bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F)
            return false;
        if (c == 0xC2 && (unsigned char)text[i + 1] < 0xA0)
            return false;
    }
    return text_is_utf8(text, text_bytes);
}

/* Bytes that are likely to form sequences, and whole pieces of them. */
static size_t hostile_text(uint64_t *seed, char *text, size_t text_bytes_max) {
    static const char *const pieces[] = {
        "\x1b",
        "[",
        "]",
        "\x1b[",
        "\x1b]",
        "\x1bP",
        "\xc2\x9b",
        "\xc2",
        "\x9b",
        "\x9d",
        "m",
        "31;1",
        "\x07",
        "\\",
        "\n",
        "\xe2\x80",
        "\x8b",
        "\xe2\x80\x8b",
        "\xc3\xa9",
        "\t",
        "\x18",
        "\x7f",
        "x",
        " ",
        "\xf0\x9f",
        "\xef\xbb",
        "\xe2\x80\xa8",
        "\u200C",
        "\u200D",
        "\u200D",
        "\uFE0F",
        "\u06CC",
        "\u094D",
        "\u0915",
        "👩",
        "🏽",
        "🏴",
        "\U000E0067\U000E0062\U000E0065",
        "\U000E007F",
        "\U000E0101",
        "辻",
        "\u2029",
        "ᠠ",
        "\u180E",
    };
    size_t wanted = random_next(seed) % text_bytes_max, at = 0;
    while (at < wanted) {
        uint64_t pick = random_next(seed);
        const char *piece = pieces[pick % (sizeof pieces / sizeof *pieces)];
        if (pick >> 62 == 0 || at + strlen(piece) > wanted) {
            text[at++] = (char)(pick >> 32);
        } else {
            memcpy(text + at, piece, strlen(piece));
            at += strlen(piece);
        }
    }
    return at;
}

static void cleaning_twice_changes_nothing(void **state) {
    uint64_t seed = 20230610;
    (void)state;
    for (int i = 0; i < 300000; i++) {
        char text[49], again[49], line[49];
        size_t bytes = hostile_text(&seed, text, sizeof text - 1);
        memcpy(line, text, bytes);
        bytes = text_clean(text, bytes);
        text[bytes] = '\0';
        assert_true(is_harmless(text, bytes));
        memcpy(again, text, bytes);
        assert_int_equal(text_clean(again, bytes), bytes);
        assert_memory_equal(again, text, bytes);
        size_t line_bytes = text_clean_line(line, bytes);
        assert_int_equal(text_clean_line(line, line_bytes), line_bytes);
        assert_null(memchr(line, '\n', line_bytes));
    }
}

static void characters_are_code_points(void **state) {
    (void)state;
    assert_int_equal(text_characters(BYTES("")), 0);
    assert_int_equal(text_characters(BYTES("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")), 4);
}

static void names_are_folded(void **state) {
    char name[NAME_BYTES];
    (void)state;
    assert_true(name_fold("Yoda", name));
    assert_string_equal(name, "yoda");
    assert_true(name_fold("AZ.az_09-", name));
    assert_string_equal(name, "az.az_09-");
    assert_true(name_fold("12345678901234567890123456789012", name));
    assert_int_equal(strlen(name), NAME_BYTES_MAX);
}

static void what_is_no_name_is_refused(void **state) {
    static const char *const bad[] = {
        "",    " ",   "a b", "a\n", "a/b", "a@b", "\xc3\xa9",
        "a[b", "a`b", "a{b", "a:b", "a,b", "a^b", "123456789012345678901234567890123",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char name[NAME_BYTES] = "left over";
        assert_false(name_fold(bad[i], name));
        assert_string_equal(name, "");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_accepted),
        cmocka_unit_test(what_is_not_utf8_is_refused),
        cmocka_unit_test(text_that_is_clean_stays),
        cmocka_unit_test(control_characters_go),
        cmocka_unit_test(every_byte_of_a_long_text_is_looked_at),
        cmocka_unit_test(whole_sequences_go),
        cmocka_unit_test(broken_sequences_leave_nothing_dangerous),
        cmocka_unit_test(an_unterminated_string_takes_one_line_at_most),
        cmocka_unit_test(a_control_goes_from_every_place),
        cmocka_unit_test(invalid_utf8_goes),
        cmocka_unit_test(invisible_characters_go),
        cmocka_unit_test(joiners_between_letters_that_join_stay),
        cmocka_unit_test(sequences_of_emoji_stay),
        cmocka_unit_test(joiners_that_join_nothing_go),
        cmocka_unit_test(a_row_of_joiners_becomes_one),
        cmocka_unit_test(selectors_and_tags_that_carry_nothing_visible_go),
        cmocka_unit_test(unicodes_line_ends_are_newlines),
        cmocka_unit_test(a_line_has_spaces_for_newlines_and_tabs),
        cmocka_unit_test(cleaning_twice_changes_nothing),
        cmocka_unit_test(characters_are_code_points),
        cmocka_unit_test(names_are_folded),
        cmocka_unit_test(what_is_no_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
