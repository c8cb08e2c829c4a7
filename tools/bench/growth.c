/* The same steps for a small store, for the large one, and for a small one again: fill it, restart
 * the broker, send for the given time and watch for a while longer, then let accounts log in and
 * read. Each account has about the same number of messages in both. All accounts trust one device
 * key. */
#include "growth.h"

#include "bare.h"
#include "common/clock.h"
#include "disk.h"
#include "flood.h"
#include "random.h"
#include "waits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SMALL_ACCOUNTS 1000
#define PAGE           50
/* How long commands are measured after the sending: work that was put off is done then. */
#define AFTER_US (3 * INT64_C(1000000))

/* Results for one kind of store; counts and times add up. */
struct facts {
    uint64_t accounts;
    uint64_t messages; /* with which it was filled */
    double filled_s;
    double start_ms; /* the longest of its starts */
    double rss_mib;  /* after the last start */
    double bytes_per_message;
    struct flood_result sending;
    struct histogram waits_beside; /* the sending */
    struct histogram waits_after;
    int64_t longest_beside_us;
    int64_t longest_after_us;
    struct histogram logins;
    struct histogram pages;
    uint64_t lost; /* messages that are missing in an inbox */
};

/* A broker on such a store. */
struct store {
    struct bench bench;
    struct settings settings; /* main's, for this store */
    struct facts *facts;      /* borrowed: from growth_main */
    struct curve_keys keys;
    struct curve_server at;
    uint32_t *received; /* owned: by account; NULL: an earlier run filled the store */
};

/* ---- accounts that log in and read ---- */

struct visitor {
    struct store *store; /* borrowed: from visit_all */
    struct lights lights;
    struct light light;
    struct light_calls calls;
    uint64_t left;
    uint64_t random;
    uint64_t account;
    int64_t begin_us;
    uint64_t page; /* the request that waits for its answer; 0: none */
};

static void visit_next(struct visitor *visitor) {
    char name[BENCH_NAME_BYTES];
    if (visitor->left == 0)
        return;
    visitor->left--;
    visitor->account = random_below(&visitor->random, visitor->store->settings.accounts);
    bench_account_name(visitor->account, name);
    visitor->begin_us = clock_us();
    light_login(&visitor->light, name, EVENTS_NONE, false);
}

static void count_lost(const struct visitor *visitor) {
    const struct store *store = visitor->store;
    uint64_t head = visitor->light.inbox_head;
    if (store->received && head < store->received[visitor->account])
        store->facts->lost += store->received[visitor->account] - head;
}

static void logged_in(void *arg) {
    struct visitor *visitor = arg;
    uint64_t head = visitor->light.inbox_head;
    int64_t now_us = clock_us();
    histogram_add(&visitor->store->facts->logins, now_us - visitor->begin_us);
    count_lost(visitor);
    visitor->begin_us = now_us;
    visitor->page = light_sync(&visitor->light, head > PAGE ? head - PAGE : 0, PAGE);
}

static void answered(void *arg, uint64_t request) {
    struct visitor *visitor = arg;
    uint64_t head = visitor->light.inbox_head, wanted = head < PAGE ? head : PAGE;
    if (request != visitor->page) { /* to the logout */
        visitor->page = 0;
        visit_next(visitor);
        return;
    }
    histogram_add(&visitor->store->facts->pages, clock_us() - visitor->begin_us);
    if (visitor->light.page_entries < wanted)
        visitor->store->facts->lost += wanted - visitor->light.page_entries;
    light_logout(&visitor->light);
}

static void visitor_failed(void *arg, const char *why) {
    const struct visitor *visitor = arg;
    bench_fail(&visitor->store->bench, "a visitor: %s", why);
}

static bool all_visited(void *arg) {
    const struct visitor *visitor = arg;
    return visitor->store->facts->pages.count == visitor->store->facts->logins.count &&
           visitor->left == 0 && visitor->page == 0;
}

static bool visit_all(struct store *store) {
    struct visitor visitor = {.store = store, .left = store->settings.visits};
    struct bench *bench = &store->bench;
    visitor.random = random_begin(store->settings.seed, 0);
    visitor.calls = (struct light_calls){
        .on_in = logged_in, .on_reply = answered, .on_failure = visitor_failed, .arg = &visitor};
    bool good = lights_init(&visitor.lights, bench->loop, &store->at) &&
                light_open(&visitor.light, &visitor.lights, &store->keys, &visitor.calls);
    if (good) {
        visitor.page = UINT64_MAX; /* nothing was answered yet */
        visit_next(&visitor);
        board_settle(&visitor.lights.board);
        good = bench_wait(bench, BENCH_PATIENCE_US, all_visited, &visitor, "the visits");
    } else {
        bench_fail(bench, "a visitor: %s", strerror(errno));
    }
    light_close(&visitor.light);
    lights_release(&visitor.lights);
    return good;
}

