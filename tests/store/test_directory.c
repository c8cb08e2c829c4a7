/* The people that the store has met: found by name and by number, and never moved. */
#include "memory/directory.h"

#include <stdio.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PEOPLE 20000

static const struct person *add(struct directory *directory, int64_t account) {
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "u%lld", (long long)account);
    return directory_add(directory, account, name);
}

static void everybody_is_found_where_they_were_put(void **state) {
    static const struct person *people[PEOPLE + 1];
    struct directory *directory = directory_new(7);
    char name[NAME_BYTES];
    (void)state;
    assert_null(directory_by_name(directory, "u1"));
    assert_null(directory_by_account(directory, 1));
    for (int64_t account = 1; account <= PEOPLE; account++) {
        people[account] = add(directory, account);
        assert_non_null(people[account]);
    }
    for (int64_t account = 1; account <= PEOPLE; account++) {
        snprintf(name, sizeof name, "u%lld", (long long)account);
        assert_ptr_equal(directory_by_name(directory, name), people[account]);
        assert_ptr_equal(directory_by_account(directory, account), people[account]);
        assert_int_equal(people[account]->account, account);
        assert_string_equal(people[account]->name, name);
    }
    assert_null(directory_by_name(directory, "u0"));
    assert_null(directory_by_name(directory, ""));
    assert_null(directory_by_account(directory, PEOPLE + 1));
    assert_null(directory_by_account(directory, -1));
    directory_free(directory);
}

static void somebody_who_is_known_is_not_added_again(void **state) {
    struct directory *directory = directory_new(0);
    (void)state;
    const struct person *han = directory_add(directory, INT64_MAX, "han");
    assert_ptr_equal(directory_add(directory, INT64_MAX, "han"), han);
    assert_ptr_equal(directory_by_name(directory, "han"), han);
    directory_free(directory);
    directory_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_is_found_where_they_were_put),
        cmocka_unit_test(somebody_who_is_known_is_not_added_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
