/* Short slices are what the kernel then has for the thread, where it knows of them, and what a user
 * said with nice stays. */
#define _GNU_SOURCE
#include "process.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

/* The kernel's struct sched_attr, whose header does not bear pthread.h. */
struct attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
    uint32_t util_min, util_max;
};

static struct attr now(void) {
    struct attr attr = {.size = sizeof attr};
    assert_int_equal(syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0), 0);
    return attr;
}

static int be_nice(void **state) {
    (void)state;
    return nice(5) == -1 ? -1 : 0;
}

static void the_nice_value_stays(void **state) {
    (void)state;
    int before = now().nice;
    slice_shorten();
    assert_int_equal(now().nice, before);
    assert_true(before >= 5);
}

static void *read_runtime(void *arg) {
    *(uint64_t *)arg = now().runtime_ns;
    return NULL;
}

static void threads_that_it_starts_have_them_too(void **state) {
    (void)state;
    struct utsname kernel;
    int major = 0, minor = 0;
    uint64_t runtime_ns = 0;
    pthread_t thread;
    assert_int_equal(uname(&kernel), 0);
    assert_int_equal(sscanf(kernel.release, "%d.%d", &major, &minor), 2);
    if (major < 6 || (major == 6 && minor < 12))
        skip();
    slice_shorten();
    assert_int_equal(pthread_create(&thread, NULL, read_runtime, &runtime_ns), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(runtime_ns, 100000);
}

static void *give_way(void *arg) {
    slice_give_way();
    *(int *)arg = now().nice;
    return NULL;
}

static void a_thread_gives_way_and_the_others_do_not(void **state) {
    (void)state;
    int before = now().nice, there = 0;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, give_way, &there), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(there, before + 3);
    assert_int_equal(now().nice, before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_nice_value_stays, be_nice),
        cmocka_unit_test(threads_that_it_starts_have_them_too),
        cmocka_unit_test(a_thread_gives_way_and_the_others_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
