/* See fan.h. */
#include "fan.h"

#include "bare.h"
#include "common/clock.h"
#include "crowd.h"
#include "ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define READERS 2
#define TITLE   "bench fanout"
/* How many bytes may be on their way to all followers, including what surrounds each text: a broker
 * drops publications if more than 32 MiB wait. */
#define BEHIND_BYTES (12 * UINT64_C(1024) * 1024)
#define ENVELOPE     128
/* A subscription takes effect a moment after it was made, so a message is sent again and again
 * until all get it. */
#define PROBE_US         (300 * INT64_C(1000))
#define PROBES_MAX       100
#define DELIVERY_WAIT_US (20 * INT64_C(1000000))

struct sender {
    struct fan *fan; /* borrowed: whose it is */
    struct light light;
    struct light_calls calls;
    uint32_t number;
    uint64_t sent;
    uint64_t acknowledged;
    int64_t *due_us; /* owned: of those under way, by their number, as a ring */
    bool is_in;
};

struct follower {
    struct fan *fan; /* borrowed: whose it is */
    struct light light;
    struct light_calls calls;
    struct reading reading; /* for a follower that reads; by sender */
    uint64_t count;
    bool reads;
    bool is_in;
    bool follows;
};

struct fan {
    struct bench *bench;               /* borrowed: from the caller */
    const struct fan_options *options; /* borrowed: from the caller */
    struct fan_result *result;         /* borrowed: from the caller */
    struct lights lights;
    struct sender *senders;     /* owned */
    struct follower *followers; /* owned */
    char *frame;                /* owned: a text with its NUL, perhaps behind a bare frame's byte */
    uint64_t opened;            /* senders, then followers */
    bool has_thread;
    uint64_t sent;
    uint64_t acknowledged;
    uint64_t delivered;
    int64_t begin_us;
    int64_t end_us; /* INT64_MIN: nobody sends */
    int64_t last_us;
};

static const struct settings *settings_of(const struct fan *fan) {
    return fan->bench->settings;
}

static void failed(void *arg, const char *why) {
    struct fan *fan = arg;
    bench_fail(fan->bench, "fanout: %s", why);
}

/* ---- sending ---- */

static bool is_post(const struct fan *fan) {
    return settings_of(fan)->what == WHAT_POST;
}

static void write_text(struct sender *sender, int64_t due_us) {
    const struct payload payload = {
        .sender = sender->number, .number = (uint32_t)sender->sent, .due_us = (uint64_t)due_us};
    payload_write(&payload, sender->fan->frame + 1);
}

static void send_one(struct sender *sender, int64_t due_us) {
    struct fan *fan = sender->fan;
    sender->due_us[sender->sent++ % settings_of(fan)->window] = due_us;
    fan->sent++;
    write_text(sender, due_us);
    if (!fan->options->bare && is_post(fan))
        light_post(&sender->light, TITLE, fan->frame + 1);
    else if (!fan->options->bare)
        light_broadcast(&sender->light, fan->frame + 1);
    else if (!line_send(&sender->light.commands, fan->frame, settings_of(fan)->size_bytes + 1))
        failed(fan, "a frame can't be sent");
}

/* Whether the senders may send more: one message may always be on its way. */
static bool may_send(const struct fan *fan) {
    const struct settings *settings = settings_of(fan);
    uint64_t behind = fan->sent * settings->clients - fan->delivered;
    return behind < settings->clients || behind * (settings->size_bytes + ENVELOPE) < BEHIND_BYTES;
}

static void pump(struct sender *sender) {
    struct fan *fan = sender->fan;
    int64_t now_us = clock_us();
    while (now_us < fan->end_us && may_send(fan) &&
           sender->sent - sender->acknowledged < settings_of(fan)->window)
        send_one(sender, now_us);
    if (!fan->options->bare)
        light_flush(&sender->light);
}

static void pump_all(struct fan *fan) {
    for (uint64_t i = 0; i < settings_of(fan)->senders; i++)
        pump(&fan->senders[i]);
}

/* ---- what comes to senders ---- */

static void take_acknowledgement(struct sender *sender) {
    struct fan *fan = sender->fan;
    int64_t now_us = clock_us();
    if (sender->acknowledged == sender->sent)
        return; /* the thread was made */
    histogram_add(&fan->result->acknowledgement,
                  now_us - sender->due_us[sender->acknowledged++ % settings_of(fan)->window]);
    fan->acknowledged++;
    fan->last_us = now_us;
    pump(sender);
}

static void sender_replied(void *arg, uint64_t request) {
    struct sender *sender = arg;
    (void)request;
    sender->fan->has_thread = true;
    take_acknowledgement(sender);
}

