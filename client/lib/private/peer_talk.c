/* Frames of a link. Until both sides have said Hello, only Hello and Bye count. A line is handed
 * out once: a line that came before is only acknowledged again. */
#include "peer_talk.h"

#include "chat_link.h"
#include "crypto.h"
#include "invitation.h"
#include "limits.h"
#include "peer_files.h"
#include "text.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* How many frames a step takes. Each step acknowledges what it took, and often, so that the other
 * side can go on sending. */
#define FRAMES_A_STEP 4

/* ---- Hello ---- */

static void say_hello(struct chat *chat, bool nonce) {
    Zchat__V1__PeerHello body = ZCHAT__V1__PEER_HELLO__INIT;
    Zchat__V1__PeerMessage message = ZCHAT__V1__PEER_MESSAGE__INIT;
    body.protocol_min = body.protocol_max = PROTOCOL_VERSION;
    if (nonce) {
        body.nonce.data = chat->link->nonce;
        body.nonce.len = NONCE_BYTES;
    }
    body.user = chat->client->session.user;
    body.chat.data = chat->id;
    body.chat.len = ID_BYTES;
    body.received = chat->lines.received;
    message.body_case = ZCHAT__V1__PEER_MESSAGE__BODY_HELLO;
    message.hello = &body;
    chat_say(chat, &message);
}

void peer_talk_hello(struct chat *chat) {
    say_hello(chat, true);
}

/* CURVE has proved the key by now. */
static zchat_code pin(const struct chat *chat, bool *known, struct fault *fault) {
    zchat_code code = chat_host_check(chat->chats->host, chat->user, chat->key, known, fault);
    if (code == ZCHAT_OK && !*known)
        code = chat_host_pin(chat->chats->host, chat->user, chat->key, fault);
    return code;
}

static void tell_open(struct chat *chat, bool known) {
    char fingerprint[FINGERPRINT_TEXT];
    zchat_reply_fn *fn = chat->fn;
    chat->fn = NULL;
    key_fingerprint(chat->key, fingerprint);
    if (fn) {
        fn(chat->arg,
           &(zchat_reply){.code = ZCHAT_OK, .text = "", .user = chat->user, .software = ""});
    }
    zchat_event event = {.kind = ZCHAT_EVENT_PRIVATE_OPEN,
                         .user = chat->user,
                         .text = fingerprint,
                         .online = !known};
    memcpy(event.id.bytes, chat->id, ID_BYTES);
    if (!chat->client->doomed)
        client_tell(chat->client, &event);
}

static void opened(struct chat *chat, uint64_t received) {
    struct fault fault;
    bool known = true;
    if (pin(chat, &known, &fault) != ZCHAT_OK) {
        chat_end(chat, fault.code, fault.text, "the other side can't keep this device's key");
        return;
    }
    chat->state = CHAT_OPEN;
    chat->attempts = 0;
    chat->strange = false;
    chat->deadline_us = chat->retry_us = chat->left_us = chat->gone_us = NEVER_US;
    if (!chat->opened) {
        chat->opened = true;
        invitation_open(chat);
    }
    tell_open(chat, known);
    lines_relink(&chat->lines, received);
}

/* A nonce may be used once: the link is closed, and the consent is used up. */
static void wrong_nonce(struct chat *chat) {
    char text[160];
    snprintf(text, sizeof text,
             "what came with %s's key showed a wrong nonce: that consent is used up; invite anew",
             chat->user);
    chat_end(chat, ZCHAT_FORBIDDEN, text,
             "the nonce was wrong, and the consent is used up: invite anew");
}

static void take_hello(struct chat *chat, const Zchat__V1__PeerHello *hello) {
    char text[160];
    bool fits =
        chat->mine || (hello->nonce.len == NONCE_BYTES &&
                       sodium_memcmp(hello->nonce.data, chat->link->nonce, NONCE_BYTES) == 0);
    sodium_memzero(chat->link->nonce, NONCE_BYTES);
    if (!fits || hello->chat.len != ID_BYTES || memcmp(hello->chat.data, chat->id, ID_BYTES) != 0) {
        wrong_nonce(chat);
        return;
    }
    if (hello->protocol_min > PROTOCOL_VERSION || hello->protocol_max < PROTOCOL_VERSION) {
        snprintf(text, sizeof text,
                 "%s's program speaks other versions of the protocol: update the older of the two",
                 chat->user);
        chat_end(chat, ZCHAT_WRONG_PROTOCOL, text,
                 "the other side's program speaks another version of the protocol");
        return;
    }
    if (!chat->mine)
        say_hello(chat, false);
    opened(chat, hello->received);
}

/* ---- lines ---- */

