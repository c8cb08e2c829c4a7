/* The fake broker's sockets and its few answers. Without a ZAP handler CURVE admits every key,
 * which is what these tests want. */
#include "fake_broker.h"

#include "id.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define ARENA_BYTES (64 * 1024 * 1024)
#define PAGE_MAX    500

static void *listen_at(struct fake *fake, int type, const char *endpoint, bool curve,
                       char bound[64]) {
    void *socket = zmq_socket(fake->context, type);
    int off = 0;
    int on = 1;
    size_t bytes = 64;
    assert(socket);
    zmq_setsockopt(socket, ZMQ_LINGER, &off, sizeof off);
    if (curve) {
        zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &on, sizeof on);
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, fake->secret_key, KEY_BYTES);
    }
    int failed = zmq_bind(socket, endpoint);
    assert(!failed);
    failed = zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &bytes);
    assert(!failed);
    return socket;
}

static void open_curve(struct fake *fake) {
    const char *any = "tcp://127.0.0.1:*";
    fake->commands = listen_at(fake, ZMQ_ROUTER, any, true, fake->commands_endpoint);
    fake->events = listen_at(fake, ZMQ_XPUB, any, true, fake->events_endpoint);
}

struct fake *fake_new(void) {
    char bound[64];
    struct fake *fake = calloc(1, sizeof *fake);
    assert(fake);
    fake->context = zmq_ctx_new();
    fake->arena = wire_arena_new(ARENA_BYTES);
    assert(fake->context && fake->arena);
    randombytes_buf(fake->secret_key, KEY_BYTES);
    crypto_scalarmult_base(fake->public_key, fake->secret_key);
    memcpy(fake->greeting_key, fake->public_key, KEY_BYTES);
    fake->protocol = PROTOCOL_VERSION;
    fake->trusted = true;
    fake->greeter = listen_at(fake, ZMQ_ROUTER, "tcp://127.0.0.1:*", false, bound);
    fake->greeter_port = atoi(strrchr(bound, ':') + 1);
    snprintf(fake->greeter_address, sizeof fake->greeter_address, "127.0.0.1:%d",
             fake->greeter_port);
    open_curve(fake);
    return fake;
}

static void close_curve(struct fake *fake) {
    zmq_close(fake->commands);
    zmq_close(fake->events);
    fake->commands = fake->events = NULL;
}

void fake_break(struct fake *fake) {
    close_curve(fake);
    open_curve(fake);
}

/* zmq_close frees the port somewhat later, in another thread: so the bind is tried until then. */
void fake_break_events(struct fake *fake) {
    int off = 0;
    int on = 1;
    zmq_close(fake->events);
    fake->events = zmq_socket(fake->context, ZMQ_XPUB);
    assert(fake->events);
    zmq_setsockopt(fake->events, ZMQ_LINGER, &off, sizeof off);
    zmq_setsockopt(fake->events, ZMQ_CURVE_SERVER, &on, sizeof on);
    zmq_setsockopt(fake->events, ZMQ_CURVE_SECRETKEY, fake->secret_key, KEY_BYTES);
    while (zmq_bind(fake->events, fake->events_endpoint) != 0)
        assert(zmq_errno() == EADDRINUSE);
}

/* The context ends with the sockets, so that the port is free when this returns. */
void fake_close(struct fake *fake) {
    close_curve(fake);
    zmq_close(fake->greeter);
    fake->greeter = NULL;
    zmq_ctx_term(fake->context);
    fake->context = NULL;
}

void fake_open(struct fake *fake) {
    char bound[64];
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%d", fake->greeter_port);
    fake->context = zmq_ctx_new();
    assert(fake->context);
    fake->greeter = listen_at(fake, ZMQ_ROUTER, endpoint, false, bound);
    open_curve(fake);
}

void fake_free(struct fake *fake) {
    if (fake->context)
        fake_close(fake);
    wire_arena_free(fake->arena);
    free(fake);
}

/* ---- saying ---- */

void fake_frame(struct fake *fake, const void *frame, size_t frame_bytes) {
    zmq_send(fake->commands, fake->peer, fake->peer_bytes, ZMQ_SNDMORE | ZMQ_DONTWAIT);
    zmq_send(fake->commands, frame, frame_bytes, ZMQ_DONTWAIT);
}

static void say(struct fake *fake, const Zchat__V1__ServerBatch *batch) {
    uint8_t *frame = malloc(wire_size(&batch->base) + 1);
    assert(frame);
    fake_frame(fake, frame, wire_pack(&batch->base, frame));
    free(frame);
}

