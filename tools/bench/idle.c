/* Logs the clients in, lets the last presence event and its repeated head pass, and looks at what
 * the broker uses from then on. */
#include "idle.h"

#include "client.h"

#include <inttypes.h>
#include <stdlib.h>

/* Clients that log in at a time. */
#define LOGINS_MAX 32
/* Each subscribes three topics, and the broker allows a key a thousand. */
#define CLIENTS_PER_KEY 300
/* A topic's head comes again 2 s after its last event; twice that is quiet. */
#define QUIET_US (4 * INT64_C(1000000))

struct idle {
    struct bench bench;
    const struct settings *settings; /* borrowed: from main */
    struct client *clients;          /* owned */
    uint64_t opened;
};

static bool open_next(struct idle *idle) {
    const struct settings *settings = idle->settings;
    const zchat_login_options login = {.online = true,
                                       .inbox = true,
                                       .public_events =
                                           settings->events == EVENTS_SUB      ? ZCHAT_PUBLIC_SUB
                                           : settings->events == EVENTS_INLINE ? ZCHAT_PUBLIC_INLINE
                                                                               : ZCHAT_PUBLIC_NONE};
    char name[BENCH_NAME_BYTES];
    bench_account_name(idle->opened, name);
    uint64_t group = idle->opened / CLIENTS_PER_KEY;
    struct client *client = &idle->clients[idle->opened++];
    if (!client_open(client, &idle->bench, group))
        return false;
    client_login(client, name, &login);
    return true;
}

/* Opens more as others are in. */
static bool all_logged_in(void *arg) {
    struct idle *idle = arg;
    uint64_t count = idle->settings->clients;
    uint64_t in = clients_logged_in(idle->clients, sizeof *idle->clients, idle->opened);
    while (idle->opened < count && idle->opened - in < LOGINS_MAX && open_next(idle))
        ;
    return in == count;
}

static bool idle_for(struct idle *idle, int64_t time_us) {
    if (loop_run(idle->bench.loop, loop_now_us() + time_us, NULL, NULL) == LOOP_EXPIRED)
        return true;
    bench_fail(&idle->bench, "interrupted");
    return false;
}

static void print_report(const struct settings *settings, const struct usage usage[3]) {
    double clients = (double)settings->clients;
    printf("{\"bench\":\"idle\",\"clients\":%" PRIu64 ",\"events\":\"%s\",\"seconds\":%g,"
           "\"broker_cpu_percent\":%.3f,\"broker_rss_mib\":%.1f,\"broker_kib_per_client\":%.1f,"
           "\"login_cpu_ms_per_client\":%.3f}\n",
           settings->clients, events_name(settings->events), settings->seconds,
           100 * (usage_s(&usage[2]) - usage_s(&usage[1])) / settings->seconds,
           (double)usage[2].rss_kib / 1024,
           ((double)usage[2].rss_kib - (double)usage[0].rss_kib) / clients,
           1e3 * (usage_s(&usage[1]) - usage_s(&usage[0])) / clients);
}

static bool go(struct idle *idle) {
    const struct settings *settings = idle->settings;
    struct bench *bench = &idle->bench;
    struct usage usage[3];
    if (!bench_init(bench, settings, 0, settings->clients, CLIENTS_PER_KEY))
        return false;
    if (!child_usage(bench->broker, &usage[0]) ||
        !bench_wait(bench, BENCH_PATIENCE_US + (int64_t)settings->clients * 20000, all_logged_in,
                    idle, "the clients' login") ||
        !idle_for(idle, QUIET_US) || !child_usage(bench->broker, &usage[1]) ||
        !idle_for(idle, (int64_t)(settings->seconds * 1e6)) ||
        !child_usage(bench->broker, &usage[2]))
        return false;
    print_report(settings, usage);
    return true;
}

int idle_main(const struct settings *settings) {
    struct idle idle = {.settings = settings,
                        .clients = calloc(settings->clients, sizeof *idle.clients)};
    bool good = idle.clients && go(&idle);
    for (uint64_t i = 0; i < idle.opened; i++)
        client_close(&idle.clients[i]);
    bench_release(&idle.bench);
    free(idle.clients);
    return good && fflush(stdout) == 0 ? 0 : 1;
}
