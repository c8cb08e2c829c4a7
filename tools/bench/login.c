/* The same number of clients also connects to a bare server, before and after the broker's part.
 * With several rounds they leave and come back. A client is in when its login was answered and, if
 * it has a second connection, that one's handshake is done; a bare client, when its first frame
 * came back, and likewise for a second connection. */
#include "login.h"

#include "bare.h"
#include "cost.h"
#include "crowd.h"

#include <stdlib.h>

/* Runs add up. */
struct arrival {
    uint64_t count;
    double seconds;
    struct cost cost;
};

struct logins {
    struct bench bench;
    const struct settings *settings; /* borrowed: from main */
    struct curve_keys *keys;         /* owned */
    struct arrival broker;
    struct arrival bare;
};

static bool gather_once(struct logins *logins, const struct child *server,
                        const struct curve_server *at, bool bare, struct arrival *arrival) {
    const struct settings *settings = logins->settings;
    const struct crowd_options options = {.server = *at,
                                          .bare = bare,
                                          .clients = settings->clients,
                                          .at_a_time = settings->at_a_time,
                                          .events = settings->events,
                                          .keys = logins->keys};
    struct cost_since since;
    int64_t took_us;
    cost_begin(&since, server, &logins->bench.cores);
    struct crowd *crowd = crowd_gather(&logins->bench, &options, &took_us);
    cost_end(&since, &arrival->cost);
    if (!crowd)
        return false;
    arrival->count += settings->clients;
    arrival->seconds += (double)took_us / 1e6;
    crowd_leave(crowd);
    return true;
}

static bool gather(struct logins *logins, const struct child *server, const struct curve_server *at,
                   bool bare, struct arrival *arrival) {
    for (uint64_t i = 0; i < logins->settings->rounds; i++)
        if (!gather_once(logins, server, at, bare, arrival))
            return false;
    return true;
}

static bool gather_at_bare(struct logins *logins) {
    struct bench *bench = &logins->bench;
    struct bare bare;
    if (logins->settings->alone)
        return true;
    bool good = bare_start(&bare, NULL, bench->cores.server, logins->settings->io_threads) &&
                gather(logins, bare.child, &bare.at, true, &logins->bare);
    bare_stop(&bare);
    return good;
}

static bool gather_at_broker(struct logins *logins) {
    struct curve_server at;
    return bare_told(logins->bench.broker, &at) &&
           gather(logins, logins->bench.broker, &at, false, &logins->broker);
}

static double rate(const struct arrival *arrival) {
    return (double)arrival->count / arrival->seconds;
}

static void print_report(const struct logins *logins) {
    const struct settings *settings = logins->settings;
    struct json json;
    json_open(&json, stdout, "login");
    json_count(&json, "clients", settings->clients);
    json_text(&json, "events", events_name(settings->events));
    json_count(&json, "connections", settings->events == EVENTS_SUB ? 2 : 1);
    json_real(&json, "logins_per_s", rate(&logins->broker), 1);
    cost_print(&json, "broker", &logins->broker.cost, (double)logins->broker.count);
    if (!settings->alone) {
        json_real(&json, "connects_per_s", rate(&logins->bare), 1);
        cost_print(&json, "connects", &logins->bare.cost, (double)logins->bare.count);
        json_real(&json, "of_connects", rate(&logins->broker) / rate(&logins->bare), 3);
        cost_print_ratio(&json, "cpu_of_connects", &logins->broker.cost,
                         (double)logins->broker.count, &logins->bare.cost,
                         (double)logins->bare.count);
    }
    json_count(&json, "rounds", settings->rounds);
    json_count(&json, "at_a_time", settings->at_a_time);
    json_flag(&json, "pin", settings->pin);
    json_count(&json, "io_threads", settings->io_threads);
    json_close(&json);
}

static bool go(struct logins *logins) {
    const struct settings *settings = logins->settings;
    const struct bench_accounts accounts = {.accounts = settings->clients,
                                            .accounts_per_key = CROWD_CLIENTS_PER_KEY,
                                            .keys = logins->keys};
    if (!bench_init(&logins->bench, settings, &accounts) || !gather_at_bare(logins) ||
        !gather_at_broker(logins) || !gather_at_bare(logins))
        return false;
    print_report(logins);
    return true;
}

int login_main(const struct settings *settings) {
    struct logins *logins = calloc(1, sizeof *logins);
    if (!logins || !(logins->keys = crowd_keys(settings->clients))) {
        fputs("zchat-bench: no memory\n", stderr);
        free(logins);
        return 1;
    }
    logins->settings = settings;
    bool good = go(logins);
    bench_release(&logins->bench);
    free(logins->keys);
    free(logins);
    return good && fflush(stdout) == 0 ? 0 : 1;
}
