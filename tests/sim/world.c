#include "world.h"

#include "person.h"
#include "raw.h"

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

int world_new_password(struct world *world) {
    return 1 + (int)random_below(&world->random, WRONG_PASSWORD - 1);
}

bool world_chance(struct world *world, unsigned per_mille) {
    return world->phase == WORLD_ROUGH && per_mille > 0 && random_chance(&world->random, per_mille);
}

/* ---- the network ---- */

struct link *world_link(const struct world *world, uint64_t number) {
    struct link *link;

    LL_SEARCH_SCALAR(world->links, link, number, number);
    return link;
}

struct link *world_connect(struct world *world, int key, struct person *person) {
    struct link *link = link_new(++world->link_number, key);

    link->person = person;
    link->run = world->model.run;
    link->base_us = random_between(&world->random, 50, 1 + world->plan.delay_us);
    LL_PREPEND(world->links, link);
    say(world, "key %lld connects as link %lld, person %lld", key, link->number,
        person ? person->number : -1, 0);
    return link;
}

void world_disconnect(struct world *world, struct link *link) {
    int64_t late_us = 0;

    say(world, "link %lld is left", link->number, 0, 0, 0);
    link->is_left = true;
    link->person = NULL;
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
    for (int i = 0; i < world->person_count; i++) {
        struct person *person = world->persons[i];
        uint8_t *copy;

        if (!person->is_subscribed || !person->link || misses(world, holds_events))
            continue;
        if (!(copy = malloc(length)))
            abort();
        memcpy(copy, bytes, length);
        queue_put(&person->published, parcel_new(copy, length), world_arrival(world, person->link));
    }
}

void world_lose_subscriptions(struct world *world) {
    for (int i = 0; i < world->person_count; i++) {
        world->persons[i]->is_subscribed = false;
        queue_cut(&world->persons[i]->published, 0);
    }
}