static void sender_came_in(void *arg) {
    struct sender *sender = arg;
    sender->is_in = true;
}

static void sender_failed(void *arg, const char *why) {
    failed(((struct sender *)arg)->fan, why);
}

static void bare_sender_frame(void *arg, const void *frame, size_t frame_bytes) {
    (void)frame;
    (void)frame_bytes;
    take_acknowledgement(arg);
}

/* ---- what comes to followers ---- */

/* So many more messages have come: senders that waited for that go on. */
static void take_count(struct follower *follower, uint64_t count) {
    struct fan *fan = follower->fan;
    bool waited = !may_send(fan);
    follower->count += count;
    fan->delivered += count;
    fan->last_us = clock_us();
    if (waited && may_send(fan))
        pump_all(fan);
}

static void read_text(void *arg, enum light_kind kind, const char *text) {
    struct follower *follower = arg;
    struct fan *fan = follower->fan;
    struct payload payload;
    (void)kind;
    if (!payload_read(text, &payload) || payload.sender >= settings_of(fan)->senders)
        return;
    if (!reading_take(&follower->reading, payload.sender, payload.number))
        failed(fan, "no memory");
    histogram_add(&fan->result->delivery, clock_us() - (int64_t)payload.due_us);
    take_count(follower, 1);
}

static void count_frame(void *arg, const void *frame, size_t frame_bytes) {
    struct follower *follower = arg;
    enum light_kind kind = is_post(follower->fan) ? LIGHT_POST : LIGHT_BROADCAST;
    uint64_t count = light_count(frame, frame_bytes, kind);
    if (count > 0)
        take_count(follower, count);
}

/* The frame has texts of equal length behind its first byte, each with a byte of its own in
 * front. */
static void bare_follower_frame(void *arg, const void *frame, size_t frame_bytes) {
    struct follower *follower = arg;
    size_t one = settings_of(follower->fan)->size_bytes + 1, at = 1;
    if (*(const char *)frame != BARE_TOPIC) {
        follower->is_in = follower->follows = true;
        return;
    }
    for (; follower->reads && at + one <= frame_bytes; at += one)
        read_text(follower, LIGHT_POST, (const char *)frame + at + 1);
    if (!follower->reads)
        take_count(follower, (frame_bytes - 1) / one);
}

static void follower_came_in(void *arg) {
    struct follower *follower = arg;
    follower->is_in = true;
    follower->follows = follower->fan->options->bare || !is_post(follower->fan);
    follower->light.is_deaf = !follower->reads && follower->follows;
}

static void follower_replied(void *arg, uint64_t request) {
    struct follower *follower = arg;
    (void)request;
    follower->follows = true;
    follower->light.is_deaf = !follower->reads;
}

static void follower_failed(void *arg, const char *why) {
    failed(((struct follower *)arg)->fan, why);
}

/* ---- opening ---- */

static bool open_bare(struct fan *fan, struct line *line, enum line_kind kind,
                      const struct curve_keys *keys) {
    const struct curve_server *at = &fan->options->at;
    return line_open(line, &fan->lights.board, kind, keys, at->key,
                     kind == LINE_SUB ? at->events : at->commands);
}

static bool open_bare_follower(struct follower *follower, uint32_t number,
                               const struct curve_keys *keys) {
    struct fan *fan = follower->fan;
    bool sub = settings_of(fan)->events == EVENTS_SUB;
    struct line *line = sub ? &follower->light.events : &follower->light.commands;
    char hello[1 + sizeof number] = {BARE_HELLO}, topic[] = {BARE_TOPIC};
    memcpy(hello + 1, &number, sizeof number);
    line->on_frame = bare_follower_frame;
    line->on_open = sub ? follower_came_in : NULL;
    line->arg = follower;
    if (!open_bare(fan, line, sub ? LINE_SUB : LINE_DEALER, keys))
        return false;
    return sub ? line_subscribe(line, topic, sizeof topic) : line_send(line, hello, sizeof hello);
}

static bool open_follower(struct fan *fan, uint64_t number) {
    struct follower *follower = &fan->followers[number];
    const struct curve_keys *keys = &fan->options->keys[number / CROWD_CLIENTS_PER_KEY];
    char name[BENCH_NAME_BYTES];
    follower->fan = fan;
    follower->reads = number < READERS;
    follower->calls = (struct light_calls){.on_in = follower_came_in,
                                           .on_reply = follower_replied,
                                           .on_text = read_text,
                                           .on_frame = count_frame,
                                           .on_failure = follower_failed,
                                           .arg = follower};
    if (!reading_init(&follower->reading, settings_of(fan)->senders))
        return false;
    if (fan->options->bare)
        return open_bare_follower(follower, (uint32_t)number, keys);
    if (!light_open(&follower->light, &fan->lights, keys, &follower->calls))
        return false;
    bench_account_name(number, name);
    light_login(&follower->light, name, settings_of(fan)->events, false);
    return true;
}

