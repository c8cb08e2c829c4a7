/* See client.h: what arrives at a client, its places in the streams, and what it makes of holes. */
#include "client.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

static struct mailbox *open_box(struct client *client) {
    return &client->box[client->session_is];
}

void mailbox_sync(struct world *world, struct client *client, int stream) {
    struct request *request;

    if (client->syncs[stream] || client->state != CLIENT_MEMBER)
        return;
    request = client_draft(world, client, KIND(SYNC));
    client->syncs[stream] = true;
    request->stream = stream;
    request->after_seq = stream == STREAM_INBOX ? open_box(client)->have : client->place[stream];
    if (random_chance(&world->random, 300))
        request->limit = 1 + (uint32_t)random_below(&world->random, 20);
    say(world, "client %lld asks for stream %lld after %lld", client->number, stream,
        request->after_seq, 0);
}

static int topic_of(const char *name) {
    int stream = 1;

    while (stream < STREAMS && strcmp(stream_names[stream], name) != 0)
        stream++;
    return stream < STREAMS ? stream : STREAM_INBOX;
}

static void topic_head(struct world *world, struct client *client, int stream, uint64_t head) {
    if (stream != STREAM_INBOX && head > client->place[stream] && client->events != EVENTS_NONE)
        mailbox_sync(world, client, stream);
}

static void ack_soon(struct world *world, struct client *client) {
    if (client->ack_us == INT64_MAX)
        client->ack_us = world->now_us + random_between(&world->random, 1000, 1000000);
}

void mailbox_begin(struct world *world, struct client *client,
                   const Zchat__V1__LoginResponse *login) {
    struct mailbox *box = open_box(client);

    if (!box->begun)
        box->have = login->inbox_cursor;
    box->begun = true;
    if (box->have > login->inbox_head)
        world_fail(world, "client %d has %llu of an inbox whose head is %llu", client->number,
                   (unsigned long long)box->have, (unsigned long long)login->inbox_head);
    for (size_t i = 0; i < login->n_topics; i++)
        client->place[topic_of(login->topics[i]->topic)] = login->topics[i]->head;
    if (box->have > login->inbox_cursor)
        ack_soon(world, client);
    if (client->inbox && box->have < login->inbox_head)
        mailbox_sync(world, client, STREAM_INBOX);
}

/* ---- the inbox ---- */

static void hand_out(struct world *world, struct client *client,
                     const Zchat__V1__ServerEvent *event) {
    const struct town *town = world->town;
    struct mailbox *box = open_box(client);
    int account = client->account[client->session_is];
    uint32_t item = 0;

    if (event->seq > town->committed.head[account] ||
        !town_item_of(event->message->id.data, event->message->id.len, &item) ||
        town->inbox[account][event->seq - 1] != item)
        world_fail(world, "client %d hands out m%u as %llu of u%d's inbox, where it is not",
                   client->number, (unsigned)item, (unsigned long long)event->seq, account);
    box->have = event->seq;
    ack_soon(world, client);
}

static void take_entry(struct world *world, struct client *client,
                       const Zchat__V1__ServerEvent *event) {
    struct mailbox *box = open_box(client);

    if (event->seq == box->have + 1)
        hand_out(world, client, event);
    else if (event->seq > box->have)
        mailbox_sync(world, client, STREAM_INBOX);
}

void mailbox_ack(struct world *world, struct client *client) {
    struct mailbox *box = open_box(client);
    struct request *request;

    client->ack_us = INT64_MAX;
    if (client->state != CLIENT_MEMBER)
        return;
    request = client_draft(world, client, KIND(ACK));
    request->silent = random_chance(&world->random, 900);
    request->received = box->have;
    if (random_chance(&world->random, 500))
        request->read = random_below(&world->random, box->have + 1);
    if (!client->inbox && random_chance(&world->random, 100)) /* who is told nothing may boast */
        request->read = box->have + random_below(&world->random, 1000);
}

/* ---- topics ---- */

