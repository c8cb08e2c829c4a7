#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define BEGIN_US     1700000000000000LL
#define CALM_US      200000000LL /* within which all must come up to date */
#define LOSSES_US    10000000LL  /* in the calm: of pushes, and of heads told again */
#define QUIET_US     100000000LL
#define SETTLE_US    5000000LL /* of the quiet: what was under way, and heads told again */
#define WHY_BYTES    256
#define STUCK_INPUTS 10000000 /* far more than any seed needs */

bool world_chance(struct world *world, unsigned per_mille) {
    return world->phase == WORLD_ROUGH && per_mille > 0 && random_chance(&world->random, per_mille);
}

/* ---- the network ---- */

struct link *world_link(const struct world *world, uint64_t number) {
    struct link *link;

    LL_SEARCH_SCALAR(world->links, link, number, number);
    return link;
}

struct link *world_connect(struct world *world, struct client *client) {
    struct link *link = link_new(++world->link_number, client, client->key);

    link->base_us = random_between(&world->random, 50, 1 + world->plan.delay_us);
    LL_PREPEND(world->links, link);
    say(world, "client %lld connects as link %lld", client->number, link->number, 0, 0);
    return link;
}

void world_disconnect(struct world *world, struct link *link) {
    int64_t late_us = 0;

    say(world, "client %lld leaves link %lld", link->client->number, link->number, 0, 0);
    link->client = NULL;
    link->lost_us = INT64_MAX;
    queue_cut(&link->down, 0);
    if (!link->peer && !link->is_new)
        return;
    if (world_chance(world, 500))
        queue_cut(&link->up, random_below(&world->random, 1 + queue_count(&link->up)));
    if (world_chance(world, 600))
        late_us = random_between(&world->random, 0,
                                 random_chance(&world->random, 500) ? 20000000 : 500000);
    link->close_us = world->now_us + late_us;
}

int64_t world_arrival(struct world *world, const struct link *link) {
    int64_t late_us = link->base_us;

    if (world_chance(world, 10))
        late_us += random_between(&world->random, 0, 3000000);
    return world->now_us + late_us + random_between(&world->random, 0, 2 * link->base_us);
}

void world_send(struct world *world, struct link *link, struct parcel *parcel) {
    queue_put(&link->up, parcel, world_arrival(world, link));
}

/* In the last round events get lost, too, so that only the head told again repairs it. */
static bool misses(struct world *world, bool holds_events) {
    bool may = world->phase == WORLD_ROUGH || (world->phase == WORLD_LAST && holds_events);

    return may && random_chance(&world->random, world->plan.drops);
}

bool world_loses(struct world *world) {
    bool may = world->phase == WORLD_ROUGH ||
               (world->phase == WORLD_CALM && world->now_us - world->calm_us < LOSSES_US);

    return may && random_chance(&world->random, world->plan.drops);
}

void world_publish(struct world *world, const uint8_t *bytes, size_t length, bool holds_events) {
    for (int i = 0; i < world->client_count; i++) {
        struct client *client = world->clients[i];
        uint8_t *copy;

        if (!client->subscribed || misses(world, holds_events))
            continue;
        if (!(copy = malloc(length)))
            abort();
        memcpy(copy, bytes, length);
        queue_put(&client->published, parcel_new(copy, length), world_arrival(world, client->link));
    }
}

void world_lose_subscriptions(struct world *world) {
    for (int i = 0; i < world->client_count; i++) {
        world->clients[i]->subscribed = false;
        queue_cut(&world->clients[i]->published, 0);
    }
}

static void forget_links(struct world *world) {
    struct link *link, *next;

    LL_FOREACH_SAFE(world->links, link, next) {
        if (link->client || link->peer || link->is_new || link->close_us != INT64_MAX)
            continue;
        LL_DELETE(world->links, link);
        link_free(link);
    }
}

/* ---- the plan ---- */

static unsigned up_to(struct world *world, unsigned most) {
    return random_chance(&world->random, 400) ? 0
                                              : (unsigned)random_below(&world->random, most + 1);
}

