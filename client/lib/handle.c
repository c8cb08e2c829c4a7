/* The handle: made, polled, processed, freed. One turn reads what is there, follows the connection,
 * looks at the clock and sends what waits, until nothing is left to do or a bound is reached; then
 * the fd is made to tell when there is more. A callback may call anything but zchat_process and
 * zchat_run; zchat_free inside of one takes effect when it returns. */
#include "handle.h"

#include "command.h"
#include "incoming.h"
#include "outgoing.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one frame may become when it is decoded, and the lists made from it: 1 MiB of short names
 * fits. */
#define ARENA_BYTES (16 * 1024 * 1024)
/* Rounds of one turn, so that a busy broker can't keep the program from its other work. */
#define ROUNDS_MAX 8

/* ---- for the parts ---- */

void handle_tell(zchat *z, const zchat_event *event) {
    if (!z->on_event) {
        return;
    }
    if (event->text && event->user) {
        z->on_event(z->arg, event);
        return;
    }
    zchat_event told = *event;
    told.text = told.text ? told.text : "";
    told.user = told.user ? told.user : "";
    z->on_event(z->arg, &told);
}

void handle_answer(zchat *z, struct request *request, const zchat_reply *reply) {
    (void)z;
    zchat_reply told = *reply;
    told.text = told.text ? told.text : "";
    told.user = told.user ? told.user : "";
    told.software = told.software ? told.software : "";
    if (request->fn) {
        request->fn(request->arg, &told);
    }
    request_free(request);
}

struct request *handle_ask(zchat *z, enum request_owner owner, command_number command,
                           ProtobufCMessage *body) {
    struct request *request = requests_add(&z->requests, owner, command, body);
    if (request && !z->running) {
        wake_fire(z->wake);
    }
    return request;
}

/* Without memory for it the next one comes in KEEP_ALIVE_S. */
void handle_keep_alive(zchat *z) {
    Zchat__V1__KeepAliveRequest body = ZCHAT__V1__KEEP_ALIVE_REQUEST__INIT;
    handle_ask(z, REQUEST_HEADS, COMMAND(KEEP_ALIVE), &body.base);
    z->last_sent_us = z->now_us;
}

static void answer_all(zchat *z, zchat_code code, const char *text) {
    struct request_list all = {0};
    const zchat_reply reply = {.code = code, .text = text};
    requests_take_all(&z->requests, &all);
    for (struct request *request; (request = request_list_pop(&all));) {
        handle_answer(z, request, &reply);
    }
}

void handle_give_up(zchat *z, zchat_code code, const char *text) {
    fault_set(&z->fault, code, "%s", text);
    z->over = code;
    connection_stop(&z->connection);
    chats_end_all(z, ZCHAT_UNREACHABLE, text);
    session_forget(z);
    z->session.intended = false;
    struct fault told = z->fault;
    answer_all(z, code, told.text);
    transfers_end_all(z, code, told.text);
    handle_tell(z, &(zchat_event){.kind = ZCHAT_EVENT_REFUSED, .code = code, .text = told.text});
}

void handle_news(zchat *z, enum connection_news news) {
    struct fault fault = z->connection.fault;
    switch (news) {
    case CONNECTION_NOTHING:
        break;
    case CONNECTION_UNKNOWN_KEY:
        handle_tell(z, &(zchat_event){.kind = ZCHAT_EVENT_UNKNOWN_KEY,
                                      .code = ZCHAT_UNKNOWN_KEY,
                                      .text = z->connection.fingerprint});
        break;
    case CONNECTION_PROVED:
        z->last_sent_us = z->now_us;
        session_connected(z);
        break;
    case CONNECTION_LOST:
        session_lost(z);
        handle_tell(z, &(zchat_event){.kind = ZCHAT_EVENT_LOST,
                                      .code = fault.code,
                                      .text = fault.text,
                                      .retry_ms = z->connection.retry_ms});
        break;
    case CONNECTION_REFUSED:
        handle_give_up(z, fault.code, fault.text);
        break;
    }
}

