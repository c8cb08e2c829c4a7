/* See crowd.h. The main thread and the crowds share the options, atomics and two descriptors, which
 * are the first in each thread's table: one wakes the main thread, the other one ends the
 * thread. */
#define _GNU_SOURCE /* unshare */
#include "crowd.h"

#include "bare.h"
#include "common/clock.h"
#include "light.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PARTY_CLIENTS 4000 /* four descriptors each */
#define WHY_BYTES     256

struct guest {
    struct party *party; /* borrowed: whose it is */
    struct light light;  /* a bare one uses only the lines */
    struct light_calls calls;
    uint64_t number;
};

/* One thread's. */
struct party {
    struct crowd *crowd; /* borrowed: whose it is */
    uint64_t first;
    uint64_t count;
    pthread_t thread;
    bool has_thread;
    int leave; /* owned: an eventfd */
    struct loop_source leave_source;
    struct loop *loop; /* owned by the thread, like what follows */
    struct lights lights;
    struct guest *guests;
    uint64_t opened;
    atomic_uint_fast64_t in;
    atomic_bool failed;
    char why[WHY_BYTES]; /* written before `failed` is set */
};

struct crowd {
    struct crowd_options options;
    struct party *parties; /* owned */
    uint64_t parties_count;
    int news; /* owned: an eventfd, written when a party is complete or failed */
    struct loop_source news_source;
    struct bench *bench; /* borrowed: from the caller */
};

/* ---- in a thread ---- */

static void tell(const struct crowd *crowd) {
    const uint64_t one = 1;
    ssize_t written = write(crowd->news, &one, sizeof one);
    (void)written; /* it can't be full */
}

static void party_fail(struct party *party, const char *why) {
    if (atomic_load(&party->failed))
        return;
    snprintf(party->why, sizeof party->why, "%s", why);
    atomic_store(&party->failed, true);
    tell(party->crowd);
}

static void open_more(struct party *party);

static void came_in(void *arg) {
    struct guest *guest = arg;
    struct party *party = guest->party;
    uint64_t in = atomic_fetch_add(&party->in, 1) + 1;
    if (in == party->count)
        tell(party->crowd);
    else
        open_more(party);
}

static void refused(void *arg, const char *why) {
    struct guest *guest = arg;
    party_fail(guest->party, why);
}

static bool open_member(struct guest *guest, const struct curve_keys *keys) {
    char name[BENCH_NAME_BYTES];
    guest->calls = (struct light_calls){.on_in = came_in, .on_failure = refused, .arg = guest};
    guest->light.is_deaf = true;
    if (!light_open(&guest->light, &guest->party->lights, keys, &guest->calls))
        return false;
    bench_account_name(guest->number, name);
    light_login(&guest->light, name, guest->party->crowd->options.events,
                guest->party->crowd->options.events != EVENTS_NONE);
    return true;
}

/* ---- bare ones: a word and its echo, then a SUB where there are two connections ---- */

static void take_nothing(void *arg, const void *frame, size_t frame_bytes) {
    (void)arg;
    (void)frame;
    (void)frame_bytes;
}

static void echoed(void *arg, const void *frame, size_t frame_bytes) {
    struct guest *guest = arg;
    const struct crowd_options *options = &guest->party->crowd->options;
    struct line *events = &guest->light.events;
    (void)frame;
    (void)frame_bytes;
    if (options->events != EVENTS_SUB) {
        came_in(guest);
        return;
    }
    events->on_frame = take_nothing;
    events->on_open = came_in;
    events->arg = guest;
    if (!line_open(events, &guest->party->lights.board, LINE_SUB, guest->light.keys,
                   options->server.key, options->server.events) ||
        !line_subscribe(events, "presence", 8) || !line_subscribe(events, "broadcast", 9) ||
        !line_subscribe(events, "notice", 6))
        party_fail(guest->party, "no second connection");
}

static bool open_bare(struct guest *guest, const struct curve_keys *keys) {
    const char hello[] = {BARE_ECHO};
    struct line *commands = &guest->light.commands;
    const struct curve_server *server = &guest->party->crowd->options.server;
    guest->light.keys = keys;
    commands->on_frame = echoed;
    commands->arg = guest;
    return line_open(commands, &guest->party->lights.board, LINE_DEALER, keys, server->key,
                     server->commands) &&
           line_send(commands, hello, sizeof hello);
}

/* ---- a party ---- */

static bool open_next(struct party *party) {
    const struct crowd_options *options = &party->crowd->options;
    struct guest *guest = &party->guests[party->opened];
    guest->party = party;
    guest->number = party->first + party->opened++;
    const struct curve_keys *keys = &options->keys[guest->number / CROWD_CLIENTS_PER_KEY];
    if (options->bare ? open_bare(guest, keys) : open_member(guest, keys))
        return true;
    party_fail(party, strerror(errno));
    return false;
}

static void open_more(struct party *party) {
    while (!atomic_load(&party->failed) && party->opened < party->count &&
           party->opened - atomic_load(&party->in) < party->crowd->options.at_a_time &&
           open_next(party))
        ;
}

