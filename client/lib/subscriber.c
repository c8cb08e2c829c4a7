/* The SUB socket. What was published before a subscription reached the broker shows in the
 * heads. */
#include "subscriber.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define REOPEN_MS_MAX 5000
#define FRAMES_A_TURN 256

void subscriber_init(struct subscriber *subscriber, struct client_core *core,
                     const struct connection *connection) {
    *subscriber =
        (struct subscriber){.core = core, .connection = connection, .reopen_us = WAKE_NEVER};
}

static void drop(struct subscriber *subscriber) {
    channel_free(subscriber->channel, 0);
    subscriber->channel = NULL;
    subscriber->ready = false;
    subscriber->reopen_us = WAKE_NEVER;
    subscriber->core->client.listening = false;
}

void subscriber_close(struct subscriber *subscriber) {
    drop(subscriber);
}

void subscriber_open(struct subscriber *subscriber) {
    subscriber->reopen_us = subscriber->core->client.now_us;
}

static void reopen(struct subscriber *subscriber) {
    unsigned shift = subscriber->failures < 5 ? subscriber->failures : 5;
    uint32_t most_ms = 200u << shift;
    most_ms = most_ms < REOPEN_MS_MAX ? most_ms : REOPEN_MS_MAX;
    drop(subscriber);
    subscriber->failures++;
    subscriber->reopen_us =
        subscriber->core->client.now_us + (100 + (int64_t)randombytes_uniform(most_ms)) * 1000;
}

/* ---- subscriptions ---- */

bool subscriber_add(struct subscriber *subscriber, const uint8_t *prefix, size_t prefix_bytes) {
    bool done = channel_subscribe(subscriber->channel, prefix, prefix_bytes);
    if (!done)
        reopen(subscriber);
    return done;
}

void subscriber_remove(struct subscriber *subscriber, const uint8_t *prefix, size_t prefix_bytes) {
    channel_unsubscribe(subscriber->channel, prefix, prefix_bytes);
}

/* ---- the socket ---- */

static void open_socket(struct subscriber *subscriber) {
    const struct connection *connection = subscriber->connection;
    struct channel_keys keys = {.server_key = connection->key,
                                .public_key = connection->device->public_key,
                                .secret_key = connection->device->secret_key};
    drop(subscriber);
    subscriber->channel = channel_new(connection->context, connection->wake, CHANNEL_SUB,
                                      connection->greeting.events, &keys);
    if (!subscriber->channel) {
        reopen(subscriber);
        return;
    }
    subscriber->core->client.listening = true;
    client_core_subscribe(subscriber->core);
}

/* It is the same broker that answers commands. */
static void endless(struct subscriber *subscriber) {
    char text[ENDPOINT_BYTES + sizeof CHANNEL_ENDLESS_TEXT];
    snprintf(text, sizeof text, CHANNEL_ENDLESS_TEXT, subscriber->connection->greeting.events);
    client_break_off(&subscriber->core->client, ZCHAT_WRONG_PROTOCOL, text);
}

static void watch(struct subscriber *subscriber) {
    enum channel_state state = channel_state(subscriber->channel, subscriber->core->client.now_us);
    if (state == CHANNEL_ENDLESS) {
        endless(subscriber);
    } else if (state == CHANNEL_READY && !subscriber->ready) {
        subscriber->ready = true;
        subscriber->failures = 0;
        client_keep_alive(&subscriber->core->client);
    } else if (state > CHANNEL_READY) {
        reopen(subscriber);
    }
}

void subscriber_receive(struct subscriber *subscriber) {
    const void *frame;
    size_t frame_bytes;
    for (int i = 0; i < FRAMES_A_TURN; i++) {
        if (!subscriber->channel || !channel_receive(subscriber->channel, &frame, &frame_bytes))
            break;
        client_core_publication(subscriber->core, frame, frame_bytes);
    }
    if (subscriber->channel)
        watch(subscriber);
}

void subscriber_tick(struct subscriber *subscriber) {
    const struct client *client = &subscriber->core->client;
    if (client->now_us >= subscriber->reopen_us && client->session.live)
        open_socket(subscriber);
}

bool subscriber_has_more(const struct subscriber *subscriber) {
    return subscriber->channel && channel_is_ready(subscriber->channel);
}

int64_t subscriber_deadline_us(const struct subscriber *subscriber) {
    int64_t channel_us =
        subscriber->channel ? channel_deadline_us(subscriber->channel) : WAKE_NEVER;
    int64_t reopen_us = subscriber->core->client.session.live ? subscriber->reopen_us : WAKE_NEVER;
    return channel_us < reopen_us ? channel_us : reopen_us;
}
