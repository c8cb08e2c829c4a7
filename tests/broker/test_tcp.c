/* Where connections come from is counted by address, IPv6 by its /64; and for how long one has got
 * nowhere. */
#include "tcp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *source_of_six(const char *text, char source[SOURCE_BYTES]) {
    struct sockaddr_in6 address = {.sin6_family = AF_INET6};

    assert_int_equal(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
    source_of((struct sockaddr *)&address, source);
    return source;
}

static void test_addresses_of_one_network_are_one_source(void **state) {
    char one[SOURCE_BYTES], other[SOURCE_BYTES];

    (void)state;
    assert_string_equal(source_of_six("2001:db8:1:2::1", one),
                        source_of_six("2001:db8:1:2:ffff:ffff:ffff:ffff", other));
    assert_string_not_equal(source_of_six("2001:db8:1:2::1", one),
                            source_of_six("2001:db8:1:3::1", other));
}

static void test_ipv4_is_the_same_in_either_kind_of_socket(void **state) {
    struct sockaddr_in four = {.sin_family = AF_INET};
    char one[SOURCE_BYTES], other[SOURCE_BYTES];

    (void)state;
    assert_int_equal(inet_pton(AF_INET, "192.0.2.7", &four.sin_addr), 1);
    source_of((struct sockaddr *)&four, one);
    assert_string_equal(one, "192.0.2.7");
    assert_string_equal(source_of_six("::ffff:192.0.2.7", other), one);
}

static void test_what_is_no_socket_has_no_source(void **state) {
    char source[SOURCE_BYTES] = "x";

    (void)state;
    source_of_socket(-1, source);
    assert_string_equal(source, "");
}

static void test_what_stands_is_timed_from_when_it_stood(void **state) {
    struct progress progress = {0};

    (void)state;
    assert_int_equal(progress_look(&progress, -1, true, 5, 1000), 0);
    assert_int_equal(progress_look(&progress, -1, true, 5, 1700), 700);
    assert_int_equal(progress_look(&progress, -1, true, 6, 2000), 0);
    assert_int_equal(progress_look(&progress, -1, true, 6, 2300), 300);
    assert_int_equal(progress_look(&progress, -1, false, 6, 2400), 0);
    assert_int_equal(progress_look(&progress, -1, true, 6, 2500), 0);
    assert_false(progress_waits(-1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_of_one_network_are_one_source),
        cmocka_unit_test(test_ipv4_is_the_same_in_either_kind_of_socket),
        cmocka_unit_test(test_what_is_no_socket_has_no_source),
        cmocka_unit_test(test_what_stands_is_timed_from_when_it_stood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
