/* Lets the clients in, waits until the last presence event and its repeated head have passed, and
 * measures what the server uses from then on: first with a bare server, then with the broker. */
#include "idle.h"

#include "bare.h"
#include "common/clock.h"
#include "cost.h"
#include "crowd.h"

#include <stdlib.h>

/* A topic's head comes again 2 s after its last event; after twice that time it is quiet. */
#define QUIET_US (4 * INT64_C(1000000))

/* What a server used: before the clients came, when they were logged in and quiet, and at the
 * end. */
struct rest {
    struct usage usage[3];
    struct cost cost; /* of the last part */
};

struct idle {
    struct bench bench;
    const struct settings *settings; /* borrowed: from main */
    struct curve_keys *keys;         /* owned */
    struct rest broker;
    struct rest bare;
};

static bool idle_for(struct bench *bench, int64_t time_us) {
    if (loop_run(bench->loop, clock_us() + time_us, NULL, NULL) == LOOP_EXPIRED)
        return true;
    bench_fail(bench, "interrupted");
    return false;
}

static bool watch(struct idle *idle, const struct child *server, struct rest *rest) {
    struct bench *bench = &idle->bench;
    struct cost_since since;
    if (!idle_for(bench, QUIET_US) || !child_usage(server, &rest->usage[1]))
        return false;
    cost_begin(&since, server, &bench->cores);
    bool good = idle_for(bench, (int64_t)(idle->settings->seconds * 1e6)) &&
                child_usage(server, &rest->usage[2]);
    cost_end(&since, &rest->cost);
    return good;
}

static bool measure(struct idle *idle, const struct child *server, const struct curve_server *at,
                    bool bare, struct rest *rest) {
    const struct settings *settings = idle->settings;
    const struct crowd_options options = {.server = *at,
                                          .bare = bare,
                                          .clients = settings->clients,
                                          .at_a_time = settings->at_a_time,
                                          .events = settings->events,
                                          .keys = idle->keys};
    int64_t took_us;
    if (!child_usage(server, &rest->usage[0]))
        return false;
    struct crowd *crowd = crowd_gather(&idle->bench, &options, &took_us);
    bool good = crowd && watch(idle, server, rest);
    crowd_leave(crowd);
    return good;
}

static bool measure_bare(struct idle *idle) {
    struct bare bare;
    if (idle->settings->alone)
        return true;
    bool good = bare_start(&bare, NULL, idle->bench.cores.server, idle->settings->io_threads) &&
                measure(idle, bare.child, &bare.at, true, &idle->bare);
    bare_stop(&bare);
    return good;
}

static bool measure_broker(struct idle *idle) {
    struct curve_server at;
    return bare_told(idle->bench.broker, &at) &&
           measure(idle, idle->bench.broker, &at, false, &idle->broker);
}

static double bytes_per_client(const struct idle *idle, const struct rest *rest) {
    return ((double)rest->usage[2].rss_kib - (double)rest->usage[0].rss_kib) * 1024 /
           (double)idle->settings->clients;
}

static void print_rest(struct json *json, const char *prefix, const struct idle *idle,
                       const struct rest *rest) {
    double clients = (double)idle->settings->clients;
    char name[64];
    snprintf(name, sizeof name, "%s_cpu_percent", prefix);
    json_real(json, name, 100 * usage_s(&rest->cost.server) / rest->cost.seconds, 3);
    snprintf(name, sizeof name, "%s_rss_mib", prefix);
    json_real(json, name, (double)rest->usage[2].rss_kib / 1024, 1);
    snprintf(name, sizeof name, "%s_bytes_per_client", prefix);
    json_real(json, name, bytes_per_client(idle, rest), 0);
    snprintf(name, sizeof name, "%s_login_cpu_ms_per_client", prefix);
    json_real(json, name, 1e3 * (usage_s(&rest->usage[1]) - usage_s(&rest->usage[0])) / clients, 3);
}

static void print_report(const struct idle *idle) {
    const struct settings *settings = idle->settings;
    struct json json;
    json_open(&json, stdout, "idle");
    json_count(&json, "clients", settings->clients);
    json_text(&json, "events", events_name(settings->events));
    json_count(&json, "connections", settings->events == EVENTS_SUB ? 2 : 1);
    json_real(&json, "seconds", settings->seconds, 1);
    print_rest(&json, "broker", idle, &idle->broker);
    if (!settings->alone) {
        print_rest(&json, "bare", idle, &idle->bare);
        json_real(&json, "bytes_of_bare",
                  bytes_per_client(idle, &idle->broker) / bytes_per_client(idle, &idle->bare), 3);
    }
    json_flag(&json, "pin", settings->pin);
    json_close(&json);
}

static bool go(struct idle *idle) {
    const struct bench_accounts accounts = {.accounts = idle->settings->clients,
                                            .accounts_per_key = CROWD_CLIENTS_PER_KEY,
                                            .keys = idle->keys};
    if (!bench_init(&idle->bench, idle->settings, &accounts) || !measure_bare(idle) ||
        !measure_broker(idle))
        return false;
    print_report(idle);
    return true;
}

int idle_main(const struct settings *settings) {
    struct idle *idle = calloc(1, sizeof *idle);
    if (!idle || !(idle->keys = crowd_keys(settings->clients))) {
        fputs("zchat-bench: no memory\n", stderr);
        free(idle);
        return 1;
    }
    idle->settings = settings;
    bool good = go(idle);
    bench_release(&idle->bench);
    free(idle->keys);
    free(idle);
    return good && fflush(stdout) == 0 ? 0 : 1;
}