static void leave(void *arg) {
    struct party *party = arg;
    loop_stop(party->loop);
}

static bool party_open(struct party *party) {
    if (unshare(CLONE_FILES) != 0)
        return false;
    party->leave_source = (struct loop_source){leave, party};
    party->guests = calloc(party->count, sizeof *party->guests);
    party->loop = loop_new_for_thread();
    return party->guests && party->loop &&
           loop_add(party->loop, party->leave, &party->leave_source) &&
           lights_init(&party->lights, party->loop, &party->crowd->options.server);
}

static void party_close(struct party *party) {
    for (uint64_t i = 0; i < party->opened; i++)
        light_close(&party->guests[i].light);
    lights_release(&party->lights);
    loop_free(party->loop);
    free(party->guests);
}

static void *party_run(void *arg) {
    struct party *party = arg;
    if (party_open(party)) {
        open_more(party);
        board_settle(&party->lights.board);
        loop_run(party->loop, INT64_MAX, NULL, NULL);
    } else {
        party_fail(party, strerror(errno));
    }
    party_close(party);
    return NULL;
}

/* ---- in the main thread ---- */

static void take_news(void *arg) {
    struct crowd *crowd = arg;
    uint64_t count;
    ssize_t bytes = read(crowd->news, &count, sizeof count);
    (void)bytes; /* if nothing is there, nothing is new */
    for (uint64_t i = 0; i < crowd->parties_count; i++)
        if (atomic_load(&crowd->parties[i].failed))
            bench_fail(crowd->bench, "a client of many: %s", crowd->parties[i].why);
}

static bool party_is_complete(void *arg) {
    struct party *party = arg;
    return atomic_load(&party->in) == party->count;
}

static bool party_gather(struct party *party) {
    struct bench *bench = party->crowd->bench;
    party->leave = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    party->has_thread =
        party->leave >= 0 && pthread_create(&party->thread, NULL, party_run, party) == 0;
    if (!party->has_thread) {
        bench_fail(bench, "no thread");
        return false;
    }
    return bench_wait(bench, BENCH_PATIENCE_US + (int64_t)party->count * BENCH_LOGIN_US,
                      party_is_complete, party, "the clients' login");
}

static struct crowd *crowd_new(struct bench *bench, const struct crowd_options *options) {
    struct crowd *crowd = calloc(1, sizeof *crowd);
    uint64_t count = (options->clients + PARTY_CLIENTS - 1) / PARTY_CLIENTS;
    if (!crowd)
        return NULL;
    crowd->options = *options;
    crowd->bench = bench;
    crowd->parties_count = count;
    crowd->parties = calloc(count, sizeof *crowd->parties);
    crowd->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    crowd->news_source = (struct loop_source){take_news, crowd};
    for (uint64_t i = 0; crowd->parties && i < count; i++) {
        crowd->parties[i].crowd = crowd;
        crowd->parties[i].leave = -1;
        crowd->parties[i].first = i * PARTY_CLIENTS;
        crowd->parties[i].count =
            i + 1 < count ? PARTY_CLIENTS : options->clients - i * PARTY_CLIENTS;
    }
    if (crowd->parties && crowd->news >= 0 &&
        loop_add(bench->loop, crowd->news, &crowd->news_source))
        return crowd;
    crowd_leave(crowd);
    return NULL;
}

struct crowd *crowd_gather(struct bench *bench, const struct crowd_options *options,
                           int64_t *took_us) {
    struct crowd *crowd = crowd_new(bench, options);
    int64_t begin_us = clock_us();
    if (!crowd)
        bench_fail(bench, "no crowd: %s", strerror(errno));
    for (uint64_t i = 0; crowd && i < crowd->parties_count; i++) {
        if (!party_gather(&crowd->parties[i])) {
            crowd_leave(crowd);
            return NULL;
        }
    }
    *took_us = clock_us() - begin_us;
    return crowd;
}

static void party_leave(struct party *party) {
    const uint64_t one = 1;
    if (party->has_thread && write(party->leave, &one, sizeof one) == sizeof one)
        pthread_join(party->thread, NULL);
    if (party->leave >= 0)
        close(party->leave);
}

void crowd_leave(struct crowd *crowd) {
    if (!crowd)
        return;
    for (uint64_t i = 0; crowd->parties && i < crowd->parties_count; i++)
        party_leave(&crowd->parties[i]);
    if (crowd->news >= 0) {
        loop_remove(crowd->bench->loop, crowd->news);
        close(crowd->news);
    }
    free(crowd->parties);
    free(crowd);
}

struct curve_keys *crowd_keys(uint64_t clients) {
    uint64_t count = (clients + CROWD_CLIENTS_PER_KEY - 1) / CROWD_CLIENTS_PER_KEY;
    struct curve_keys *keys = calloc(count, sizeof *keys);
    for (uint64_t i = 0; keys && i < count; i++) {
        if (!curve_keys_make(&keys[i])) {
            free(keys);
            keys = NULL;
        }
    }
    return keys;
}
