/* See client.h: what a client does of its own accord. Each act is drawn from a table by its weight.
 */
#include "client.h"
#include "world.h"

#include <stdlib.h>
#include <utlist.h>

#define LETTERS_MOST   64
#define WRONG_PASSWORD 1000001
#define PASSWORDS      1000000

static int some_name(struct world *world) {
    return (int)random_below(&world->random, ACCOUNTS_MAX);
}

/* Mostly somebody who exists. */
static int somebody(struct world *world) {
    if (random_chance(&world->random, 20))
        return some_name(world);
    return (int)random_below(&world->random, (uint64_t)world->plan.accounts);
}

static int new_password(struct world *world) {
    return 1 + (int)random_below(&world->random, PASSWORDS);
}

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

static unsigned letter_count(const struct client *client) {
    const struct letter *letter;
    unsigned count = 0;

    LL_COUNT(client->letters, letter, count);
    return count;
}

static void write_message(struct world *world, struct client *client, int to) {
    unsigned char id[ID_BYTES];
    struct letter letter = {
        .kind = KIND(SEND_MESSAGE),
        .account = client_account(client),
        .to = to,
        .require_online = random_chance(&world->random, 50),
    };

    new_id(world, world->town->message_count, id);
    letter.item =
        town_message_new(world->town, id, letter.account, to, text_bytes(world), client->program);
    client_add_letter(world, client, &letter);
}

static void act_send(struct world *world, struct client *client) {
    size_t count = random_chance(&world->random, 200) ? 1 + random_below(&world->random, 20) : 1;
    int to = somebody(world);

    while (count-- > 0 && letter_count(client) < LETTERS_MOST) {
        write_message(world, client, to);
        if (random_chance(&world->random, 300))
            to = somebody(world);
    }
}

/* An id that is taken already: with the same content, or another one. */
static void act_send_again(struct world *world, struct client *client) {
    struct letter letter = {.kind = KIND(SEND_MESSAGE), .account = client_account(client)};

    if (world->town->message_count == 0)
        return;
    letter.item = (uint32_t)random_below(&world->random, world->town->message_count);
    letter.to = world->town->messages[letter.item].to;
    letter.other_text = random_chance(&world->random, 300);
    if ((letter.other_text || world->town->messages[letter.item].author != letter.account) &&
        !town_is_stored(world->town, &world->town->committed, letter.item))
        return;
    world->town->messages[letter.item].in_disorder = true;
    client_add_letter(world, client, &letter);
}

static void act_broadcast(struct world *world, struct client *client) {
    struct letter letter = {.kind = KIND(BROADCAST), .account = client_account(client)};
    unsigned char id[ID_BYTES];

    new_id(world, world->town->broadcast_count, id);
    letter.item = town_broadcast_new(world->town, id, letter.account);
    client->last_item = letter.item;
    client_add_letter(world, client, &letter);
}

static void act_ask(struct world *world, struct client *client) {
    static const int kinds[] = {KIND(WHO),  KIND(SINCE),     KIND(LIST_BLOCKED), KIND(KEEP_ALIVE),
                                KIND(PING), KIND(GET_STATS), KIND(LIST_DEVICES), KIND(LOGIN)};
    int kind = kinds[random_below(&world->random, sizeof kinds / sizeof kinds[0])];

    client_draft(world, client, kind)->user =
        ACCOUNTS_MAX - 1; /* of a login, which can't succeed */
}

static void act_block(struct world *world, struct client *client) {
    bool block = random_chance(&world->random, 450);
    int user = somebody(world);

    client_draft(world, client, block ? KIND(BLOCK_USER) : KIND(UNBLOCK_USER))->user = user;
    say(world, "client %lld (u%lld) blocks (1) or unblocks (0): %lld u%lld", client->number,
        client_account(client), block, user);
}

static void act_ack(struct world *world, struct client *client) {
    mailbox_ack(world, client);
}

static void act_read(struct world *world, struct client *client) {
    struct request *request;

    if (!client->inbox && random_chance(&world->random, 700)) {
        mailbox_sync(world, client, STREAM_INBOX);
        return;
    }
    request = client_draft(world, client, KIND(SYNC));
    request->aside = true;
    request->stream = (int)random_below(&world->random, STREAMS);
    if (request->stream == STREAM_INBOX)
        request->after_seq = random_below(&world->random, client->box[client->is].have + 3);
    else
        request->after_seq = client->place[request->stream] - random_below(&world->random, 5);
    request->limit = (uint32_t)random_below(&world->random, 600);
}

