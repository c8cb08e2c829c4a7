/* See limits.h. */
#include "limits.h"

#include "disk.h"

bool limits_are_wanted(const struct settings *settings) {
    return !settings->server && !settings->alone && settings->limit_seconds > 0;
}

static bool measure_echo(struct bench *bench, bool synced, struct echo *echo) {
    const struct settings *settings = bench->settings;
    const struct echo_options options = {.senders = settings->senders,
                                         .window = settings->window,
                                         .frame = settings->limit_frame,
                                         .size_bytes = settings->size_bytes,
                                         .rate = settings->rate,
                                         .seconds = settings->limit_seconds / 2,
                                         .synced = synced};
    return echo_run(bench, &options, echo);
}

bool limits_measure(struct limits *limits, struct bench *bench) {
    if (!limits_are_wanted(bench->settings))
        return true;
    limits->has_redis = redis_is_there(bench->settings->redis);
    return measure_echo(bench, false, &limits->echo) &&
           measure_echo(bench, true, &limits->synced) &&
           (!limits->has_redis || redis_run(bench, &limits->redis));
}

bool limits_measure_log(struct limits *limits, struct bench *bench, double batch) {
    const struct settings *settings = bench->settings;
    char path[BENCH_PATH_BYTES];
    if (!limits_are_wanted(settings))
        return true;
    limits->log_batch = batch > 1 ? batch : 1;
    bench_beside_data(bench, "log", path);
    if (plain_log(path, settings->size_bytes * (uint64_t)limits->log_batch, settings->limit_seconds,
                  &limits->log_per_s)) {
        limits->log_per_s *= (double)(uint64_t)limits->log_batch;
        return true;
    }
    bench_fail(bench, "the plain log failed");
    return false;
}

static void print_echo(struct json *json, const char *prefix, const struct echo *echo, double per_s,
                       const struct cost *cost, double done) {
    char name[64];
    snprintf(name, sizeof name, "%s_per_s", prefix);
    json_real(json, name, echo_rate(echo), 0);
    histogram_print(json, prefix, &echo->took);
    cost_print(json, prefix, &echo->cost, (double)echo->count);
    snprintf(name, sizeof name, "of_%s", prefix);
    json_real(json, name, per_s / echo_rate(echo), 3);
    snprintf(name, sizeof name, "cpu_of_%s", prefix);
    cost_print_ratio(json, name, cost, done, &echo->cost, (double)echo->count);
}

void limits_print(const struct limits *limits, const struct settings *settings, struct json *json,
                  double per_s, const struct cost *cost, double done) {
    if (!limits_are_wanted(settings))
        return;
    print_echo(json, "echo", &limits->echo, per_s, cost, done);
    print_echo(json, "echo_fdatasync", &limits->synced, per_s, cost, done);
    if (limits->has_redis)
        redis_print(&limits->redis, json, per_s);
    if (limits->log_per_s > 0) {
        json_real(json, "log_per_s", limits->log_per_s, 0);
        json_real(json, "log_batch", limits->log_batch, 0);
        json_real(json, "of_log", per_s / limits->log_per_s, 3);
    }
}