static void hear(struct world *world, struct client *client,
                 const Zchat__V1__BroadcastEvent *heard) {
    uint32_t item = 0;

    town_item_of(heard->id.data, heard->id.len, &item);
    if (account_of_name(heard->sender) == client->account[client->session_is])
        return;
    if (item >= client->heard_max) {
        uint32_t max = item + 64;

        client->heard = realloc(client->heard, max * sizeof *client->heard);
        if (!client->heard)
            abort();
        memset(client->heard + client->heard_max, 0,
               (max - client->heard_max) * sizeof *client->heard);
        client->heard_max = max;
    }
    if (client->heard[item] == client->session)
        world_fail(world, "client %d hears broadcast m%u twice in a session", client->number,
                   (unsigned)item);
    client->heard[item] = client->session;
}

bool mailbox_heard(const struct client *client, uint32_t item) {
    return item < client->heard_max && client->heard[item] == client->session;
}

static void take_news(struct world *world, struct client *client, int stream,
                      const Zchat__V1__ServerEvent *event) {
    uint64_t *place = &client->place[stream];

    if (event->seq != 0) {
        if (event->seq <= *place)
            return;
        if (event->seq != *place + 1) { /* also where the topic had no event at the login */
            mailbox_sync(world, client, stream);
            return;
        }
        *place = event->seq;
    }
    if (event->body_case == ZCHAT__V1__SERVER_EVENT__BODY_BROADCAST)
        hear(world, client, event->broadcast);
}

/* After the batch with the reply to a block nothing older of that user comes on its connection. */
static void check_silence(struct world *world, const struct client *client, const char *user,
                          int64_t time_us) {
    int account = account_of_name(user);

    if (time_us < client->link->silent_from_us[account])
        world_fail(world, "client %d hears of %s after the reply to its block", client->number,
                   user);
}

void mailbox_event(struct world *world, struct client *client,
                   const Zchat__V1__ServerEvent *event) {
    if (event->body_case == ZCHAT__V1__SERVER_EVENT__BODY_SESSION_ENDED) {
        say(world, "client %lld: its session ended, reason %lld", client->number,
            event->session_ended->reason, 0, 0);
        client_session_over(client);
    }
    if (client->state != CLIENT_MEMBER || client->stranger)
        return;
    if (event->body_case == ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE) {
        check_silence(world, client, event->message->sender, event->time_us);
        take_entry(world, client, event);
    } else if (event->body_case == ZCHAT__V1__SERVER_EVENT__BODY_PRESENCE) {
        check_silence(world, client, event->presence->user, event->time_us);
        take_news(world, client, STREAM_PRESENCE, event);
    } else if (event->body_case == ZCHAT__V1__SERVER_EVENT__BODY_BROADCAST) {
        check_silence(world, client, event->broadcast->sender, event->time_us);
        take_news(world, client, STREAM_BROADCAST, event);
    } else if (event->body_case == ZCHAT__V1__SERVER_EVENT__BODY_HEADS) {
        mailbox_heads(world, client, event->heads);
    }
}

void mailbox_publication(struct world *world, struct client *client,
                         const Zchat__V1__Publication *publication) {
    int stream = topic_of(publication->topic);

    for (size_t i = 0; i < publication->n_events; i++)
        take_news(world, client, stream, publication->events[i]);
    topic_head(world, client, stream, publication->head);
}

void mailbox_heads(struct world *world, struct client *client, const Zchat__V1__Heads *heads) {
    if (client->inbox && heads->inbox > open_box(client)->have)
        mailbox_sync(world, client, STREAM_INBOX);
    for (size_t i = 0; i < heads->n_topics; i++)
        topic_head(world, client, topic_of(heads->topics[i]->topic), heads->topics[i]->head);
}

/* ---- pages ---- */

void mailbox_page(struct world *world, struct client *client, int stream,
                  const Zchat__V1__SyncResponse *page) {
    uint64_t *place = &client->place[stream];

    client->syncs[stream] = false;
    if (client->state != CLIENT_MEMBER)
        return;
    for (size_t i = 0; i < page->n_events; i++) {
        if (stream == STREAM_INBOX) {
            take_entry(world, client, page->events[i]);
            continue;
        }
        if (i == 0 && page->events[0]->seq > *place)
            *place = page->events[0]->seq - 1;
        take_news(world, client, stream, page->events[i]);
    }
    if (stream != STREAM_INBOX && page->n_events == 0)
        *place = page->head;
    if (stream == STREAM_INBOX ? open_box(client)->have < page->head : page->more)
        mailbox_sync(world, client, stream);
}
