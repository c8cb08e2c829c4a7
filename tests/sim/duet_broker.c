#include "duet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const topics[TOPICS_OF_ALL] = {"presence", "broadcast", "notice"};

/* ---- lanes ---- */

void lane_put(struct lane *lane, const void *bytes, size_t length, int64_t arrive_us) {
    struct parcel *parcel = malloc(sizeof *parcel + length);

    if (!parcel)
        abort();
    if (arrive_us < lane->last_us)
        arrive_us = lane->last_us;
    *parcel = (struct parcel){.arrive_us = arrive_us, .length = length};
    memcpy(parcel->bytes, bytes, length);
    *(lane->first ? &lane->last->next : &lane->first) = parcel;
    lane->last = parcel;
    lane->last_us = arrive_us;
}

struct parcel *lane_take(struct lane *lane) {
    struct parcel *parcel = lane->first;

    lane->first = parcel->next;
    return parcel;
}

void lane_clear(struct lane *lane) {
    while (lane->first)
        free(lane_take(lane));
}

int64_t lane_due(const struct lane *lane) {
    return lane->first ? lane->first->arrive_us : INT64_MAX;
}

/* ---- links ---- */

int64_t link_arrival(struct duet *duet) {
    return duet->now_us + random_between(&duet->random, 10, duet->delay_us);
}

bool link_open(struct duet *duet, struct player *player) {
    if (!duet->core)
        return false;
    player->link = calloc(1, sizeof *player->link);
    if (!player->link)
        abort();
    player->link->is_new = true;
    player->link->close_us = INT64_MAX;
    player->lost_us = INT64_MAX;
    return true;
}

static void link_free(struct wire_link *link) {
    lane_clear(&link->up);
    lane_clear(&link->down);
    free(link);
}

/* What was on its way is lost with it, in both directions. */
void link_leave(struct duet *duet, struct player *player) {
    struct wire_link *link = player->link;

    if (!link)
        return;
    if (link->peer)
        core_peer_close(duet->core, link->peer, ++duet->now_us);
    link_free(link);
    player->link = NULL;
}

/* ---- start and end ---- */

void broker_start(struct duet *duet) {
    duet->store = disk_open(duet->disk);
    if (!duet->store)
        duet_fail(duet, "the store can't be opened");
    duet->core = core_new(duet->store, &duet->options, duet->now_us);
    if (!duet->core)
        abort();
    duet->restart_us = INT64_MAX;
    memset(duet->heads, 0, sizeof duet->heads);
}

static void add_account(struct duet *duet, int account) {
    char name[NAME_TEXT];
    int64_t number = 0;
    bool trusted, first = true;

    snprintf(name, sizeof name, "u%d", account);
    for (int i = 0; i < duet->player_count; i++) {
        const struct player *player = &duet->players[i];

        if (player->account != account)
            continue;
        if (first)
            store_account_add(duet->store, name, "", false, player->key, "duet", duet->now_us,
                              &number);
        else
            store_login_succeeded(duet->store, number, player->key, "duet", false, true,
                                  duet->now_us, &trusted);
        first = false;
    }
}

void broker_add_accounts(struct duet *duet) {
    store_begin(duet->store);
    for (int i = 0; i < duet->account_count; i++)
        add_account(duet, i);
    if (store_commit(duet->store) != STORE_OK)
        duet_fail(duet, "the accounts can't be added");
}

void broker_end(struct duet *duet) {
    core_free(duet->core);
    if (duet->store)
        disk_close(duet->disk, duet->store);
    duet->core = NULL;
    duet->store = NULL;
}

/* All connections break; the clients notice when they notice. */
static void lose_links(struct duet *duet) {
    duet->restart_us = duet->now_us + random_between(&duet->random, 1000, 3000000);
    for (int i = 0; i < duet->player_count; i++) {
        struct player *player = &duet->players[i];

        player->subscribed = false;
        if (!player->link)
            continue;
        player->link->peer = NULL;
        player->link->is_new = false;
        lane_clear(&player->link->up);
        if (player->lost_us == INT64_MAX)
            player->lost_us = duet->now_us + random_between(&duet->random, 0, 2000000);
    }
}

static void fail_power(struct duet *duet) {
    core_free(duet->core);
    duet->core = NULL;
    disk_power_failure(duet->disk, duet->store, &duet->random);
    duet->store = NULL;
    duet->crashes++;
    lose_links(duet);
}

