/* See person.h: what people do of their own accord. Each act is drawn from a table by its weight.
 */
#include "person.h"
#include "world.h"

#include <stdlib.h>
#include <utlist.h>

#define LETTERS_MOST 64

static int some_name(struct world *world) {
    return (int)random_below(&world->random, ACCOUNTS_MAX);
}

/* Mostly somebody who exists. */
static int somebody(struct world *world) {
    if (random_chance(&world->random, 20))
        return some_name(world);
    return (int)random_below(&world->random, (uint64_t)world->plan.accounts);
}

/* ---- writing ---- */

static void new_id(struct world *world, uint32_t item, unsigned char id[ID_BYTES]) {
    unsigned char random[10];

    random_fill(&world->random, random, sizeof random);
    id_make(id, (uint64_t)(world->now_us / 1000), random);
    for (size_t i = 0; i < sizeof item; i++) /* what town_item_of finds */
        id[12 + i] = ((unsigned char *)&item)[i];
}

static uint32_t text_bytes(struct world *world) {
    if (!random_chance(&world->random, world->plan.large))
        return 12 + (uint32_t)random_below(&world->random, 40);
    return 12 + (uint32_t)random_below(&world->random, TEXT_BYTES_MAX - 12);
}

static unsigned errand_count(const struct person *person) {
    const struct errand *errand;
    unsigned count = 0;

    LL_COUNT(person->errands, errand, count);
    return count;
}

static void write_message(struct person *person, int to, enum store_about about,
                          uint32_t original) {
    struct world *world = person->world;
    struct errand *errand = errand_new(person, KIND(SEND_MESSAGE));
    unsigned char id[ID_BYTES];

    new_id(world, world->town->message_count, id);
    errand->user = to;
    errand->require_online = random_chance(&world->random, 50);
    errand->item =
        town_message_new(world->town, id, errand->account, to, text_bytes(world), person->program);
    if (about)
        town_message_about(world->town, about, original);
    errand_ask(errand);
}

static void act_send(struct person *person) {
    struct random *random = &person->world->random;
    size_t count = random_chance(random, 200) ? 1 + random_below(random, 20) : 1;
    int to = somebody(person->world);

    while (count-- > 0 && errand_count(person) < LETTERS_MOST) {
        write_message(person, to, STORE_ABOUT_NONE, 0);
        if (random_chance(random, 300))
            to = somebody(person->world);
    }
}

/* About one of the last messages, mostly a message of one's own. */
static void act_amend(struct person *person) {
    struct town *town = person->world->town;
    struct random *random = &person->world->random;
    uint32_t last = town->message_count, original = last;

    for (int tries = 0; tries < 20 && last > 0; tries++) {
        original = last - 1 - (uint32_t)random_below(random, last < 40 ? last : 40);
        if (town->messages[original].author == person_account(person) || random_chance(random, 50))
            break;
    }
    if (original == last)
        return;
    write_message(
        person, random_chance(random, 950) ? town->messages[original].to : somebody(person->world),
        random_chance(random, 700) ? STORE_CORRECTS : STORE_RETRACTS, original);
}

/* An id that is taken already: with the same content, or another one. */
static void act_send_again(struct person *person) {
    struct town *town = person->world->town;
    struct random *random = &person->world->random;
    int account = person_account(person);
    bool other_text = random_chance(random, 300);
    struct errand *errand;
    uint32_t item;

    if (town->message_count == 0)
        return;
    item = (uint32_t)random_below(random, town->message_count);
    if ((other_text || town->messages[item].author != account) &&
        !town_is_stored(town, &town->committed, item))
        return;
    other_text = other_text && town->messages[item].about != STORE_RETRACTS;
    town->messages[item].in_disorder = true;
    errand = errand_new(person, KIND(SEND_MESSAGE));
    errand->item = item;
    errand->user = town->messages[item].to;
    errand->other_text = other_text;
    errand_ask(errand);
}

