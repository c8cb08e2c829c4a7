/* claim.h, limit.h: what the broker remembers of those who ask for much. */
#include "claim.h"
#include "limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND_US 1000000LL

static struct claim *get(struct claims *claims, int number, int64_t now_us) {
    return claim_get(claims, CLAIM_KEY, &number, sizeof number, now_us);
}

static void a_use_counts_half_after_ten_seconds(void **state) {
    struct claims *claims = claims_new();
    struct claim *claim = get(claims, 1, 0);
    (void)state;
    assert_int_equal(claim_used(NULL, 0), 0);
    claim_use(claim, 0);
    claim_use(claim, 0);
    assert_int_equal(claim_used(claim, 9 * SECOND_US), 2 * CLAIM_UNIT);
    assert_int_equal(claim_used(claim, 10 * SECOND_US), CLAIM_UNIT);
    assert_int_equal(claim_used(claim, 20 * SECOND_US), CLAIM_UNIT / 2);
    assert_int_equal(claim_used(claim, 3600 * SECOND_US), 0);
    assert_int_equal(claim_used(claim, -SECOND_US), 2 * CLAIM_UNIT);
    claims_free(claims);
}

static void who_goes_on_and_on_ages_all_the_same(void **state) {
    struct claims *claims = claims_new();
    struct claim *claim = get(claims, 1, 0);
    (void)state;
    for (int64_t s = 0; s < 1000; s++)
        claim_use(claim, s * SECOND_US);
    assert_in_range(claim_used(claim, 1000 * SECOND_US), 8 * CLAIM_UNIT, 24 * CLAIM_UNIT);
    claims_free(claims);
}

static void the_longest_not_seen_are_forgotten_but_for_those_that_are_held(void **state) {
    struct claims *claims = claims_new();
    int held = -1, seen = -2, left = -3;
    (void)state;
    claim_hold(get(claims, held, 0));
    get(claims, left, 0);
    get(claims, seen, 0);
    for (int i = 0; i < 20000; i++) {
        get(claims, i, i);
        get(claims, seen, i);
    }
    assert_non_null(claim_find(claims, CLAIM_KEY, &held, sizeof held));
    assert_non_null(claim_find(claims, CLAIM_KEY, &seen, sizeof seen));
    assert_null(claim_find(claims, CLAIM_KEY, &left, sizeof left));
    assert_null(claim_find(claims, CLAIM_PAIR, &seen, sizeof seen));
    claims_free(claims);
}

static void an_address_stands_for_its_group(void **state) {
    static const char *const pairs[][2] = {
        {"192.0.2.7", "192.0.2.7"},
        {"::ffff:192.0.2.7", "192.0.2.7"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
        {"2001:db8:1:2::1", "2001:db8:1:2::/64"},
        {"2001:db8:1:3::1", "2001:db8:1:3::/64"},
        {"fe80::1%eth0", "fe80::/64"},
        {"::1", "::/64"},
        {"", ""},
        {"no address", "no address"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char group[ADDRESS_GROUP_BYTES];
        address_group(pairs[i][0], group);
        assert_string_equal(group, pairs[i][1]);
    }
}

static void registrations_are_counted_by_the_hour_and_outlive_the_connection(void **state) {
    struct limits *limits = limits_new();
    struct limit_bucket *bucket;
    uint32_t wait_s = 0;
    (void)state;
    limits_set(limits, LIMIT_REGISTRATIONS, 100);
    bucket = limit_use(limits, LIMIT_REGISTRATIONS, "a", 1, 0);
    for (int i = 0; i < 100; i++)
        assert_true(limit_take(limits, bucket, 1, 0, &wait_s));
    assert_false(limit_take(limits, bucket, 1, 0, &wait_s));
    assert_in_range(wait_s, 36, 37);
    limit_release(limits, bucket, 0);
    bucket = limit_use(limits, LIMIT_REGISTRATIONS, "a", 1, 60 * SECOND_US);
    assert_true(limit_take(limits, bucket, 1, 60 * SECOND_US, &wait_s));
    assert_false(limit_take(limits, bucket, 1, 60 * SECOND_US, &wait_s));
    limit_release(limits, bucket, 60 * SECOND_US);
    bucket = limit_use(limits, LIMIT_REGISTRATIONS, "a", 1, 7200 * SECOND_US);
    for (int i = 0; i < 100; i++)
        assert_true(limit_take(limits, bucket, 1, 7200 * SECOND_US, &wait_s));
    assert_false(limit_take(limits, bucket, 1, 7200 * SECOND_US, &wait_s));
    limit_release(limits, bucket, 7200 * SECOND_US);
    limits_free(limits);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_use_counts_half_after_ten_seconds),
        cmocka_unit_test(who_goes_on_and_on_ages_all_the_same),
        cmocka_unit_test(the_longest_not_seen_are_forgotten_but_for_those_that_are_held),
        cmocka_unit_test(an_address_stands_for_its_group),
        cmocka_unit_test(registrations_are_counted_by_the_hour_and_outlive_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