static void act_logout(struct world *world, struct client *client) {
    client_draft(world, client, KIND(LOGOUT));
    client->state = CLIENT_LEAVING;
    if (random_chance(&world->random, 200))
        client_draft(world, client, KIND(WHO));
    if (random_chance(&world->random, 500))
        client->is = !client->is;
    if (random_chance(&world->random, 300))
        client->online = !client->online;
}

static void draft_change_password(struct world *world, struct client *client) {
    struct request *request = client_draft(world, client, KIND(CHANGE_PASSWORD));

    request->password = random_chance(&world->random, 150)
                            ? WRONG_PASSWORD
                            : world->town->now.password[client_account(client)];
    request->new_password = new_password(world);
}

static void act_change_password(struct world *world, struct client *client) {
    draft_change_password(world, client);
}

/* Another session on the same connection while the first one's password is being checked. */
static void act_haste(struct world *world, struct client *client) {
    draft_change_password(world, client);
    client_draft(world, client, KIND(LOGOUT));
    client->is = !client->is;
    client_draft_login(world, client);
}

static void act_noise(struct world *world, struct client *client) {
    struct parcel *parcel;
    uint8_t *bytes = malloc(8);

    if (!bytes)
        abort();
    for (size_t i = 0; i < 8; i++)
        bytes[i] = 0xff;
    client_flush(world, client);
    parcel = parcel_new(bytes, 8);
    world_send(world, client->link, parcel);
}

/* Also from a connection that was lost without a trace, where the program logs in otherwise. */
static void act_change(struct world *world, struct client *client) {
    client->online = !client->online;
    client_leave(world, client);
}

static const struct {
    unsigned weight;
    void (*run)(struct world *, struct client *);
} acts[] = {
    {400, act_send},           {20, act_send_again}, {60, act_broadcast}, {100, act_ask},
    {60, act_block},           {40, act_ack},        {50, act_read},      {20, act_logout},
    {15, act_change_password}, {10, act_haste},      {5, act_noise},      {10, act_change},
};

static void act_member(struct world *world, struct client *client) {
    uint64_t all = 0, chosen;
    size_t i = 0;

    for (size_t k = 0; k < sizeof acts / sizeof acts[0]; k++)
        all += acts[k].weight;
    for (chosen = random_below(&world->random, all); chosen >= acts[i].weight; i++)
        chosen -= acts[i].weight;
    acts[i].run(world, client);
}

/* ---- strangers ---- */

static void guess(struct world *world, struct client *client, int name) {
    struct request *request = client_draft(world, client, KIND(LOGIN));

    request->user = name;
    request->password = WRONG_PASSWORD;
    if (random_chance(&world->random, 200) && world->town->now.password[name] != 0)
        request->password = world->town->now.password[name];
    request->no_trust = true;
    request->online = random_chance(&world->random, 200);
    say(world, "client %lld tries password %lld of u%lld as request %lld", client->number,
        request->password, name, request->number);
}

static void act_stranger(struct world *world, struct client *client) {
    int name = some_name(world);

    if (client->state == CLIENT_MEMBER) {
        client_draft(world, client, KIND(LOGOUT));
        client->state = CLIENT_ANONYMOUS;
        return;
    }
    if (random_chance(&world->random, 100)) {
        struct request *request = client_draft(world, client, KIND(REGISTER_ACCOUNT));

        request->user = name;
        request->new_password = new_password(world);
        request->no_trust = random_chance(&world->random, 500);
        return;
    }
    for (uint64_t count = 1 + random_below(&world->random, 5); count > 0; count--)
        guess(world, client, name);
}

/* ---- when ---- */

void act(struct world *world, struct client *client) {
    world->steps++;
    if (client->stranger)
        act_stranger(world, client);
    else
        act_member(world, client);
}

void act_last(struct world *world, struct client *client) {
    static const int kinds[] = {KIND(KEEP_ALIVE), KIND(WHO), KIND(SINCE), KIND(LIST_BLOCKED)};

    if (client->last_done)
        return;
    client->last_done = true;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        client_draft(world, client, kinds[i]);
    act_broadcast(world, client);
    write_message(world, client, (client_account(client) + 1) % world->plan.accounts);
    if (!client->inbox)
        mailbox_sync(world, client, STREAM_INBOX);
}