static void act_broadcast(struct person *person) {
    struct world *world = person->world;
    struct errand *errand = errand_new(person, KIND(BROADCAST));
    unsigned char id[ID_BYTES];

    new_id(world, world->town->broadcast_count, id);
    errand->item = town_broadcast_new(world->town, id, errand->account);
    person->last_item = errand->item;
    errand_ask(errand);
}

/* ---- threads ---- */

static int some_thread(struct person *person) {
    return (int)random_below(&person->world->random, DUST);
}

static void act_thread(struct person *person) {
    bool follow = random_chance(&person->world->random, 850);
    struct errand *errand = errand_new(person, follow ? KIND(FOLLOW_THREAD) : KIND(CREATE_THREAD));

    errand->thread = some_thread(person);
    new_id(person->world, 0, errand->id);
    errand_ask(errand);
}

static void write_post(struct person *person, int thread) {
    struct world *world = person->world;
    struct errand *errand = errand_new(person, KIND(POST_TO_THREAD));
    unsigned char id[ID_BYTES];

    new_id(world, world->town->forum.post_count, id);
    errand->thread = thread;
    errand->item = forum_post_new(&world->town->forum, id, errand->account, thread);
    errand_ask(errand);
}

static void act_post(struct person *person) {
    struct random *random = &person->world->random;
    size_t count = random_chance(random, 200) ? 1 + random_below(random, 8) : 1;
    int thread = some_thread(person);

    while (count-- > 0 && errand_count(person) < LETTERS_MOST)
        write_post(person, thread);
}

/* Makes the thread that comes and goes, or lets it go. */
static void turn_dust(struct person *person, int kind) {
    struct errand *errand = errand_new(person, kind);

    errand->thread = DUST;
    new_id(person->world, 0, errand->id);
    errand_ask(errand);
}

/* There is much in it, so that it goes in many turns. */
static void act_dust(struct person *person) {
    const struct forum_state *forum = &person->world->town->now.forum;
    bool mine = forum->made[DUST] && forum->creator == person_account(person);
    int count = forum->made[DUST] ? 8 : 0;

    if (random_chance(&person->world->random, mine ? 400 : 50))
        turn_dust(person, KIND(REMOVE_THREAD));
    else if (!forum->made[DUST])
        turn_dust(person, KIND(CREATE_THREAD));
    while (count-- > 0 && errand_count(person) < LETTERS_MOST)
        write_post(person, DUST);
}

/* ---- asking ---- */

static void act_ask(struct person *person) {
    static const int kinds[] = {KIND(WHO),  KIND(SINCE),     KIND(LIST_BLOCKED), KIND(KEEP_ALIVE),
                                KIND(PING), KIND(GET_STATS), KIND(LIST_DEVICES)};
    int kind = kinds[random_below(&person->world->random, sizeof kinds / sizeof kinds[0])];

    if (kind == KIND(KEEP_ALIVE))
        client_keep_alive(&person->core.client);
    else
        errand_ask(errand_new(person, kind));
}

static void act_block(struct person *person) {
    bool block = random_chance(&person->world->random, 450);
    struct errand *errand = errand_new(person, block ? KIND(BLOCK_USER) : KIND(UNBLOCK_USER));

    errand->user = somebody(person->world);
    errand_ask(errand);
}

static uint64_t somewhere_read(struct person *person, const struct box *box) {
    struct random *random = &person->world->random;

    if (!person->inbox && random_chance(random, 100)) /* who is told nothing may boast */
        return box->have + 1 + random_below(random, 1000);
    return box->have == 0 ? 0 : 1 + random_below(random, box->have);
}

static void act_ack(struct person *person) {
    struct box *box = person_box(person, person_account(person));
    uint64_t read = somewhere_read(person, box);
    struct errand *errand;

    if (read == 0)
        return;
    if (read > box->read_wanted)
        box->read_wanted = read;
    if (random_chance(&person->world->random, 500)) {
        inbox_want_read(&person->core.inbox, read);
        return;
    }
    errand = errand_new(person, KIND(ACK));
    errand->read = read;
    errand_ask(errand);
}

