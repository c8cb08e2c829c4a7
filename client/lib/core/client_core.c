/* What comes in, and the time.
 *
 * Within a frame replies come before events, as the protocol says: events in the same frame as the
 * reply to a login belong to the session that this opened. What can't be read is passed over: it
 * came through CURVE, so from the broker, and changes nothing. */
#include "client_core.h"

#include "chats.h"
#include "command.h"
#include "limits.h"
#include "outgoing.h"
#include "session.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

/* ---- made and ended ---- */

void client_core_init(struct client_core *core, struct chats *chats) {
    client_init(&core->client, command_rows);
    inbox_init(&core->inbox, &core->client);
    published_init(&core->published, &core->client);
    followed_init(&core->followed, &core->client);
    awaited_init(&core->awaited, &core->client);
    transfers_init(&core->transfers, &core->client);
    core->chats = chats;
}

void client_core_release(struct client_core *core) {
    chats_release(core->chats);
    session_forget(core);
    transfers_release(&core->transfers);
    client_release(&core->client);
}

void client_core_leave(struct client_core *core) {
    core->client.on_event = NULL;
    chats_end_all(core->chats, ZCHAT_CANCELLED, "the connection was closed");
    if (core->client.connected)
        followed_move(&core->followed, true);
}

void client_core_close(struct client_core *core) {
    struct client *client = &core->client;
    client->over = client->over == ZCHAT_OK ? ZCHAT_CANCELLED : client->over;
    client_answer_all(client, ZCHAT_CANCELLED, "the connection was closed before the answer");
    transfers_end_all(&core->transfers, ZCHAT_CANCELLED,
                      "the connection was closed before the end");
}

/* ---- replies and events ---- */

/* The broker could not read one of our frames, and did nothing of it. It does not say which one, so
 * all commands under way are answered, so that nobody waits in vain. */
static void take_frame_error(struct client_core *core, const Zchat__V1__CommandError *error) {
    struct request_list calls = {0};
    char text[400];
    text_clean_line(error->message, strlen(error->message));
    snprintf(text, sizeof text, "the broker could not read a frame: %s", error->message);
    const zchat_reply answer = {.code = ZCHAT_INVALID, .text = text};
    if (core->client.session.login && !core->client.session.live) {
        session_give_up(core, ZCHAT_INVALID, text);
        return;
    }
    requests_take_sent(&core->client.requests, &calls);
    transfers_end_all(&core->transfers, ZCHAT_INVALID, text);
    inbox_retry(&core->inbox);
    published_retry(&core->published);
    followed_retry(&core->followed);
    awaited_retry(&core->awaited);
    for (struct request *request; (request = request_list_pop(&calls));)
        client_answer(request, &answer);
}

static void take_heads(struct client_core *core, const Zchat__V1__Heads *heads) {
    if (core->client.session.live) {
        inbox_heads(&core->inbox, heads);
        published_heads(&core->published, heads);
        if (heads->n_topics > 0) /* no head of a thread is in it */
            followed_refresh(&core->followed);
    }
}

static void take_keep_alive(struct client_core *core, const Zchat__V1__Reply *reply) {
    if (!reply->error && reply->body_case == ZCHAT__V1__REPLY__BODY_KEEP_ALIVE &&
        reply->keep_alive->heads)
        take_heads(core, reply->keep_alive->heads);
}

static void take_own(struct client_core *core, const struct request *request,
                     const Zchat__V1__Reply *reply) {
    switch (request->owner) {
    case REQUEST_SESSION:
        session_resume_done(core, reply);
        break;
    case REQUEST_INBOX:
        inbox_page(&core->inbox, reply);
        break;
    case REQUEST_TOPICS:
        published_page(&core->published, request->topic, reply);
        break;
    case REQUEST_FOLLOWED:
        followed_reply(&core->followed, request, reply);
        break;
    case REQUEST_AWAITED:
        awaited_reply(&core->awaited, request, reply);
        break;
    case REQUEST_TRANSFERS:
        transfers_reply(&core->transfers, request, reply);
        break;
    case REQUEST_CHATS:
        chats_reply(core->chats, request, reply);
        break;
    case REQUEST_HEADS:
        take_keep_alive(core, reply);
        break;
    case REQUEST_CALL:
        break;
    }
}

