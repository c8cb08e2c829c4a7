/* The broker's part comes between two halves of the bare server's part. The bare server forwards
 * each message and acknowledges it, once without and once with one pwrite and fdatasync for each
 * turn. */
#include "sparse.h"

#include "bare.h"
#include "crowd.h"
#include "pairs.h"

#include <stdlib.h>
#include <unistd.h>

struct sparse {
    struct bench bench;
    const struct settings *settings; /* borrowed: from main */
    const char *verb;
    uint64_t window;
    struct curve_keys *keys; /* owned */
    struct pairs_result broker;
    struct pairs_result forward;
    struct pairs_result synced;
};

static struct pairs_options options_of(const struct sparse *sparse) {
    return (struct pairs_options){.keys = sparse->keys,
                                  .pairs = sparse->settings->pairs,
                                  .window = sparse->window,
                                  .rate = sparse->settings->rate};
}

static bool run_bare(struct sparse *sparse, bool synced, struct pairs_result *result) {
    const struct settings *settings = sparse->settings;
    struct pairs_options options = options_of(sparse);
    char log[BENCH_PATH_BYTES];
    struct bare bare;
    bench_beside_data(&sparse->bench, "forward", log);
    bool good =
        bare_start(&bare, synced ? log : NULL, sparse->bench.cores.server, settings->io_threads);
    options.server = bare.child;
    options.at = bare.at;
    options.bare = true;
    options.seconds = settings->limit_seconds / 2;
    good = good && pairs_run(&sparse->bench, &options, result);
    bare_stop(&bare);
    if (synced)
        unlink(log);
    return good;
}

static bool run_limits(struct sparse *sparse) {
    return sparse->settings->alone ||
           (run_bare(sparse, false, &sparse->forward) && run_bare(sparse, true, &sparse->synced));
}

static bool run_broker(struct sparse *sparse) {
    struct pairs_options options = options_of(sparse);
    options.server = sparse->bench.broker;
    options.seconds = sparse->settings->seconds;
    return bare_told(sparse->bench.broker, &options.at) &&
           pairs_run(&sparse->bench, &options, &sparse->broker);
}

static double rate(const struct pairs_result *result) {
    return (double)result->acknowledged / result->seconds;
}

/* How many times longer acknowledgements take than the limit's. */
static double times(const struct pairs_result *one, const struct pairs_result *other,
                    double share) {
    return (double)histogram_percentile(&one->acknowledgement, share) /
           (double)histogram_percentile(&other->acknowledgement, share);
}

static void print_limit(struct json *json, const char *prefix, const struct pairs_result *broker,
                        const struct pairs_result *limit) {
    char name[64];
    snprintf(name, sizeof name, "%s_per_s", prefix);
    json_real(json, name, rate(limit), 0);
    histogram_print(json, prefix, &limit->acknowledgement);
    cost_print(json, prefix, &limit->cost, (double)limit->acknowledged);
    snprintf(name, sizeof name, "of_%s", prefix);
    json_real(json, name, rate(broker) / rate(limit), 3);
    snprintf(name, sizeof name, "cpu_of_%s", prefix);
    cost_print_ratio(json, name, &broker->cost, (double)broker->acknowledged, &limit->cost,
                     (double)limit->acknowledged);
    snprintf(name, sizeof name, "p50_times_%s", prefix);
    json_real(json, name, times(broker, limit, 0.50), 3);
    snprintf(name, sizeof name, "p99_times_%s", prefix);
    json_real(json, name, times(broker, limit, 0.99), 3);
}

static void print_setting(const struct sparse *sparse, struct json *json) {
    const struct settings *settings = sparse->settings;
    json_count(json, "pairs", settings->pairs);
    json_count(json, "window", sparse->window);
    json_count(json, "rate", settings->rate);
    json_count(json, "size", settings->size_bytes);
    json_real(json, "seconds", settings->seconds, 1);
    json_real(json, "limit_seconds", settings->limit_seconds, 1);
    json_flag(json, "pin", settings->pin);
    json_count(json, "io_threads", settings->io_threads);
}

static void print_report(const struct sparse *sparse) {
    const struct pairs_result *broker = &sparse->broker;
    struct json json;
    json_open(&json, stdout, sparse->verb);
    json_count(&json, "acknowledged", broker->acknowledged);
    json_real(&json, "acknowledged_per_s", rate(broker), 0);
    json_count(&json, "delivered", broker->delivered);
    histogram_print(&json, "acknowledgement", &broker->acknowledgement);
    histogram_print(&json, "delivery", &broker->delivery);
    cost_print(&json, "broker", &broker->cost, (double)broker->acknowledged);
    if (!sparse->settings->alone) {
        print_limit(&json, "forward", broker, &sparse->forward);
        print_limit(&json, "forward_fdatasync", broker, &sparse->synced);
    }
    json_count(&json, "lost", broker->lost);
    json_count(&json, "doubled", broker->doubled);
    json_count(&json, "out_of_order", broker->out_of_order);
    print_setting(sparse, &json);
    json_close(&json);
}

static bool go(struct sparse *sparse) {
    const struct settings *settings = sparse->settings;
    const struct pairs_result *broker = &sparse->broker;
    const struct bench_accounts accounts = {.senders = settings->pairs,
                                            .accounts = settings->pairs,
                                            .accounts_per_key = CROWD_CLIENTS_PER_KEY,
                                            .keys = sparse->keys};
    if (!bench_init(&sparse->bench, settings, &accounts) || !run_limits(sparse) ||
        !run_broker(sparse) || !run_limits(sparse))
        return false;
    print_report(sparse);
    return broker->lost + broker->doubled + broker->out_of_order == 0;
}

static int run(const struct settings *settings, const char *verb, uint64_t window) {
    struct sparse *sparse = calloc(1, sizeof *sparse);
    if (!sparse || !(sparse->keys = crowd_keys(settings->pairs))) {
        fputs("zchat-bench: no memory\n", stderr);
        free(sparse);
        return 1;
    }
    sparse->settings = settings;
    sparse->verb = verb;
    sparse->window = window;
    bool good = go(sparse);
    bench_release(&sparse->bench);
    free(sparse->keys);
    free(sparse);
    return good && fflush(stdout) == 0 ? 0 : 1;
}

int sparse_main(const struct settings *settings) {
    return run(settings, "sparse", 1);
}

int latency_main(const struct settings *settings) {
    return run(settings, "latency", settings->window);
}
