/* See light.h. The only file of the bench that knows the schema. */
#include "light.h"

#include "id.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define DECODE_BYTES (8 * 1024 * 1024)
#define BATCH_BYTES  256 /* at first */
#define TOPIC_BYTES  64

static void fail(struct light *light, const char *why) {
    if (light->calls->on_failure)
        light->calls->on_failure(light->calls->arg, why);
}

/* ---- commands ---- */

static bool make_room(struct light *light, size_t bytes) {
    size_t wanted = light->batch_bytes + bytes;
    size_t room = light->batch_room ? light->batch_room : BATCH_BYTES;
    while (room < wanted)
        room *= 2;
    unsigned char *batch = room == light->batch_room ? light->batch : realloc(light->batch, room);
    if (!batch)
        return false;
    light->batch = batch;
    light->batch_room = room;
    return true;
}

void light_flush(struct light *light) {
    if (light->batch_count == 0)
        return;
    if (!line_send(&light->commands, light->batch, light->batch_bytes))
        fail(light, "a frame can't be sent");
    light->batch_bytes = 0;
    light->batch_count = 0;
}

/* Adds the command, which gets a number unless it is not answered. */
static uint64_t add(struct light *light, Zchat__V1__Command *command, bool answered) {
    command->request = answered ? ++light->requests : 0;
    size_t bytes = wire_element_size(&command->base);
    if (light->batch_count == FRAME_COMMANDS_MAX || light->batch_bytes + bytes > FRAME_BYTES_FULL)
        light_flush(light);
    if (!make_room(light, bytes)) {
        fail(light, "no memory");
        return 0;
    }
    wire_element_pack_sized(WIRE_COMMANDS, &command->base, bytes,
                            light->batch + light->batch_bytes);
    light->batch_bytes += bytes;
    light->batch_count++;
    return command->request;
}

