/* See echo.h. */
#include "echo.h"

#include "bare.h"
#include "common/clock.h"
#include "line.h"
#include "pace.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct dealer {
    struct line line;
    struct course *course; /* borrowed: from echo_run */
    uint64_t number;
    bool open;
    uint64_t sent; /* frames */
    uint64_t back;
};

struct course {
    struct bench *bench;                /* borrowed: from the caller */
    const struct echo_options *options; /* borrowed: from the caller */
    struct echo *echo;                  /* borrowed: from the caller */
    struct bare bare;
    struct board board;
    struct dealer *dealers; /* owned */
    char *frame;            /* owned: the frame that is sent */
    size_t frame_bytes;
    int64_t begin_us;
    int64_t end_us;
    int64_t last_us;
};

/* ---- the dealers ---- */

static int64_t due_us(const struct dealer *dealer, int64_t now_us) {
    const struct echo_options *options = dealer->course->options;
    return pace_due_us(dealer->course->begin_us, dealer->sent, dealer->number, options->senders,
                       (double)options->rate / (double)options->frame, now_us);
}

static void pump(struct dealer *dealer) {
    struct course *course = dealer->course;
    uint64_t window = course->options->window / course->options->frame;
    int64_t now_us = clock_us();
    while (dealer->sent - dealer->back < (window ? window : 1) && now_us < course->end_us) {
        int64_t due = due_us(dealer, now_us);
        if (due > now_us)
            return;
        memcpy(course->frame + 1, &due, sizeof due);
        if (!line_send(&dealer->line, course->frame, course->frame_bytes)) {
            bench_fail(course->bench, "a bare frame can't be sent");
            return;
        }
        dealer->sent++;
    }
}

static void pump_all(void *arg) {
    struct course *course = arg;
    for (uint64_t i = 0; i < course->options->senders; i++)
        pump(&course->dealers[i]);
    board_settle(&course->board);
}

static void came_back(void *arg, const void *frame, size_t frame_bytes) {
    struct dealer *dealer = arg;
    struct course *course = dealer->course;
    int64_t due;
    if (frame_bytes != course->frame_bytes)
        return;
    memcpy(&due, (const char *)frame + 1, sizeof due);
    course->last_us = clock_us();
    histogram_add(&course->echo->took, course->last_us - due);
    dealer->back++;
    pump(dealer);
}

static void opened(void *arg) {
    struct dealer *dealer = arg;
    dealer->open = true;
}

static bool all_are_open(void *arg) {
    const struct course *course = arg;
    for (uint64_t i = 0; i < course->options->senders; i++)
        if (!course->dealers[i].open)
            return false;
    return true;
}

static bool all_are_back(void *arg) {
    const struct course *course = arg;
    if (clock_us() < course->end_us)
        return false;
    for (uint64_t i = 0; i < course->options->senders; i++)
        if (course->dealers[i].back < course->dealers[i].sent)
            return false;
    return true;
}

static bool open_all(struct course *course) {
    struct curve_keys keys;
    for (uint64_t i = 0; i < course->options->senders; i++) {
        struct dealer *dealer = &course->dealers[i];
        dealer->course = course;
        dealer->number = i;
        dealer->line.on_frame = came_back;
        dealer->line.on_open = opened;
        dealer->line.arg = dealer;
        if (!curve_keys_make(&keys) || !line_open(&dealer->line, &course->board, LINE_DEALER, &keys,
                                                  course->bare.at.key, course->bare.at.commands)) {
            bench_fail(course->bench, "a bare connection can't be made");
            return false;
        }
    }
    return bench_wait(course->bench, BENCH_PATIENCE_US, all_are_open, course, "bare connections");
}

/* ---- a run ---- */

static void add_up(struct course *course) {
    for (uint64_t i = 0; i < course->options->senders; i++)
        course->echo->count += course->dealers[i].back * course->options->frame;
    course->echo->seconds += (double)(course->last_us - course->begin_us) / 1e6;
}

static bool measure(struct course *course) {
    int64_t duration_us = (int64_t)(course->options->seconds * 1e6);
    struct bench *bench = course->bench;
    struct ticking rate = {.timer.fd = -1};
    struct cost_since since;
    cost_begin(&since, course->bare.child, &bench->cores);
    course->begin_us = course->last_us = clock_us();
    course->end_us = course->begin_us + duration_us;
    bool good = course->options->rate == 0 || bench_tick(bench, &rate, PACE_US, pump_all, course);
    pump_all(course);
    good = good &&
           bench_wait(bench, BENCH_PATIENCE_US + duration_us, all_are_back, course, "bare echoes");
    loop_unset(bench->loop, &rate.timer);
    cost_end(&since, &course->echo->cost);
    add_up(course);
    return good;
}

static bool prepare(struct course *course, char log[BENCH_PATH_BYTES]) {
    const struct echo_options *options = course->options;
    struct bench *bench = course->bench;
    course->frame_bytes = options->size_bytes * options->frame;
    course->frame = malloc(course->frame_bytes);
    course->dealers = calloc(options->senders, sizeof *course->dealers);
    if (!course->frame || !course->dealers || !board_init(&course->board, bench->loop)) {
        bench_fail(bench, "no memory");
        return false;
    }
    memset(course->frame, 'x', course->frame_bytes);
    course->frame[0] = BARE_ECHO;
    bench_beside_data(bench, "echo", log);
    if (bare_start(&course->bare, options->synced ? log : NULL, bench->cores.server,
                   bench->settings->io_threads))
        return true;
    bench_fail(bench, "no bare server");
    return false;
}

static void release(struct course *course) {
    for (uint64_t i = 0; course->dealers && i < course->options->senders; i++)
        line_close(&course->dealers[i].line);
    board_release(&course->board);
    bare_stop(&course->bare);
    free(course->dealers);
    free(course->frame);
}

bool echo_run(struct bench *bench, const struct echo_options *options, struct echo *echo) {
    struct course course = {.bench = bench, .options = options, .echo = echo, .end_us = INT64_MAX};
    char log[BENCH_PATH_BYTES] = "";
    bool good = prepare(&course, log) && open_all(&course) && measure(&course);
    release(&course);
    if (options->synced && log[0])
        unlink(log);
    return good;
}

double echo_rate(const struct echo *echo) {
    return (double)echo->count / echo->seconds;
}
