/* Frames of the command connection.
 *
 * Within a frame replies come before events, as the protocol has it: what comes with the reply to a
 * login is of the session that this opened. What can't be read is passed over: it comes through
 * CURVE, so from the broker, and changes nothing. */
#include "incoming.h"

#include "command.h"
#include "handle.h"
#include "invitation.h"

#include <stdio.h>
#include <string.h>

/* What one round takes: behind the bytes of a chunk the next one is to be asked for, before more is
 * read. */
#define ROUND_FRAMES_MAX 256
#define ROUND_BYTES_MAX  FRAME_BYTES_FULL

/* One of our frames could not be read, and nothing of it was done. Which one is not said: so that
 * nobody waits in vain, all that is under way is answered. */
static void take_frame_error(zchat *z, const Zchat__V1__CommandError *error) {
    struct request_list calls = {0};
    char text[400];
    text_clean_line(error->message, strlen(error->message));
    snprintf(text, sizeof text, "the broker could not read a frame: %s", error->message);
    const zchat_reply answer = {.code = ZCHAT_INVALID, .text = text};
    if (z->session.login && !z->session.live) {
        handle_give_up(z, ZCHAT_INVALID, text);
        return;
    }
    requests_take_sent(&z->requests, &calls);
    transfers_end_all(z, ZCHAT_INVALID, text);
    inbox_retry(z);
    topics_retry(z);
    followed_retry(z);
    for (struct request *request; (request = request_list_pop(&calls));) {
        handle_answer(z, request, &answer);
    }
}

static void take_heads(zchat *z, const Zchat__V1__Heads *heads) {
    if (z->session.live) {
        inbox_heads(z, heads);
        topics_heads(z, heads);
        if (heads->n_topics > 0) { /* it tells no head of a thread */
            followed_refresh(z);
        }
    }
}

static void take_keep_alive(zchat *z, const Zchat__V1__Reply *reply) {
    if (!reply->error && reply->body_case == ZCHAT__V1__REPLY__BODY_KEEP_ALIVE &&
        reply->keep_alive->heads) {
        take_heads(z, reply->keep_alive->heads);
    }
}

static void take_own(zchat *z, const struct request *request, const Zchat__V1__Reply *reply) {
    switch (request->owner) {
    case REQUEST_SESSION:
        session_resume_done(z, reply);
        break;
    case REQUEST_INBOX:
        inbox_page(z, reply);
        break;
    case REQUEST_TOPICS:
        topics_page(z, request->topic, reply);
        break;
    case REQUEST_FOLLOWED:
        followed_reply(z, request, reply);
        break;
    case REQUEST_TRANSFERS:
        transfers_reply(z, request, reply);
        break;
    case REQUEST_CHATS:
        invitations_reply(z, request, reply);
        break;
    case REQUEST_HEADS:
        take_keep_alive(z, reply);
        break;
    case REQUEST_CALL:
        break;
    }
}

static void take_reply(zchat *z, const Zchat__V1__Reply *reply) {
    struct request *request = requests_find(&z->requests, reply->request);
    if (!request) {
        if (reply->request == 0 && reply->error) {
            take_frame_error(z, reply->error);
        }
        return;
    }
    requests_take(&z->requests, request);
    if (request->owner == REQUEST_CALL) {
        command_answer(z, request, reply);
    } else {
        take_own(z, request, reply);
        request_free(request);
    }
}

static void take_event(zchat *z, const Zchat__V1__ServerEvent *event) {
    if (!z->session.live) {
        return;
    }
    switch (event->body_case) {
    case ZCHAT__V1__SERVER_EVENT__BODY_MESSAGE:
        inbox_event(z, event);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_SESSION_ENDED:
        session_ended(z, event);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_HEADS:
        take_heads(z, event->heads);
        break;
    case ZCHAT__V1__SERVER_EVENT__BODY_THREAD:
        followed_event(z, event);
        break;
    default:
        if (!invitations_event(z, event)) {
            topics_event(z, event);
        }
        break;
    }
}

static void take_events(zchat *z, const Zchat__V1__ServerBatch *batch) {
    for (size_t i = 0; i < batch->n_events && !z->doomed; i++) {
        take_event(z, batch->events[i]);
    }
}

static void take_replies(zchat *z, const Zchat__V1__ServerBatch *batch) {
    for (size_t i = 0; i < batch->n_replies && !z->doomed; i++) {
        take_reply(z, batch->replies[i]);
    }
}

static void take_frame(zchat *z, const void *frame, size_t frame_bytes) {
    Zchat__V1__ServerBatch *batch = NULL;
    wire_arena_reset(z->arena);
    if (wire_read_server(z->arena, frame, frame_bytes, &batch) != WIRE_FINE) {
        return;
    }
    take_replies(z, batch);
    take_events(z, batch);
}

bool incoming_receive(zchat *z) {
    const void *frame;
    size_t frame_bytes, bytes = 0;
    for (int i = 0; i < ROUND_FRAMES_MAX && bytes < ROUND_BYTES_MAX && !z->doomed; i++) {
        if (!connection_receive(&z->connection, &frame, &frame_bytes)) {
            return false;
        }
        bytes += frame_bytes;
        take_frame(z, frame, frame_bytes);
    }
    return !z->doomed;
}
