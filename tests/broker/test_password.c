/* Passwords: what fits, and that a missing account costs the same work. */
#include "password.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void only_the_right_password_fits(void **state) {
    (void)state;
    char hash[PASSWORD_HASH_BYTES], other[PASSWORD_HASH_BYTES];
    assert_true(password_hash("sesame", hash));
    assert_memory_equal(hash, "$argon2id$v=19$m=65536,t=2,p=1$", 31);
    assert_null(strstr(hash, "sesame"));
    assert_true(password_verify(hash, "sesame"));
    assert_false(password_verify(hash, "sesam"));
    assert_false(password_verify(hash, "sesame!"));
    assert_false(password_verify(hash, ""));
    assert_true(password_hash("sesame", other));
    assert_string_not_equal(hash, other);
}

static double cpu_s(const char *hash) {
    struct timespec before, after;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    assert_false(password_verify(hash, "wrong"));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    return (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
}

static void no_account_costs_the_same_work_as_a_wrong_password(void **state) {
    (void)state;
    char hash[PASSWORD_HASH_BYTES];
    assert_true(password_hash("sesame", hash));
    double wrong = cpu_s(hash), none = cpu_s(NULL), empty = cpu_s("");
    assert_true(none > wrong / 3 && none < wrong * 3);
    assert_true(empty > wrong / 3 && empty < wrong * 3);
}

static void *verify(void *hash) {
    return password_verify(hash, "sesame") && !password_verify(NULL, "sesame") ? hash : NULL;
}

static void threads_verify_at_the_same_time(void **state) {
    (void)state;
    char hash[PASSWORD_HASH_BYTES];
    pthread_t threads[3];
    assert_true(password_hash("sesame", hash));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, verify, hash), 0);
    for (size_t i = 0; i < 3; i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, hash);
    }
}

static void a_password_is_the_same_however_it_was_typed(void **state) {
    (void)state;
    char hash[PASSWORD_HASH_BYTES];
    assert_true(password_hash("p\u00E4ss w\u00F6rd", hash));
    assert_true(password_verify(hash, "pa\u0308ss wo\u0308rd"));
    assert_true(password_verify(hash, "p\u00E4ss\u00A0w\u00F6rd"));
    assert_false(password_verify(hash, "pass word"));
    assert_true(password_hash("a\u030A", hash));
    assert_true(password_verify(hash, "\u212B") == false);
    assert_true(password_verify(hash, "\u00E5"));
}

static void equal_passwords_are_equal(void **state) {
    (void)state;
    assert_true(password_equals("abc", 3, "abc", 3));
    assert_false(password_equals("abc", 3, "abd", 3));
    assert_false(password_equals("abc", 3, "abcd", 4));
    assert_false(password_equals("abc", 3, "", 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_right_password_fits),
        cmocka_unit_test(no_account_costs_the_same_work_as_a_wrong_password),
        cmocka_unit_test(threads_verify_at_the_same_time),
        cmocka_unit_test(a_password_is_the_same_however_it_was_typed),
        cmocka_unit_test(equal_passwords_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