/* False: nobody asked for it. */
static bool take_reply(struct client_core *core, const Zchat__V1__Reply *reply) {
    struct request *request = requests_find(&core->client.requests, reply->request);
    if (!request) {
        if (reply->request == 0 && reply->error)
            take_frame_error(core, reply->error);
        return false;
    }
    requests_take(&core->client.requests, request);
    if (request->owner == REQUEST_CALL) {
        command_answer(core, request, reply);
    } else {
        take_own(core, request, reply);
        request_free(request);
    }
    return true;
}

/* False: there is no session that it could be for. */
static bool take_event(struct client_core *core, const Zchat__V1__ServerEvent *event) {
    if (!core->client.session.live)
        return false;
    switch (event->body_case) {
    case ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE:
        inbox_event(&core->inbox, event);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_SESSION_ENDED:
        session_ended(core, event);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_HEADS:
        take_heads(core, event->heads);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_THREAD:
        followed_event(&core->followed, event);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE_READ:
        awaited_event(&core->awaited, event);
        break;
    default:
        if (!chats_event(core->chats, event))
            published_event(&core->published, event);
        break;
    }
    return true;
}

/* Whether anything in it was asked for. */
static bool take_batch(struct client_core *core, const Zchat__V1__ServerBatch *batch) {
    bool asked = false;
    for (size_t i = 0; i < batch->n_replies && !core->client.doomed; i++)
        asked = take_reply(core, batch->replies[i]) || asked;
    for (size_t i = 0; i < batch->n_events && !core->client.doomed; i++)
        asked = take_event(core, batch->events[i]) || asked;
    return asked;
}

/* One that sends on and on what nobody asked for would keep the program busy for ever. */
static void count_unasked(struct client_core *core, bool asked, size_t frame_bytes) {
    core->unasked_bytes = asked ? 0 : core->unasked_bytes + frame_bytes;
    if (core->unasked_bytes <= CLIENT_UNASKED_MAX || core->client.doomed)
        return;
    core->unasked_bytes = 0;
    client_break_off(&core->client, ZCHAT_WRONG_PROTOCOL,
                     "the broker sends on and on what nobody asked for");
}

void client_core_frame(struct client_core *core, const void *frame, size_t frame_bytes) {
    Zchat__V1__ServerBatch *batch = NULL;
    wire_arena_reset(core->client.arena);
    bool asked = wire_read_server(core->client.arena, frame, frame_bytes, &batch) == WIRE_FINE &&
                 take_batch(core, batch);
    count_unasked(core, asked, frame_bytes);
}

/* ---- what is published ---- */

void client_core_publication(struct client_core *core, const void *frame, size_t frame_bytes) {
    Zchat__V1__Publication *publication = NULL;
    wire_arena_reset(core->client.arena);
    if (wire_read_publication(core->client.arena, frame, frame_bytes, &publication) == WIRE_FINE &&
        !published_publication(&core->published, publication))
        followed_publication(&core->followed, publication);
}

void client_core_subscribe(struct client_core *core) {
    if (published_subscribe(&core->published))
        followed_subscribe(&core->followed);
}

/* ---- time ---- */

static int64_t keep_alive_us(const struct client *client) {
    return client->connected ? client->last_sent_us + KEEP_ALIVE_S * INT64_C(1000000) : NEVER_US;
}

void client_core_tick(struct client_core *core) {
    inbox_tick(&core->inbox);
    published_tick(&core->published);
    followed_tick(&core->followed);
    awaited_tick(&core->awaited);
    transfers_tick(&core->transfers);
    if (core->client.now_us >= keep_alive_us(&core->client))
        client_keep_alive(&core->client);
    chats_step(core->chats);
}

static int64_t sooner(int64_t a, int64_t b) {
    return a < b ? a : b;
}

int64_t client_core_deadline_us(const struct client_core *core) {
    int64_t deadline_us = keep_alive_us(&core->client);
    if (core->client.session.live) {
        deadline_us = sooner(deadline_us, inbox_deadline_us(&core->inbox));
        deadline_us = sooner(deadline_us, published_deadline_us(&core->published));
        deadline_us = sooner(deadline_us, followed_deadline_us(&core->followed));
        deadline_us = sooner(deadline_us, awaited_deadline_us(&core->awaited));
        deadline_us = sooner(deadline_us, transfers_deadline_us(&core->transfers));
    }
    return sooner(deadline_us, chats_deadline_us(core->chats));
}

bool client_core_has_more(const struct client_core *core) {
    return outgoing_waits(core) || core->transfers.busy || chats_have_more(core->chats);
}

size_t client_core_pending(const struct client_core *core) {
    const struct requests *requests = &core->client.requests;
    return requests->open - requests->open_own + core->transfers.count + chats_pending(core->chats);
}
