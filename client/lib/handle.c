/* The handle: made, polled, processed, freed. One turn reads what is there, follows the connection,
 * looks at the clock and sends what waits, until nothing is left to do or a bound is reached; then
 * the fd is set to become readable when there is more. A callback may call anything except
 * zchat_process and zchat_run; zchat_free inside of a callback takes effect when it returns. */
#include "handle.h"

#include "common/clock.h"
#include "outgoing.h"
#include "session.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How much memory a decoded frame and the lists made from it may take: 1 MiB of short names
 * fits. */
#define ARENA_BYTES (16 * 1024 * 1024)
/* How many rounds one turn has, so that a busy broker can't keep the program from its other
 * work. */
#define ROUNDS_MAX 8
/* How much one round takes: after the bytes of a chunk the next chunk has to be asked for before
 * more is read. */
#define ROUND_FRAMES_MAX 256
#define ROUND_BYTES_MAX  FRAME_BYTES_FULL
/* Times that are told are not finer than this. */
#define WALL_US 1000

static_assert(NEVER_US == WAKE_NEVER, "the core's deadlines are the wake's");

/* ---- the connection ---- */

static void take_news(zchat *z, enum connection_news news) {
    struct fault fault = z->connection.fault;
    switch (news) {
    case CONNECTION_NOTHING:
        break;
    case CONNECTION_UNKNOWN_KEY:
        client_tell(&z->core.client, &(zchat_event){.kind = ZCHAT_EVENT_UNKNOWN_KEY,
                                                    .code = ZCHAT_UNKNOWN_KEY,
                                                    .text = z->connection.fingerprint});
        break;
    case CONNECTION_PROVED:
        session_connected(&z->core);
        break;
    case CONNECTION_LOST:
        session_lost(&z->core);
        client_tell(&z->core.client, &(zchat_event){.kind = ZCHAT_EVENT_LOST,
                                                    .code = fault.code,
                                                    .text = fault.text,
                                                    .retry_ms = z->connection.retry_ms});
        break;
    case CONNECTION_REFUSED:
        session_give_up(&z->core, fault.code, fault.text);
        break;
    }
}

static void receive(zchat *z) {
    const struct client *client = &z->core.client;
    const void *frame;
    size_t frame_bytes, bytes = 0;
    for (int i = 0; i < ROUND_FRAMES_MAX && bytes < ROUND_BYTES_MAX && !client->doomed; i++) {
        if (!connection_receive(&z->connection, &frame, &frame_bytes))
            break;
        bytes += frame_bytes;
        client_core_frame(&z->core, frame, frame_bytes);
    }
}

static bool send_one(zchat *z, const struct outgoing *next) {
    uint8_t *frame = connection_frame(&z->connection, next->bytes, next->secret);
    if (!frame) {
        client_break_off(&z->core.client, ZCHAT_NO_MEMORY, "no memory for what is to be sent");
        return false;
    }
    outgoing_pack(&z->core, next, frame);
    if (!connection_send(&z->connection)) {
        take_news(z, connection_lost(&z->connection, z->core.client.now_us));
        return false;
    }
    outgoing_sent(&z->core, next);
    return true;
}

/* `flush`: sends even an acknowledgement that could wait. */
static void send_all(zchat *z, bool flush) {
    struct outgoing next;
    while (outgoing_next(&z->core, flush, &next) && send_one(z, &next)) {
    }
}

/* ---- what the core asks for ---- */

static void stir(void *arg) {
    zchat *z = arg;
    wake_fire(z->wake);
}

static void break_off(void *arg, zchat_code code, const char *reason) {
    zchat *z = arg;
    take_news(z, connection_break(&z->connection, z->core.client.now_us, code, reason));
}

static void expect_end(void *arg) {
    zchat *z = arg;
    connection_expect_end(&z->connection, z->core.client.now_us);
}

static void stop(void *arg, zchat_code code, const char *text) {
    zchat *z = arg;
    fault_set(&z->fault, code, "%s", text);
    connection_stop(&z->connection);
}

static void listen_soon(void *arg) {
    zchat *z = arg;
    subscriber_open(&z->subscriber);
}

static void unlisten(void *arg) {
    zchat *z = arg;
    subscriber_close(&z->subscriber);
}

static bool subscribe(void *arg, const uint8_t *prefix, size_t prefix_bytes) {
    zchat *z = arg;
    return subscriber_add(&z->subscriber, prefix, prefix_bytes);
}