uint64_t broker_head(struct duet *duet, int account) {
    struct store_account found;
    char name[NAME_TEXT];
    uint64_t head = 0, cursor = 0;

    snprintf(name, sizeof name, "u%d", account);
    if (!duet->store || store_account_find(duet->store, name, &found) != STORE_OK ||
        store_inbox_state(duet->store, found.account, &head, &cursor) != STORE_OK)
        duet_fail(duet, "the inbox of %s can't be read", name);
    return head;
}

/* ---- a turn ---- */

static void take_link(struct duet *duet, struct player *player) {
    struct wire_link *link = player->link;

    while (link && lane_due(&link->up) <= duet->now_us) {
        struct parcel *parcel = lane_take(&link->up);

        duet->now_us++;
        if (link->is_new)
            link->peer = core_peer_open(duet->core, player->key, "10.0.0.1", player, duet->now_us);
        link->is_new = false;
        if (link->peer)
            core_frame(duet->core, link->peer, parcel->bytes, parcel->length, duet->now_us);
        free(parcel);
    }
}

static void publish(struct duet *duet, const struct core_frame *frame) {
    Zchat__V1__Publication *publication;

    wire_arena_reset(duet->arena);
    if (wire_read_publication(duet->arena, frame->bytes, frame->length, &publication) != WIRE_FINE)
        duet_fail(duet, "a publication that can't be read");
    for (size_t i = 0; i < TOPICS_OF_ALL; i++)
        if (strcmp(publication->topic, topics[i]) == 0)
            duet->heads[i] = publication->head;
    for (int i = 0; i < duet->player_count; i++) {
        struct player *player = &duet->players[i];

        if (player->subscribed && !duet_chance(duet, duet->losses))
            lane_put(&player->published, frame->bytes, frame->length, link_arrival(duet));
    }
}

/* A pipe may be full for a moment. */
static void send_frame(struct duet *duet, struct core_frame *frame) {
    struct player *player = core_peer_owner(frame->peer);

    if (duet_chance(duet, duet->losses / 4)) {
        if (!core_frame_refused(duet->core, frame, duet->now_us))
            player->lost_us = duet->now_us; /* cut */
        return;
    }
    lane_put(&player->link->down, frame->bytes, frame->length, link_arrival(duet));
    free(frame->bytes);
}

static void send_frames(struct duet *duet) {
    struct core_frame frame;

    while (core_next_frame(duet->core, &frame)) {
        if (frame.peer) {
            send_frame(duet, &frame);
        } else {
            publish(duet, &frame);
            free(frame.bytes);
        }
    }
}

/* An orderly end: everybody is told, what they were told still arrives. */
static void stop(struct duet *duet) {
    core_shutdown(duet->core, "the broker is shutting down", ++duet->now_us);
    if (!core_commit(duet->core))
        duet_fail(duet, "the last commit failed: %s", core_error(duet->core));
    send_frames(duet);
    broker_end(duet);
    lose_links(duet);
}

int64_t broker_due(const struct duet *duet) {
    int64_t due_us = duet->core ? core_deadline(duet->core) : duet->restart_us;

    for (int i = 0; duet->core && i < duet->player_count; i++) {
        const struct player *player = &duet->players[i];
        int64_t up_us = player->link ? lane_due(&player->link->up) : INT64_MAX;

        due_us = up_us < due_us ? up_us : due_us;
    }
    return due_us;
}

static void turn(struct duet *duet) {
    for (int i = 0; i < duet->player_count; i++)
        take_link(duet, &duet->players[i]);
    if (core_deadline(duet->core) <= duet->now_us)
        core_tick(duet->core, ++duet->now_us);
    if (duet_chance(duet, duet->power)) { /* before the commit */
        fail_power(duet);
        return;
    }
    if (!core_commit(duet->core))
        duet_fail(duet, "the commit failed: %s", core_error(duet->core));
    if (duet_chance(duet, duet->power)) { /* ... after it, before anybody knows */
        fail_power(duet);
        return;
    }
    send_frames(duet);
    if (duet_chance(duet, duet->power))
        stop(duet);
}

void broker_run(struct duet *duet) {
    if (duet->core)
        turn(duet);
    else
        broker_start(duet);
}
