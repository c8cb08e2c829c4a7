#include "raw.h"

#include "world.h"

#include <stdlib.h>
#include <string.h>

struct raw {
    struct world *world; /* borrowed */
    int key;
    int account;       /* whom it logs in as; -1: a stranger */
    int other;         /* after haste */
    struct link *link; /* borrowed: the world's; NULL: not connected */
    uint64_t number;   /* of its last command */
    uint64_t instance;
    int64_t wake_us; /* INT64_MAX: never again */
    uint8_t *frame;  /* owned: what it sends next */
    size_t frame_bytes;
};

struct raw *raw_new(struct world *world, int key, int account, int other) {
    struct raw *raw = calloc(1, sizeof *raw);

    if (!raw)
        abort();
    raw->world = world;
    raw->key = key;
    raw->account = account;
    raw->other = other;
    raw->instance = ++world->core_number;
    raw->wake_us = world->now_us + random_between(&world->random, 0, 500000);
    return raw;
}

void raw_free(struct raw *raw) {
    free(raw->frame);
    free(raw);
}

static void leave(struct raw *raw) {
    if (raw->link)
        world_disconnect(raw->world, raw->link);
    raw->link = NULL;
}

void raw_retire(struct raw *raw) {
    leave(raw);
    raw->wake_us = INT64_MAX;
}

/* ---- frames ---- */

static void *room(struct raw *raw, size_t bytes) {
    raw->frame = realloc(raw->frame, raw->frame_bytes + bytes);
    if (!raw->frame)
        abort();
    raw->frame_bytes += bytes;
    return raw->frame + raw->frame_bytes - bytes;
}

/* Messages all begin with their base, so any member of the union stands for the one that is meant.
 */
static void add(struct raw *raw, int kind, ProtobufCMessage *body) {
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;

    command.request = ++raw->number;
    command.body_case = (Zchat__V1__Command__BodyCase)kind;
    command.ping = (Zchat__V1__PingRequest *)body;
    wire_element_pack(WIRE_COMMANDS, &command.base, room(raw, wire_element_size(&command.base)));
}

static void flush(struct raw *raw) {
    if (raw->frame_bytes > 0)
        world_send(raw->world, raw->link, parcel_new(raw->frame, raw->frame_bytes));
    raw->frame = NULL;
    raw->frame_bytes = 0;
}

static void add_login(struct raw *raw, int account, int password, bool as_guess) {
    Zchat__V1__LoginRequest body = ZCHAT__V1__LOGIN_REQUEST__INIT;
    struct random *random = &raw->world->random;
    unsigned char instance[INSTANCE_BYTES] = {0};
    char name[NAME_TEXT], text[PASSWORD_TEXT];

    account_name(account, name);
    password_text(password, text);
    memcpy(instance, &raw->instance, sizeof raw->instance);
    body.protocol = PROTOCOL_VERSION;
    body.user = name;
    body.password = text;
    body.no_trust = as_guess || random_chance(random, 100);
    body.online = random_chance(random, as_guess ? 200 : 800);
    body.inbox = body.public_events = !as_guess && random_chance(random, 500);
    if (!as_guess) {
        body.instance.data = instance;
        body.instance.len = sizeof instance;
    }
    add(raw, KIND(LOGIN), &body.base);
    say(raw->world, "key %lld tries password %lld of u%lld as request %lld", raw->key, password,
        account, raw->number);
}

static void add_logout(struct raw *raw) {
    Zchat__V1__LogoutRequest body = ZCHAT__V1__LOGOUT_REQUEST__INIT;

    add(raw, KIND(LOGOUT), &body.base);
}

static void add_who(struct raw *raw) {
    Zchat__V1__WhoRequest body = ZCHAT__V1__WHO_REQUEST__INIT;

    add(raw, KIND(WHO), &body.base);
}

static void add_change_password(struct raw *raw) {
    Zchat__V1__ChangePasswordRequest body = ZCHAT__V1__CHANGE_PASSWORD_REQUEST__INIT;
    struct world *world = raw->world;
    char old[PASSWORD_TEXT], new[PASSWORD_TEXT];

    password_text(random_chance(&world->random, 150) ? WRONG_PASSWORD
                                                     : world->town->now.password[raw->account],
                  old);
    password_text(world_new_password(world), new);
    body.old_password = old;
    body.new_password = new;
    add(raw, KIND(CHANGE_PASSWORD), &body.base);
}