void peer_talk_breach(struct chat *chat) {
    char text[128];
    snprintf(text, sizeof text, "%s's program says what the protocol does not allow", chat->user);
    chat_end(chat, ZCHAT_WRONG_PROTOCOL, text,
             "this program said what the protocol does not allow");
}

/* Takes the i-th line. One that is not new is dropped. */
static void take_one(struct chat *chat, const Zchat__V1__PeerLines *lines, size_t i) {
    size_t bytes = strlen(lines->text[i]);
    zchat_event event = {.kind = ZCHAT_EVENT_PRIVATE_LINE,
                         .user = chat->user,
                         .text = lines->text[i],
                         .seq = lines->number + i,
                         .time_us = lines->time_us};
    if (event.seq <= chat->lines.received)
        return;
    if (event.seq != chat->lines.received + 1 || bytes > TEXT_BYTES_MAX) {
        peer_talk_breach(chat);
        return;
    }
    chat->lines.received = event.seq;
    text_clean(lines->text[i], bytes);
    memcpy(event.id.bytes, lines->id.data, ID_BYTES);
    event.id.bytes[ID_BYTES - 1] += (unsigned char)i;
    client_tell(chat->client, &event);
}

static void take_lines(struct chat *chat, const Zchat__V1__PeerLines *lines) {
    if (lines->id.len != ID_BYTES || lines->n_text > LINES_A_FRAME) {
        peer_talk_breach(chat);
        return;
    }
    chat->lines.ack_due = true;
    for (size_t i = 0; i < lines->n_text && chat_is_linked(chat); i++)
        take_one(chat, lines, i);
}

static void take_line(struct chat *chat, const Zchat__V1__PeerLine *line) {
    Zchat__V1__PeerLines lines = ZCHAT__V1__PEER_LINES__INIT;
    char *text = line->text;
    lines.number = line->number;
    lines.id = line->id;
    lines.time_us = line->time_us;
    lines.n_text = 1;
    lines.text = &text;
    take_lines(chat, &lines);
}

static void take_bye(struct chat *chat, const Zchat__V1__PeerBye *bye) {
    char text[512];
    text_clean_line(bye->reason, strlen(bye->reason));
    if (bye->reason[0] != '\0')
        snprintf(text, sizeof text, "%.400s", bye->reason);
    else
        snprintf(text, sizeof text, "%s ended the private chat", chat->user);
    chat->parted = chat->state == CHAT_OPEN; /* its acknowledgements came before the Bye */
    chat_end(chat, chat->opened ? ZCHAT_UNREACHABLE : ZCHAT_FORBIDDEN, text, NULL);
}

/* ---- frames ---- */

static void take_open(struct chat *chat, const Zchat__V1__PeerMessage *message) {
    switch (message->body_case) {
    case ZCHAT__V1__PEER_MESSAGE__BODY_LINE:
        take_line(chat, message->line);
        break;
    case ZCHAT__V1__PEER_MESSAGE__BODY_LINES:
        take_lines(chat, message->lines);
        break;
    case ZCHAT__V1__PEER_MESSAGE__BODY_ACK:
        lines_acked(&chat->lines, message->ack->received);
        break;
    case ZCHAT__V1__PEER_MESSAGE__BODY_HELLO:
        peer_talk_breach(chat);
        break;
    default:
        peer_files_take(chat, message);
        break;
    }
}

static void take(struct chat *chat, const Zchat__V1__PeerMessage *message) {
    if (message->body_case == ZCHAT__V1__PEER_MESSAGE__BODY_BYE)
        take_bye(chat, message->bye);
    else if (chat->state == CHAT_OPEN)
        take_open(chat, message);
    else if (message->body_case == ZCHAT__V1__PEER_MESSAGE__BODY_HELLO)
        take_hello(chat, message->hello);
    else
        peer_talk_breach(chat);
}

static void take_frame(struct chat *chat, const void *frame, size_t frame_bytes) {
    Zchat__V1__PeerBatch *batch = NULL;
    wire_arena_reset(chat->client->arena);
    if (wire_read_peer(chat->client->arena, frame, frame_bytes, &batch) != WIRE_FINE) {
        peer_talk_breach(chat);
        return;
    }
    for (size_t i = 0; i < batch->n_messages && chat_is_linked(chat); i++)
        take(chat, batch->messages[i]);
}

void peer_talk_receive(struct chat *chat) {
    const void *frame;
    size_t frame_bytes;
    for (int i = 0; i < FRAMES_A_STEP && chat_is_linked(chat); i++) {
        if (!link_receive(chat->link, &frame, &frame_bytes))
            return;
        take_frame(chat, frame, frame_bytes);
    }
}
