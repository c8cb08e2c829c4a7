#include "person.h"

#include "outgoing.h"
#include "session.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

int person_account(const struct person *person) {
    return person->account[person->is];
}

struct box *person_box(struct person *person, int account) {
    return &person->box[account == person->account[0] ? 0 : 1];
}

/* ---- connection ---- */

static void connect_later(struct person *person) {
    person->backoff_us = person->backoff_us ? 2 * person->backoff_us : 100000;
    if (person->backoff_us > 2000000)
        person->backoff_us = 2000000;
    person->connect_us =
        person->world->now_us + random_between(&person->world->random, 0, person->backoff_us);
}

static void disconnect(struct person *person) {
    if (!person->link)
        return;
    world_disconnect(person->world, person->link);
    person->link = NULL;
    connect_later(person);
}

void person_leave(struct person *person) {
    disconnect(person);
    if (person->core.client.connected)
        session_lost(&person->core);
}

static void connect(struct person *person) {
    if (!broker_is_up(&person->world->broker)) {
        connect_later(person);
        return;
    }
    person->connect_us = INT64_MAX;
    person->link = world_connect(person->world, person->key, person);
    session_connected(&person->core);
}

/* ---- what the core asks for ---- */

static void stir(void *arg) {
    (void)arg; /* whoever asks something of it runs it then */
}

static void break_off(void *arg, zchat_code code, const char *reason) {
    struct person *person = arg;

    (void)code;
    (void)reason;
    person_leave(person);
}

static void expect_end(void *arg) {
    (void)arg; /* the broker breaks the connection, and that is noticed */
}

static void stop(void *arg, zchat_code code, const char *text) {
    struct person *person = arg;

    (void)text;
    say(person->world, "person %lld: its core gives up, %lld", person->number, code, 0, 0);
    if (code == ZCHAT_AUTH)
        person->by_password = person->world->town->now.password[person_account(person)] != 0;
    person->gave_up = true;
}

static void listen_soon(void *arg) {
    struct person *person = arg;

    person->subscribe_us =
        person->world->now_us + random_between(&person->world->random, 100, 50000);
}

static void unlisten(void *arg) {
    struct person *person = arg;

    person->core.client.listening = person->is_subscribed = false;
    person->subscribe_us = INT64_MAX;
    queue_cut(&person->published, 0);
}

static bool subscribe(void *arg, const uint8_t *prefix, size_t prefix_bytes) {
    const struct person *person = arg;

    (void)prefix;
    return prefix_bytes > 0 && person->core.client.listening;
}

static void unsubscribe(void *arg, const uint8_t *prefix, size_t prefix_bytes) {
    (void)arg;
    (void)prefix;
    (void)prefix_bytes;
}

static const struct client_host host = {
    stir, break_off, expect_end, stop, listen_soon, unlisten, subscribe, unsubscribe,
};

/* The event socket admits only keys with a session. */
static void listen_now(struct person *person) {
    struct world *world = person->world;

    person->subscribe_us = INT64_MAX;
    if (!broker_is_up(&world->broker) ||
        !core_key_is_live(world->broker.core, world->keys[person->key])) {
        person->subscribe_us = world->now_us + 300000;
        return;
    }
    person->core.client.listening = person->is_subscribed = true;
    client_core_subscribe(&person->core);
    client_keep_alive(&person->core.client);
}

/* ---- the program ---- */

static void set_host(struct person *person) {
    struct client *client = &person->core.client;
    uint64_t number = ++person->world->core_number;

    client->program = "sim";
    client->device = "sim";
    client->host = &host;
    client->host_arg = client->arg = person;
    client->on_event = seen_event;
    client->arena = person->world->arena;
    client->now_us = person->world->now_us;
    memcpy(client->session.instance, &number, sizeof number);
}

/* A core, connected a little later; what is asked before waits. */
static void begin(struct person *person) {
    memset(&person->core, 0, sizeof person->core);
    client_core_init(&person->core, NULL);
    set_host(person);
    person->gave_up = false;
    person->send_us = 0;
    person->subscribe_us = INT64_MAX;
    person->login_us = world_chance(person->world, 200) ? person->world->now_us : INT64_MAX;
    connect_later(person);
}

