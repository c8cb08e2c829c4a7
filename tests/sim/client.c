#include "client.h"

#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define CODE(name) ((int)ZCHAT__V1__CODE__CODE_##name)

struct client *client_new(int number) {
    struct client *client = calloc(1, sizeof *client);

    if (!client)
        abort();
    client->number = number;
    client->ack_us = client->subscribe_us = INT64_MAX;
    return client;
}

static void letters_drop(struct client *client) {
    struct letter *letter, *next;

    LL_FOREACH_SAFE(client->letters, letter, next) {
        free(letter);
    }
    client->letters = NULL;
}

void client_free(struct client *client) {
    letters_drop(client);
    queue_cut(&client->published, 0);
    free(client->heard);
    free(client);
}

int client_account(const struct client *client) {
    return client->account[client->is];
}

void client_begin_program(struct world *world, struct client *client) {
    client->program = ++world->program_number;
    memset(client->box, 0, sizeof client->box);
    letters_drop(client);
    say(world, "client %lld runs its program anew, as run %lld", client->number, client->program, 0,
        0);
}

/* ---- connection ---- */

void client_session_over(struct client *client) {
    struct letter *letter;

    if (client->state == CLIENT_MEMBER || client->state == CLIENT_LEAVING)
        client->state = client->login != 0 ? CLIENT_LOGGING_IN : CLIENT_ANONYMOUS;
    client->ack_us = INT64_MAX;
    memset(client->syncs, 0, sizeof client->syncs);
    LL_FOREACH(client->letters, letter) {
        letter->request = 0;
    }
    client->subscribed = false;
    client->subscribe_us = INT64_MAX;
    queue_cut(&client->published, 0);
}

void client_leave(struct world *world, struct client *client) {
    client_session_over(client);
    if (client->link)
        world_disconnect(world, client->link);
    client->link = NULL;
    client->drafts = 0;
    client->login = 0;
    client->state = CLIENT_AWAY;
    client->backoff_us = client->backoff_us ? 2 * client->backoff_us : 100000;
    if (client->backoff_us > 2000000)
        client->backoff_us = 2000000;
    client->wake_us = world->now_us + random_between(&world->random, 0, client->backoff_us);
}

void client_retire(struct world *world, struct client *client) {
    client_leave(world, client);
    letters_drop(client);
    client->state = CLIENT_RETIRED;
    client->wake_us = INT64_MAX;
}

struct request *client_draft(struct world *world, struct client *client, int kind) {
    struct request *request;

    if (!client->link)
        return NULL;
    if (client->drafts == FRAME_COMMANDS_MAX)
        client_flush(world, client);
    request = link_request(client->link, kind);
    client->draft[client->drafts++] = request;
    return request;
}

void client_flush(struct world *world, struct client *client) {
    size_t length, count = client->drafts;
    struct parcel *parcel;
    uint8_t *bytes;

    if (count == 0)
        return;
    client->drafts = 0;
    bytes = request_pack(world->town, client->link->number, client->draft, count, &length);
    if (length > FRAME_BYTES_MAX)
        world_fail(world, "client %d drafts a frame of %zu bytes", client->number, length);
    parcel = parcel_new(bytes, length);
    parcel->requests = calloc(count, sizeof *parcel->requests);
    if (!parcel->requests)
        abort();
    memcpy(parcel->requests, client->draft, count * sizeof *parcel->requests);
    parcel->count = count;
    world_send(world, client->link, parcel);
}

void client_draft_login(struct world *world, struct client *client) {
    struct request *request = client_draft(world, client, KIND(LOGIN));

    request->user = client_account(client);
    request->online = client->online;
    request->inbox = client->inbox;
    request->public_events = client->events == EVENTS_INLINE;
    request->instance = client->program;
    if (client->by_password) {
        request->password = world->town->now.password[request->user];
        request->no_trust = random_chance(&world->random, 100);
    }
    client->login = request->number;
    if (client->state == CLIENT_ANONYMOUS)
        client->state = CLIENT_LOGGING_IN;
    say(world, "client %lld logs in as u%lld on link %lld, by password %lld", client->number,
        request->user, client->link->number, request->password);
}

