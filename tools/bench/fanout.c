/* Half of the bare server's part comes before the broker's, half after it. For posts the bare
 * server syncs each turn before it goes out, as the broker does. */
#include "fanout.h"

#include "bare.h"
#include "crowd.h"
#include "fan.h"

#include <stdlib.h>
#include <unistd.h>

struct fanout {
    struct bench bench;
    const struct settings *settings; /* borrowed: from main */
    struct curve_keys *keys;         /* owned */
    struct fan_result broker;
    struct fan_result bare;
};

static bool run_bare(struct fanout *fanout) {
    const struct settings *settings = fanout->settings;
    bool synced = settings->what == WHAT_POST;
    char log[BENCH_PATH_BYTES];
    struct bare bare;
    if (settings->alone)
        return true;
    bench_beside_data(&fanout->bench, "fanout", log);
    bool good =
        bare_start(&bare, synced ? log : NULL, fanout->bench.cores.server, settings->io_threads);
    const struct fan_options options = {.server = bare.child,
                                        .at = bare.at,
                                        .bare = true,
                                        .keys = fanout->keys,
                                        .seconds = settings->limit_seconds / 2};
    good = good && fan_run(&fanout->bench, &options, &fanout->bare);
    bare_stop(&bare);
    if (synced)
        unlink(log);
    return good;
}

static bool run_broker(struct fanout *fanout) {
    struct fan_options options = {
        .server = fanout->bench.broker, .keys = fanout->keys, .seconds = fanout->settings->seconds};
    return bare_told(fanout->bench.broker, &options.at) &&
           fan_run(&fanout->bench, &options, &fanout->broker);
}

static double rate(const struct fan_result *result) {
    return (double)result->delivered / result->seconds;
}

static void print_bare(const struct fanout *fanout, struct json *json) {
    const struct fan_result *bare = &fanout->bare;
    json_flag(json, "bare_fdatasync", fanout->settings->what == WHAT_POST);
    json_real(json, "bare_per_s", rate(bare), 0);
    cost_print(json, "bare", &bare->cost, (double)bare->delivered);
    json_real(json, "of_bare", rate(&fanout->broker) / rate(bare), 3);
    cost_print_ratio(json, "cpu_of_bare", &fanout->broker.cost, (double)fanout->broker.delivered,
                     &bare->cost, (double)bare->delivered);
}

static void print_report(const struct fanout *fanout) {
    const struct settings *settings = fanout->settings;
    const struct fan_result *broker = &fanout->broker;
    struct json json;
    json_open(&json, stdout, "fanout");
    json_text(&json, "what", what_name(settings->what));
    json_text(&json, "events", events_name(settings->events));
    json_count(&json, "clients", settings->clients);
    json_count(&json, "acknowledged", broker->sent);
    json_real(&json, "acknowledged_per_s", (double)broker->sent / broker->seconds, 0);
    json_count(&json, "delivered", broker->delivered);
    json_real(&json, "delivered_per_s", rate(broker), 0);
    histogram_print(&json, "acknowledgement", &broker->acknowledgement);
    histogram_print(&json, "delivery", &broker->delivery);
    cost_print(&json, "broker", &broker->cost, (double)broker->delivered);
    if (!settings->alone)
        print_bare(fanout, &json);
    json_count(&json, "lost", broker->lost);
    json_count(&json, "doubled", broker->doubled);
    json_count(&json, "out_of_order", broker->out_of_order);
    json_count(&json, "senders", settings->senders);
    json_count(&json, "window", settings->window);
    json_count(&json, "size", settings->size_bytes);
    json_real(&json, "seconds", settings->seconds, 1);
    json_real(&json, "limit_seconds", settings->limit_seconds, 1);
    json_flag(&json, "pin", settings->pin);
    json_count(&json, "io_threads", settings->io_threads);
    json_close(&json);
}

static bool go(struct fanout *fanout) {
    const struct settings *settings = fanout->settings;
    const struct fan_result *broker = &fanout->broker;
    const struct bench_accounts accounts = {.senders = settings->senders,
                                            .accounts = settings->clients,
                                            .accounts_per_key = CROWD_CLIENTS_PER_KEY,
                                            .keys = fanout->keys};
    if (!bench_init(&fanout->bench, settings, &accounts) || !run_bare(fanout) ||
        !run_broker(fanout) || !run_bare(fanout))
        return false;
    print_report(fanout);
    return broker->lost + broker->doubled + broker->out_of_order == 0;
}

int fanout_main(const struct settings *settings) {
    struct fanout *fanout = calloc(1, sizeof *fanout);
    if (!fanout || !(fanout->keys = crowd_keys(settings->clients))) {
        fputs("zchat-bench: no memory\n", stderr);
        free(fanout);
        return 1;
    }
    fanout->settings = settings;
    bool good = go(fanout);
    bench_release(&fanout->bench);
    free(fanout->keys);
    free(fanout);
    return good && fflush(stdout) == 0 ? 0 : 1;
}