static void begin_program(struct person *person) {
    person->program = ++person->world->program_number;
    memset(person->box, 0, sizeof person->box);
    errands_drop(person);
    begin(person);
    say(person->world, "person %lld runs its program, run %lld", person->number, person->program, 0,
        0);
}

/* ---- sending ---- */

static void send_all(struct person *person, bool flush) {
    struct outgoing next;

    while (person->link && outgoing_next(&person->core, flush, &next)) {
        uint8_t *frame = malloc(next.bytes);

        if (!frame)
            abort();
        if (next.bytes > FRAME_BYTES_MAX)
            world_fail(person->world, "person %d sends a frame of %zu bytes", person->number,
                       next.bytes);
        outgoing_pack(&person->core, &next, frame);
        world_send(person->world, person->link, parcel_new(frame, next.bytes));
        outgoing_sent(&person->core, &next);
    }
}

/* The connection takes nothing for a moment now and then, so that more comes together. */
static void send_some(struct person *person) {
    struct world *world = person->world;

    if (world->now_us < person->send_us)
        return;
    if (client_core_has_more(&person->core) && world_chance(world, 50))
        person->send_us = world->now_us + random_between(&world->random, 1, 300000);
    else
        send_all(person, false);
}

/* ---- begin and end ---- */

struct person *person_new(struct world *world, int number, int key, const int account[2]) {
    struct person *person = calloc(1, sizeof *person);
    struct random *random = &world->random;

    if (!person)
        abort();
    person->world = world;
    person->number = number;
    person->key = key;
    person->account[0] = account[0];
    person->account[1] = account[1];
    person->online = random_chance(random, 800);
    person->inbox = random_chance(random, 850);
    person->events = (zchat_public_events)random_below(random, 3);
    person->wake_us = world->now_us + random_between(random, 0, 500000);
    begin_program(person);
    return person;
}

static void end_orderly(struct person *person) {
    client_core_leave(&person->core);
    send_all(person, true);
    client_core_close(&person->core);
}

void person_restart(struct person *person, bool orderly) {
    say(person->world, "person %lld: its program ends, orderly (1): %lld", person->number, orderly,
        0, 0);
    if (orderly)
        end_orderly(person);
    disconnect(person);
    client_core_release(&person->core);
    begin_program(person);
}

/* The core is of no more use; what was asked of it is answered, and letters stay. */
static void renew(struct person *person) {
    end_orderly(person);
    disconnect(person);
    client_core_release(&person->core);
    begin(person);
}

void person_free(struct person *person) {
    client_core_release(&person->core);
    errands_drop(person);
    queue_cut(&person->published, 0);
    free(person->heard);
    free(person);
}

/* ---- what they do ---- */

/* What is left to be sent as the other account. */
static void finish_other(struct person *person) {
    const struct errand *errand;

    LL_FOREACH(person->errands, errand) {
        if (errand->is_under_way || errand->account == person_account(person))
            return;
    }
    if (!person->errands)
        return;
    errand_logout(person);
    person->is = !person->is;
    errand_login(person);
}

static void act_in_phase(struct person *person) {
    if (person->world->phase == WORLD_ROUGH)
        act(person);
    else if (person->world->phase == WORLD_CALM)
        finish_other(person);
    else if (person->world->phase == WORLD_LAST)
        act_last(person);
}

/* Whether they are logged in, or will be as soon as the connection is there again. */
static bool may_act(const struct person *person) {
    const struct session *session = &person->core.client.session;

    return session->login && session->intended && errands_under_way(person, KIND(LOGIN)) == 0 &&
           errands_under_way(person, KIND(LOGOUT)) == 0 &&
           (session->live || world_chance(person->world, 300));
}

static void wake(struct person *person) {
    struct world *world = person->world;
    int64_t think_us = world->phase == WORLD_ROUGH ? world->plan.think_us : 50000;

    person->wake_us = world->now_us + random_between(&world->random, 1, 2 * think_us);
    if (person->link && world_chance(world, world->plan.breaks))
        if (world_chance(world, 200))
            person_restart(person, random_chance(&world->random, 300));
        else
            person_leave(person);
    else if (may_act(person))
        act_in_phase(person);
}

/* ---- a turn ---- */

