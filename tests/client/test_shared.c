/* What the handles of a process share: one thread of ZeroMQ's for all of them, whichever threads
 * use them, however they come and go, and anew in a child. */
#define _GNU_SOURCE /* pthread_setattr_default_np */
#include "stage.h"

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define HANDLES     200
#define THREADS     8
#define ROUNDS      25
#define STACK_BYTES (64 * 1024 * 1024)

static int setup(void **state) {
    *state = stage_new();
    return 0;
}

static int teardown(void **state) {
    stage_free(*state);
    return 0;
}

static size_t threads(void) {
    DIR *tasks = opendir("/proc/self/task");
    size_t count = 0;
    assert_non_null(tasks);
    for (struct dirent *task; (task = readdir(tasks));)
        count += task->d_name[0] != '.';
    closedir(tasks);
    return count;
}

/* ---- many ---- */

struct crowd {
    struct stage *stage;
    zchat *z[HANDLES];
    size_t connected;
    size_t logged_in;
    size_t answered;
};

static void on_event(void *arg, const zchat_event *event) {
    struct crowd *crowd = arg;
    crowd->connected += event->kind == ZCHAT_EVENT_CONNECTED;
}

static void on_login(void *arg, const zchat_reply *reply) {
    struct crowd *crowd = arg;
    assert_int_equal(reply->code, ZCHAT_OK);
    crowd->logged_in++;
}

static void on_answer(void *arg, const zchat_reply *reply) {
    struct crowd *crowd = arg;
    assert_int_equal(reply->code, ZCHAT_OK);
    crowd->answered++;
}

static void crowd_step(struct crowd *crowd) {
    assert_true(stage_step(crowd->stage));
    for (size_t i = 0; i < HANDLES; i++)
        zchat_process(crowd->z[i]);
}

static void crowd_come(struct crowd *crowd) {
    const zchat_login_options login = {
        .user = "me", .password = "x", .inbox = true, .public_events = ZCHAT_PUBLIC_SUB};
    zchat_options options = crowd->stage->options;
    char error[512];
    options.on_event = on_event;
    options.arg = crowd;
    for (size_t i = 0; i < HANDLES; i++) {
        assert_int_equal(zchat_new(&crowd->z[i], &options, error, sizeof error), ZCHAT_OK);
        assert_int_equal(zchat_login(crowd->z[i], &login, on_login, crowd), ZCHAT_OK);
    }
    while (crowd->connected < HANDLES || crowd->logged_in < HANDLES)
        crowd_step(crowd);
}

/* Each asks something and is answered. */
static void crowd_speak(struct crowd *crowd) {
    for (size_t i = 0; i < HANDLES; i++)
        assert_int_equal(zchat_ping(crowd->z[i], on_answer, crowd), ZCHAT_OK);
    while (crowd->answered < HANDLES)
        crowd_step(crowd);
}

static void two_hundred_handles_share_one_thread(void **state) {
    struct crowd *crowd = calloc(1, sizeof *crowd);
    assert_non_null(crowd);
    crowd->stage = *state;
    stage_connect(crowd->stage);
    size_t before = threads();
    crowd_come(crowd);
    crowd_speak(crowd);
    assert_int_equal(threads(), before);
    for (size_t i = 0; i < HANDLES; i++)
        zchat_free(crowd->z[i]);
    stage_settle(crowd->stage);
    free(crowd);
}

static void the_last_handle_ends_the_threads(void **state) {
    struct stage *stage = *state;
    size_t before = threads();
    stage_connect(stage);
    assert_int_equal(threads(), before + 2); /* ZeroMQ's, for the network and for what was closed */
    zchat_free(stage->z);
    stage->z = NULL;
    assert_int_equal(threads(), before);
    stage_connect(stage);
    stage_settle(stage);
}

/* ---- threads ---- */

static void quiet(void *arg, const zchat_event *event) {
    (void)arg;
    (void)event;
}

static void *come_and_go(void *arg) {
    zchat_options options = *(const zchat_options *)arg;
    options.on_event = quiet;
    for (int i = 0; i < ROUNDS; i++) {
        zchat *z;
        char error[512];
        if (zchat_new(&z, &options, error, sizeof error) != ZCHAT_OK)
            return arg;
        zchat_process(z);
        zchat_free(z);
    }
    return NULL;
}

/* Nobody else has a handle for most of the time: so contexts begin and end beside each other. */
static void handles_of_threads_come_and_go(void **state) {
    struct stage *stage = *state;
    pthread_t thread[THREADS];
    size_t before = threads();
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, come_and_go, &stage->options), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(thread[i], &failed), 0);
        assert_null(failed);
    }
    while (threads() != before) /* those that looked a host up end by themselves */
        assert_true(stage_step(stage));
    stage_connect(stage);
    stage_settle(stage);
}

/* ---- forks ---- */

static void note_connected(void *arg, const zchat_event *event) {
    *(bool *)arg = *(bool *)arg || event->kind == ZCHAT_EVENT_CONNECTED;
}

/* In the child: whether it gets through with a handle of its own. */
static int child(const struct stage *stage) {
    zchat_options options = stage->options;
    bool connected = false;
    char error[512];
    zchat *z;
    options.on_event = note_connected;
    options.arg = &connected;
    if (zchat_new(&z, &options, error, sizeof error) != ZCHAT_OK)
        return 1;
    for (int i = 0; i < 3000 && !connected; i++)
        zchat_run(z, 10, &connected);
    zchat_free(z);
    return connected ? 0 : 2;
}

static void a_child_has_a_context_of_its_own(void **state) {
    struct stage *stage = *state;
    int status = -1;
    stage_connect(stage);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(child(stage));
    while (waitpid(pid, &status, WNOHANG) == 0)
        assert_true(stage_step(stage));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    zchat_free(stage->z); /* the child's end took nothing from the parent */
    stage->z = NULL;
    stage->told_count = 0;
    stage_connect(stage);
    stage_settle(stage);
}

/* ---- limits ---- */

/* No room for the stack of one thread more. */
static int child_without_threads(struct stage *stage) {
    char error[256] = "";
    zchat *z = NULL;
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (!statm || fscanf(statm, "%ld", &pages) != 1)
        return 2;
    rlim_t bytes = (rlim_t)pages * 4096 + STACK_BYTES / 2;
    const struct rlimit limit = {.rlim_cur = bytes, .rlim_max = bytes};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    if (pthread_setattr_default_np(&attributes) != 0 || setrlimit(RLIMIT_AS, &limit) != 0)
        return 3;
    zchat_code code = zchat_new(&z, &stage->options, error, sizeof error);
    return code == ZCHAT_NO_MEMORY && strstr(error, "threads") ? 0 : 4;
}

static void a_process_that_may_have_no_thread_more_is_told_so(void **state) {
#ifdef __SANITIZE_ADDRESS__
    skip(); /* it needs room for itself */
#endif
    int status = -1;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(child_without_threads(*state));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(two_hundred_handles_share_one_thread),
        TEST(the_last_handle_ends_the_threads),
        TEST(handles_of_threads_come_and_go),
        TEST(a_child_has_a_context_of_its_own),
        TEST(a_process_that_may_have_no_thread_more_is_told_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
