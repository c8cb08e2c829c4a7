/* The tables of joiner.c against the properties of the Unicode Character Database, as ICU has
 * them. `--print` writes the tables as they ought to be. */
#include "joiner.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>

#define POINTS 0x110000

static bool is_virama(UChar32 point) {
    return u_getCombiningClass(point) == 9;
}

static bool is_letter(UChar32 point) {
    return (U_GET_GC_MASK(point) & (U_GC_L_MASK | U_GC_M_MASK)) != 0 &&
           !u_hasBinaryProperty(point, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

/* What several scripts share counts as Arabic if Arabic has it: its vowel marks, the tatweel. */
static UScriptCode script_of(UChar32 point) {
    UErrorCode error = U_ZERO_ERROR;
    UScriptCode script = uscript_getScript(point, &error);
    if ((script == USCRIPT_INHERITED || script == USCRIPT_COMMON) &&
        uscript_hasScript(point, USCRIPT_ARABIC))
        return USCRIPT_ARABIC;
    return script;
}

/* A script whose letters join, or whose conjuncts are made with a virama. */
static void find_joining(bool joining[USCRIPT_CODE_LIMIT]) {
    for (UChar32 point = 0; point < POINTS; point++) {
        int type = u_getIntPropertyValue(point, UCHAR_JOINING_TYPE);
        if (is_virama(point) || type == U_JT_DUAL_JOINING || type == U_JT_RIGHT_JOINING ||
            type == U_JT_LEFT_JOINING)
            joining[script_of(point)] = true;
    }
    joining[USCRIPT_COMMON] = false;
    joining[USCRIPT_INHERITED] = false;
}

/* What joiner_script() has to give. */
static int wanted_script(const bool *joining, UChar32 point) {
    return is_letter(point) && joining[script_of(point)] ? (int)script_of(point) : 0;
}

static int wanted_virama(const bool *joining, UChar32 point) {
    (void)joining;
    return is_virama(point);
}

static int wanted_pictographic(const bool *joining, UChar32 point) {
    (void)joining;
    return u_hasBinaryProperty(point, UCHAR_EXTENDED_PICTOGRAPHIC);
}

static void print(const char *name, int (*wanted)(const bool *, UChar32), bool with_script) {
    bool joining[USCRIPT_CODE_LIMIT] = {false};
    find_joining(joining);
    printf("static const struct range %s[] = {\n", name);
    for (UChar32 point = 0; point < POINTS; point++) {
        UChar32 first = point;
        int value = wanted(joining, point);
        if (value == 0)
            continue;
        while (point + 1 < POINTS && wanted(joining, point + 1) == value)
            point++;
        if (with_script)
            printf("{0x%04X, 0x%04X, %d}, ", (unsigned)first, (unsigned)point, value);
        else
            printf("{0x%04X, 0x%04X, 1}, ", (unsigned)first, (unsigned)point);
    }
    printf("};\n\n");
}

static void print_all(void) {
    printf(
        "/* Made by test_joiner_table --print from the Unicode Character Database %s: each range\n"
        " * of code points with its value. Included by joiner.c alone. */\n\n"
        "/* Letters and marks of the scripts that join, with the number of the script. */\n",
        U_UNICODE_VERSION);
    print("joining_letters", wanted_script, true);
    printf("/* Canonical_Combining_Class=Virama */\n");
    print("viramas", wanted_virama, false);
    printf("/* Extended_Pictographic */\n");
    print("pictographic", wanted_pictographic, false);
}

static void tables_hold_what_unicode_says(void **state) {
    bool joining[USCRIPT_CODE_LIMIT] = {false};
    (void)state;
    if (strcmp(U_UNICODE_VERSION, JOINER_UNICODE) != 0)
        skip(); /* this ICU is of another Unicode: its new letters are no error of the tables */
    find_joining(joining);
    for (UChar32 point = 0; point < POINTS; point++) {
        assert_int_equal(joiner_script((uint32_t)point), wanted_script(joining, point));
        assert_int_equal(joiner_is_virama((uint32_t)point), wanted_virama(joining, point));
        assert_int_equal(joiner_is_pictographic((uint32_t)point),
                         wanted_pictographic(joining, point));
    }
}

int main(int argc, char **argv) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_hold_what_unicode_says),
    };
    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        print_all();
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