static bool open_sender(struct fan *fan, uint32_t number) {
    struct sender *sender = &fan->senders[number];
    struct line *line = &sender->light.commands;
    char name[BENCH_NAME_BYTES];
    sender->fan = fan;
    sender->number = number;
    sender->calls = (struct light_calls){.on_in = sender_came_in,
                                         .on_reply = sender_replied,
                                         .on_failure = sender_failed,
                                         .arg = sender};
    sender->due_us = calloc(settings_of(fan)->window, sizeof *sender->due_us);
    if (!sender->due_us)
        return false;
    if (fan->options->bare) {
        line->on_frame = bare_sender_frame;
        line->on_open = sender_came_in;
        line->arg = sender;
        return open_bare(fan, line, LINE_DEALER, fan->options->keys);
    }
    if (!light_open(&sender->light, &fan->lights, fan->options->keys, &sender->calls))
        return false;
    bench_sender_name(number, name);
    light_login(&sender->light, name, EVENTS_NONE, false);
    return true;
}

static bool open_next(struct fan *fan) {
    uint64_t number = fan->opened++, senders = settings_of(fan)->senders;
    if (number < senders ? open_sender(fan, (uint32_t)number)
                         : open_follower(fan, number - senders))
        return true;
    failed(fan, strerror(errno));
    return false;
}

static uint64_t count_in(const struct fan *fan) {
    const struct settings *settings = settings_of(fan);
    uint64_t in = 0;
    for (uint64_t i = 0; i < settings->senders; i++)
        in += fan->senders[i].is_in;
    for (uint64_t i = 0; i < settings->clients; i++)
        in += fan->followers[i].is_in;
    return in;
}

/* Opens further ones as others have logged in. */
static bool all_are_in(void *arg) {
    struct fan *fan = arg;
    uint64_t all = settings_of(fan)->senders + settings_of(fan)->clients, in = count_in(fan);
    while (fan->opened < all && fan->opened - in < BENCH_AT_A_TIME && open_next(fan))
        ;
    board_settle(&fan->lights.board);
    return in == all;
}

static bool has_thread(void *arg) {
    const struct fan *fan = arg;
    return fan->has_thread;
}

static bool all_follow(void *arg) {
    const struct fan *fan = arg;
    for (uint64_t i = 0; i < settings_of(fan)->clients; i++)
        if (!fan->followers[i].follows)
            return false;
    return true;
}

static bool make_thread(struct fan *fan) {
    if (fan->options->bare || !is_post(fan))
        return true;
    light_create_thread(&fan->senders[0].light, TITLE);
    light_flush(&fan->senders[0].light);
    board_settle(&fan->lights.board);
    if (!bench_wait(fan->bench, BENCH_PATIENCE_US, has_thread, fan, "the thread"))
        return false;
    for (uint64_t i = 0; i < settings_of(fan)->clients; i++) {
        light_follow(&fan->followers[i].light, TITLE);
        light_flush(&fan->followers[i].light);
    }
    board_settle(&fan->lights.board);
    return true;
}

static bool open_all(struct fan *fan) {
    int64_t patience_us = BENCH_PATIENCE_US + (int64_t)settings_of(fan)->clients * BENCH_LOGIN_US;
    return bench_wait(fan->bench, patience_us, all_are_in, fan, "the followers' login") &&
           make_thread(fan) && bench_wait(fan->bench, patience_us, all_follow, fan, "following");
}

/* ---- the course ---- */

/* Before anybody sends. */
static bool begin_anew(struct fan *fan) {
    const struct settings *settings = settings_of(fan);
    fan->sent = fan->acknowledged = fan->delivered = 0;
    for (uint64_t i = 0; i < settings->senders; i++)
        fan->senders[i].sent = fan->senders[i].acknowledged = 0;
    for (uint64_t i = 0; i < settings->clients; i++) {
        fan->followers[i].count = 0;
        reading_release(&fan->followers[i].reading);
        if (!reading_init(&fan->followers[i].reading, settings->senders)) {
            failed(fan, "no memory");
            return false;
        }
    }
    return true;
}

