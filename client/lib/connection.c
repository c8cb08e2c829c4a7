/* The states of a connection. Each attempt has sockets of its own, so nothing of an earlier one can
 * come out late. An attempt tries the host's addresses in turn as long as they refuse at once; an
 * address that is silent uses up the attempt, and the next attempt begins with the address after
 * it. A wrong key, a wrong protocol or a file that can't be used ends the handle only at first
 * contact. A handle that once had the right broker keeps what waits for it, and tries again slowly.
 *
 * A connection that ends early says nothing about keys: a broker that stops, or has no room, ends
 * it in the same way. */
#include "connection.h"

#include "known.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RESOLVE_US  (15 * INT64_C(1000000))
#define GREETING_US (3 * INT64_C(1000000))
#define PROOF_US    (5 * INT64_C(1000000))
/* How long a broker that said that it stops may take to finish what is under way. */
#define END_US (2 * INT64_C(1000000))
/* A connection that lasted this long was a good one: the next delay is short again. */
#define STEADY_US    (5 * INT64_C(1000000))
#define DELAY_MIN_MS 100
#define DELAY_MAX_MS 2000
/* The delay after a wrong key or protocol: a person has to look at that first. */
#define REFUSED_DELAY_MIN_MS 2000
#define REFUSED_DELAY_MAX_MS 30000
/* If so many connections in a row are closed before the key is proved, it is not a broker that
 * stops. */
#define CLOSINGS_SUSPECT 3
/* The most that a handle that is freed waits for its last frame to be written. */
#define LINGER_MS 100
/* The number of the Ping that proves the key: its reply is recognized because it is the first
 * frame. */
#define PROOF_REQUEST 1

bool connection_init(struct connection *connection, const struct settings *settings,
                     const struct device *device, struct wake *wake, struct wire_arena *arena) {
    memset(connection, 0, sizeof *connection);
    connection->settings = settings;
    connection->device = device;
    connection->wake = wake;
    connection->arena = arena;
    connection->give_up_us = WAKE_NEVER;
    connection->key_known = settings->key_given;
    if (settings->key_given) {
        memcpy(connection->key, settings->key, KEY_BYTES);
        key_fingerprint(connection->key, connection->fingerprint);
    }
    connection->context = context_acquire();
    return connection->context != NULL;
}

static void close_channel(struct connection *connection, int linger_ms) {
    channel_free(connection->channel, linger_ms);
    connection->channel = NULL;
    resolve_free(connection->resolve);
    connection->resolve = NULL;
    connection->leaving = false;
    connection->give_up_us = WAKE_NEVER;
}

void connection_release(struct connection *connection) {
    bool up = connection->state == CONNECTION_UP;
    close_channel(connection, up ? LINGER_MS : 0);
    context_release(connection->context);
    connection->context = NULL;
}

void connection_stop(struct connection *connection) {
    close_channel(connection, 0);
    connection->state = CONNECTION_OVER;
    connection->deadline_us = WAKE_NEVER;
}

static bool retry_helps(zchat_code code) {
    return code == ZCHAT_UNREACHABLE || code == ZCHAT_NO_MEMORY || code == ZCHAT_BUSY;
}

static uint32_t delay_ms(unsigned attempts) {
    uint32_t most = DELAY_MAX_MS;
    if (attempts < 4)
        most = 2u * DELAY_MIN_MS << attempts;
    return DELAY_MIN_MS + randombytes_uniform(most - DELAY_MIN_MS + 1);
}

static uint32_t refused_delay_ms(unsigned refusals) {
    uint32_t most = REFUSED_DELAY_MAX_MS;
    if (refusals < 3)
        most = 2u * REFUSED_DELAY_MIN_MS << refusals;
    return most / 2 + randombytes_uniform(most / 2 + 1);
}

static uint32_t next_delay_ms(struct connection *connection) {
    if (!retry_helps(connection->fault.code))
        return refused_delay_ms(connection->refusals++);
    connection->refusals = 0;
    return delay_ms(connection->attempts++);
}