static void unsubscribe(void *arg, const uint8_t *prefix, size_t prefix_bytes) {
    zchat *z = arg;
    subscriber_remove(&z->subscriber, prefix, prefix_bytes);
}

static const struct client_host host = {
    stir, break_off, expect_end, stop, listen_soon, unlisten, subscribe, unsubscribe,
};

/* ---- a turn ---- */

static bool has_more(const zchat *z) {
    return connection_is_ready(&z->connection) || client_core_has_more(&z->core) ||
           subscriber_has_more(&z->subscriber);
}

static int64_t sooner(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static void arm(zchat *z) {
    int64_t deadline_us =
        sooner(connection_deadline_us(&z->connection), client_core_deadline_us(&z->core));
    deadline_us = sooner(deadline_us, subscriber_deadline_us(&z->subscriber));
    if (deadline_us != WAKE_NEVER)
        wake_at(z->wake, deadline_us);
    if (has_more(z))
        wake_fire(z->wake);
}

/* The clock on the wall is looked at once a millisecond at most. */
void handle_look_at_clock(zchat *z) {
    struct client *client = &z->core.client;
    client->now_us = clock_us();
    if (client->now_us - z->wall_seen_us < WALL_US)
        return;
    z->wall_seen_us = client->now_us;
    client->wall_ahead_us = clock_wall_us() - client->now_us;
}

static bool goes_on(const zchat *z) {
    return !z->core.client.doomed && z->core.client.over == ZCHAT_OK;
}

static void turn(zchat *z) {
    for (int round = 0; round < ROUNDS_MAX && goes_on(z); round++) {
        handle_look_at_clock(z);
        receive(z);
        subscriber_receive(&z->subscriber);
        take_news(z, connection_step(&z->connection, z->core.client.now_us));
        subscriber_tick(&z->subscriber);
        client_core_tick(&z->core);
        send_all(z, false);
        if (!has_more(z))
            break;
    }
    if (goes_on(z))
        arm(z);
}

/* ---- made and freed ---- */

static void release(zchat *z) {
    client_core_release(&z->core);
    subscriber_close(&z->subscriber);
    connection_release(&z->connection);
    device_free(z->device);
    wire_arena_free(z->arena);
    wake_free(z->wake);
    free(z);
}

static zchat_code no_sockets(zchat *z) {
    return fault_set(&z->fault, ZCHAT_NO_MEMORY,
                     "no sockets can be made: %s; the limit of %s may be too low", strerror(errno),
                     errno == EAGAIN ? "threads or memory" : "open files");
}

/* Connects the core with the sockets. */
static void join(zchat *z, const zchat_options *options) {
    struct client *client = &z->core.client;
    client->host = &host;
    client->host_arg = z;
    client->on_event = options->on_event;
    client->arg = options->arg;
    client->arena = z->arena;
    client->program = z->settings.client;
    client->device = z->settings.device;
    randombytes_buf(client->session.instance, sizeof client->session.instance);
    z->chat_host = (struct chat_host){.context = z->connection.context,
                                      .wake = z->wake,
                                      .device = z->device,
                                      .settings = &z->settings,
                                      .broker_host = z->connection.host};
}

static zchat_code init(zchat *z, const zchat_options *options) {
    client_core_init(&z->core, &z->chats);
    chats_init(&z->chats, &z->core.client, &z->chat_host);
    subscriber_init(&z->subscriber, &z->core, &z->connection);
    if (sodium_init() < 0)
        return fault_set(&z->fault, ZCHAT_IO, "libsodium can't be used on this machine");
    zchat_code code = settings_init(&z->settings, options, &z->fault);
    if (code == ZCHAT_OK)
        code = device_open(&z->device, z->settings.folder, &z->fault);
    if (code != ZCHAT_OK)
        return code;
    z->wake = wake_new();
    z->arena = wire_arena_new(ARENA_BYTES);
    if (!z->wake || !z->arena ||
        !connection_init(&z->connection, &z->settings, z->device, z->wake, z->arena))
        return no_sockets(z);
    join(z, options);
    wake_fire(z->wake);
    return ZCHAT_OK;
}

zchat_code zchat_new(zchat **out, const zchat_options *options, char *error, size_t error_bytes) {
    *out = NULL;
    zchat *z = calloc(1, sizeof *z);
    zchat_code code = z ? init(z, options) : ZCHAT_NO_MEMORY;
    if (code != ZCHAT_OK) {
        if (error && error_bytes > 0)
            snprintf(error, error_bytes, "%s", z ? z->fault.text : "no memory");
        if (z)
            release(z);
        return code;
    }
    *out = z;
    return ZCHAT_OK;
}

void zchat_free(zchat *z) {
    if (!z || z->core.client.doomed)
        return;
    client_core_leave(&z->core);
    if (z->core.client.connected)
        send_all(z, true);
    client_core_close(&z->core);
    if (z->core.client.running)
        z->core.client.doomed = true;
    else
        release(z);
}

/* ---- processed ---- */

static zchat_code enter(zchat *z) {
    if (z->core.client.running) {
        return fault_set(&z->fault, ZCHAT_INVALID,
                         "a callback can't call zchat_process or zchat_run");
    }
    z->core.client.running = true;
    return ZCHAT_OK;
}

static zchat_code leave(zchat *z, zchat_code code) {
    z->core.client.running = false;
    if (z->core.client.doomed) {
        release(z);
        return ZCHAT_CANCELLED;
    }
    return code;
}

zchat_code zchat_process(zchat *z) {
    zchat_code code = enter(z);
    if (code != ZCHAT_OK)
        return code;
    wake_collect(z->wake, 0);
    turn(z);
    return leave(z, z->core.client.over);
}

static int wait_ms(int64_t until_us) {
    if (until_us == WAKE_NEVER)
        return -1;
    int64_t left_us = until_us - clock_us();
    return left_us > 0 ? (int)((left_us + 999) / 1000) : 0;
}

/* Goes around once. ZCHAT_OK: go on. */
static zchat_code run_once(zchat *z, int64_t until_us, const bool *done) {
    turn(z);
    if (z->core.client.doomed || (done && *done))
        return ZCHAT_OK;
    if (z->core.client.over != ZCHAT_OK)
        return z->core.client.over;
    int left_ms = wait_ms(until_us);
    if (left_ms == 0)
        return fault_set(&z->fault, ZCHAT_EXPIRED, "the time is over");
    return wake_collect(z->wake, left_ms)
               ? ZCHAT_OK
               : fault_set(&z->fault, ZCHAT_CANCELLED, "interrupted by a signal");
}

zchat_code zchat_run(zchat *z, int timeout_ms, const bool *done) {
    zchat_code code = enter(z);
    if (code != ZCHAT_OK)
        return code;
    int64_t until_us = timeout_ms < 0 ? WAKE_NEVER : clock_us() + timeout_ms * INT64_C(1000);
    wake_collect(z->wake, 0);
    do {
        code = run_once(z, until_us, done);
    } while (code == ZCHAT_OK && !z->core.client.doomed && !(done && *done));
    return leave(z, code);
}

int zchat_fd(const zchat *z) {
    return wake_fd(z->wake);
}

zchat_code zchat_trust(zchat *z) {
    if (z->connection.state != CONNECTION_ASKING)
        return fault_set(&z->fault, ZCHAT_INVALID, "there is no unknown key to trust");
    zchat_code code = connection_trust(&z->connection, clock_us(), &z->fault);
    if (code == ZCHAT_OK)
        wake_fire(z->wake);
    return code;
}

/* ---- looked at ---- */

const char *zchat_server(const zchat *z) {
    return z->settings.endpoint;
}

const char *zchat_fingerprint(const zchat *z) {
    return z->connection.fingerprint;
}

const char *zchat_commands_at(const zchat *z) {
    return z->connection.greeting.commands;
}

const char *zchat_events_at(const zchat *z) {
    return z->connection.greeting.events;
}

uint32_t zchat_broker_schema(const zchat *z) {
    return z->connection.greeting.schema;
}

uint32_t zchat_schema(void) {
    return SCHEMA_NUMBER;
}

bool zchat_events_ready(const zchat *z) {
    return z->subscriber.ready;
}

const char *zchat_device_key(const zchat *z) {
    return z->device->public_text;
}

const char *zchat_user(const zchat *z) {
    return z->core.client.session.user;
}

const char *zchat_error(const zchat *z) {
    return z->fault.text;
}

size_t zchat_pending(const zchat *z) {
    return client_core_pending(&z->core);
}