static void act_read(struct person *person) {
    struct random *random = &person->world->random;
    struct errand *errand;

    if (!person->inbox && random_chance(random, 700)) {
        errand_read_on(person);
        return;
    }
    errand = errand_new(person, KIND(SYNC));
    errand->stream = (int)random_below(random, STREAMS);
    errand->after_seq = errand->stream == STREAM_INBOX
                            ? random_below(random, person_box(person, errand->account)->have + 3)
                            : person->world->broker.head[errand->stream] - random_below(random, 5);
    errand->limit = (uint32_t)random_below(random, 600);
    errand_ask(errand);
}

/* ---- sessions and passwords ---- */

static void act_logout(struct person *person) {
    struct random *random = &person->world->random;

    errand_logout(person);
    if (random_chance(random, 200))
        errand_ask(errand_new(person, KIND(WHO)));
    if (random_chance(random, 500))
        person->is = !person->is;
    if (random_chance(random, 300))
        person->online = !person->online;
    if (random_chance(random, 500))
        errand_login(person);
}

/* The program logs in otherwise, also from a connection that was lost without a trace. */
static void act_change(struct person *person) {
    person->online = !person->online;
    errand_logout(person);
    person_leave(person);
}

static void act_change_password(struct person *person) {
    struct world *world = person->world;
    struct errand *errand = errand_new(person, KIND(CHANGE_PASSWORD));

    errand->password = random_chance(&world->random, 150)
                           ? WRONG_PASSWORD
                           : world->town->now.password[errand->account];
    errand->new_password = world_new_password(world);
    errand_ask(errand);
}

static void act_register(struct person *person) {
    struct world *world = person->world;
    struct errand *errand = errand_new(person, KIND(REGISTER_ACCOUNT));

    errand->user = some_name(world);
    errand->new_password = world_new_password(world);
    errand->no_trust = random_chance(&world->random, 500);
    errand_ask(errand);
}

void act_revoke(struct person *person, const zchat_reply *devices) {
    struct world *world = person->world;
    struct errand *errand;

    if (devices->count == 0 || !person->core.client.session.intended ||
        world->phase != WORLD_ROUGH ||
        world->town->committed.password[person_account(person)] == 0 ||
        !random_chance(&world->random, 500))
        return;
    errand = errand_new(person, KIND(REVOKE_DEVICE));
    errand->device = devices->devices[random_below(&world->random, devices->count)].device;
    errand_ask(errand);
}

/* ---- when ---- */

static const struct {
    unsigned weight;
    void (*run)(struct person *);
} acts[] = {
    {400, act_send},  {20, act_send_again}, {60, act_amend},   {60, act_broadcast},
    {100, act_ask},   {60, act_block},      {40, act_ack},     {50, act_read},
    {20, act_logout}, {10, act_change},     {5, act_register}, {25, act_change_password},
    {80, act_thread}, {150, act_post},      {80, act_dust},
};

void act(struct person *person) {
    uint64_t all = 0, chosen;
    size_t i = 0;

    person->world->steps++;
    for (size_t k = 0; k < sizeof acts / sizeof acts[0]; k++)
        all += acts[k].weight;
    for (chosen = random_below(&person->world->random, all); chosen >= acts[i].weight; i++)
        chosen -= acts[i].weight;
    acts[i].run(person);
}

void act_last(struct person *person) {
    static const int kinds[] = {KIND(WHO), KIND(SINCE), KIND(LIST_BLOCKED)};
    struct world *world = person->world;

    if (person->last_done || !person->core.client.session.live)
        return;
    person->last_done = true;
    client_keep_alive(&person->core.client);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        errand_ask(errand_new(person, kinds[i]));
    act_broadcast(person);
    act_post(person);
    write_message(person, (person_account(person) + 1) % world->plan.accounts, STORE_ABOUT_NONE, 0);
    if (!person->inbox)
        errand_read_on(person);
}