/* The connection ended; the fault is set already. */
static enum connection_news ended(struct connection *connection, int64_t now_us) {
    bool may_retry = retry_helps(connection->fault.code) || connection->stood;
    if (connection->settings->no_reconnect || !may_retry) {
        connection_stop(connection);
        return CONNECTION_REFUSED;
    }
    if (connection->state == CONNECTION_UP && now_us - connection->up_us >= STEADY_US)
        connection->attempts = 0;
    close_channel(connection, 0);
    connection->retry_ms = next_delay_ms(connection);
    connection->deadline_us = now_us + (int64_t)connection->retry_ms * 1000;
    connection->state = CONNECTION_WAITING;
    return CONNECTION_LOST;
}

static enum connection_news fail(struct connection *connection, int64_t now_us, zchat_code code,
                                 const char *format, ...) __attribute__((format(printf, 4, 5)));

static enum connection_news fail(struct connection *connection, int64_t now_us, zchat_code code,
                                 const char *format, ...) {
    char text[sizeof connection->fault.text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fault_set(&connection->fault, code, "%s", text);
    return ended(connection, now_us);
}

static void enter(struct connection *connection, enum connection_state state, int64_t deadline_us) {
    connection->state = state;
    connection->deadline_us = deadline_us;
}

static enum connection_news fail_to_open(struct connection *connection, int64_t now_us) {
    zchat_code code = errno == EINVAL ? ZCHAT_UNREACHABLE : ZCHAT_NO_MEMORY;
    return fail(connection, now_us, code, "no socket to %s could be opened: %s",
                connection->settings->endpoint, strerror(errno));
}

/* ---- the host's name ---- */

static enum connection_news begin(struct connection *connection, int64_t now_us) {
    connection->resolve = resolve_new(connection->settings->address.host, connection->wake);
    if (!connection->resolve)
        return fail_to_open(connection, now_us);
    enter(connection, CONNECTION_RESOLVING, now_us + RESOLVE_US);
    return CONNECTION_NOTHING;
}

/* ---- the greeter ---- */

static enum connection_news greet(struct connection *connection, int64_t now_us) {
    struct address address = {.port = connection->settings->address.port};
    char endpoint[ENDPOINT_BYTES];
    size_t index = connection->address % resolve_count(connection->resolve);
    channel_free(connection->channel, 0);
    strcpy(connection->host, resolve_host(connection->resolve, index));
    strcpy(address.host, connection->host);
    address_endpoint(&address, endpoint);
    connection->channel =
        channel_new(connection->context, connection->wake, CHANNEL_DEALER, endpoint, NULL);
    if (!connection->channel || !greeting_ask(connection->channel, connection->settings->client))
        return fail_to_open(connection, now_us);
    return CONNECTION_NOTHING;
}

static enum connection_news step_resolving(struct connection *connection, int64_t now_us) {
    if (!resolve_is_done(connection->resolve)) {
        return now_us < connection->deadline_us ? CONNECTION_NOTHING
                                                : fail(connection, now_us, ZCHAT_UNREACHABLE,
                                                       "looking up the host %s takes too long",
                                                       connection->settings->address.host);
    }
    connection->addresses_left = resolve_count(connection->resolve);
    if (connection->addresses_left == 0) {
        return fail(connection, now_us, ZCHAT_UNREACHABLE, "the host %s was not found: %s",
                    connection->settings->address.host, resolve_error(connection->resolve));
    }
    enter(connection, CONNECTION_GREETING, now_us + GREETING_US);
    return greet(connection, now_us);
}

static enum connection_news nobody_there(struct connection *connection, int64_t now_us) {
    connection->address++;
    if (--connection->addresses_left > 0)
        return greet(connection, now_us);
    return fail(connection, now_us, ZCHAT_UNREACHABLE,
                "no broker answers at %s: %s; is zchatd running there?",
                connection->settings->endpoint,
                probe_refusal(connection->host, connection->settings->address.port));
}

static enum connection_news greeter_silent(struct connection *connection, int64_t now_us) {
    connection->address++;
    return fail(connection, now_us, ZCHAT_UNREACHABLE,
                "no broker answers at %s: no greeting came within %d s; is it zchatd that listens "
                "there, and does a firewall let it through?",
                connection->settings->endpoint, (int)(GREETING_US / 1000000));
}

/* ---- the key ---- */

static enum connection_news connect_commands(struct connection *connection, int64_t now_us) {
    struct channel_keys keys = {.server_key = connection->key,
                                .public_key = connection->device->public_key,
                                .secret_key = connection->device->secret_key};
    close_channel(connection, 0);
    connection->channel = channel_new(connection->context, connection->wake, CHANNEL_DEALER,
                                      connection->greeting.commands, &keys);
    if (!connection->channel)
        return fail_to_open(connection, now_us);
    Zchat__V1__PingRequest ping = ZCHAT__V1__PING_REQUEST__INIT;
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    command.request = PROOF_REQUEST;
    command.body_case = ZCHAT__V1__COMMAND__BODY_PING;
    command.ping = &ping;
    void *frame = channel_frame(connection->channel, wire_element_size(&command.base), false);
    if (!frame)
        return fail_to_open(connection, now_us);
    wire_element_pack(WIRE_COMMANDS, &command.base, frame);
    channel_send(connection->channel); /* a failure shows in the channel's state */
    enter(connection, CONNECTION_PROVING, now_us + PROOF_US);
    return CONNECTION_NOTHING;
}

static enum connection_news wrong_key(struct connection *connection, int64_t now_us) {
    char shown[FINGERPRINT_TEXT];
    key_fingerprint(connection->greeting.key, shown);
    if (connection->settings->key_given || connection->settings->fingerprint[0]) {
        return fail(connection, now_us, ZCHAT_WRONG_KEY,
                    "the broker at %s shows the key %s, but the given server key is %s",
                    connection->settings->endpoint, shown,
                    connection->key_known ? connection->fingerprint
                                          : connection->settings->fingerprint);
    }
    char how[KNOWN_KEYS_HOW_BYTES];
    known_brokers_how_to_forget(connection->settings->folder, connection->settings->name, how);
    return fail(connection, now_us, ZCHAT_WRONG_KEY,
                "the broker at %s shows the key %s, but %s was pinned: somebody may stand in "
                "between; if its key was changed on purpose, %s",
                connection->settings->endpoint, shown, connection->fingerprint, how);
}

static void know_key(struct connection *connection, const unsigned char *key) {
    memmove(connection->key, key, KEY_BYTES);
    key_fingerprint(connection->key, connection->fingerprint);
    connection->key_known = true;
}

static enum connection_news unknown_key(struct connection *connection, int64_t now_us) {
    key_fingerprint(connection->greeting.key, connection->fingerprint);
    if (!connection->settings->trust_new) {
        close_channel(connection, 0);
        enter(connection, CONNECTION_ASKING, WAKE_NEVER);
        return CONNECTION_UNKNOWN_KEY;
    }
    struct fault fault;
    if (connection_trust(connection, now_us, &fault) != ZCHAT_OK)
        return fail(connection, now_us, fault.code, "%s", fault.text);
    return connect_commands(connection, now_us);
}

/* If only a fingerprint was given: whether it is the fingerprint of the key that the broker
 * shows. */
static bool key_fits(const struct connection *connection) {
    char shown[FINGERPRINT_TEXT];
    key_fingerprint(connection->greeting.key, shown);
    return strcmp(shown, connection->settings->fingerprint) == 0;
}

static enum connection_news check_key(struct connection *connection, int64_t now_us) {
    unsigned char pinned[KEY_BYTES];
    bool known = false;
    if (!connection->key_known && connection->settings->fingerprint[0]) {
        if (!key_fits(connection))
            return wrong_key(connection, now_us);
        know_key(connection, connection->greeting.key);
    }
    if (!connection->key_known) {
        if (known_brokers_find(connection->settings->folder, connection->settings->name, &known,
                               pinned, &connection->fault) != ZCHAT_OK)
            return ended(connection, now_us);
        if (!known)
            return unknown_key(connection, now_us);
        know_key(connection, pinned);
    }
    if (sodium_memcmp(connection->key, connection->greeting.key, KEY_BYTES) != 0)
        return wrong_key(connection, now_us);
    return connect_commands(connection, now_us);
}

zchat_code connection_trust(struct connection *connection, int64_t now_us, struct fault *fault) {
    zchat_code code = known_brokers_pin(connection->settings->folder, connection->settings->name,
                                        connection->greeting.key, fault);
    if (code != ZCHAT_OK)
        return code;
    know_key(connection, connection->greeting.key);
    if (connection->state == CONNECTION_ASKING)
        enter(connection, CONNECTION_WAITING, now_us);
    return ZCHAT_OK;
}

static bool is_suspect(struct connection *connection) {
    return ++connection->closings >= CLOSINGS_SUSPECT;
}

static enum connection_news endless(struct connection *connection, int64_t now_us,
                                    const char *endpoint) {
    return fail(connection, now_us, ZCHAT_WRONG_PROTOCOL, CHANNEL_ENDLESS_TEXT, endpoint);
}

static enum connection_news ungreeted(struct connection *connection, int64_t now_us,
                                      enum channel_state state) {
    if (state == CHANNEL_ENDLESS)
        return endless(connection, now_us, connection->settings->endpoint);
    if (state == CHANNEL_FOREIGN) {
        return fail(connection, now_us, ZCHAT_UNREACHABLE, "what answers at %s is no zchat broker",
                    connection->settings->endpoint);
    }
    return fail(connection, now_us, ZCHAT_UNREACHABLE,
                "the broker at %s closed the connection before it greeted: %s",
                connection->settings->endpoint,
                is_suspect(connection) ? "is it zchatd that listens there?"
                                       : "it may be stopping, or have no room");
}

static enum connection_news step_greeting(struct connection *connection, int64_t now_us) {
    const void *frame;
    size_t frame_bytes;
    enum channel_state state = channel_state(connection->channel, now_us);
    if (channel_receive(connection->channel, &frame, &frame_bytes)) {
        struct fault fault;
        zchat_code code = greeting_read(&connection->greeting, connection->arena, frame,
                                        frame_bytes, connection->host, &fault);
        return code == ZCHAT_OK
                   ? check_key(connection, now_us)
                   : fail(connection, now_us, code, "the broker at %s can't be used: %s",
                          connection->settings->endpoint, fault.text);
    }
    if (state == CHANNEL_UNREACHABLE)
        return nobody_there(connection, now_us);
    if (state > CHANNEL_READY)
        return ungreeted(connection, now_us, state);
    return now_us < connection->deadline_us ? CONNECTION_NOTHING
                                            : greeter_silent(connection, now_us);
}

/* ---- the proof ---- */

static enum connection_news closed_early(struct connection *connection, int64_t now_us) {
    const char *endpoint = connection->greeting.commands;
    if (!is_suspect(connection)) {
        return fail(connection, now_us, ZCHAT_UNREACHABLE,
                    "the broker at %s closed the connection: it may be stopping, or have no room",
                    endpoint);
    }
    return fail(connection, now_us, ZCHAT_UNREACHABLE,
                "what answers at %s closes each connection, and did not prove its key %s", endpoint,
                connection->fingerprint);
}

static enum connection_news unproved(struct connection *connection, int64_t now_us,
                                     enum channel_state state) {
    const char *endpoint = connection->greeting.commands;
    if (state == CHANNEL_ENDLESS)
        return endless(connection, now_us, endpoint);
    if (state == CHANNEL_UNREACHABLE) {
        return fail(connection, now_us, ZCHAT_UNREACHABLE,
                    "the broker greets at %s, but nobody answers at its port for commands, %s",
                    connection->settings->endpoint, endpoint);
    }
    if (state == CHANNEL_DENIED) {
        return fail(connection, now_us, ZCHAT_UNREACHABLE,
                    "the broker at %s refused this device's connection", endpoint);
    }
    if (state == CHANNEL_FOREIGN) {
        return fail(connection, now_us, ZCHAT_UNREACHABLE,
                    "the broker at %s did not prove its key %s", endpoint, connection->fingerprint);
    }
    if (state <= CHANNEL_READY) {
        return fail(connection, now_us, ZCHAT_UNREACHABLE,
                    "the broker at %s did not answer within %d s", endpoint,
                    (int)(PROOF_US / 1000000));
    }
    return closed_early(connection, now_us);
}

static enum connection_news step_proving(struct connection *connection, int64_t now_us) {
    const void *frame;
    size_t frame_bytes;
    enum channel_state state = channel_state(connection->channel, now_us);
    if (channel_receive(connection->channel, &frame, &frame_bytes)) {
        enter(connection, CONNECTION_UP, WAKE_NEVER);
        connection->up_us = now_us;
        connection->stood = true;
        connection->refusals = connection->closings = 0;
        return CONNECTION_PROVED;
    }
    if (state > CHANNEL_READY || now_us >= connection->deadline_us)
        return unproved(connection, now_us, state);
    return CONNECTION_NOTHING;
}

enum connection_news connection_lost(struct connection *connection, int64_t now_us) {
    return fail(connection, now_us, ZCHAT_UNREACHABLE, "the connection to %s is lost",
                connection->settings->endpoint);
}

/* What arrived before the end is read first, so the end is told one step later. */
static enum connection_news step_up(struct connection *connection, int64_t now_us) {
    if (now_us >= connection->give_up_us) {
        return fail(connection, now_us, ZCHAT_UNREACHABLE, "the broker at %s stopped",
                    connection->settings->endpoint);
    }
    enum channel_state state = channel_state(connection->channel, now_us);
    if (state <= CHANNEL_READY)
        return CONNECTION_NOTHING;
    if (state == CHANNEL_ENDLESS)
        return endless(connection, now_us, connection->greeting.commands);
    if (!connection->leaving) {
        connection->leaving = true;
        return CONNECTION_NOTHING;
    }
    return connection_lost(connection, now_us);
}

static enum connection_news step_once(struct connection *connection, int64_t now_us) {
    switch (connection->state) {
    case CONNECTION_WAITING:
        return now_us < connection->deadline_us ? CONNECTION_NOTHING : begin(connection, now_us);
    case CONNECTION_RESOLVING:
        return step_resolving(connection, now_us);
    case CONNECTION_GREETING:
        return step_greeting(connection, now_us);
    case CONNECTION_PROVING:
        return step_proving(connection, now_us);
    case CONNECTION_UP:
        return step_up(connection, now_us);
    case CONNECTION_ASKING:
    case CONNECTION_OVER:
        break;
    }
    return CONNECTION_NOTHING;
}

enum connection_news connection_step(struct connection *connection, int64_t now_us) {
    for (;;) {
        enum connection_state before = connection->state;
        enum connection_news news = step_once(connection, now_us);
        if (news != CONNECTION_NOTHING || connection->state == before)
            return news;
    }
}

enum connection_news connection_break(struct connection *connection, int64_t now_us,
                                      zchat_code code, const char *reason) {
    return fail(connection, now_us, code, "%s", reason);
}

void connection_expect_end(struct connection *connection, int64_t now_us) {
    connection->give_up_us = now_us + END_US;
}

/* ---- frames ---- */

void *connection_frame(struct connection *connection, size_t frame_bytes, bool secret) {
    assert(connection->state == CONNECTION_UP);
    return channel_frame(connection->channel, frame_bytes, secret);
}

bool connection_send(struct connection *connection) {
    assert(connection->state == CONNECTION_UP);
    return channel_send(connection->channel);
}

bool connection_receive(struct connection *connection, const void **frame, size_t *frame_bytes) {
    return connection->state == CONNECTION_UP &&
           channel_receive(connection->channel, frame, frame_bytes);
}

bool connection_is_ready(const struct connection *connection) {
    return connection->leaving || (connection->channel && channel_is_ready(connection->channel));
}

static int64_t sooner(int64_t a, int64_t b) {
    return a < b ? a : b;
}

int64_t connection_deadline_us(const struct connection *connection) {
    int64_t channel_us =
        connection->channel ? channel_deadline_us(connection->channel) : WAKE_NEVER;
    return sooner(channel_us, sooner(connection->give_up_us, connection->deadline_us));
}
