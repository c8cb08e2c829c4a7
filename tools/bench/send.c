/* The course of a run: log in, send for the given time, wait for what is under way, read the
 * inboxes, report. */
#include "send.h"

#include "common/clock.h"
#include "pace.h"
#include "run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_TICK_US     (1000 * INT64_C(1000))
#define DELIVERY_PATIENCE_US (20 * INT64_C(1000000))

struct progress {
    struct run *run; /* borrowed */
    uint64_t acknowledged;
};

static bool run_init(struct run *run, const struct settings *settings) {
    size_t pairs = settings->senders * settings->accounts;
    zchat_id id;
    zchat_id_new(&id);
    memcpy(&run->tag, id.bytes + sizeof id.bytes - sizeof run->tag, sizeof run->tag);
    run->settings = settings;
    run->end_us = INT64_MAX;
    run->sent = calloc(pairs, sizeof *run->sent);
    run->acknowledged = calloc(pairs, sizeof *run->acknowledged);
    return run->sent && run->acknowledged && reading_init(&run->inboxes, pairs) &&
           reading_init(&run->own, pairs);
}

static void run_release(struct run *run) {
    senders_close(run);
    receivers_close(run);
    reading_release(&run->inboxes);
    reading_release(&run->own);
    free(run->readers);
    free(run->sent);
    free(run->acknowledged);
}

static void show_progress(void *arg) {
    struct progress *progress = arg;
    const struct run *run = progress->run;
    fprintf(stderr, "\r%.0f s: %" PRIu64 " acknowledged/s ",
            (double)(clock_us() - run->begin_us) / 1e6,
            run->acknowledged_total - progress->acknowledged);
    progress->acknowledged = run->acknowledged_total;
}

/* What has not come by then counts as lost. */
static bool wait_for_deliveries(struct run *run) {
    int64_t until_us = clock_us() + DELIVERY_PATIENCE_US;
    switch (loop_run(run->bench.loop, until_us, receivers_have_all, run)) {
    case LOOP_DONE:
        return true;
    case LOOP_EXPIRED:
        fputs("zchat-bench: acknowledged messages were not delivered\n", stderr);
        return true;
    case LOOP_STOPPED:
        bench_fail(&run->bench, "interrupted");
        return false;
    }
    return false;
}

/* Sends, and waits for every answer and for every delivery. */
static bool measure(struct run *run, struct cost *cost) {
    struct bench *bench = &run->bench;
    struct progress progress = {.run = run};
    struct ticking shown = {.timer.fd = -1}, rate = {.timer.fd = -1};
    struct cost_since since;
    bool done = (!isatty(STDERR_FILENO) ||
                 bench_tick(bench, &shown, PROGRESS_TICK_US, show_progress, &progress)) &&
                (run->settings->rate == 0 || bench_tick(bench, &rate, PACE_US, senders_pump, run));
    int64_t duration_us = (int64_t)(run->settings->seconds * 1e6);
    cost_begin(&since, bench->broker, &bench->cores);
    senders_begin(run, duration_us);
    done = done &&
           bench_wait(bench, duration_us + BENCH_PATIENCE_US, senders_are_idle, run,
                      "the acknowledgement of the last messages") &&
           wait_for_deliveries(run);
    cost_end(&since, cost);
    loop_unset(bench->loop, &shown.timer);
    loop_unset(bench->loop, &rate.timer);
    if (isatty(STDERR_FILENO))
        fputs("\n", stderr);
    return done;
}

/* ---- the broker's own counters ---- */

static void take_counters(void *arg, const zchat_reply *reply) {
    struct counters *counters = arg;
    if (!client_answered(&counters->run->senders[0].client, reply, "stats"))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        const zchat_stat *stat = &reply->stats[i];
        if (strcmp(stat->name, "commits_total") == 0)
            counters->commits = stat->value;
        else if (strcmp(stat->name, "commit_us_total") == 0)
            counters->commit_us = stat->value;
    }
    counters->known = true;
}

static bool counters_are_known(void *arg) {
    return ((struct counters *)arg)->known;
}

static bool read_counters(struct run *run, struct counters *counters) {
    struct client *client = &run->senders[0].client;
    *counters = (struct counters){.run = run};
    return client_accepts(client, zchat_stats(client->z, take_counters, counters), "stats") &&
           bench_wait(&run->bench, BENCH_PATIENCE_US, counters_are_known, counters, "stats");
}

/* ---- the report ---- */

static uint64_t lost_connections(const struct run *run) {
    uint64_t lost = 0;
    for (uint64_t i = 0; i < run->settings->senders; i++)
        lost += run->senders[i].client.lost_connections;
    for (uint64_t i = 0; i < run->settings->receivers; i++)
        lost += run->receivers[i].client.lost_connections;
    return lost;
}