/* Ids need not be hard to guess here: they count up from a random number. */
static ProtobufCBinaryData make_id(struct light *light, unsigned char id[ID_BYTES]) {
    struct timespec now;
    unsigned char random[10] = {0};
    uint64_t number = light->lights->ids++;
    clock_gettime(CLOCK_REALTIME, &now);
    for (size_t i = 0; i < sizeof number; i++)
        random[sizeof random - 1 - i] = (unsigned char)(number >> 8 * i);
    id_make(id, (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000, random);
    return (ProtobufCBinaryData){ID_BYTES, id};
}

/* Nobody writes to the strings of a message that is packed. */
static char *string(const char *text) {
    return (char *)(uintptr_t)text;
}

void light_login(struct light *light, const char *user, enum events events, bool inbox) {
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__LoginRequest login = ZCHAT__V1__LOGIN_REQUEST__INIT;
    login.protocol = PROTOCOL_VERSION;
    login.user = string(user);
    login.online = events != EVENTS_NONE;
    login.inbox = inbox;
    login.public_events = events == EVENTS_INLINE;
    login.device_label = login.client = string("zchat-bench");
    command.body_case = ZCHAT__V1__COMMAND__BODY_LOGIN;
    command.login = &login;
    light->mode = events;
    add(light, &command, true);
    light_flush(light);
}

uint64_t light_send(struct light *light, const char *to, const char *text) {
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__SendMessageRequest message = ZCHAT__V1__SEND_MESSAGE_REQUEST__INIT;
    unsigned char id[ID_BYTES];
    message.id = make_id(light, id);
    message.to = string(to);
    message.text = string(text);
    command.body_case = ZCHAT__V1__COMMAND__BODY_SEND_MESSAGE;
    command.send_message = &message;
    return add(light, &command, true);
}

uint64_t light_broadcast(struct light *light, const char *text) {
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__BroadcastRequest broadcast = ZCHAT__V1__BROADCAST_REQUEST__INIT;
    unsigned char id[ID_BYTES];
    broadcast.id = make_id(light, id);
    broadcast.text = string(text);
    command.body_case = ZCHAT__V1__COMMAND__BODY_BROADCAST;
    command.broadcast = &broadcast;
    return add(light, &command, true);
}

uint64_t light_post(struct light *light, const char *title, const char *text) {
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__PostToThreadRequest post = ZCHAT__V1__POST_TO_THREAD_REQUEST__INIT;
    unsigned char id[ID_BYTES];
    post.id = make_id(light, id);
    post.thread = string(title);
    post.text = string(text);
    command.body_case = ZCHAT__V1__COMMAND__BODY_POST_TO_THREAD;
    command.post_to_thread = &post;
    return add(light, &command, true);
}

uint64_t light_create_thread(struct light *light, const char *title) {
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__CreateThreadRequest thread = ZCHAT__V1__CREATE_THREAD_REQUEST__INIT;
    unsigned char id[ID_BYTES];
    thread.id = make_id(light, id);
    thread.title = string(title);
    command.body_case = ZCHAT__V1__COMMAND__BODY_CREATE_THREAD;
    command.create_thread = &thread;
    return add(light, &command, true);
}

uint64_t light_follow(struct light *light, const char *title) {
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__FollowThreadRequest follow = ZCHAT__V1__FOLLOW_THREAD_REQUEST__INIT;
    follow.thread = string(title);
    command.body_case = ZCHAT__V1__COMMAND__BODY_FOLLOW_THREAD;
    command.follow_thread = &follow;
    return add(light, &command, true);
}

uint64_t light_ping(struct light *light) {
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__PingRequest ping = ZCHAT__V1__PING_REQUEST__INIT;
    command.body_case = ZCHAT__V1__COMMAND__BODY_PING;
    command.ping = &ping;
    return add(light, &command, true);
}

uint64_t light_logout(struct light *light) {
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__LogoutRequest logout = ZCHAT__V1__LOGOUT_REQUEST__INIT;
    command.body_case = ZCHAT__V1__COMMAND__BODY_LOGOUT;
    command.logout = &logout;
    return add(light, &command, true);
}

uint64_t light_sync(struct light *light, uint64_t after_seq, uint32_t limit) {
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__SyncRequest sync = ZCHAT__V1__SYNC_REQUEST__INIT;
    sync.after_seq = after_seq;
    sync.limit = limit;
    command.body_case = ZCHAT__V1__COMMAND__BODY_SYNC;
    command.sync = &sync;
    return add(light, &command, true);
}

void light_acknowledge(struct light *light) {
    Zchat__V1__Command command = ZCHAT__V1__COMMAND__INIT;
    Zchat__V1__AckRequest ack = ZCHAT__V1__ACK_REQUEST__INIT;
    ack.received = ack.read = light->message_seq;
    command.body_case = ZCHAT__V1__COMMAND__BODY_ACK;
    command.ack = &ack;
    if (light->message_seq > 0)
        add(light, &command, false);
}

/* ---- what comes ---- */

static void come_in(void *arg) {
    struct light *light = arg;
    light->is_in = true;
    if (light->calls->on_in)
        light->calls->on_in(light->calls->arg);
}

static void subscribe(struct light *light, const char *topic) {
    uint8_t prefix[2 + TOPIC_BYTES];
    if (!line_subscribe(&light->events, prefix, wire_subscription(topic, prefix)))
        fail(light, "a subscription can't be made");
}

static void read_publication(void *arg, const void *frame, size_t frame_bytes);

static void open_events(struct light *light) {
    light->events.on_frame = read_publication;
    light->events.on_open = come_in;
    light->events.arg = light;
    if (!line_open(&light->events, &light->lights->board, LINE_SUB, light->keys,
                   light->lights->server.key, light->lights->server.events)) {
        fail(light, "no second connection");
        return;
    }
    subscribe(light, "presence");
    subscribe(light, "broadcast");
    subscribe(light, "notice");
}

/* Subscribes to the thread's topic, if events come on the SUB socket. */
static void take_followed(struct light *light, const Zchat__V1__FollowThreadResponse *reply) {
    char topic[TOPIC_BYTES] = "thread/";
    size_t bytes = reply->followed ? reply->followed->id.len : 0;
    for (size_t i = 0; i < bytes && i < ID_BYTES; i++)
        snprintf(topic + 7 + 2 * i, 3, "%02x", reply->followed->id.data[i]);
    if (light->mode == EVENTS_SUB)
        subscribe(light, topic);
}

static void take_reply(struct light *light, const Zchat__V1__Reply *reply) {
    if (reply->error) {
        fail(light, reply->error->message);
        return;
    }
    if (reply->body_case == ZCHAT__V1__REPLY__BODY_FOLLOW_THREAD)
        take_followed(light, reply->follow_thread);
    if (reply->body_case == ZCHAT__V1__REPLY__BODY_SYNC)
        light->page_entries = reply->sync->n_events;
    if (reply->body_case == ZCHAT__V1__REPLY__BODY_LOGIN)
        light->inbox_head = reply->login->inbox_head;
    if (reply->body_case != ZCHAT__V1__REPLY__BODY_LOGIN) {
        if (light->calls->on_reply)
            light->calls->on_reply(light->calls->arg, reply->request);
    } else if (light->mode == EVENTS_SUB) {
        open_events(light);
    } else {
        come_in(light);
    }
}

static void take_text(struct light *light, enum light_kind kind, const char *text) {
    if (light->calls->on_text)
        light->calls->on_text(light->calls->arg, kind, text);
}

static void take_event(struct light *light, const Zchat__V1__ServerEvent *event) {
    switch (event->body_case) {
    case ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE:
        light->message_seq = event->seq;
        take_text(light, LIGHT_MESSAGE, event->message->text);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_BROADCAST:
        take_text(light, LIGHT_BROADCAST, event->broadcast->text);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_THREAD:
        if (event->thread->body_case == ZCHAT__V1__THREAD_EVENT__BODY_POSTED)
            take_text(light, LIGHT_POST, event->thread->posted->text);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_SESSION_ENDED:
        fail(light, event->session_ended->text);
        break;
    default:
        break;
    }
}

static void hear_only(struct light *light, const void *frame, size_t frame_bytes) {
    if (light->calls->on_frame)
        light->calls->on_frame(light->calls->arg, frame, frame_bytes);
}

static void read_frame(void *arg, const void *frame, size_t frame_bytes) {
    struct light *light = arg;
    struct wire_arena *arena = light->lights->arena;
    Zchat__V1__ServerBatch *batch;
    if (light->is_deaf && light->is_in) {
        hear_only(light, frame, frame_bytes);
        return;
    }
    wire_arena_reset(arena);
    if (wire_read_server(arena, frame, frame_bytes, &batch) != WIRE_FINE) {
        fail(light, "a frame can't be read");
        return;
    }
    for (size_t i = 0; i < batch->n_replies; i++)
        take_reply(light, batch->replies[i]);
    for (size_t i = 0; i < batch->n_events; i++)
        take_event(light, batch->events[i]);
    light_flush(light);
}

static void read_publication(void *arg, const void *frame, size_t frame_bytes) {
    struct light *light = arg;
    struct wire_arena *arena = light->lights->arena;
    Zchat__V1__Publication *publication;
    if (light->is_deaf) {
        hear_only(light, frame, frame_bytes);
        return;
    }
    wire_arena_reset(arena);
    if (wire_read_publication(arena, frame, frame_bytes, &publication) != WIRE_FINE) {
        fail(light, "a publication can't be read");
        return;
    }
    for (size_t i = 0; i < publication->n_events; i++)
        take_event(light, publication->events[i]);
    light_flush(light);
}

/* ---- frames that are only counted ---- */

/* The position in a frame; at == end: the frame is over, or broken. */
struct reader {
    const unsigned char *at;
    const unsigned char *end;
};

static uint64_t read_number(struct reader *reader) {
    uint64_t number = 0;
    for (unsigned shift = 0; reader->at < reader->end && shift < 64; shift += 7) {
        unsigned char byte = *reader->at++;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return number;
    }
    reader->at = reader->end;
    return 0;
}

/* Reads the next field that is a message, string or bytes; returns its field number. Passes over
 * numbers. */
static unsigned read_field(struct reader *reader, struct reader *field) {
    while (reader->at < reader->end) {
        uint64_t key = read_number(reader), length = read_number(reader);
        if ((key & 7) != 2)
            continue;
        if (length > (uint64_t)(reader->end - reader->at))
            break;
        *field = (struct reader){reader->at, reader->at + length};
        reader->at += length;
        return (unsigned)(key >> 3);
    }
    reader->at = reader->end;
    return 0;
}

/* An event's body is its only field that is not a number; a batch and a publication have their
 * events under the same field number. */
uint64_t light_count(const void *frame, size_t frame_bytes, enum light_kind kind) {
    static const unsigned bodies[] = {[LIGHT_MESSAGE] = ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE,
                                      [LIGHT_BROADCAST] = ZCHAT__V1__SERVER_EVENT__BODY_BROADCAST,
                                      [LIGHT_POST] = ZCHAT__V1__SERVER_EVENT__BODY_THREAD};
    struct reader reader = {frame, (const unsigned char *)frame + frame_bytes}, event, body;
    uint64_t count = 0;
    for (unsigned field; (field = read_field(&reader, &event));)
        if (field == WIRE_EVENTS && read_field(&event, &body) == bodies[kind])
            count++;
    return count;
}

/* ---- their lives ---- */

bool lights_init(struct lights *lights, struct loop *loop, const struct curve_server *server) {
    *lights = (struct lights){.arena = wire_arena_new(DECODE_BYTES), .server = *server};
    bool random = getrandom(&lights->ids, sizeof lights->ids, 0) == sizeof lights->ids;
    lights->ids >>= 4; /* leaves the bits of a UUID, and room to count */
    return random && lights->arena && board_init(&lights->board, loop);
}

void lights_release(struct lights *lights) {
    board_release(&lights->board);
    wire_arena_free(lights->arena);
    lights->arena = NULL;
}

bool light_open(struct light *light, struct lights *lights, const struct curve_keys *keys,
                const struct light_calls *calls) {
    light->lights = lights;
    light->keys = keys;
    light->calls = calls;
    light->commands.on_frame = read_frame;
    light->commands.arg = light;
    return line_open(&light->commands, &lights->board, LINE_DEALER, keys, lights->server.key,
                     lights->server.commands);
}

void light_close(struct light *light) {
    line_close(&light->events);
    line_close(&light->commands);
    free(light->batch);
    light->batch = NULL;
}