static void make_plan(struct world *world, unsigned steps) {
    struct random *random = &world->random;

    world->plan = (struct plan){
        .steps = steps,
        .accounts = 2 + (int)random_below(random, 5),
        .think_us = random_between(random, 5000, 400000),
        .delay_us = random_between(random, 100, 60000),
        .breaks = up_to(world, 40),
        .full = up_to(world, 60),
        .drops = up_to(world, 300),
        .cut_before_commit = up_to(world, 5),
        .cut_after_commit = up_to(world, 5),
        .cut_sending = up_to(world, 5),
        .disk_breaks = up_to(world, 5),
        .stops = up_to(world, 2),
        .large = random_chance(random, 200) ? 20 : 0,
    };
    if (random_chance(random, 200)) {
        world->plan.unread_max = 5 + random_below(random, 50);
        world->plan.unread_per_sender_max = 3 + random_below(random, 20);
    }
}

static void make_options(struct world *world) {
    struct random *random = &world->random;

    world->broker.options = (struct core_options){
        .idle_timeout_us = random_chance(random, 200) ? random_between(random, 200000, 5000000) : 0,
        .block_duration_us = random_between(random, 1, 20) * 1000000,
        .registration_open = random_chance(random, 800),
        .sessions_per_user = 1 + (uint32_t)random_below(random, 6),
        .password_workers = 1 + (uint32_t)random_below(random, 4),
        .software = "sim",
    };
}

static void make_disk(struct world *world, uint64_t seed) {
    struct disk_options options = {
        .view_entries = 10 + random_below(&world->random, 200),
        .slice_entries = 1 + random_below(&world->random, 40),
        .wal_pages = 10 + (int)random_below(&world->random, 300),
        .unread_max = world->plan.unread_max,
        .unread_per_sender_max = world->plan.unread_per_sender_max,
    };

    world->broker.disk = disk_new(seed, &options);
}

static void add_client(struct world *world, int account) {
    struct client *client = client_new(world->client_count);
    struct random *random = &world->random;
    int second = random_chance(random, 300)
                     ? (int)random_below(random, (uint64_t)world->plan.accounts)
                     : account;

    client->key = world->client_count;
    client->stranger = account < 0;
    client->account[0] = account < 0 ? 0 : account;
    client->account[1] = account < 0 ? 0 : second;
    client->online = random_chance(random, 800);
    client->inbox = random_chance(random, 850);
    client->events = (enum client_events)random_below(random, 3);
    client->wake_us = world->now_us + random_between(random, 0, 500000);
    if (account >= 0)
        world->town->now.device[account][client->key] =
            world->town->now.device[second][client->key] = 1; /* numbered when they are added */
    world->clients[world->client_count++] = client;
    client_begin_program(world, client);
}

static void make_people(struct world *world) {
    struct town_state *now = &world->town->now;

    for (int key = 0; key < KEYS_MAX; key++)
        random_fill(&world->random, world->keys[key], KEY_BYTES);
    for (int i = 0; i < world->plan.accounts; i++) {
        now->exists[i] = true;
        now->password[i] = random_chance(&world->random, 700) ? 1 + i : 0;
        for (uint64_t n = 1 + random_below(&world->random, 2); n > 0; n--)
            add_client(world, i);
    }
    for (uint64_t n = random_below(&world->random, 4); n > 0; n--)
        add_client(world, -1);
}

/* ---- phases ---- */

static void grow_calm(struct world *world) {
    struct link *link;

    world->phase = WORLD_CALM;
    world->calm_us = world->now_us;
    say(world, "it grows calm", 0, 0, 0, 0);
    disk_mend(world->broker.disk);
    world->disk_broken = false;
    world->broker.options.idle_timeout_us = 0;
    world->broker.options.sessions_per_user = 64;
    if (broker_is_up(&world->broker))
        broker_reconfigure(world);
    LL_FOREACH(world->links, link) {
        link->full_until_us = 0;
    }
    for (int i = 0; i < world->client_count; i++) {
        struct client *client = world->clients[i];

        if (client->stranger)
            client_retire(world, client);
        else if (client->wake_us > world->now_us + 100000)
            client->wake_us = world->now_us + 100000;
    }
}