static void connect(struct world *world, struct client *client) {
    if (!broker_is_up(&world->broker)) {
        client_leave(world, client);
        return;
    }
    client->link = world_connect(world, client);
    client->state = CLIENT_ANONYMOUS;
    if (world_chance(world, 50))
        client_draft(world, client, random_chance(&world->random, 500) ? KIND(PING) : KIND(WHO));
}

/* ---- letters ---- */

static void letter_draft(struct world *world, struct client *client, struct letter *letter) {
    struct request *request = client_draft(world, client, letter->kind);

    request->item = letter->item;
    request->user = letter->to;
    request->require_online = letter->require_online;
    request->other_text = letter->other_text;
    letter->request = request->number;
    if (letter->kind == KIND(SEND_MESSAGE))
        say(world, "client %lld sends m%lld to u%lld as request %lld", client->number, letter->item,
            letter->to, request->number);
    else
        say(world, "client %lld broadcasts m%lld as request %lld", client->number, letter->item,
            request->number, 0);
}

void client_add_letter(struct world *world, struct client *client, const struct letter *new) {
    struct letter *letter = calloc(1, sizeof *letter);

    if (!letter)
        abort();
    *letter = *new;
    LL_APPEND(client->letters, letter);
    letter_draft(world, client, letter);
}

static void letters_again(struct world *world, struct client *client) {
    struct letter *letter;

    LL_FOREACH(client->letters, letter) {
        if (letter->account == client_account(client))
            letter_draft(world, client, letter);
    }
}

static void letter_answered(struct client *client, uint64_t request) {
    struct letter *letter;

    LL_SEARCH_SCALAR(client->letters, letter, request, request);
    if (!letter)
        return;
    LL_DELETE(client->letters, letter);
    free(letter);
}

/* ---- replies ---- */

static void logged_in(struct world *world, struct client *client,
                      const Zchat__V1__LoginResponse *login) {
    client->state = CLIENT_MEMBER;
    client->login = 0;
    client->backoff_us = 0;
    client->by_password = false;
    client->session++;
    client->session_is = client->is;
    memset(client->link->silent_from_us, 0, sizeof client->link->silent_from_us);
    if (client->events == EVENTS_SUBSCRIBED)
        client->subscribe_us = world->now_us + random_between(&world->random, 100, 50000);
    mailbox_begin(world, client, login);
    letters_again(world, client);
    say(world, "client %lld is logged in, head %lld, has %lld", client->number, login->inbox_head,
        client->box[client->is].have, 0);
}

static void not_logged_in(struct world *world, struct client *client, int code) {
    client->login = 0;
    client->state = CLIENT_ANONYMOUS;
    if (code == CODE(AUTH))
        client->by_password = world->town->now.password[client_account(client)] != 0;
    client->wake_us = world->now_us + random_between(&world->random, 1000, 2000000);
}

static void login_answered(struct world *world, struct client *client,
                           const struct request *request, const Zchat__V1__Reply *reply) {
    if (!reply->error && request->number == client->login)
        logged_in(world, client, reply->login);
    else if (!reply->error)
        client->state = CLIENT_MEMBER; /* a stranger's guess */
    else if (request->number == client->login)
        not_logged_in(world, client, (int)reply->error->code);
}

/* One of the devices is trusted no more; maybe this one. */
static void devices_listed(struct world *world, struct client *client,
                           const Zchat__V1__ListDevicesResponse *list) {
    if (list->n_devices == 0 || client->state != CLIENT_MEMBER || world->phase != WORLD_ROUGH ||
        world->town->committed.password[client_account(client)] == 0 ||
        !random_chance(&world->random, 500))
        return;
    client_draft(world, client, KIND(REVOKE_DEVICE))->device =
        list->devices[random_below(&world->random, list->n_devices)]->number;
}

