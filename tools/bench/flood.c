/* See flood.h. */
#include "flood.h"

#include "common/clock.h"
#include "light.h"
#include "random.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHOW_US (1000 * INT64_C(1000))

/* A message under way. */
struct slot {
    int64_t due_us;
    uint32_t account;
};

struct sender {
    struct flood *flood; /* borrowed: whose it is */
    struct light light;
    struct light_calls calls;
    struct slot *slots; /* owned: by their number, as a ring */
    uint64_t sent;
    uint64_t acknowledged;
    uint64_t random;
    bool is_in;
};

struct flood {
    struct bench *bench;                 /* borrowed: from the caller */
    const struct flood_options *options; /* borrowed: from the caller */
    struct flood_result *result;         /* borrowed: from the caller */
    struct lights lights;
    struct sender *senders; /* owned */
    char *text;             /* owned */
    uint64_t sent;
    uint64_t acknowledged;
    int64_t begin_us;
    int64_t end_us; /* INT64_MIN: nobody sends */
    int64_t last_us;
};

static const struct settings *settings_of(const struct flood *flood) {
    return flood->bench->settings;
}

static bool wants_more(const struct flood *flood, int64_t now_us) {
    return now_us < flood->end_us &&
           (flood->options->messages == 0 || flood->sent < flood->options->messages);
}

static void pump(struct sender *sender) {
    struct flood *flood = sender->flood;
    uint64_t window = settings_of(flood)->window;
    int64_t now_us = clock_us();
    char name[BENCH_NAME_BYTES];
    while (wants_more(flood, now_us) && sender->sent - sender->acknowledged < window) {
        struct slot *slot = &sender->slots[sender->sent++ % window];
        slot->due_us = now_us;
        slot->account = (uint32_t)random_below(&sender->random, flood->options->accounts);
        bench_account_name(slot->account, name);
        light_send(&sender->light, name, flood->text);
        flood->sent++;
    }
}

static void replied(void *arg, uint64_t request) {
    struct sender *sender = arg;
    struct flood *flood = sender->flood;
    const struct slot *slot = &sender->slots[sender->acknowledged++ % settings_of(flood)->window];
    (void)request;
    flood->last_us = clock_us();
    flood->acknowledged++;
    histogram_add(&flood->result->took, flood->last_us - slot->due_us);
    if (flood->options->received)
        flood->options->received[slot->account]++;
    pump(sender);
}

static void came_in(void *arg) {
    struct sender *sender = arg;
    sender->is_in = true;
}

static void failed(void *arg, const char *why) {
    const struct sender *sender = arg;
    bench_fail(sender->flood->bench, "a sender: %s", why);
}

static bool open_sender(struct flood *flood, uint64_t number) {
    struct sender *sender = &flood->senders[number];
    char name[BENCH_NAME_BYTES];
    sender->flood = flood;
    sender->calls = (struct light_calls){
        .on_in = came_in, .on_reply = replied, .on_failure = failed, .arg = sender};
    sender->random = random_begin(flood->options->seed, number);
    sender->slots = calloc(settings_of(flood)->window, sizeof *sender->slots);
    if (!sender->slots ||
        !light_open(&sender->light, &flood->lights, flood->options->key, &sender->calls))
        return false;
    bench_sender_name(number, name);
    light_login(&sender->light, name, EVENTS_NONE, false);
    return true;
}

static bool all_are_in(void *arg) {
    const struct flood *flood = arg;
    for (uint64_t i = 0; i < settings_of(flood)->senders; i++)
        if (!flood->senders[i].is_in)
            return false;
    return true;
}

static bool open_all(struct flood *flood) {
    bool good = true;
    for (uint64_t i = 0; good && i < settings_of(flood)->senders; i++)
        good = open_sender(flood, i);
    board_settle(&flood->lights.board);
    if (!good) {
        bench_fail(flood->bench, "a sender: %s", strerror(errno));
        return false;
    }
    return bench_wait(flood->bench, BENCH_PATIENCE_US, all_are_in, flood, "the senders' login");
}

static bool all_are_acknowledged(void *arg) {
    const struct flood *flood = arg;
    return !wants_more(flood, clock_us()) && flood->acknowledged == flood->sent;
}

static void show(void *arg) {
    const struct flood *flood = arg;
    fprintf(stderr, "\r%" PRIu64 " messages sent ", flood->acknowledged);
    if (flood->options->messages > 0)
        fprintf(stderr, "of %" PRIu64 " ", flood->options->messages);
}

static bool send_all(struct flood *flood) {
    const struct flood_options *options = flood->options;
    struct bench *bench = flood->bench;
    struct ticking shown = {.timer.fd = -1};
    bool terminal = isatty(STDERR_FILENO);
    int64_t duration_us = options->messages > 0 ? (int64_t)options->messages * 1000
                                                : (int64_t)(options->seconds * 1e6);
    bool good = !terminal || bench_tick(bench, &shown, SHOW_US, show, flood);
    flood->begin_us = flood->last_us = clock_us();
    flood->end_us = options->messages > 0 ? INT64_MAX : flood->begin_us + duration_us;
    for (uint64_t i = 0; i < settings_of(flood)->senders; i++) {
        pump(&flood->senders[i]);
        light_flush(&flood->senders[i].light);
    }
    board_settle(&flood->lights.board);
    good = good && bench_wait(bench, BENCH_PATIENCE_US + duration_us, all_are_acknowledged, flood,
                              "acknowledging");
    loop_unset(bench->loop, &shown.timer);
    if (terminal)
        fputs("\r\033[K", stderr);
    return good;
}

static bool measure(struct flood *flood) {
    struct flood_result *result = flood->result;
    struct cost_since since;
    cost_begin(&since, flood->bench->broker, &flood->bench->cores);
    bool good = send_all(flood);
    cost_end(&since, &result->cost);
    result->acknowledged += flood->acknowledged;
    result->seconds += (double)(flood->last_us - flood->begin_us) / 1e6;
    return good;
}

static bool prepare(struct flood *flood) {
    const struct settings *settings = settings_of(flood);
    flood->end_us = INT64_MIN;
    flood->text = malloc(settings->size_bytes + 1);
    flood->senders = calloc(settings->senders, sizeof *flood->senders);
    if (!lights_init(&flood->lights, flood->bench->loop, &flood->options->at) || !flood->text ||
        !flood->senders) {
        bench_fail(flood->bench, "no memory");
        return false;
    }
    memset(flood->text, 'x', settings->size_bytes);
    flood->text[settings->size_bytes] = 0;
    return true;
}

static void release(struct flood *flood) {
    for (uint64_t i = 0; flood->senders && i < settings_of(flood)->senders; i++) {
        light_close(&flood->senders[i].light);
        free(flood->senders[i].slots);
    }
    lights_release(&flood->lights);
    free(flood->senders);
    free(flood->text);
}

bool flood_run(struct bench *bench, const struct flood_options *options,
               struct flood_result *result) {
    struct flood flood = {.bench = bench, .options = options, .result = result};
    bool good = prepare(&flood) && open_all(&flood) && measure(&flood);
    release(&flood);
    return good;
}