/* ---- the course ---- */

static bool send_to_it(struct store *store, uint64_t messages, double seconds,
                       struct flood_result *result) {
    const struct flood_options options = {.at = store->at,
                                          .key = &store->keys,
                                          .accounts = store->settings.accounts,
                                          .messages = messages,
                                          .seconds = seconds,
                                          .seed = store->settings.seed + messages,
                                          .received = store->received};
    return flood_run(&store->bench, &options, result);
}

static bool restart(struct store *store) {
    struct facts *facts = store->facts;
    int64_t took_us;
    if (!bench_restart_broker(&store->bench, &took_us) ||
        !bare_told(store->bench.broker, &store->at))
        return false;
    if ((double)took_us / 1e3 > facts->start_ms)
        facts->start_ms = (double)took_us / 1e3;
    return true;
}

static bool send_filling(struct store *store) {
    struct flood_result *filling = calloc(1, sizeof *filling);
    bool good = filling && send_to_it(store, store->settings.messages, 0, filling);
    store->facts->filled_s += good ? filling->seconds : 0;
    free(filling);
    return good;
}

/* Fills the store and tells how many bytes the disk needs for each message, measured while no
 * broker runs; then starts the broker on the full store. */
static bool fill(struct store *store) {
    struct bench *bench = &store->bench;
    bench_stop_broker(bench);
    if (store->settings.filled)
        return restart(store);
    double bytes = (double)folder_bytes(bench->data);
    if (!restart(store) || !send_filling(store))
        return false;
    bench_stop_broker(bench);
    bytes = (double)folder_bytes(bench->data) - bytes;
    store->facts->bytes_per_message = bytes / (double)store->settings.messages;
    return restart(store);
}

static bool look_on(struct store *store) {
    struct bench *bench = &store->bench;
    if (loop_run(bench->loop, clock_us() + AFTER_US, NULL, NULL) == LOOP_EXPIRED)
        return true;
    bench_fail(bench, "interrupted");
    return false;
}

static bool send_and_wait(struct store *store) {
    struct facts *facts = store->facts;
    struct waits waits;
    bool good = waits_begin(&waits, &store->bench, &store->at, &store->keys);
    waits.took = &facts->waits_beside;
    waits.longest_us = &facts->longest_beside_us;
    good = good && send_to_it(store, 0, store->settings.seconds, &facts->sending);
    waits.took = &facts->waits_after;
    waits.longest_us = &facts->longest_after_us;
    good = good && look_on(store);
    return waits_end(&waits) && good;
}

static bool measure(struct store *store) {
    struct usage usage;
    if (!bare_told(store->bench.broker, &store->at) || !fill(store) ||
        !child_usage(store->bench.broker, &usage))
        return false;
    store->facts->rss_mib = (double)usage.rss_kib / 1024;
    return send_and_wait(store) && visit_all(store);
}

/* An earlier run left its key in the folder; a run that fills the store puts a new one there. */
static bool read_keys(const char *path, struct curve_keys *keys) {
    FILE *file = fopen(path, "re");
    bool good = file && fscanf(file, "%40s %40s", keys->public, keys->secret) == 2;
    if (file)
        fclose(file);
    return good;
}

static bool write_keys(const char *path, const struct curve_keys *keys) {
    FILE *file = fopen(path, "we");
    bool good = file && fprintf(file, "%s %s\n", keys->public, keys->secret) > 0;
    return file && fclose(file) == 0 && good;
}

static bool find_keys(struct store *store) {
    char path[BENCH_PATH_BYTES];
    if (!store->settings.config_dir)
        return curve_keys_make(&store->keys);
    snprintf(path, sizeof path, "%.400s/growth.keys", store->settings.config_dir);
    bool good = store->settings.filled
                    ? read_keys(path, &store->keys)
                    : curve_keys_make(&store->keys) && write_keys(path, &store->keys);
    if (!good)
        fprintf(stderr, "zchat-bench: %s: %s\n", path, strerror(errno));
    return good;
}

static bool run_store(const struct settings *settings, struct facts *facts) {
    struct store *store = calloc(1, sizeof *store);
    bool good = false;
    if (!store)
        return false;
    store->settings = *settings;
    store->facts = facts;
    facts->accounts = settings->accounts;
    facts->messages = settings->messages;
    store->received = settings->filled ? NULL : calloc(settings->accounts, sizeof *store->received);
    if (find_keys(store) && (settings->filled || store->received)) {
        const struct bench_accounts accounts = {
            .senders = settings->senders, .accounts = settings->accounts, .keys = &store->keys};
        good = bench_init(&store->bench, &store->settings, &accounts) && measure(store);
        bench_release(&store->bench);
    }
    free(store->received);
    free(store);
    return good;
}