void fake_reply(struct fake *fake, Zchat__V1__Reply *reply) {
    Zchat__V1__ServerBatch batch = ZCHAT__V1__SERVER_BATCH__INIT;
    batch.n_replies = 1;
    batch.replies = &reply;
    say(fake, &batch);
}

void fake_event(struct fake *fake, Zchat__V1__ServerEvent *event) {
    Zchat__V1__ServerBatch batch = ZCHAT__V1__SERVER_BATCH__INIT;
    batch.n_events = 1;
    batch.events = &event;
    say(fake, &batch);
}

void fake_error(struct fake *fake, uint64_t request, Zchat__V1__Code code, const char *text) {
    Zchat__V1__CommandError error = ZCHAT__V1__COMMAND_ERROR__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    error.code = code;
    error.message = (char *)text;
    reply.request = request;
    reply.error = &error;
    fake_reply(fake, &reply);
}

/* One message and all that it points to. */
struct entry {
    Zchat__V1__ServerEvent event;
    Zchat__V1__MessageEvent message;
    unsigned char id[ID_BYTES];
    char text[32];
};

static void entry_make(struct entry *entry, uint64_t seq, const char *from) {
    unsigned char random[10] = {0};
    zchat__v1__server_event__init(&entry->event);
    zchat__v1__message_event__init(&entry->message);
    id_make(entry->id, seq, random);
    snprintf(entry->text, sizeof entry->text, "m%" PRIu64, seq);
    entry->message.id.data = entry->id;
    entry->message.id.len = ID_BYTES;
    entry->message.sender = (char *)from;
    entry->message.to = (char *)"me";
    entry->message.text = entry->text;
    entry->event.seq = seq;
    entry->event.time_us = 1;
    entry->event.body_case = ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE;
    entry->event.message = &entry->message;
}

void fake_message(struct fake *fake, uint64_t seq, const char *from) {
    struct entry entry;
    entry_make(&entry, seq, from);
    fake_event(fake, &entry.event);
}

void fake_page(struct fake *fake, const Zchat__V1__Command *sync, uint64_t first, uint64_t last,
               uint64_t head) {
    static struct entry entries[PAGE_MAX];
    static Zchat__V1__ServerEvent *events[PAGE_MAX];
    Zchat__V1__SyncResponse page = ZCHAT__V1__SYNC_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    for (uint64_t seq = first; seq <= last; seq++) {
        assert(page.n_events < PAGE_MAX);
        entry_make(&entries[page.n_events], seq, "bob");
        events[page.n_events] = &entries[page.n_events].event;
        page.n_events++;
    }
    page.stream = (char *)"inbox";
    page.events = events;
    page.head = head;
    page.more = last < head;
    reply.request = sync->request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_SYNC;
    reply.sync = &page;
    fake_reply(fake, &reply);
}

void fake_publish(struct fake *fake, const char *topic, Zchat__V1__ServerEvent *event,
                  uint64_t head) {
    uint8_t frame[4096];
    Zchat__V1__Publication publication = ZCHAT__V1__PUBLICATION__INIT;
    publication.topic = (char *)topic;
    publication.head = head;
    if (event->seq != 0) {
        publication.n_events = 1;
        publication.events = &event;
    }
    assert(wire_size(&publication.base) <= sizeof frame);
    zmq_send(fake->events, frame, wire_pack(&publication.base, frame), ZMQ_DONTWAIT);
}

/* ---- hearing ---- */

static size_t receive(void *socket, unsigned char *frame, size_t frame_bytes) {
    int bytes = zmq_recv(socket, frame, frame_bytes, ZMQ_DONTWAIT);
    assert(bytes < (int)frame_bytes);
    return bytes < 0 ? 0 : (size_t)bytes;
}

static void greet(struct fake *fake) {
    unsigned char peer[64];
    unsigned char frame[1024];
    Zchat__V1__Greeting greeting = ZCHAT__V1__GREETING__INIT;
    size_t peer_bytes = receive(fake->greeter, peer, sizeof peer);
    if (peer_bytes == 0)
        return;
    receive(fake->greeter, frame, sizeof frame);
    fake->greetings++;
    greeting.protocol_min = greeting.protocol_max = fake->protocol;
    greeting.server_key.data = fake->greeting_key;
    greeting.server_key.len = KEY_BYTES;
    greeting.commands = fake->commands_endpoint;
    greeting.events = fake->events_endpoint;
    if (!fake->greeter_silent) {
        zmq_send(fake->greeter, peer, peer_bytes, ZMQ_SNDMORE);
        zmq_send(fake->greeter, frame, wire_pack(&greeting.base, frame), 0);
    }
}

