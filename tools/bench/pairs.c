/* See pairs.h. */
#include "pairs.h"

#include "bare.h"
#include "common/clock.h"
#include "crowd.h"
#include "ledger.h"
#include "light.h"
#include "pace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES       (1 + sizeof(uint32_t)) /* of a bare frame: what to do, for whom */
#define ACKNOWLEDGE_US   (500 * INT64_C(1000))
#define DELIVERY_WAIT_US (20 * INT64_C(1000000))

/* One of the two. */
struct party {
    struct pair *pair; /* borrowed: whose it is */
    struct light light;
    struct light_calls calls;
    bool is_in;
};

struct pair {
    struct pairs *pairs; /* borrowed: whose it is */
    uint32_t number;
    struct party sender;
    struct party receiver;
    char receiver_name[BENCH_NAME_BYTES];
    uint64_t sent;
    uint64_t acknowledged;
    uint64_t received;
    int64_t *due_us; /* owned: of those under way, by their number, as a ring */
};

struct pairs {
    struct bench *bench;                 /* borrowed: from the caller */
    const struct pairs_options *options; /* borrowed: from the caller */
    struct pairs_result *result;         /* borrowed: from the caller */
    struct lights lights;
    struct pair *pair; /* owned: options->pairs of them */
    uint64_t opened;
    struct reading reading; /* by pair */
    char *frame;            /* owned: a text with its NUL; for a bare server behind a head */
    int64_t begin_us;
    int64_t end_us; /* INT64_MIN: nobody sends */
    int64_t last_us;
};

static size_t text_bytes(const struct pairs *pairs) {
    return pairs->bench->settings->size_bytes;
}

static void failed(void *arg, const char *why) {
    const struct party *party = arg;
    bench_fail(party->pair->pairs->bench, "a pair: %s", why);
}

/* ---- messages ---- */

static void send_one(struct pair *pair, int64_t due_us) {
    struct pairs *pairs = pair->pairs;
    struct light *light = &pair->sender.light;
    pair->due_us[pair->sent++ % pairs->options->window] = due_us;
    const struct payload payload = {
        .sender = pair->number, .number = (uint32_t)pair->sent, .due_us = (uint64_t)due_us};
    payload_write(&payload, pairs->frame + HEAD_BYTES);
    if (!pairs->options->bare) {
        light_send(light, pair->receiver_name, pairs->frame + HEAD_BYTES);
        return;
    }
    memcpy(pairs->frame + 1, &pair->number, sizeof pair->number);
    if (!line_send(&light->commands, pairs->frame, HEAD_BYTES + text_bytes(pairs)))
        failed(&pair->sender, "a frame can't be sent");
}

static bool may_send(const struct pair *pair) {
    uint64_t window = pair->pairs->options->window;
    return pair->sent - pair->acknowledged < window && pair->sent - pair->received < window;
}

static void pump(struct pair *pair) {
    const struct pairs *pairs = pair->pairs;
    int64_t now_us = clock_us();
    while (now_us < pairs->end_us && may_send(pair)) {
        int64_t due_us = pace_due_us(pairs->begin_us, pair->sent, pair->number,
                                     pairs->options->pairs, (double)pairs->options->rate, now_us);
        if (due_us > now_us)
            break;
        send_one(pair, due_us);
    }
    if (!pairs->options->bare)
        light_flush(&pair->sender.light);
}

static void pump_all(void *arg) {
    struct pairs *pairs = arg;
    for (uint64_t i = 0; i < pairs->options->pairs; i++)
        pump(&pairs->pair[i]);
    board_settle(&pairs->lights.board);
}

static void take_acknowledgement(struct pair *pair) {
    struct pairs *pairs = pair->pairs;
    pairs->last_us = clock_us();
    histogram_add(&pairs->result->acknowledgement,
                  pairs->last_us - pair->due_us[pair->acknowledged++ % pairs->options->window]);
    pump(pair);
}

static void take_text(struct pair *pair, const char *text) {
    struct pairs *pairs = pair->pairs;
    struct payload payload;
    if (!payload_read(text, &payload) || payload.sender != pair->number)
        return;
    pairs->last_us = clock_us();
    histogram_add(&pairs->result->delivery, pairs->last_us - (int64_t)payload.due_us);
    if (!reading_take(&pairs->reading, pair->number, payload.number))
        failed(&pair->receiver, "no memory");
    pair->received++;
    pump(pair);
}