/* The last news may be gathered for so long; what is not published counts in no head. */
static bool news_are_told(const struct world *world) {
    const struct model *model = &world->model;

    return model->news_count == 0 ||
           world->now_us >= model->news[model->news_count - 1].time_us + BROADCAST_US_MAX;
}

static bool all_settled(const struct world *world, char *why) {
    const struct link *link;

    for (int i = 0; i < world->client_count; i++) {
        if (!client_is_settled(world, world->clients[i], why, WHY_BYTES))
            return false;
        if (world->phase == WORLD_LAST && world->clients[i]->state == CLIENT_MEMBER &&
            !world->clients[i]->last_done)
            return false;
    }
    LL_FOREACH(world->links, link) {
        if (link->client && link->ends == 0)
            continue;
        snprintf(why, WHY_BYTES, "link %llu %s", (unsigned long long)link->number,
                 link->client ? "was not told of a session's end" : "is not closed");
        return false;
    }
    return news_are_told(world) && broker_is_up(&world->broker);
}

/* Whether a client must have come up to date in the topics: on the command connection before its
 * keep-alive, too. */
static bool follows(const struct world *world, const struct client *client) {
    return client->state == CLIENT_MEMBER &&
           (client->events == EVENTS_INLINE ||
            (client->events == EVENTS_SUBSCRIBED && world->phase == WORLD_LAST));
}

static bool topics_settled(const struct world *world, char *why) {
    for (int i = 0; i < world->client_count; i++) {
        const struct client *client = world->clients[i];

        for (int s = 1; s < STREAMS; s++) {
            if (!follows(world, client) || client->place[s] == world->broker.head[s])
                continue;
            snprintf(why, WHY_BYTES, "client %d is at %llu of %s, whose head is %llu", i,
                     (unsigned long long)client->place[s], stream_names[s],
                     (unsigned long long)world->broker.head[s]);
            return false;
        }
    }
    return true;
}

static void check_last_broadcast(struct world *world, const struct client *from) {
    const struct town_state *now = &world->town->now;
    int author = client_account(from);
    bool is_public = !town_blocks_any(now, author);

    for (int i = 0; i < world->client_count; i++) {
        const struct client *to = world->clients[i];
        bool reachable = to->events != EVENTS_NONE && (is_public || to->events == EVENTS_INLINE);

        if (to->state != CLIENT_MEMBER || client_account(to) == author ||
            town_hidden(now, author, client_account(to)))
            continue;
        if (!is_public && to->online)
            reachable = true;
        if (reachable && !mailbox_heard(to, from->last_item))
            world_fail(world, "client %d never heard broadcast m%u of client %d", i,
                       (unsigned)from->last_item, from->number);
    }
}

static void grow_quiet(struct world *world) {
    world->phase = WORLD_QUIET;
    say(world, "it grows quiet", 0, 0, 0, 0);
    for (int i = 0; i < world->client_count; i++)
        world->clients[i]->wake_us = INT64_MAX;
}

/* Whether the phase is over. */
static bool phase_ends(struct world *world, int64_t since_us) {
    char why[WHY_BYTES] = "the broker is down";
    bool settled;

    if (world->phase == WORLD_ROUGH)
        return world->steps >= world->plan.steps;
    if (world->phase == WORLD_QUIET)
        return world->now_us - since_us > QUIET_US;
    settled = all_settled(world, why) && topics_settled(world, why);
    if (!settled && world->now_us - since_us > CALM_US)
        world_fail(world, "not up to date after %lld s without faults: %s",
                   (long long)(CALM_US / 1000000), why);
    return settled;
}

static void next_phase(struct world *world) {
    if (world->phase == WORLD_ROUGH) {
        grow_calm(world);
    } else if (world->phase == WORLD_CALM) {
        say(world, "the last round", 0, 0, 0, 0);
        world->phase = WORLD_LAST;
    } else if (world->phase == WORLD_LAST) {
        for (int i = 0; i < world->client_count; i++)
            if (world->clients[i]->state == CLIENT_MEMBER)
                check_last_broadcast(world, world->clients[i]);
        grow_quiet(world);
    }
}