static void refused(struct client *client, const struct request *request, int code) {
    if (request->kind == KIND(SYNC) && !request->aside)
        client->syncs[request->stream] = false;
    if (code == CODE(AUTH) && request->kind != KIND(CHANGE_PASSWORD))
        client_session_over(client);
    else
        letter_answered(client, request->number);
}

static void done(struct world *world, struct client *client, const struct request *request,
                 const Zchat__V1__Reply *reply) {
    switch (request->kind) {
    case KIND(LOGOUT):
        client_session_over(client);
        break;
    case KIND(SYNC):
        if (!request->aside)
            mailbox_page(world, client, request->stream, reply->sync);
        break;
    case KIND(KEEP_ALIVE):
        if (client->state == CLIENT_MEMBER)
            mailbox_heads(world, client, reply->keep_alive->heads);
        break;
    case KIND(LIST_DEVICES):
        devices_listed(world, client, reply->list_devices);
        break;
    case KIND(SEND_MESSAGE):
    case KIND(BROADCAST):
        letter_answered(client, request->number);
        break;
    default:
        break;
    }
}

static void take_reply(struct world *world, struct client *client, const Zchat__V1__Reply *reply,
                       int64_t silent_from_us[ACCOUNTS_MAX]) {
    struct request *request = link_find(client->link, reply->request);

    if (reply->request == 0)
        return;
    if (!request)
        world_fail(world, "client %d: a second reply to %llu", client->number,
                   (unsigned long long)reply->request);
    if (request->kind == KIND(LOGIN))
        login_answered(world, client, request, reply);
    else if (reply->error)
        refused(client, request, (int)reply->error->code);
    else
        done(world, client, request, reply);
    if (request->kind == KIND(BLOCK_USER) && !reply->error)
        silent_from_us[request->user] = request->time_us;
    link_forget(client->link, request);
}

/* ---- frames ---- */

static void take_batch(struct world *world, struct client *client,
                       const Zchat__V1__ServerBatch *batch) {
    int64_t silent_from_us[ACCOUNTS_MAX] = {0};

    for (size_t i = 0; i < batch->n_replies; i++)
        take_reply(world, client, batch->replies[i], silent_from_us);
    for (size_t i = 0; i < batch->n_events; i++)
        mailbox_event(world, client, batch->events[i]);
    for (int i = 0; i < ACCOUNTS_MAX; i++)
        if (silent_from_us[i] > client->link->silent_from_us[i])
            client->link->silent_from_us[i] = silent_from_us[i];
}

static void take_parcel(struct world *world, struct client *client) {
    struct parcel *parcel = queue_take(&client->link->down);
    Zchat__V1__ServerBatch *batch;

    wire_arena_reset(world->arena);
    if (wire_read_server(world->arena, parcel->bytes, parcel->length, &batch) != WIRE_FINE)
        world_fail(world, "client %d can't read a frame", client->number);
    take_batch(world, client, batch);
    parcel_free(parcel);
    if (!world_chance(world, 200))
        client_flush(world, client);
}

static void take_publication(struct world *world, struct client *client) {
    struct parcel *parcel = queue_take(&client->published);
    Zchat__V1__Publication *publication;

    wire_arena_reset(world->arena);
    if (wire_read_publication(world->arena, parcel->bytes, parcel->length, &publication) !=
        WIRE_FINE)
        world_fail(world, "client %d can't read a publication", client->number);
    if (client->state == CLIENT_MEMBER)
        mailbox_publication(world, client, publication);
    parcel_free(parcel);
    client_flush(world, client);
}

/* The event socket admits only keys with a session. */
static void subscribe(struct world *world, struct client *client) {
    client->subscribe_us = INT64_MAX;
    client->subscribed = broker_is_up(&world->broker) &&
                         core_key_is_live(world->broker.core, world->keys[client->key]);
}

/* ---- time ---- */

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