/* A client acknowledges a message at the latest a second after it came. */
static void acknowledge_all(void *arg) {
    struct pairs *pairs = arg;
    for (uint64_t i = 0; i < pairs->options->pairs; i++) {
        light_acknowledge(&pairs->pair[i].receiver.light);
        light_flush(&pairs->pair[i].receiver.light);
    }
    board_settle(&pairs->lights.board);
}

/* ---- what comes ---- */

static void came_in(void *arg) {
    struct party *party = arg;
    party->is_in = true;
}

static void replied(void *arg, uint64_t request) {
    struct party *party = arg;
    (void)request;
    take_acknowledgement(party->pair);
}

static void text_came(void *arg, enum light_kind kind, const char *text) {
    struct party *party = arg;
    if (kind == LIGHT_MESSAGE)
        take_text(party->pair, text);
}

static void bare_sender_frame(void *arg, const void *frame, size_t frame_bytes) {
    struct party *party = arg;
    (void)frame;
    (void)frame_bytes;
    take_acknowledgement(party->pair);
}

static void bare_receiver_frame(void *arg, const void *frame, size_t frame_bytes) {
    struct party *party = arg;
    if (*(const char *)frame == BARE_HELLO)
        party->is_in = true;
    else if (frame_bytes >= HEAD_BYTES + PAYLOAD_BYTES)
        take_text(party->pair, (const char *)frame + HEAD_BYTES);
}

/* ---- opening ---- */

static const struct curve_keys *keys_of(const struct pair *pair) {
    return &pair->pairs->options->keys[pair->number / CROWD_CLIENTS_PER_KEY];
}

static bool open_bare(struct party *party, bool receives) {
    struct pair *pair = party->pair;
    const struct curve_server *at = &pair->pairs->options->at;
    struct line *line = &party->light.commands;
    char hello[HEAD_BYTES] = {BARE_HELLO};
    memcpy(hello + 1, &pair->number, sizeof pair->number);
    line->on_frame = receives ? bare_receiver_frame : bare_sender_frame;
    line->on_open = receives ? NULL : came_in;
    line->arg = party;
    return line_open(line, &pair->pairs->lights.board, LINE_DEALER, keys_of(pair), at->key,
                     at->commands) &&
           (!receives || line_send(line, hello, sizeof hello));
}

static bool open_member(struct party *party, const char *name, bool receives) {
    struct pair *pair = party->pair;
    party->calls = (struct light_calls){.on_in = came_in,
                                        .on_reply = replied,
                                        .on_text = text_came,
                                        .on_failure = failed,
                                        .arg = party};
    if (!light_open(&party->light, &pair->pairs->lights,
                    receives ? keys_of(pair) : pair->pairs->options->keys, &party->calls))
        return false;
    light_login(&party->light, name, EVENTS_NONE, receives);
    return true;
}

static bool open_pair(struct pairs *pairs, uint32_t number) {
    struct pair *pair = &pairs->pair[number];
    char sender_name[BENCH_NAME_BYTES];
    pair->pairs = pairs;
    pair->number = number;
    pair->sender.pair = pair->receiver.pair = pair;
    bench_sender_name(number, sender_name);
    bench_account_name(number, pair->receiver_name);
    pair->due_us = calloc(pairs->options->window, sizeof *pair->due_us);
    if (!pair->due_us)
        return false;
    if (pairs->options->bare)
        return open_bare(&pair->sender, false) && open_bare(&pair->receiver, true);
    return open_member(&pair->sender, sender_name, false) &&
           open_member(&pair->receiver, pair->receiver_name, true);
}

/* Opens further ones as others have logged in. */
static bool all_are_in(void *arg) {
    struct pairs *pairs = arg;
    uint64_t in = 0;
    for (uint64_t i = 0; i < pairs->opened; i++)
        in += pairs->pair[i].sender.is_in && pairs->pair[i].receiver.is_in;
    while (pairs->opened < pairs->options->pairs && !pairs->bench->failed &&
           pairs->opened - in < BENCH_AT_A_TIME / 2)
        if (!open_pair(pairs, (uint32_t)pairs->opened++))
            bench_fail(pairs->bench, "a pair: %s", strerror(errno));
    board_settle(&pairs->lights.board);
    return in == pairs->options->pairs;
}

