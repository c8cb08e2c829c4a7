/* The course of a run: log in, send for so long, wait for what is under way, read the inboxes,
 * report. */
#include "send.h"

#include "run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often a rate is looked at: messages are due in between, and sent together. */
#define RATE_TICK_US         (500)
#define PROGRESS_TICK_US     (1000 * INT64_C(1000))
#define DELIVERY_PATIENCE_US (20 * INT64_C(1000000))

/* What the machine gave for the measured part. */
struct cost {
    struct broker_usage broker;
    double own_s;
};

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
            (double)(loop_now_us() - run->begin_us) / 1e6,
            run->acknowledged_total - progress->acknowledged);
    progress->acknowledged = run->acknowledged_total;
}

struct ticking {
    struct loop_timer timer;
    void (*fn)(void *arg);
    void *arg;
};

static void tick(void *arg) {
    struct ticking *ticking = arg;
    uint64_t times;
    if (read(ticking->timer.fd, &times, sizeof times) == sizeof times)
        ticking->fn(ticking->arg);
}

static bool tick_every(struct run *run, struct ticking *ticking, int64_t interval_us,
                       void (*fn)(void *arg), void *arg) {
    *ticking = (struct ticking){.timer = {{tick, ticking}, -1}, .fn = fn, .arg = arg};
    if (loop_every(run->bench.loop, &ticking->timer, interval_us))
        return true;
    bench_fail(&run->bench, "no timer");
    return false;
}

static void look(const struct run *run, struct cost *cost) {
    memset(cost, 0, sizeof *cost);
    if (run->bench.broker)
        broker_usage(run->bench.broker, &cost->broker);
    cost->own_s = bench_own_cpu_s();
}

static void subtract(struct cost *cost, const struct cost *before) {
    cost->own_s -= before->own_s;
    cost->broker.main_s -= before->broker.main_s;
    cost->broker.io_s -= before->broker.io_s;
    cost->broker.other_s -= before->broker.other_s;
}

/* What has not come by then is lost to the one who waits for it. */
static bool wait_for_deliveries(struct run *run) {
    int64_t until_us = loop_now_us() + DELIVERY_PATIENCE_US;
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
    struct cost before;
    bool done =
        (!isatty(STDERR_FILENO) ||
         tick_every(run, &shown, PROGRESS_TICK_US, show_progress, &progress)) &&
        (run->settings->rate == 0 || tick_every(run, &rate, RATE_TICK_US, senders_pump, run));
    int64_t duration_us = (int64_t)(run->settings->seconds * 1e6);
    look(run, &before);
    senders_begin(run, duration_us);
    done = done &&
           bench_wait(bench, duration_us + BENCH_PATIENCE_US, senders_are_idle, run,
                      "the acknowledgement of the last messages") &&
           wait_for_deliveries(run);
    look(run, cost);
    subtract(cost, &before);
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

static void print_setting(const struct settings *settings) {
    printf("\"setting\":{\"senders\":%" PRIu64 ",\"receivers\":%" PRIu64 ",\"accounts\":%" PRIu64
           ",\"window\":%" PRIu64 ",\"size\":%" PRIu64 ",\"seconds\":%g,\"rate\":%" PRIu64
           ",\"pin\":%s,\"check\":%s,\"io_threads\":%" PRIu64 ",\"seed\":%" PRIu64 "}",
           settings->senders, settings->receivers, settings->accounts, settings->window,
           settings->size_bytes, settings->seconds, settings->rate,
           settings->pin ? "true" : "false", settings->check ? "true" : "false",
           settings->io_threads, settings->seed);
}

static void print_latency(const char *name, const struct histogram *histogram) {
    printf("\"%s_p50_ms\":%.3f,\"%s_p99_ms\":%.3f,", name,
           (double)histogram_percentile(histogram, 0.50) / 1e3, name,
           (double)histogram_percentile(histogram, 0.99) / 1e3);
}

static void print_cost(const struct run *run, const struct cost *cost, double seconds) {
    double millions = (double)run->acknowledged_total / 1e6;
    double broker_s = cost->broker.main_s + cost->broker.io_s + cost->broker.other_s;
    if (run->bench.broker)
        printf("\"broker_cpu_s_per_million\":%.3f,\"broker_cpu_main\":%.3f,\"broker_cpu_io\":%.3f,"
               "\"broker_cpu_other\":%.3f,\"broker_cores\":%.3f,\"broker_rss_mib\":%.1f,",
               broker_s / millions, cost->broker.main_s / millions, cost->broker.io_s / millions,
               cost->broker.other_s / millions, broker_s / seconds,
               (double)cost->broker.rss_kib / 1024);
    printf("\"bench_cpu_s_per_million\":%.3f,\"bench_cores\":%.3f,", cost->own_s / millions,
           cost->own_s / seconds);
}

/* A broker that was started again meanwhile counts from 0. */
static void print_commits(const struct run *run) {
    const struct counters *before = &run->counters[0], *after = &run->counters[1];
    if (after->commits < before->commits || lost_connections(run) > 0)
        return;
    double commits = (double)(after->commits - before->commits);
    printf("\"messages_per_commit\":%.1f,\"commit_ms\":%.3f,",
           commits > 0 ? (double)run->acknowledged_total / commits : 0,
           commits > 0 ? (double)(after->commit_us - before->commit_us) / commits / 1e3 : 0);
}

/* true: nothing was lost, doubled or out of order. */
static bool print_report(const struct run *run, const struct cost *cost,
                         uint64_t accounts_checked) {
    double seconds = (double)(run->last_us - run->begin_us) / 1e6;
    uint64_t lost = run->inboxes.lost + run->own.lost;
    uint64_t doubled = run->inboxes.doubled + run->own.doubled;
    uint64_t out_of_order = run->inboxes.out_of_order + run->own.out_of_order;
    printf("{\"bench\":\"send\",\"acknowledged\":%" PRIu64 ",\"acknowledged_per_s\":%.0f,"
           "\"delivered\":%" PRIu64 ",\"delivered_per_s\":%.0f,",
           run->acknowledged_total, (double)run->acknowledged_total / seconds, run->delivered_total,
           (double)run->delivered_total / seconds);
    print_latency("acknowledgement", &run->acknowledgement);
    print_latency("delivery", &run->delivery);
    print_cost(run, cost, seconds);
    print_commits(run);
    printf("\"lost\":%" PRIu64 ",\"doubled\":%" PRIu64 ",\"out_of_order\":%" PRIu64
           ",\"checked_accounts\":%" PRIu64 ",\"checked_messages\":%" PRIu64
           ",\"lost_connections\":%" PRIu64 ",\"elapsed_s\":%.3f,",
           lost, doubled, out_of_order, accounts_checked, run->inboxes.read + run->own.read,
           lost_connections(run), seconds);
    print_setting(run->settings);
    puts("}");
    return lost + doubled + out_of_order == 0;
}

static bool go(struct run *run) {
    const struct settings *settings = run->settings;
    struct cost cost;
    uint64_t accounts_checked = 0;
    return bench_init(&run->bench, settings, settings->senders, settings->accounts, UINT64_MAX) &&
           senders_open(run) && receivers_open(run) && read_counters(run, &run->counters[0]) &&
           measure(run, &cost) && read_counters(run, &run->counters[1]) &&
           check_inboxes(run, &accounts_checked) && print_report(run, &cost, accounts_checked);
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
