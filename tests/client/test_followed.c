/* Followed threads alone, without a connection: when they want to be looked at again. */
#include "followed.h"

#include "command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static unsigned char THREAD[ID_BYTES] = {1, 2, 3};

static bool subscribe(void *arg, const uint8_t *prefix, size_t prefix_bytes) {
    (void)arg;
    (void)prefix;
    return prefix_bytes > 0;
}

static void stir(void *arg) {
    (void)arg;
}

static const struct client_host host = {.stir = stir, .subscribe = subscribe};

/* A thread is followed while a list is under way, so another list is to be asked for: not before
 * the first one came, and until then nobody is woken for it over and over. */
static void a_list_waits_for_the_one_that_is_under_way(void **state) {
    struct client client = {.host = &host, .listening = true};
    Zchat__V1__FollowedThread thread = ZCHAT__V1__FOLLOWED_THREAD__INIT;
    Zchat__V1__ListFollowedResponse list = ZCHAT__V1__LIST_FOLLOWED_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    Zchat__V1__FollowedThread *threads[] = {&thread};
    struct followed followed;
    (void)state;
    client_init(&client, command_rows);
    client.session.live = true;
    followed_init(&followed, &client);
    followed.active = true;
    thread.id.data = THREAD;
    thread.id.len = ID_BYTES;
    thread.title = (char *)"stars";
    followed_refresh(&followed);
    struct request *first = client.requests.waiting.first;
    assert_non_null(first);
    followed_add(&followed, &thread);
    client.now_us = 10 * INT64_C(1000000);
    followed_tick(&followed);
    assert_int_equal(followed_deadline_us(&followed), NEVER_US);
    assert_ptr_equal(client.requests.waiting.last, first);

    list.n_threads = 1;
    list.threads = threads;
    reply.body_case = ZCHAT__V1__REPLY__BODY_LIST_FOLLOWED;
    reply.list_followed = &list;
    followed_reply(&followed, first, &reply);
    assert_true(followed_deadline_us(&followed) <= client.now_us);
    followed_tick(&followed);
    assert_ptr_not_equal(client.requests.waiting.last, first);
    assert_int_equal(followed_deadline_us(&followed), NEVER_US);
    followed_stop(&followed);
    client_release(&client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_waits_for_the_one_that_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