static bool open_all(struct pairs *pairs) {
    return bench_wait(pairs->bench,
                      BENCH_PATIENCE_US + (int64_t)pairs->options->pairs * BENCH_LOGIN_US,
                      all_are_in, pairs, "the pairs' login");
}

/* ---- the course ---- */

static bool all_are_acknowledged(void *arg) {
    const struct pairs *pairs = arg;
    if (clock_us() < pairs->end_us)
        return false;
    for (uint64_t i = 0; i < pairs->options->pairs; i++)
        if (pairs->pair[i].acknowledged < pairs->pair[i].sent)
            return false;
    return true;
}

static bool all_is_delivered(void *arg) {
    const struct pairs *pairs = arg;
    for (uint64_t i = 0; i < pairs->options->pairs; i++)
        if (pairs->pair[i].received < pairs->pair[i].acknowledged)
            return false;
    return true;
}

static void add_up(struct pairs *pairs) {
    struct pairs_result *result = pairs->result;
    for (uint64_t i = 0; i < pairs->options->pairs; i++) {
        const struct pair *pair = &pairs->pair[i];
        reading_close(&pairs->reading, i, (uint32_t)pair->acknowledged, (uint32_t)pair->sent);
        result->acknowledged += pair->acknowledged;
        result->delivered += pair->received;
    }
    result->lost += pairs->reading.lost;
    result->doubled += pairs->reading.doubled;
    result->out_of_order += pairs->reading.out_of_order;
    result->seconds += (double)(pairs->last_us - pairs->begin_us) / 1e6;
}

static bool send_for_so_long(struct pairs *pairs) {
    struct bench *bench = pairs->bench;
    int64_t duration_us = (int64_t)(pairs->options->seconds * 1e6);
    struct ticking rate = {.timer.fd = -1}, acknowledging = {.timer.fd = -1};
    bool good = (pairs->options->rate == 0 || bench_tick(bench, &rate, PACE_US, pump_all, pairs)) &&
                (pairs->options->bare ||
                 bench_tick(bench, &acknowledging, ACKNOWLEDGE_US, acknowledge_all, pairs));
    pairs->begin_us = pairs->last_us = clock_us();
    pairs->end_us = pairs->begin_us + duration_us;
    pump_all(pairs);
    good = good && bench_wait(bench, BENCH_PATIENCE_US + duration_us, all_are_acknowledged, pairs,
                              "acknowledging");
    if (good)
        loop_run(bench->loop, clock_us() + DELIVERY_WAIT_US, all_is_delivered, pairs);
    loop_unset(bench->loop, &rate.timer);
    loop_unset(bench->loop, &acknowledging.timer);
    return good && !bench->failed;
}

static bool measure(struct pairs *pairs) {
    struct cost_since since;
    cost_begin(&since, pairs->options->server, &pairs->bench->cores);
    bool good = send_for_so_long(pairs);
    cost_end(&since, &pairs->result->cost);
    add_up(pairs);
    return good;
}

static bool prepare(struct pairs *pairs) {
    pairs->end_us = INT64_MIN;
    pairs->frame = malloc(HEAD_BYTES + text_bytes(pairs) + 1);
    pairs->pair = calloc(pairs->options->pairs, sizeof *pairs->pair);
    if (!lights_init(&pairs->lights, pairs->bench->loop, &pairs->options->at) || !pairs->frame ||
        !pairs->pair || !reading_init(&pairs->reading, pairs->options->pairs)) {
        bench_fail(pairs->bench, "no memory");
        return false;
    }
    memset(pairs->frame, 'x', HEAD_BYTES + text_bytes(pairs));
    pairs->frame[0] = BARE_FORWARD;
    pairs->frame[HEAD_BYTES + text_bytes(pairs)] = 0;
    return true;
}

static void release(struct pairs *pairs) {
    for (uint64_t i = 0; pairs->pair && i < pairs->options->pairs; i++) {
        light_close(&pairs->pair[i].sender.light);
        light_close(&pairs->pair[i].receiver.light);
        free(pairs->pair[i].due_us);
    }
    lights_release(&pairs->lights);
    reading_release(&pairs->reading);
    free(pairs->pair);
    free(pairs->frame);
}

bool pairs_run(struct bench *bench, const struct pairs_options *options,
               struct pairs_result *result) {
    struct pairs pairs = {.bench = bench, .options = options, .result = result};
    bool good = prepare(&pairs) && open_all(&pairs) && measure(&pairs);
    release(&pairs);
    return good;
}