static void fill_topics(const struct fake *fake, Zchat__V1__TopicHead heads[3],
                        Zchat__V1__TopicHead *list[3]) {
    const char *const names[3] = {"presence", "broadcast", "notice"};
    for (size_t i = 0; i < 3; i++) {
        zchat__v1__topic_head__init(&heads[i]);
        heads[i].topic = (char *)names[i];
        heads[i].head = fake->topic_head;
        list[i] = &heads[i];
    }
}

static void answer_login(struct fake *fake, const Zchat__V1__Command *command) {
    Zchat__V1__TopicHead heads[3];
    Zchat__V1__TopicHead *list[3];
    Zchat__V1__LoginResponse login = ZCHAT__V1__LOGIN_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    fill_topics(fake, heads, list);
    login.user = command->login->user;
    login.session = ++fake->logins;
    login.time_us = 1;
    login.inbox_head = fake->inbox_head;
    login.inbox_cursor = fake->inbox_cursor;
    login.trusted = fake->trusted;
    login.idle_timeout_s = fake->idle_timeout_s;
    login.n_topics = 3;
    login.topics = list;
    reply.request = command->request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_LOGIN;
    reply.login = &login;
    fake_reply(fake, &reply);
}

static void answer_ping(struct fake *fake, const Zchat__V1__Command *command) {
    Zchat__V1__PingResponse ping = ZCHAT__V1__PING_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    ping.time_us = 1;
    ping.software = (char *)"fake";
    reply.request = command->request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_PING;
    reply.ping = &ping;
    fake_reply(fake, &reply);
}

static void answer_keep_alive(struct fake *fake, const Zchat__V1__Command *command) {
    Zchat__V1__TopicHead heads[3];
    Zchat__V1__TopicHead *list[3];
    Zchat__V1__Heads told = ZCHAT__V1__HEADS__INIT;
    Zchat__V1__KeepAliveResponse body = ZCHAT__V1__KEEP_ALIVE_RESPONSE__INIT;
    Zchat__V1__Reply reply = ZCHAT__V1__REPLY__INIT;
    fill_topics(fake, heads, list);
    told.inbox = fake->inbox_head;
    told.cursor = fake->inbox_cursor;
    told.n_topics = 3;
    told.topics = list;
    body.heads = &told;
    reply.request = command->request;
    reply.body_case = ZCHAT__V1__REPLY__BODY_KEEP_ALIVE;
    reply.keep_alive = &body;
    fake_reply(fake, &reply);
}

static void answer(struct fake *fake, const Zchat__V1__Command *command) {
    if (command->body_case == ZCHAT__V1__COMMAND__BODY_LOGIN && !fake->logins_silent)
        answer_login(fake, command);
    if (command->body_case == ZCHAT__V1__COMMAND__BODY_PING && !fake->pings_silent)
        answer_ping(fake, command);
    if (command->body_case == ZCHAT__V1__COMMAND__BODY_KEEP_ALIVE)
        answer_keep_alive(fake, command);
}

static void hear(struct fake *fake) {
    static unsigned char frame[FRAME_BYTES_MAX + 1];
    Zchat__V1__CommandBatch *batch = NULL;
    size_t peer_bytes = receive(fake->commands, fake->peer, sizeof fake->peer);
    if (peer_bytes == 0)
        return;
    fake->peer_bytes = peer_bytes;
    size_t bytes = receive(fake->commands, frame, sizeof frame);
    enum wire_fault fault = wire_read_commands(fake->arena, frame, bytes, &batch);
    assert(fault == WIRE_FINE); /* else the library broke the protocol */
    fake->frames += batch->n_commands > 0;
    for (size_t i = 0; i < batch->n_commands; i++) {
        assert(fake->received_count < sizeof fake->received / sizeof *fake->received);
        fake->received[fake->received_count++] = batch->commands[i];
        answer(fake, batch->commands[i]);
    }
}

static bool has_input(void *socket) {
    int events = 0;
    size_t bytes = sizeof events;
    zmq_getsockopt(socket, ZMQ_EVENTS, &events, &bytes);
    return (events & ZMQ_POLLIN) != 0;
}

void fake_step(struct fake *fake) {
    unsigned char subscription[256];
    while (fake->context && has_input(fake->greeter))
        greet(fake);
    while (fake->context && has_input(fake->commands))
        hear(fake);
    while (fake->context && has_input(fake->events))
        receive(fake->events, subscription, sizeof subscription);
}

Zchat__V1__Command *fake_next(struct fake *fake, Zchat__V1__Command__BodyCase body) {
    for (size_t i = fake->taken_count; i < fake->received_count; i++) {
        if (fake->received[i]->body_case == body) {
            fake->taken_count = i + 1;
            return fake->received[i];
        }
    }
    return NULL;
}
