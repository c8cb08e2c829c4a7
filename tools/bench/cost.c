/* See cost.h. */
#include "cost.h"

#include "common/clock.h"
#include "loop.h"

#include <string.h>

/* A process that ran, or waited for its core, for this share of the time had no time left. */
#define FULL 0.93

static void look(struct cost *now, const struct child *server) {
    memset(now, 0, sizeof *now);
    if (server)
        child_usage(server, &now->server);
    child_usage(NULL, &now->own);
    now->machine_s = cores_busy_s();
    now->seconds = (double)clock_us() / 1e6;
}

static void add(struct usage *sum, const struct usage *now, const struct usage *before) {
    sum->main_s += now->main_s - before->main_s;
    sum->io_s += now->io_s - before->io_s;
    sum->other_s += now->other_s - before->other_s;
    sum->waited_s += now->waited_s - before->waited_s;
    sum->rss_kib = now->rss_kib;
}

void cost_begin(struct cost_since *since, const struct child *server, const struct cores *cores) {
    since->server = server;
    look(&since->at, server);
    since->at.pinned = cores->own >= 0;
}

void cost_end(const struct cost_since *since, struct cost *cost) {
    const struct cost *before = &since->at;
    struct cost now;
    look(&now, since->server);
    cost->pinned = before->pinned;
    cost->seconds += now.seconds - before->seconds;
    cost->machine_s += now.machine_s - before->machine_s;
    add(&cost->server, &now.server, &before->server);
    add(&cost->own, &now.own, &before->own);
}

static bool is_full(const struct usage *usage, double seconds) {
    return usage_s(usage) + usage->waited_s >= FULL * seconds;
}

const char *cost_bound(const struct cost *cost) {
    bool own = is_full(&cost->own, cost->seconds), server = is_full(&cost->server, cost->seconds);
    if (!cost->pinned)
        return "unknown";
    if (own && server)
        return "both";
    return own ? "generator" : server ? "server" : "neither";
}

static void print(struct json *json, const char *prefix, const char *name, double value) {
    char whole[64];
    snprintf(whole, sizeof whole, "%s_%s", prefix, name);
    json_real(json, whole, value, 3);
}

void cost_print(struct json *json, const char *prefix, const struct cost *cost, double done) {
    double server_s = usage_s(&cost->server), own_s = usage_s(&cost->own);
    char name[64];
    print(json, prefix, "cpu_s_per_million", server_s / done * 1e6);
    print(json, prefix, "server_cores", server_s / cost->seconds);
    print(json, prefix, "generator_cores", own_s / cost->seconds);
    print(json, prefix, "others_cores", (cost->machine_s - own_s - server_s) / cost->seconds);
    snprintf(name, sizeof name, "%s_bound", prefix);
    json_text(json, name, cost_bound(cost));
}

void cost_print_ratio(struct json *json, const char *name, const struct cost *cost, double done,
                      const struct cost *limit, double limit_done) {
    json_real(json, name, (usage_s(&limit->server) / limit_done) / (usage_s(&cost->server) / done),
              3);
}