/* ---- the clock ---- */

/* Advances the clock to what is due next, and does it. */
static void step(struct world *world, int64_t until_us) {
    int64_t due_us = broker_due(world);
    struct client *next = NULL;

    for (int i = 0; i < world->client_count; i++) {
        if (client_due(world->clients[i]) < due_us) {
            next = world->clients[i];
            due_us = client_due(next);
        }
    }
    if (due_us > until_us)
        due_us = until_us;
    if (due_us > world->now_us)
        world->now_us = due_us;
    if (due_us == until_us)
        return;
    if (next)
        client_run(world, next);
    else
        broker_run(world);
    if (broker_is_up(&world->broker) && world_chance(world, world->plan.stops))
        broker_stop(world);
    forget_links(world);
}

static void play_phase(struct world *world) {
    int64_t since_us = world->now_us, until_us = INT64_MAX;
    uint64_t frames_out = world->broker.frames_out;

    if (world->phase != WORLD_ROUGH)
        until_us = since_us + (world->phase == WORLD_QUIET ? QUIET_US : CALM_US) + 1;
    for (unsigned long inputs = 0; !phase_ends(world, since_us); inputs++) {
        step(world, until_us);
        if (world->now_us - since_us <= SETTLE_US)
            frames_out = world->broker.frames_out;
        if (inputs > STUCK_INPUTS)
            world_fail(world, "it does not end");
    }
    if (world->phase == WORLD_QUIET && world->broker.frames_out != frames_out)
        world_fail(world, "%llu frames were sent though nobody did anything",
                   (unsigned long long)(world->broker.frames_out - frames_out));
}

/* What one program sent over and over stands in the order in which it was written. */
static void check_order(struct world *world) {
    const struct town *town = world->town;

    for (int account = 0; account < ACCOUNTS_MAX; account++) {
        for (uint64_t seq = 1; seq <= town->committed.head[account]; seq++) {
            uint32_t item = town->inbox[account][seq - 1];
            const struct message *message = &town->messages[item];

            for (uint64_t i = seq; i-- > 1 && seq - i < 64;) {
                uint32_t before = town->inbox[account][i - 1];

                if (town->messages[before].sent_by == message->sent_by &&
                    town->messages[before].author == message->author && before > item &&
                    !message->in_disorder && !town->messages[before].in_disorder)
                    world_fail(world, "u%d has m%u before m%u", account, (unsigned)before,
                               (unsigned)item);
            }
        }
    }
}

/* The end: everything once more from the disk. */
static void check_store(struct world *world) {
    char why[WHY_BYTES];

    if (!town_is_in(world->town, &world->town->committed, world->broker.store, world->keys,
                    world->now_us, why, sizeof why))
        world_fail(world, "at the end the store is not what was committed: %s", why);
    broker_stop(world);
    world->now_us = world->broker.restart_us;
    broker_run(world);
}

static void world_free(struct world *world) {
    struct link *link, *next;

    broker_release(world);
    LL_FOREACH_SAFE(world->links, link, next) {
        link_free(link);
    }
    for (int i = 0; i < world->client_count; i++)
        client_free(world->clients[i]);
    model_release(&world->model);
    town_free(world->town);
    free(world);
}

void world_play(uint64_t seed, unsigned steps, bool verbose, struct wire_arena *arena,
                struct world_result *result) {
    struct world *world = calloc(1, sizeof *world);

    if (!world)
        abort();
    world->arena = arena;
    world->now_us = BEGIN_US;
    world->town = town_new();
    random_seed(&world->random, seed);
    trace_begin(&world->trace, seed, steps, verbose, world->now_us);
    make_plan(world, steps);
    make_options(world);
    make_disk(world, seed);
    make_people(world);
    broker_init(world);
    while (world->phase != WORLD_QUIET) {
        play_phase(world);
        next_phase(world);
    }
    play_phase(world);
    check_order(world);
    check_store(world);
    result->crashes = world->crashes;
    result->messages = world->town->message_count;
    world_free(world);
}