static void add_registration(struct raw *raw, int account) {
    Zchat__V1__RegisterAccountRequest body = ZCHAT__V1__REGISTER_ACCOUNT_REQUEST__INIT;
    char name[NAME_TEXT], password[PASSWORD_TEXT];

    account_name(account, name);
    password_text(world_new_password(raw->world), password);
    body.protocol = PROTOCOL_VERSION;
    body.user = name;
    body.password = password;
    body.no_trust = random_chance(&raw->world->random, 500);
    add(raw, KIND(REGISTER_ACCOUNT), &body.base);
}

/* ---- a member ---- */

static void act_login(struct raw *raw) {
    add_login(raw, raw->account, 0, false);
}

/* The second one comes in the session of the first. */
static void act_login_twice(struct raw *raw) {
    add_login(raw, raw->account, 0, false);
    add_login(raw, (int)random_below(&raw->world->random, ACCOUNTS_MAX), 0, false);
}

/* Another session on the same connection while the first one's password is being checked. */
static void act_haste(struct raw *raw) {
    int account = raw->account;

    add_change_password(raw);
    add_logout(raw);
    raw->account = raw->other;
    raw->other = account;
    add_login(raw, raw->account, 0, false);
    add_who(raw);
}

/* The first one to be done changes the hash under the second one. */
static void act_change_twice(struct raw *raw) {
    add_change_password(raw);
    add_change_password(raw);
}

static void act_logout(struct raw *raw) {
    add_logout(raw);
    add_who(raw);
}

static void act_noise(struct raw *raw) {
    flush(raw);
    memset(room(raw, 8), 0xff, 8);
    flush(raw);
}

/* ---- a stranger ---- */

static void act_guess(struct raw *raw) {
    struct world *world = raw->world;
    int name = (int)random_below(&world->random, ACCOUNTS_MAX);

    for (uint64_t count = 1 + random_below(&world->random, 5); count > 0; count--) {
        int right = random_chance(&world->random, 200) ? world->town->now.password[name] : 0;

        add_login(raw, name, right ? right : WRONG_PASSWORD, true);
    }
}

static void act_register(struct raw *raw) {
    add_registration(raw, (int)random_below(&raw->world->random, ACCOUNTS_MAX));
}

/* ---- when ---- */

struct act {
    unsigned weight; /* of 100 */
    void (*run)(struct raw *);
};

static const struct act member_acts[] = {
    {25, act_login},        {15, act_login_twice}, {20, act_haste},
    {15, act_change_twice}, {15, act_logout},      {10, act_noise},
};
static const struct act stranger_acts[] = {{70, act_guess}, {20, act_logout}, {10, act_register}};

static void act(struct raw *raw) {
    const struct act *one = raw->account < 0 ? stranger_acts : member_acts;
    uint64_t chosen = random_below(&raw->world->random, 100);

    for (; chosen >= one->weight; one++)
        chosen -= one->weight;
    raw->world->steps++;
    one->run(raw);
    flush(raw);
}

static void wake(struct raw *raw) {
    struct world *world = raw->world;

    raw->wake_us = world->now_us + random_between(&world->random, 1, 8 * world->plan.think_us);
    if (raw->link && world_chance(world, world->plan.breaks))
        leave(raw);
    else if (raw->link)
        act(raw);
    else if (broker_is_up(&world->broker))
        raw->link = world_connect(world, raw->key, NULL);
}

static void drop_answers(struct raw *raw) {
    while (raw->link && queue_due(&raw->link->down) <= raw->world->now_us)
        parcel_free(queue_take(&raw->link->down));
}

void raw_run(struct raw *raw) {
    drop_answers(raw);
    if (raw->link && raw->link->lost_us <= raw->world->now_us)
        leave(raw);
    if (raw->wake_us <= raw->world->now_us)
        wake(raw);
}

int64_t raw_due(const struct raw *raw) {
    int64_t due_us = raw->wake_us, down_us;

    if (!raw->link)
        return due_us;
    down_us = queue_due(&raw->link->down);
    down_us = down_us < raw->link->lost_us ? down_us : raw->link->lost_us;
    return down_us < due_us ? down_us : due_us;
}