static void forget_links(struct world *world) {
    struct link *link, *next;

    LL_FOREACH_SAFE(world->links, link, next) {
        if (!link->is_left || link->peer || link->is_new || link->close_us != INT64_MAX)
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
        .quotas = {.post_bytes = 1 << 24, .threads = 10},
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

/* A key that both accounts trust; numbered when they are added. */
static int add_key(struct world *world, const int account[2]) {
    int key = world->key_count++;

    for (int i = 0; i < 2 && account[i] >= 0; i++)
        world->town->now.device[account[i]][key] = 1;
    return key;
}

static void two_accounts(struct world *world, int first, int account[2]) {
    struct random *random = &world->random;

    account[0] = account[1] = first;
    if (random_chance(random, 300))
        account[1] = (int)random_below(random, (uint64_t)world->plan.accounts);
}

static void add_person(struct world *world, int first) {
    int account[2], number = world->person_count++;

    two_accounts(world, first, account);
    world->persons[number] = person_new(world, number, add_key(world, account), account);
}

static void add_raw(struct world *world, int first) {
    int account[2] = {-1, -1};

    if (first >= 0)
        two_accounts(world, first, account);
    world->raws[world->raw_count++] =
        raw_new(world, add_key(world, account), account[0], account[1]);
}

static void make_people(struct world *world) {
    struct town_state *now = &world->town->now;
    struct random *random = &world->random;

    for (int key = 0; key < KEYS_MAX; key++)
        random_fill(random, world->keys[key], KEY_BYTES);
    for (int i = 0; i < world->plan.accounts; i++) {
        now->exists[i] = true;
        now->password[i] = random_chance(random, 700) ? 1 + i : 0;
        for (uint64_t n = 1 + random_below(random, 2); n > 0; n--)
            add_person(world, i);
    }
    for (uint64_t n = random_below(random, 4); n > 0; n--)
        add_raw(world, -1);
    for (uint64_t n = 1 + random_below(random, 3); n > 0; n--)
        add_raw(world, (int)random_below(random, (uint64_t)world->plan.accounts));
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
    for (int i = 0; i < world->raw_count; i++)
        raw_retire(world->raws[i]);
    for (int i = 0; i < world->person_count; i++)
        if (world->persons[i]->wake_us > world->now_us + 100000)
            world->persons[i]->wake_us = world->now_us + 100000;
}

/* The last news may be gathered for so long; what is not published counts in no head. */
static bool news_are_told(const struct world *world) {
    const struct model *model = &world->model;

    return model->news_count == 0 ||
           world->now_us >= model->news[model->news_count - 1].time_us + BROADCAST_US_MAX;
}

static bool links_settled(const struct world *world, char *why) {
    const struct link *link;

    LL_FOREACH(world->links, link) {
        if (!link->is_left && link->ends == 0)
            continue;
        snprintf(why, WHY_BYTES, "link %llu %s", (unsigned long long)link->number,
                 link->is_left ? "is not closed" : "was not told of a session's end");
        return false;
    }
    return true;
}

static bool all_settled(const struct world *world, char *why) {
    for (int i = 0; i < world->person_count; i++)
        if (!person_is_settled(world->persons[i], why, WHY_BYTES) ||
            (world->phase == WORLD_LAST && !world->persons[i]->last_done))
            return false;
    return links_settled(world, why) && news_are_told(world) && broker_is_up(&world->broker);
}

/* Whoever is told of the topics has come up to date in all of them. */
static bool topics_settled(const struct world *world, char *why) {
    for (int i = 0; i < world->person_count; i++) {
        const struct person *person = world->persons[i];

        for (int s = 1; s < STREAMS; s++) {
            uint64_t position = person->core.published.list[s - 1].position;

            if (person->events == ZCHAT_PUBLIC_NONE || position == world->broker.head[s])
                continue;
            snprintf(why, WHY_BYTES, "person %d is at %llu of %s, whose head is %llu", i,
                     (unsigned long long)position, stream_names[s],
                     (unsigned long long)world->broker.head[s]);
            return false;
        }
    }
    return true;
}

/* What is not public is sent to everybody online, but handed out only to who wants news, and did
 * not block its author in this session: another device may have undone that. */
static bool has_heard(const struct world *world, const struct person *person, int author,
                      uint32_t item, bool is_public) {
    if (person->events == ZCHAT_PUBLIC_NONE || (person->blocked >> author & 1) != 0)
        return is_public || !person->online || model_was_told(world, item, person);
    return seen_broadcast(person, item);
}

static void check_last_broadcast(struct world *world, const struct person *from) {
    const struct town_state *now = &world->town->now;
    int author = person_account(from);
    bool is_public = !town_blocks_any(now, author);

    for (int i = 0; i < world->person_count; i++) {
        const struct person *to = world->persons[i];
        bool reachable = is_public || to->online || to->events == ZCHAT_PUBLIC_INLINE;

        if (reachable && person_account(to) != author &&
            !town_hidden(now, author, person_account(to)) &&
            !has_heard(world, to, author, from->last_item, is_public))
            world_fail(world, "person %d never heard broadcast m%u of person %d", i,
                       (unsigned)from->last_item, from->number);
    }
}

static void grow_quiet(struct world *world) {
    world->phase = WORLD_QUIET;
    say(world, "it grows quiet", 0, 0, 0, 0);
    for (int i = 0; i < world->person_count; i++)
        world->persons[i]->wake_us = INT64_MAX;
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
        for (int i = 0; i < world->person_count; i++)
            check_last_broadcast(world, world->persons[i]);
        grow_quiet(world);
    }
}

/* ---- the clock ---- */

/* Whose turn it is. */
struct next {
    int64_t due_us;
    struct person *person;
    struct raw *raw; /* both NULL: the broker */
};

static struct next next_of(const struct world *world) {
    struct next next = {.due_us = broker_due(world)};

    for (int i = 0; i < world->person_count; i++)
        if (person_due(world->persons[i]) < next.due_us)
            next = (struct next){person_due(world->persons[i]), world->persons[i], NULL};
    for (int i = 0; i < world->raw_count; i++)
        if (raw_due(world->raws[i]) < next.due_us)
            next = (struct next){raw_due(world->raws[i]), NULL, world->raws[i]};
    return next;
}

/* Advances the clock to what is due next, and does it. */
static void step(struct world *world, int64_t until_us) {
    struct next next = next_of(world);

    if (next.due_us > world->now_us)
        world->now_us = next.due_us < until_us ? next.due_us : until_us;
    if (next.due_us >= until_us)
        return;
    if (next.person)
        person_run(next.person);
    else if (next.raw)
        raw_run(next.raw);
    else
        broker_run(world);
    if (broker_is_up(&world->broker) && world_chance(world, world->plan.stops))
        broker_stop(world);
    forget_links(world);
}

static void check_quiet(struct world *world, uint64_t asked, uint64_t unasked) {
    if (world->broker.unasked != unasked)
        world_fail(world, "%llu frames were sent though nobody did anything",
                   (unsigned long long)(world->broker.unasked - unasked));
    if (world->broker.asked != asked)
        world_fail(world, "%llu commands were asked though nobody did anything",
                   (unsigned long long)(world->broker.asked - asked));
}

static void play_phase(struct world *world) {
    int64_t since_us = world->now_us, until_us = INT64_MAX;
    uint64_t asked = world->broker.asked, unasked = world->broker.unasked;

    if (world->phase != WORLD_ROUGH)
        until_us = since_us + (world->phase == WORLD_QUIET ? QUIET_US : CALM_US) + 1;
    for (unsigned long inputs = 0; !phase_ends(world, since_us); inputs++) {
        step(world, until_us);
        if (world->now_us - since_us <= SETTLE_US) {
            asked = world->broker.asked;
            unasked = world->broker.unasked;
        }
        if (inputs > STUCK_INPUTS)
            world_fail(world, "it does not end");
    }
    if (world->phase == WORLD_QUIET)
        check_quiet(world, asked, unasked);
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
    if (store_has_rubbish(world->broker.store))
        world_fail(world, "at the end something is left of threads that were removed");
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
    for (int i = 0; i < world->person_count; i++)
        person_free(world->persons[i]);
    for (int i = 0; i < world->raw_count; i++)
        raw_free(world->raws[i]);
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
    result->answers = world->answers;
    result->handed_out = world->handed_out;
    world_free(world);
}