/* ---- a turn ---- */

static bool is_up(const zchat *z) {
    return z->connection.state == CONNECTION_UP;
}

static int64_t keep_alive_us(const zchat *z) {
    return is_up(z) ? z->last_sent_us + KEEP_ALIVE_S * INT64_C(1000000) : WAKE_NEVER;
}

static void tick(zchat *z) {
    inbox_tick(z);
    topics_tick(z);
    followed_tick(z);
    transfers_tick(z);
    if (z->now_us >= keep_alive_us(z)) {
        handle_keep_alive(z);
    }
}

static bool has_more(const zchat *z) {
    return connection_is_ready(&z->connection) || outgoing_waits(z) || z->transfers.busy ||
           chats_have_more(z) || (z->topics.channel && channel_is_ready(z->topics.channel));
}

static int64_t sooner(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static void arm(zchat *z) {
    int64_t deadline_us = sooner(connection_deadline_us(&z->connection), keep_alive_us(z));
    if (z->session.live) {
        deadline_us = sooner(deadline_us, inbox_deadline_us(&z->inbox));
        deadline_us = sooner(deadline_us, topics_deadline_us(&z->topics));
        deadline_us = sooner(deadline_us, followed_deadline_us(&z->followed));
        deadline_us = sooner(deadline_us, transfers_deadline_us(z));
    }
    deadline_us = sooner(deadline_us, chats_deadline_us(z));
    if (deadline_us != WAKE_NEVER) {
        wake_at(z->wake, deadline_us);
    }
    if (has_more(z)) {
        wake_fire(z->wake);
    }
}

static void turn(zchat *z) {
    for (int round = 0; round < ROUNDS_MAX && !z->doomed && z->over == ZCHAT_OK; round++) {
        z->now_us = wake_now_us();
        incoming_receive(z);
        topics_receive(z);
        handle_news(z, connection_step(&z->connection, z->now_us));
        tick(z);
        chats_step(z);
        outgoing_send(z, false);
        if (!has_more(z)) {
            break;
        }
    }
    if (!z->doomed && z->over == ZCHAT_OK) {
        arm(z);
    }
}

/* ---- made and freed ---- */

static void release(zchat *z) {
    chats_release(z);
    session_forget(z);
    transfers_release(&z->transfers);
    requests_release(&z->requests);
    connection_release(&z->connection);
    device_free(z->device);
    wire_arena_free(z->arena);
    wake_free(z->wake);
    free(z);
}

static zchat_code init(zchat *z, const zchat_options *options) {
    if (sodium_init() < 0) {
        return fault_set(&z->fault, ZCHAT_IO, "libsodium can't be used on this machine");
    }
    requests_init(&z->requests, command_rows);
    session_init(&z->session);
    inbox_init(&z->inbox);
    topics_init(&z->topics);
    followed_init(&z->followed);
    zchat_code code = settings_init(&z->settings, options, &z->fault);
    if (code == ZCHAT_OK) {
        code = device_open(&z->device, z->settings.folder, &z->fault);
    }
    if (code != ZCHAT_OK) {
        return code;
    }
    z->on_event = options->on_event;
    z->arg = options->arg;
    z->wake = wake_new();
    z->arena = wire_arena_new(ARENA_BYTES);
    if (!z->wake || !z->arena ||
        !connection_init(&z->connection, &z->settings, z->device, z->wake, z->arena)) {
        return fault_set(&z->fault, ZCHAT_NO_MEMORY,
                         "no sockets can be made: %s; the limit of open files may be too low",
                         strerror(errno));
    }
    wake_fire(z->wake);
    return ZCHAT_OK;
}

zchat_code zchat_new(zchat **out, const zchat_options *options, char *error, size_t error_bytes) {
    *out = NULL;
    zchat *z = calloc(1, sizeof *z);
    zchat_code code = z ? init(z, options) : ZCHAT_NO_MEMORY;
    if (code != ZCHAT_OK) {
        if (error && error_bytes > 0) {
            snprintf(error, error_bytes, "%s", z ? z->fault.text : "no memory");
        }
        if (z) {
            release(z);
        }
        return code;
    }
    *out = z;
    return ZCHAT_OK;
}

void zchat_free(zchat *z) {
    if (!z || z->doomed) {
        return;
    }
    z->on_event = NULL;
    chats_end_all(z, ZCHAT_CANCELLED, "the connection was closed");
    if (is_up(z)) {
        followed_move(z, true);
        outgoing_send(z, true);
    }
    z->over = z->over == ZCHAT_OK ? ZCHAT_CANCELLED : z->over;
    answer_all(z, ZCHAT_CANCELLED, "the connection was closed before the answer");
    transfers_end_all(z, ZCHAT_CANCELLED, "the connection was closed before the end");
    if (z->running) {
        z->doomed = true;
    } else {
        release(z);
    }
}

/* ---- processed ---- */

static zchat_code enter(zchat *z) {
    if (z->running) {
        return fault_set(&z->fault, ZCHAT_INVALID,
                         "a callback can't call zchat_process or zchat_run");
    }
    z->running = true;
    return ZCHAT_OK;
}

static zchat_code leave(zchat *z, zchat_code code) {
    z->running = false;
    if (z->doomed) {
        release(z);
        return ZCHAT_CANCELLED;
    }
    return code;
}

zchat_code zchat_process(zchat *z) {
    zchat_code code = enter(z);
    if (code != ZCHAT_OK) {
        return code;
    }
    wake_collect(z->wake, 0);
    turn(z);
    return leave(z, z->over);
}

static int wait_ms(int64_t until_us) {
    if (until_us == WAKE_NEVER) {
        return -1;
    }
    int64_t left_us = until_us - wake_now_us();
    return left_us > 0 ? (int)((left_us + 999) / 1000) : 0;
}

/* One time around; ZCHAT_OK: go on. */
static zchat_code run_once(zchat *z, int64_t until_us, const bool *done) {
    turn(z);
    if (z->doomed || (done && *done)) {
        return ZCHAT_OK;
    }
    if (z->over != ZCHAT_OK) {
        return z->over;
    }
    int left_ms = wait_ms(until_us);
    if (left_ms == 0) {
        return fault_set(&z->fault, ZCHAT_EXPIRED, "the time is over");
    }
    return wake_collect(z->wake, left_ms)
               ? ZCHAT_OK
               : fault_set(&z->fault, ZCHAT_CANCELLED, "interrupted by a signal");
}

zchat_code zchat_run(zchat *z, int timeout_ms, const bool *done) {
    zchat_code code = enter(z);
    if (code != ZCHAT_OK) {
        return code;
    }
    int64_t until_us = timeout_ms < 0 ? WAKE_NEVER : wake_now_us() + timeout_ms * INT64_C(1000);
    wake_collect(z->wake, 0);
    do {
        code = run_once(z, until_us, done);
    } while (code == ZCHAT_OK && !z->doomed && !(done && *done));
    return leave(z, code);
}

int zchat_fd(const zchat *z) {
    return wake_fd(z->wake);
}

zchat_code zchat_trust(zchat *z) {
    if (z->connection.state != CONNECTION_ASKING) {
        return fault_set(&z->fault, ZCHAT_INVALID, "there is no unknown key to trust");
    }
    zchat_code code = connection_trust(&z->connection, wake_now_us(), &z->fault);
    if (code == ZCHAT_OK) {
        wake_fire(z->wake);
    }
    return code;
}

/* ---- looked at ---- */

const char *zchat_server(const zchat *z) {
    return z->settings.endpoint;
}

const char *zchat_fingerprint(const zchat *z) {
    return z->connection.fingerprint;
}

const char *zchat_device_key(const zchat *z) {
    return z->device->public_text;
}

const char *zchat_user(const zchat *z) {
    return z->session.user;
}

const char *zchat_error(const zchat *z) {
    return z->fault.text;
}

size_t zchat_pending(const zchat *z) {
    return z->requests.open - z->requests.open_own + z->transfers.count + chats_pending(z);
}