static bool run_small(const struct settings *settings, struct facts *facts) {
    struct settings small = *settings;
    small.accounts = SMALL_ACCOUNTS;
    small.messages = settings->messages * SMALL_ACCOUNTS / settings->accounts;
    small.messages = small.messages ? small.messages : 1;
    small.data = small.config_dir = NULL;
    small.filled = false;
    return settings->alone || run_store(&small, facts);
}

/* ---- the report ---- */

static double rate(const struct facts *facts) {
    return (double)facts->sending.acknowledged / facts->sending.seconds;
}

static void name_of(char name[64], const char *prefix, const char *rest) {
    snprintf(name, 64, "%s%s", prefix, rest);
}

static void print_real(struct json *json, const char *prefix, const char *rest, double value,
                       int decimals) {
    char name[64];
    name_of(name, prefix, rest);
    json_real(json, name, value, decimals);
}

static void print_times(struct json *json, const char *prefix, const char *rest,
                        const struct histogram *histogram) {
    char name[64];
    name_of(name, prefix, rest);
    histogram_print(json, name, histogram);
}

static void print_facts(struct json *json, const char *prefix, const struct facts *facts) {
    char name[64];
    print_real(json, prefix, "start_ms", facts->start_ms, 1);
    print_real(json, prefix, "rss_mib", facts->rss_mib, 1);
    if (facts->bytes_per_message != 0)
        print_real(json, prefix, "bytes_per_message", facts->bytes_per_message, 1);
    print_real(json, prefix, "send_per_s", rate(facts), 0);
    print_times(json, prefix, "send", &facts->sending.took);
    name_of(name, prefix, "broker");
    cost_print(json, name, &facts->sending.cost, (double)facts->sending.acknowledged);
    print_times(json, prefix, "wait_beside", &facts->waits_beside);
    print_real(json, prefix, "wait_beside_max_ms", (double)facts->longest_beside_us / 1e3, 3);
    print_times(json, prefix, "wait_after", &facts->waits_after);
    print_real(json, prefix, "wait_after_max_ms", (double)facts->longest_after_us / 1e3, 3);
    print_times(json, prefix, "login", &facts->logins);
    print_times(json, prefix, "page", &facts->pages);
}

static double times(const struct histogram *large, const struct histogram *small) {
    return (double)histogram_percentile(large, 0.50) / (double)histogram_percentile(small, 0.50);
}

static void print_ratios(struct json *json, const struct facts *large, const struct facts *small) {
    json_real(json, "send_of_small", rate(large) / rate(small), 3);
    cost_print_ratio(json, "cpu_of_small", &large->sending.cost,
                     (double)large->sending.acknowledged, &small->sending.cost,
                     (double)small->sending.acknowledged);
    json_real(json, "login_times_small", times(&large->logins, &small->logins), 3);
    json_real(json, "page_times_small", times(&large->pages, &small->pages), 3);
}

static void print_report(const struct settings *settings, const struct facts *large,
                         const struct facts *small) {
    struct json json;
    json_open(&json, stdout, "growth");
    json_count(&json, "accounts", settings->accounts);
    json_count(&json, "messages", settings->messages);
    if (!settings->filled)
        json_real(&json, "fill_per_s", (double)large->messages / large->filled_s, 0);
    print_facts(&json, "", large);
    if (!settings->alone) {
        print_facts(&json, "small_", small);
        print_ratios(&json, large, small);
    }
    json_count(&json, "lost", large->lost + small->lost);
    json_count(&json, "senders", settings->senders);
    json_count(&json, "window", settings->window);
    json_count(&json, "size", settings->size_bytes);
    json_real(&json, "seconds", settings->seconds, 1);
    json_flag(&json, "pin", settings->pin);
    json_count(&json, "io_threads", settings->io_threads);
    json_close(&json);
}

int growth_main(const struct settings *settings) {
    struct facts *large = calloc(1, sizeof *large), *small = calloc(1, sizeof *small);
    bool good = large && small;
    if (!good)
        fputs("zchat-bench: no memory\n", stderr);
    good = good && run_small(settings, small) && run_store(settings, large) &&
           run_small(settings, small);
    if (good)
        print_report(settings, large, small);
    good = good && large->lost + small->lost == 0;
    free(large);
    free(small);
    return good && fflush(stdout) == 0 ? 0 : 1;
}