int64_t client_due(const struct client *client) {
    int64_t due_us = earlier(client->wake_us, client->ack_us);

    due_us = earlier(due_us, earlier(client->subscribe_us, queue_due(&client->published)));
    if (client->link)
        due_us = earlier(due_us, earlier(client->link->lost_us, queue_due(&client->link->down)));
    return due_us;
}

/* What is left to be sent as the other account. */
static void finish_other(struct world *world, struct client *client) {
    const struct letter *letter;

    LL_FOREACH(client->letters, letter) {
        if (letter->account == client_account(client))
            return;
    }
    if (!client->letters)
        return;
    client_draft(world, client, KIND(LOGOUT));
    client->is = !client->is;
    client_draft_login(world, client);
}

static void act_in_phase(struct world *world, struct client *client) {
    if (world->phase == WORLD_ROUGH)
        act(world, client);
    else if (world->phase == WORLD_CALM)
        finish_other(world, client);
    else if (world->phase == WORLD_LAST)
        act_last(world, client);
}

static void wake(struct world *world, struct client *client) {
    int64_t think_us = world->phase == WORLD_ROUGH ? world->plan.think_us : 50000;

    if (client->stranger)
        think_us *= 4;
    client->wake_us = world->now_us + random_between(&world->random, 1, 2 * think_us);
    if (client->link && world_chance(world, world->plan.breaks)) {
        if (world_chance(world, 200))
            client_begin_program(world, client);
        client_leave(world, client);
        return;
    }
    if (client->state == CLIENT_AWAY)
        connect(world, client);
    else if (client->state == CLIENT_MEMBER && client->login == 0)
        act_in_phase(world, client);
    if (client->state == CLIENT_ANONYMOUS && client->stranger)
        act(world, client);
    else if (client->state == CLIENT_ANONYMOUS)
        client_draft_login(world, client);
    if (!world_chance(world, 100))
        client_flush(world, client);
}

void client_run(struct world *world, struct client *client) {
    struct link *link = client->link;

    if (link && queue_due(&link->down) <= world->now_us) {
        take_parcel(world, client);
    } else if (link && link->lost_us <= world->now_us) {
        client_leave(world, client);
    } else if (queue_due(&client->published) <= world->now_us) {
        take_publication(world, client);
    } else if (client->subscribe_us <= world->now_us) {
        subscribe(world, client);
    } else if (client->ack_us <= world->now_us) {
        mailbox_ack(world, client);
        client_flush(world, client);
    } else {
        wake(world, client);
    }
}

static unsigned unanswered(const struct link *link) {
    const struct request *request;
    unsigned count = 0;

    LL_FOREACH(link->requests, request) {
        count += !request->silent;
    }
    return count;
}

bool client_is_settled(const struct world *world, const struct client *client, char *why,
                       size_t why_bytes) {
    const struct mailbox *box = &client->box[client->is];
    uint64_t head = world->town->committed.head[client_account(client)];
    const struct seat *seat = client->link ? &client->link->seat : NULL;

    if (client->state == CLIENT_RETIRED)
        return true;
    if (client->state != CLIENT_MEMBER)
        snprintf(why, why_bytes, "client %d is not logged in (%d)", client->number, client->state);
    else if (!seat->open || seat->account != client_account(client))
        snprintf(why, why_bytes, "client %d does not know that its session is over",
                 client->number);
    else if (client->letters)
        snprintf(why, why_bytes, "client %d has no answer for m%u of u%d, request %llu",
                 client->number, (unsigned)client->letters->item, client->letters->account,
                 (unsigned long long)client->letters->request);
    else if (unanswered(client->link) > 0)
        snprintf(why, why_bytes, "client %d has %u commands without an answer", client->number,
                 unanswered(client->link));
    else if (client->link->down.first || client->published.first)
        snprintf(why, why_bytes, "client %d has not got everything that is under way",
                 client->number);
    else if (client->inbox && box->have != head)
        snprintf(why, why_bytes, "client %d has %llu of its inbox, whose head is %llu",
                 client->number, (unsigned long long)box->have, (unsigned long long)head);
    else
        return true;
    return false;
}