static void receive(struct person *person) {
    int64_t now_us = person->world->now_us;
    struct parcel *parcel;

    while (person->link && queue_due(&person->link->down) <= now_us) {
        parcel = queue_take(&person->link->down);
        client_core_frame(&person->core, parcel->bytes, parcel->length);
        parcel_free(parcel);
    }
    while (queue_due(&person->published) <= now_us) {
        parcel = queue_take(&person->published);
        client_core_publication(&person->core, parcel->bytes, parcel->length);
        parcel_free(parcel);
    }
}

static void turn(struct person *person) {
    int64_t now_us = person->world->now_us;

    person->core.client.now_us = now_us;
    person->core.client.running = true;
    receive(person);
    if (person->link && person->link->lost_us <= now_us)
        person_leave(person);
    if (person->connect_us <= now_us && !person->gave_up)
        connect(person);
    if (person->subscribe_us <= now_us)
        listen_now(person);
    client_core_tick(&person->core);
    person->core.client.running = false;
}

static void check_calls(const struct person *person) {
    size_t pending = client_core_pending(&person->core);
    unsigned asked = errands_under_way(person, 0);

    if (pending != asked)
        world_fail(person->world, "person %d waits for %u answers, its core for %zu",
                   person->number, asked, pending);
}

void person_run(struct person *person) {
    int64_t now_us = person->world->now_us;

    turn(person);
    if (person->wake_us <= now_us && !person->gave_up)
        wake(person);
    if (person->login_us <= now_us && !person->gave_up) {
        person->login_us = INT64_MAX;
        errand_login(person);
    }
    check_calls(person);
    if (person->gave_up)
        renew(person);
    send_some(person);
}

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* What the core wants to send waits until the connection takes it. */
int64_t person_due(const struct person *person) {
    int64_t due_us = client_core_deadline_us(&person->core);

    if (person->send_us > person->world->now_us)
        due_us = person->send_us;
    due_us = earlier(due_us, earlier(person->connect_us, person->wake_us));
    due_us = earlier(due_us, earlier(person->login_us, person->subscribe_us));
    due_us = earlier(due_us, queue_due(&person->published));
    if (person->link)
        due_us = earlier(due_us, earlier(person->link->lost_us, queue_due(&person->link->down)));
    return due_us;
}

/* ---- the end ---- */

static bool is_in_session(const struct person *person) {
    const struct seat *seat = person->link ? &person->link->seat : NULL;

    return seat && seat->open && seat->account == person_account(person) &&
           person->session_as == seat->account;
}

static const char *unsettled(const struct person *person) {
    const struct client *client = &person->core.client;

    if (!person->link || !client->session.live)
        return "is not logged in";
    if (!is_in_session(person))
        return "does not know that its session is over";
    if (person->errands)
        return "has no answer yet";
    if (link_unanswered(person->link) > 0 || client->requests.open > 0)
        return "has commands without an answer";
    if (person->link->down.first || person->published.first)
        return "has not got everything that is under way";
    return NULL;
}

/* Those that the account follows, as committed. */
static bool threads_settled(const struct person *person) {
    const struct town *town = person->world->town;
    const struct followed *followed = &person->core.followed;
    uint64_t position[THREADS_MAX] = {0};

    if (person->events == ZCHAT_PUBLIC_NONE)
        return true;
    for (size_t i = 0; i < followed->count; i++) {
        int thread = forum_of_id(&town->forum, followed->list[i].id, ID_BYTES);

        if (thread >= 0)
            position[thread] = followed->list[i].position;
    }
    for (int i = 0; i < THREADS_MAX; i++)
        if ((town->committed.forum.followers[i] >> person_account(person) & 1) != 0 &&
            position[i] != town->committed.forum.head[i])
            return false;
    return followed->known;
}

bool person_is_settled(const struct person *person, char *why, size_t why_bytes) {
    int account = person_account(person);
    uint64_t head = person->world->town->committed.head[account];
    uint64_t have = person->box[account == person->account[0] ? 0 : 1].have;
    const char *what = unsettled(person);

    if (!what && !threads_settled(person))
        what = "lacks events of a thread";
    if (what)
        snprintf(why, why_bytes, "person %d %s", person->number, what);
    else if (person->inbox && have != head)
        snprintf(why, why_bytes, "person %d has %llu of its inbox, whose head is %llu",
                 person->number, (unsigned long long)have, (unsigned long long)head);
    else
        return true;
    return false;
}