static bool each_has_one(void *arg) {
    const struct fan *fan = arg;
    for (uint64_t i = 0; i < settings_of(fan)->clients; i++)
        if (fan->followers[i].count != 1)
            return false;
    return fan->acknowledged == 1;
}

static bool probe(struct fan *fan) {
    for (int i = 0; i < PROBES_MAX && begin_anew(fan); i++) {
        send_one(&fan->senders[0], clock_us());
        if (!fan->options->bare)
            light_flush(&fan->senders[0].light);
        board_settle(&fan->lights.board);
        if (loop_run(fan->bench->loop, clock_us() + PROBE_US, each_has_one, fan) == LOOP_DONE)
            return true;
        if (loop_is_stopped(fan->bench->loop))
            break;
    }
    failed(fan, "a message does not come to all");
    return false;
}

static bool all_are_acknowledged(void *arg) {
    const struct fan *fan = arg;
    return clock_us() >= fan->end_us && fan->acknowledged == fan->sent;
}

static bool all_is_delivered(void *arg) {
    const struct fan *fan = arg;
    return fan->delivered >= fan->acknowledged * settings_of(fan)->clients;
}

/* Counts what has not come by then as lost. */
static void count_faults(struct fan *fan) {
    struct fan_result *result = fan->result;
    for (uint64_t i = 0; i < settings_of(fan)->clients; i++) {
        struct follower *follower = &fan->followers[i];
        if (!follower->reads && follower->count < fan->acknowledged)
            result->lost += fan->acknowledged - follower->count;
        if (!follower->reads && follower->count > fan->acknowledged)
            result->doubled += follower->count - fan->acknowledged;
        for (uint32_t j = 0; follower->reads && j < settings_of(fan)->senders; j++) {
            uint32_t sent = (uint32_t)fan->senders[j].sent;
            reading_close(&follower->reading, j, sent, sent);
        }
        result->lost += follower->reading.lost;
        result->doubled += follower->reading.doubled;
        result->out_of_order += follower->reading.out_of_order;
    }
}

static bool measure(struct fan *fan) {
    struct bench *bench = fan->bench;
    int64_t duration_us = (int64_t)(fan->options->seconds * 1e6);
    struct cost_since since;
    if (!probe(fan) || !begin_anew(fan))
        return false;
    cost_begin(&since, fan->options->server, &bench->cores);
    fan->begin_us = fan->last_us = clock_us();
    fan->end_us = fan->begin_us + duration_us;
    pump_all(fan);
    board_settle(&fan->lights.board);
    if (!bench_wait(bench, BENCH_PATIENCE_US + duration_us, all_are_acknowledged, fan,
                    "acknowledging"))
        return false;
    loop_run(bench->loop, clock_us() + DELIVERY_WAIT_US, all_is_delivered, fan);
    cost_end(&since, &fan->result->cost);
    fan->result->sent += fan->acknowledged;
    fan->result->delivered += fan->delivered;
    fan->result->seconds += (double)(fan->last_us - fan->begin_us) / 1e6;
    count_faults(fan);
    return !bench->failed;
}

static bool prepare(struct fan *fan) {
    const struct settings *settings = settings_of(fan);
    fan->end_us = INT64_MIN;
    fan->frame = malloc(settings->size_bytes + 2);
    fan->senders = calloc(settings->senders, sizeof *fan->senders);
    fan->followers = calloc(settings->clients, sizeof *fan->followers);
    if (!lights_init(&fan->lights, fan->bench->loop, &fan->options->at) || !fan->frame ||
        !fan->senders || !fan->followers) {
        failed(fan, "no memory");
        return false;
    }
    memset(fan->frame, 'x', settings->size_bytes + 1);
    fan->frame[0] = settings->events == EVENTS_SUB ? BARE_PUBLISH : BARE_TO_ALL;
    fan->frame[settings->size_bytes + 1] = 0;
    return true;
}

static void release(struct fan *fan) {
    for (uint64_t i = 0; fan->senders && i < settings_of(fan)->senders; i++) {
        light_close(&fan->senders[i].light);
        free(fan->senders[i].due_us);
    }
    for (uint64_t i = 0; fan->followers && i < settings_of(fan)->clients; i++) {
        light_close(&fan->followers[i].light);
        reading_release(&fan->followers[i].reading);
    }
    lights_release(&fan->lights);
    free(fan->senders);
    free(fan->followers);
    free(fan->frame);
}

bool fan_run(struct bench *bench, const struct fan_options *options, struct fan_result *result) {
    struct fan fan = {.bench = bench, .options = options, .result = result};
    bool good = prepare(&fan) && open_all(&fan) && measure(&fan);
    release(&fan);
    return good;
}
