/* See bench.h. */
#include "bench.h"

#include "common/clock.h"
#include "disk.h"
#include "zchat.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void bench_account_name(uint64_t number, char name[BENCH_NAME_BYTES]) {
    snprintf(name, BENCH_NAME_BYTES, "u%" PRIu64, number);
}

void bench_sender_name(uint64_t number, char name[BENCH_NAME_BYTES]) {
    snprintf(name, BENCH_NAME_BYTES, "s%" PRIu64, number);
}

void bench_write_names(FILE *file, uint64_t senders, uint64_t first, uint64_t end) {
    for (uint64_t i = 0; i < senders; i++)
        fprintf(file, "s%" PRIu64 "\n", i);
    for (uint64_t i = first; i < end; i++)
        fprintf(file, "u%" PRIu64 "\n", i);
}

void bench_fail(struct bench *bench, const char *format, ...) {
    va_list arguments;
    if (bench->failed)
        return;
    va_start(arguments, format);
    fputs("zchat-bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    bench->failed = true;
    if (bench->loop)
        loop_stop(bench->loop);
}

void bench_device_key(const char *config_dir, char key[64]) {
    const zchat_options options = {.server = "127.0.0.1", .config_dir = config_dir};
    char error[512];
    zchat *z;
    key[0] = 0;
    if (zchat_new(&z, &options, error, sizeof error) != ZCHAT_OK) {
        fprintf(stderr, "zchat-bench: %s\n", error);
        return;
    }
    snprintf(key, 64, "%s", zchat_device_key(z));
    zchat_free(z);
}

static void broker_said(void *arg) {
    struct bench *bench = arg;
    if (!child_listen(bench->broker))
        bench_fail(bench, "the broker has ended");
}

struct names {
    uint64_t senders;
    uint64_t first;
    uint64_t end;
};

static void write_names(FILE *file, void *arg) {
    const struct names *names = arg;
    bench_write_names(file, names->senders, names->first, names->end);
}

void bench_config_dir(const struct bench *bench, uint64_t group, char path[BENCH_PATH_BYTES]) {
    if (group == 0)
        snprintf(path, BENCH_PATH_BYTES, "%s", bench->config_dir);
    else
        snprintf(path, BENCH_PATH_BYTES, "%.480s/%" PRIu64, bench->config_dir, group);
}

static bool add_group(struct bench *bench, const struct broker_options *options,
                      const struct bench_accounts *accounts, uint64_t group, struct names *names) {
    char folder[BENCH_PATH_BYTES], key[64];
    if (accounts->keys)
        return broker_add_accounts(options, accounts->keys[group].public, write_names, names);
    bench_config_dir(bench, group, folder);
    bench_device_key(folder, key);
    return key[0] && broker_add_accounts(options, key, write_names, names);
}

static bool add_accounts(struct bench *bench, const struct broker_options *options,
                         const struct bench_accounts *accounts) {
    struct names names = {.senders = accounts->senders};
    uint64_t per_key = accounts->accounts_per_key ? accounts->accounts_per_key : accounts->accounts;
    for (uint64_t group = 0; group == 0 || names.first < accounts->accounts; group++) {
        uint64_t left = accounts->accounts - names.first;
        names.end = names.first + (left < per_key ? left : per_key);
        if (!add_group(bench, options, accounts, group, &names))
            return false;
        names.senders = 0;
        names.first = names.end;
    }
    return true;
}

static struct broker_options broker_of(const struct bench *bench) {
    return (struct broker_options){.zchatd = bench->settings->zchatd,
                                   .data = bench->data,
                                   .core = bench->cores.server,
                                   .io_threads = bench->settings->io_threads};
}

static bool start_broker(struct bench *bench) {
    const struct broker_options options = broker_of(bench);
    bench->broker = broker_start(&options);
    if (!bench->broker ||
        !child_told(bench->broker, "address=tcp://", bench->address, sizeof bench->address))
        return false;
    bench->server = bench->address;
    bench->broker_source = (struct loop_source){broker_said, bench};
    return loop_add(bench->loop, child_fd(bench->broker), &bench->broker_source);
}

static bool first_start(struct bench *bench, const struct bench_accounts *accounts) {
    const struct broker_options options = broker_of(bench);
    return (bench->settings->filled || add_accounts(bench, &options, accounts)) &&
           start_broker(bench);
}

void bench_stop_broker(struct bench *bench) {
    if (bench->broker)
        loop_remove(bench->loop, child_fd(bench->broker));
    child_free(bench->broker);
    bench->broker = NULL;
}

bool bench_restart_broker(struct bench *bench, int64_t *took_us) {
    bench_stop_broker(bench);
    int64_t begin_us = clock_us();
    bool good = start_broker(bench);
    *took_us = clock_us() - begin_us;
    if (!good)
        bench_fail(bench, "the broker did not start again");
    return good;
}

static bool make_folders(struct bench *bench) {
    const struct settings *settings = bench->settings;
    if ((!settings->data || !settings->config_dir) &&
        !folder_new(bench->folder, sizeof bench->folder - 8))
        return false;
    snprintf(bench->data, sizeof bench->data, "%.490s%s",
             settings->data ? settings->data : bench->folder, settings->data ? "" : "/data");
    snprintf(bench->config_dir, sizeof bench->config_dir, "%.490s%s",
             settings->config_dir ? settings->config_dir : bench->folder,
             settings->config_dir ? "" : "/config");
    return true;
}

/* Raises the limit of descriptors: each handle has a ZeroMQ context with its threads'
 * descriptors. */
static void raise_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

bool bench_init(struct bench *bench, const struct settings *settings,
                const struct bench_accounts *accounts) {
    memset(bench, 0, sizeof *bench);
    bench->settings = settings;
    bench->cores = (struct cores){-1, -1};
    bench->loop = loop_new();
    if (!bench->loop) {
        bench_fail(bench, "no loop: %s", strerror(errno));
        return false;
    }
    signal(SIGPIPE, SIG_IGN);
    raise_descriptors();
    bench->server = settings->server;
    return (!settings->pin || cores_find(&bench->cores)) && make_folders(bench) &&
           (settings->server || first_start(bench, accounts)) &&
           (!settings->pin || cores_pin(bench->cores.own));
}

void bench_release(struct bench *bench) {
    cores_unpin(&bench->cores);
    child_free(bench->broker);
    loop_free(bench->loop);
    folder_remove(bench->folder);
}

bool bench_wait(struct bench *bench, int64_t patience_us, bool (*done)(void *arg), void *arg,
                const char *what) {
    switch (loop_run(bench->loop, clock_us() + patience_us, done, arg)) {
    case LOOP_DONE:
        return true;
    case LOOP_EXPIRED:
        bench_fail(bench, "%s took too long", what);
        return false;
    case LOOP_STOPPED:
        bench_fail(bench, "interrupted");
        return false;
    }
    return false;
}

static void tick(void *arg) {
    struct ticking *ticking = arg;
    uint64_t times;
    if (read(ticking->timer.fd, &times, sizeof times) == sizeof times)
        ticking->fn(ticking->arg);
}

bool bench_tick(struct bench *bench, struct ticking *ticking, int64_t interval_us,
                void (*fn)(void *arg), void *arg) {
    *ticking = (struct ticking){.timer = {{tick, ticking}, -1}, .fn = fn, .arg = arg};
    if (loop_every(bench->loop, &ticking->timer, interval_us))
        return true;
    bench_fail(bench, "no timer: %s", strerror(errno));
    return false;
}

void bench_beside_data(const struct bench *bench, const char *name, char path[BENCH_PATH_BYTES]) {
    snprintf(path, BENCH_PATH_BYTES, "%.400s-%.64s", bench->data, name);
}
