/* See waits.h. The n-th question is due n ms after the beginning, and its wait counts from then
 * even if it is asked late. */
#include "waits.h"

#include "common/clock.h"

#include <errno.h>
#include <string.h>

#define ASK_US 1000

static void ask(void *arg) {
    struct waits *waits = arg;
    int64_t now_us = clock_us();
    while (waits->begin_us + (int64_t)waits->asked * ASK_US <= now_us) {
        light_ping(&waits->light);
        waits->asked++;
    }
    light_flush(&waits->light);
    board_settle(&waits->lights.board);
}

static void answered(void *arg, uint64_t request) {
    struct waits *waits = arg;
    int64_t due_us = waits->begin_us + (int64_t)waits->answered++ * ASK_US;
    int64_t took_us = clock_us() - due_us;
    (void)request;
    if (!waits->took)
        return;
    histogram_add(waits->took, took_us);
    if (took_us > *waits->longest_us)
        *waits->longest_us = took_us;
}

static void failed(void *arg, const char *why) {
    const struct waits *waits = arg;
    bench_fail(waits->bench, "asking: %s", why);
}

/* Whether the first question was answered, which happens before time is measured, so that the
 * connection is there. */
static bool has_answer(void *arg) {
    const struct waits *waits = arg;
    return waits->answered == waits->asked;
}

bool waits_begin(struct waits *waits, struct bench *bench, const struct curve_server *at,
                 const struct curve_keys *keys) {
    memset(waits, 0, sizeof *waits);
    waits->bench = bench;
    waits->asking.timer.fd = -1;
    waits->calls = (struct light_calls){.on_reply = answered, .on_failure = failed, .arg = waits};
    if (!lights_init(&waits->lights, bench->loop, at) ||
        !light_open(&waits->light, &waits->lights, keys, &waits->calls)) {
        bench_fail(bench, "asking: %s", strerror(errno));
        return false;
    }
    waits->asked = 1;
    light_ping(&waits->light);
    light_flush(&waits->light);
    board_settle(&waits->lights.board);
    if (!bench_wait(bench, BENCH_PATIENCE_US, has_answer, waits, "an answer"))
        return false;
    waits->asked = waits->answered = 0;
    waits->begin_us = clock_us();
    return bench_tick(bench, &waits->asking, ASK_US, ask, waits);
}

bool waits_end(struct waits *waits) {
    loop_unset(waits->bench->loop, &waits->asking.timer);
    bool good = bench_wait(waits->bench, BENCH_PATIENCE_US, has_answer, waits, "an answer");
    light_close(&waits->light);
    lights_release(&waits->lights);
    return good;
}