static void print_setting(const struct settings *settings, struct json *json) {
    json_object(json, "setting");
    json_count(json, "senders", settings->senders);
    json_count(json, "receivers", settings->receivers);
    json_count(json, "accounts", settings->accounts);
    json_count(json, "window", settings->window);
    json_count(json, "size", settings->size_bytes);
    json_real(json, "seconds", settings->seconds, 1);
    json_real(json, "limit_seconds", settings->limit_seconds, 1);
    json_count(json, "limit_frame", settings->limit_frame);
    json_count(json, "rate", settings->rate);
    json_flag(json, "pin", settings->pin);
    json_flag(json, "check", settings->check);
    json_count(json, "io_threads", settings->io_threads);
    json_count(json, "seed", settings->seed);
    json_end(json);
}

static void print_cost(const struct run *run, const struct cost *cost, struct json *json) {
    double done = (double)run->acknowledged_total;
    cost_print(json, "broker", cost, done);
    json_real(json, "broker_cpu_main", cost->server.main_s / done * 1e6, 3);
    json_real(json, "broker_cpu_io", cost->server.io_s / done * 1e6, 3);
    json_real(json, "broker_cpu_other", cost->server.other_s / done * 1e6, 3);
    json_real(json, "broker_rss_mib", (double)cost->server.rss_kib / 1024, 1);
    json_real(json, "bench_cpu_s_per_million", usage_s(&cost->own) / done * 1e6, 3);
}

/* 0: not known, because a broker that was restarted meanwhile counts from 0. */
static double messages_per_commit(const struct run *run) {
    const struct counters *before = &run->counters[0], *after = &run->counters[1];
    if (after->commits <= before->commits || lost_connections(run) > 0)
        return 0;
    return (double)run->acknowledged_total / (double)(after->commits - before->commits);
}

static void print_commits(const struct run *run, struct json *json) {
    const struct counters *before = &run->counters[0], *after = &run->counters[1];
    double batch = messages_per_commit(run);
    if (batch == 0)
        return;
    json_real(json, "messages_per_commit", batch, 1);
    json_real(json, "commit_ms",
              (double)(after->commit_us - before->commit_us) /
                  (double)(after->commits - before->commits) / 1e3,
              3);
}

static uint64_t faults(const struct run *run) {
    return run->inboxes.lost + run->own.lost + run->inboxes.doubled + run->own.doubled +
           run->inboxes.out_of_order + run->own.out_of_order;
}

static void print_faults(const struct run *run, struct json *json, uint64_t accounts_checked) {
    json_count(json, "lost", run->inboxes.lost + run->own.lost);
    json_count(json, "doubled", run->inboxes.doubled + run->own.doubled);
    json_count(json, "out_of_order", run->inboxes.out_of_order + run->own.out_of_order);
    json_count(json, "checked_accounts", accounts_checked);
    json_count(json, "checked_messages", run->inboxes.read + run->own.read);
    json_count(json, "lost_connections", lost_connections(run));
}

static void print_report(const struct run *run, const struct cost *cost,
                         uint64_t accounts_checked) {
    double seconds = (double)(run->last_us - run->begin_us) / 1e6;
    double per_s = (double)run->acknowledged_total / seconds;
    struct json json;
    json_open(&json, stdout, "send");
    json_count(&json, "acknowledged", run->acknowledged_total);
    json_real(&json, "acknowledged_per_s", per_s, 0);
    json_count(&json, "delivered", run->delivered_total);
    json_real(&json, "delivered_per_s", (double)run->delivered_total / seconds, 0);
    histogram_print(&json, "acknowledgement", &run->acknowledgement);
    histogram_print(&json, "delivery", &run->delivery);
    print_cost(run, cost, &json);
    print_commits(run, &json);
    limits_print(&run->limits, run->settings, &json, per_s, cost, (double)run->acknowledged_total);
    print_faults(run, &json, accounts_checked);
    json_real(&json, "elapsed_s", seconds, 3);
    print_setting(run->settings, &json);
    json_close(&json);
}

static bool go(struct run *run) {
    const struct settings *settings = run->settings;
    struct bench *bench = &run->bench;
    struct cost cost = {0};
    const struct bench_accounts accounts = {.senders = settings->senders,
                                            .accounts = settings->accounts};
    uint64_t accounts_checked = 0;
    if (!bench_init(bench, settings, &accounts) || !senders_open(run) || !receivers_open(run) ||
        !limits_measure(&run->limits, bench) || !read_counters(run, &run->counters[0]) ||
        !measure(run, &cost) || !read_counters(run, &run->counters[1]) ||
        !limits_measure(&run->limits, bench) ||
        !limits_measure_log(&run->limits, bench, messages_per_commit(run)) ||
        !check_inboxes(run, &accounts_checked))
        return false;
    print_report(run, &cost, accounts_checked);
    return faults(run) == 0;
}

int send_main(const struct settings *settings) {
    struct run *run = calloc(1, sizeof *run);
    bool good = false;
    if (run && run_init(run, settings)) {
        good = go(run);
        run_release(run);
        bench_release(&run->bench);
    } else {
        fputs("zchat-bench: no memory\n", stderr);
    }
    free(run);
    return good && fflush(stdout) == 0 ? 0 : 1;
}
