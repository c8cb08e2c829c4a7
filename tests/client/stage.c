/* Two parties in one thread: each step polls the client's fd and the fake's sockets for a moment
 * and lets both read. The bound counts the time of a whole test. */
#include "stage.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#define STEP_MS 20
/* A test that takes as long as this hangs. */
#define BOUND_S 60

static struct stage *current; /* borrowed: answers know only a number */
static time_t began;

static struct told *record(struct stage *stage) {
    assert_true(stage->told_count < sizeof stage->told / sizeof *stage->told);
    return &stage->told[stage->told_count++];
}

static void on_event(void *arg, const zchat_event *event) {
    struct told *told = record(arg);
    told->kind = (int)event->kind;
    told->code = event->code;
    snprintf(told->text, sizeof told->text, "%s", event->text);
    snprintf(told->user, sizeof told->user, "%s", event->user);
    told->seq = event->seq;
    told->online = event->online;
    told->retry_ms = event->retry_ms;
    told->id = event->id;
    told->missed = event->missed;
    if (event->message) {
        told->missed = event->message->missed;
        told->sent = event->message->sent;
    }
}

void stage_answer(void *arg, const zchat_reply *reply) {
    struct told *told = record(current);
    told->code = reply->code;
    snprintf(told->text, sizeof told->text, "%s", reply->text);
    told->seq = reply->seq;
    told->id = reply->id;
    told->count = reply->count;
    told->arg = (long)(intptr_t)arg;
}

struct stage *stage_new(void) {
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    strcpy(stage->folder, "/tmp/zchat-test-XXXXXX");
    assert_non_null(mkdtemp(stage->folder));
    stage->fake = fake_new();
    stage->options = (zchat_options){.server = stage->fake->greeter_address,
                                     .config_dir = stage->folder,
                                     .trust_new = true,
                                     .on_event = on_event,
                                     .arg = stage};
    current = stage;
    began = time(NULL);
    return stage;
}

static void remove_folder(const char *folder) {
    const char *const files[] = {"device.key",  "known_brokers",    "known_brokers.lock",
                                 "known_peers", "known_peers.lock", "file",
                                 "back"};
    char path[128];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/uploads", folder);
    rmdir(path); /* a record that is left shows with the folder */
    assert_int_equal(rmdir(folder), 0);
}

void stage_free(struct stage *stage) {
    zchat_free(stage->z);
    fake_free(stage->fake);
    remove_folder(stage->folder);
    current = NULL;
    free(stage);
}

void stage_open(struct stage *stage) {
    char error[512] = "";
    zchat_code code = zchat_new(&stage->z, &stage->options, error, sizeof error);
    assert_string_equal(error, "");
    assert_int_equal(code, ZCHAT_OK);
}

/* What a test that fails by its bound was told so far. */
static void print_record(const struct stage *stage) {
    for (size_t i = 0; i < stage->told_count; i++) {
        const struct told *told = &stage->told[i];
        print_message("told: kind %d, code %d, \"%s\"\n", told->kind, (int)told->code, told->text);
    }
    print_message("the broker: %zu greetings, %zu commands, %zu logins\n", stage->fake->greetings,
                  stage->fake->received_count, stage->fake->logins);
}

bool stage_step(struct stage *stage) {
    void *const sockets[] = {stage->fake->greeter, stage->fake->commands, stage->fake->events};
    zmq_pollitem_t items[4] = {{.fd = zchat_fd(stage->z), .events = ZMQ_POLLIN}};
    int count = 1;
    for (size_t i = 0; i < 3; i++)
        if (sockets[i])
            items[count++] = (zmq_pollitem_t){.socket = sockets[i], .events = ZMQ_POLLIN};
    zmq_poll(items, count, STEP_MS);
    fake_step(stage->fake);
    if (items[0].revents)
        zchat_process(stage->z);
    bool in_time = time(NULL) - began < BOUND_S;
    if (!in_time)
        print_record(stage);
    return in_time;
}

size_t stage_count(const struct stage *stage, int kind) {
    size_t count = 0;
    for (size_t i = 0; i < stage->told_count; i++)
        count += stage->told[i].kind == kind;
    return count;
}

const struct told *stage_told(const struct stage *stage, int kind, size_t nth) {
    for (size_t i = 0; i < stage->told_count; i++)
        if (stage->told[i].kind == kind && nth-- == 0)
            return &stage->told[i];
    fail_msg("event %d was not told so often", kind);
    return NULL;
}

const struct told *stage_await(struct stage *stage, int kind, size_t count) {
    STAGE_UNTIL(stage, stage_count(stage, kind) >= count);
    return stage_told(stage, kind, count - 1);
}

void stage_connect(struct stage *stage) {
    stage_open(stage);
    stage_await(stage, ZCHAT_EVENT_CONNECTED, 1);
}

void stage_login(struct stage *stage, zchat_public_events public_events, bool inbox) {
    zchat_login_options options = {.user = "me",
                                   .password = "secret",
                                   .online = true,
                                   .inbox = inbox,
                                   .public_events = public_events};
    stage_connect(stage);
    size_t before = stage_count(stage, 0);
    assert_int_equal(zchat_login(stage->z, &options, stage_answer, NULL), ZCHAT_OK);
    const struct told *told = stage_await(stage, 0, before + 1);
    assert_string_equal(told->text, "");
    assert_int_equal(told->code, ZCHAT_OK);
}

Zchat__V1__Command *stage_command(struct stage *stage, Zchat__V1__Command__BodyCase body) {
    Zchat__V1__Command *command = NULL;
    STAGE_UNTIL(stage, (command = fake_next(stage->fake, body)));
    return command;
}

void stage_settle(struct stage *stage) {
    size_t answers = stage_count(stage, 0);
    assert_int_equal(zchat_ping(stage->z, stage_answer, (void *)-1), ZCHAT_OK);
    stage_await(stage, 0, answers + 1);
}
